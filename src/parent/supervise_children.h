/* The children, as a part of supervision: what they say, how they die, and how they are
 * ended. What their messages ask for is done in the file whose matter it is. */
#pragma once

#include "parent/spawn.h"

struct supervisor;

/* Receives what the child has sent. The rest of a flood waits for the next turn. */
void supervise_receive(struct supervisor *sv, struct child *child);

/* Looks after children that have ended. If orphans are left for the next turn it sets
 * sv->reap_again. */
void supervise_reap(struct supervisor *sv);

/* Takes the process whose number the spawner told for this child. Returns 0, or -1 if it is no
 * child of this process, or another of `sv`: the parent would kill what it names. */
int supervise_adopt(struct supervisor *sv, struct child *child, pid_t pid);

/* Closes the child's channel and kills it; it is reaped like one that died by itself. */
void supervise_kill(struct child *child);

/* Ends all children: first by the end of their channels, then by force. */
void supervise_end_children(struct supervisor *sv);
