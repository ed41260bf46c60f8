/* SPDX-License-Identifier: BSD-2-Clause */
/* The task of --print-confinement: a complete start, with a guest of its own, and a report. */
#include "parent/jailreport/jailreport.h"

#include <sys/socket.h>

#include "base/exitcode.h"
#include "base/log.h"
#include "parent/jailreport/confinement.h"
#include "parent/run/guest.h"
#include "parent/supervise/policy.h"
#include "parent/supervise/programs.h"
#include "parent/supervise/supervise.h"

/* The TAP of the guest of --print-confinement. */
#define GUEST_TAP_NAME "tap0"

/* A process makes one report. */
static struct confinement report;

static void
see_child(struct supervisor *sv, const struct child *child)
{
	(void)sv;
	parent_confinement_see(&report, child->role->id, child->pid);
}

static void
print_report(struct supervisor *sv)
{
	const struct confinement_said said = {
		.about = &sv->about,
		.confined = sv->confined,
	};

	supervise_end(sv,
	    parent_confinement_print(&report, sv->options, &said) == 0
		? EXITCODE_OK
		: EXITCODE_FAILURE);
}

static const struct supervise_task report_task = {
	.on_confined = see_child,
	.on_ready = print_report,
};

int
jailreport_make(struct supervisor *sv, struct options *options)
{
	int program_fds[IPC_ROLE_END], pair_fds[2], status;
	const struct guest_work nothing = { .may_lack_userns = true };
	struct guest guest;
	const char *step;

	if (parent_guest_make(&guest, &nothing, &step) == -1)
		fatal("make a guest for the report: %s", step);
	options->target_pid = guest.pid;
	options->tap_name = GUEST_TAP_NAME;
	options->configure = true;
	supervise_init(sv, options);
	sv->task = &report_task;
	policy_open(sv);
	parent_outbound_open(&sv->outbound, options);
	/* The api gets a socket without clients; the other end stays open. */
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair_fds) == -1)
		fatal("make a socket pair in the place of the API socket");
	sv->api_listen_fd = pair_fds[0];
	parent_programs_open(program_fds);
	if (guest.pid != 0)
		parent_target_open(&sv->target, options);
	parent_confinement_init(&report, &sv->target, guest.bar);
	if (guest.pid != 0) {
		status = supervise_all(sv, program_fds);
	} else {
		/* A TAP needs a network namespace, but the worker's jail does not. */
		log_warning("report without a guest, and so without netns-helper: "
			    "namespaces: %s",
		    guest.bar);
		if (socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, pair_fds) == -1)
			fatal("make a socket pair in the place of a TAP");
		status = supervise_without_helper(sv, program_fds, pair_fds[0]);
	}
	parent_guest_end(&guest);
	return status;
}
