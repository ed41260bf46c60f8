/* SPDX-License-Identifier: BSD-2-Clause */
/* Two tables: the processes, and the arrows between them. A new process is a row of
 * IPC_ROLES, a row of IPC_ARROWS for each list of its messages (messages.h), a folder of
 * src, and a policy in seccomp. */
#pragma once

#include "ipc/fdtable.h"

/* clang-format off */
/*
 * ROLE(constant, name, program, n_fds, stages)
 * name: in log lines and reports.
 * program: the file below libexec/slirpd; NULL for a process of the parent's program.
 * n_fds: descriptors 0 to n_fds - 1 are open at its begin (fdtable.h).
 * stages: set of 1 << enum ipc_stage, those that its jail has if nothing is missing.
 */
#define IPC_ROLES(ROLE) \
	ROLE(PARENT, "parent", NULL, 0, \
	    IPC_STAGE_BIT(capabilities) | IPC_STAGE_BIT(limits) | IPC_STAGE_BIT(seccomp)) \
	ROLE(NETNS_HELPER, "netns-helper", "slirpd-netns-helper", IPC_CHILD_FD_PARENT + 1, \
	    IPC_STAGE_BIT(descriptors) | IPC_STAGE_BIT(limits) | IPC_STAGE_BIT(seccomp)) \
	ROLE(SPAWNER, "spawner", NULL, IPC_CHILD_FD_PARENT + 1, \
	    IPC_STAGE_BIT(descriptors) | IPC_STAGE_BIT(limits) | IPC_STAGE_BIT(seccomp)) \
	ROLE(SLIRP_WORKER, "slirp-worker", "slirpd-slirp-worker", IPC_CHILD_FD_RESOLVER + 1, \
	    IPC_STAGE_BIT(N) - 1) \
	ROLE(CONNECTOR, "connector", "slirpd-connector", IPC_CHILD_FD_RESOLVER + 1, \
	    IPC_STAGE_BIT(N) - 1) \
	ROLE(RESOLVER, "resolver", "slirpd-resolver", IPC_CHILD_FD_CONNECTOR + 1, \
	    IPC_STAGE_BIT(N) - 1) \
	ROLE(API, "api", "slirpd-api", IPC_CHILD_FD_LISTEN + 1, \
	    IPC_STAGE_BIT(N) - 1) \
	ROLE(CGROUP_MOVER, "cgroup-mover", NULL, IPC_CHILD_FD_PARENT + 1, \
	    IPC_STAGE_BIT(descriptors) | IPC_STAGE_BIT(capabilities) | \
		IPC_STAGE_BIT(limits) | IPC_STAGE_BIT(landlock) | IPC_STAGE_BIT(seccomp)) \
	ROLE(POLICY_READER, "policy-reader", NULL, IPC_CHILD_FD_PARENT + 1, \
	    IPC_STAGE_BIT(descriptors) | IPC_STAGE_BIT(capabilities) | \
		IPC_STAGE_BIT(limits) | IPC_STAGE_BIT(landlock) | IPC_STAGE_BIT(seccomp))

enum ipc_role {
	IPC_ROLE_NONE,
#define IPC_ROLE_ENUM(constant, name, program, n_fds, stages) IPC_ROLE_##constant,
	IPC_ROLES(IPC_ROLE_ENUM)
#undef IPC_ROLE_ENUM
	IPC_ROLE_END, /* the first number that is not a role */
};

/* Children have the numbers from here to IPC_ROLE_END - 1. */
#define IPC_ROLE_CHILDREN (IPC_ROLE_PARENT + 1)

/* Sets of roles. */
#define IPC_ONE(role) (1U << IPC_ROLE_##role)
#define IPC_EVERY (~0U)
/* The spawner starts these, at first and after each death. */
#define IPC_SERVICES (IPC_ONE(SLIRP_WORKER) | IPC_ONE(CONNECTOR) | IPC_ONE(RESOLVER) | IPC_ONE(API))

/* ARROW(constant, senders, receivers, ...): the roles that send the rows of
 * IPC_ROWS_<constant> (messages.h), and those that receive them. Arguments after ARROW
 * come last. */
