/* The start, as a part of supervision: from the first child to READY. What fails here
 * ends it. The api's own start is in parent/supervise_api.h. */
#pragma once

#include <stdint.h>

#include "parent/roles.h"

struct supervisor;

/* A start takes milliseconds. Clients give up after one to three seconds (Podman,
 * bubblejail) and a loaded machine may need some more; after this, something hangs. */
#define SUPERVISE_START_TIMEOUT_MS 30000

/* Starts one child and tells it how much of a jail to make. */
void supervise_start_child(struct supervisor *sv, enum ipc_role role,
    const int program_fds[IPC_ROLE_END]);

/* Starts all children and tells them what to do. */
void supervise_start_all(struct supervisor *sv, const int program_fds[IPC_ROLE_END]);

/* The same without the helper; see supervise_run_worker(). */
void supervise_start_worker(struct supervisor *sv, const int program_fds[IPC_ROLE_END],
    int adopt_tap_fd);

/* Tells a new child how much of a jail to make. */
void supervise_confine_child(struct supervisor *sv, enum ipc_role role);

/* A message of the start could not be sent, errno says why. If that is because the child
 * is gone, its exit tells the reason; if a signal ended it and us, there is none to
 * tell. */
void supervise_fail_send(struct supervisor *sv, const char *what);

/* Goes over from the start to service, if all is there. */
void supervise_check_ready(struct supervisor *sv);

/* Ends a start that takes too long. */
void supervise_check_deadline(struct supervisor *sv, uint64_t now_ms);