#define IPC_ARROWS(ARROW, ...) \
	ARROW(BOTH_WAYS, IPC_EVERY, IPC_EVERY, __VA_ARGS__) \
	ARROW(CHILD_TO_PARENT, IPC_EVERY, IPC_ONE(PARENT), __VA_ARGS__) \
	ARROW(PARENT_TO_CHILD, IPC_ONE(PARENT), IPC_EVERY, __VA_ARGS__) \
	ARROW(PARENT_TO_NETNS_HELPER, IPC_ONE(PARENT), IPC_ONE(NETNS_HELPER), __VA_ARGS__) \
	ARROW(NETNS_HELPER_TO_PARENT, IPC_ONE(NETNS_HELPER), IPC_ONE(PARENT), __VA_ARGS__) \
	ARROW(PARENT_TO_JAILED, IPC_ONE(PARENT), IPC_SERVICES, __VA_ARGS__) \
	ARROW(JAILED_TO_PARENT, IPC_SERVICES, IPC_ONE(PARENT), __VA_ARGS__) \
	ARROW(PARENT_TO_SERVER_USERS, IPC_ONE(PARENT), IPC_ONE(CONNECTOR) | IPC_ONE(RESOLVER), __VA_ARGS__) \
	ARROW(SOCKET_MAKERS_TO_PARENT, IPC_ONE(SLIRP_WORKER) | IPC_ONE(CONNECTOR), IPC_ONE(PARENT), __VA_ARGS__) \
	ARROW(PARENT_TO_SLIRP_WORKER, IPC_ONE(PARENT), IPC_ONE(SLIRP_WORKER), __VA_ARGS__) \
	ARROW(SLIRP_WORKER_TO_PARENT, IPC_ONE(SLIRP_WORKER), IPC_ONE(PARENT), __VA_ARGS__) \
	ARROW(PARENT_TO_POLICY_READER, IPC_ONE(PARENT), IPC_ONE(POLICY_READER), __VA_ARGS__) \
	ARROW(POLICY_READER_TO_PARENT, IPC_ONE(POLICY_READER), IPC_ONE(PARENT), __VA_ARGS__) \
	ARROW(POLICY, IPC_ONE(POLICY_READER) | IPC_ONE(PARENT) | IPC_ONE(API), IPC_ONE(PARENT) | IPC_ONE(CONNECTOR) | IPC_ONE(RESOLVER) | IPC_ONE(API), __VA_ARGS__) \
	ARROW(PARENT_TO_CONNECTOR, IPC_ONE(PARENT), IPC_ONE(CONNECTOR), __VA_ARGS__) \
	ARROW(CONNECTOR_TO_PARENT, IPC_ONE(CONNECTOR), IPC_ONE(PARENT), __VA_ARGS__) \
	ARROW(SLIRP_WORKER_TO_CONNECTOR, IPC_ONE(SLIRP_WORKER), IPC_ONE(CONNECTOR), __VA_ARGS__) \
	ARROW(CONNECTOR_TO_SLIRP_WORKER, IPC_ONE(CONNECTOR), IPC_ONE(SLIRP_WORKER), __VA_ARGS__) \
	ARROW(PARENT_TO_RESOLVER, IPC_ONE(PARENT), IPC_ONE(RESOLVER), __VA_ARGS__) \
	ARROW(RESOLVER_TO_PARENT, IPC_ONE(RESOLVER), IPC_ONE(PARENT), __VA_ARGS__) \
	ARROW(SLIRP_WORKER_TO_RESOLVER, IPC_ONE(SLIRP_WORKER), IPC_ONE(RESOLVER), __VA_ARGS__) \
	ARROW(RESOLVER_TO_SLIRP_WORKER, IPC_ONE(RESOLVER), IPC_ONE(SLIRP_WORKER), __VA_ARGS__) \
	ARROW(RESOLVER_TO_CONNECTOR, IPC_ONE(RESOLVER), IPC_ONE(CONNECTOR), __VA_ARGS__) \
	ARROW(CONNECTOR_TO_RESOLVER, IPC_ONE(CONNECTOR), IPC_ONE(RESOLVER), __VA_ARGS__) \
	ARROW(PARENT_TO_SPAWNER, IPC_ONE(PARENT), IPC_ONE(SPAWNER), __VA_ARGS__) \
	ARROW(SPAWNER_TO_PARENT, IPC_ONE(SPAWNER), IPC_ONE(PARENT), __VA_ARGS__) \
	ARROW(PARENT_TO_API, IPC_ONE(PARENT), IPC_ONE(API), __VA_ARGS__) \
	ARROW(API_TO_PARENT, IPC_ONE(API), IPC_ONE(PARENT), __VA_ARGS__) \
	ARROW(API_TO_CONNECTOR, IPC_ONE(API), IPC_ONE(CONNECTOR), __VA_ARGS__) \
	ARROW(CONNECTOR_TO_API, IPC_ONE(CONNECTOR), IPC_ONE(API), __VA_ARGS__) \
	ARROW(API_TO_SLIRP_WORKER, IPC_ONE(API), IPC_ONE(SLIRP_WORKER), __VA_ARGS__) \
	ARROW(SLIRP_WORKER_TO_API, IPC_ONE(SLIRP_WORKER), IPC_ONE(API), __VA_ARGS__) \
	ARROW(PARENT_TO_CGROUP_MOVER, IPC_ONE(PARENT), IPC_ONE(CGROUP_MOVER), __VA_ARGS__) \
	ARROW(CGROUP_MOVER_TO_PARENT, IPC_ONE(CGROUP_MOVER), IPC_ONE(PARENT), __VA_ARGS__)
/* clang-format on */
