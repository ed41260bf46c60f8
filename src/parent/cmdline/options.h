/* SPDX-License-Identifier: BSD-2-Clause */
/* The command line of slirpd, and of slirp4netns if called by that name. The parent
 * parses it before it opens or makes anything. The functions print nothing and do not end
 * the process, so tests and fuzzers can call them repeatedly. They look at the system
 * only for the existence and type of paths. The only user of getopt in the daemon. */
#pragma once

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>

#include "base/cidr.h"
#include "base/log.h"
#include "base/mac.h"
#include "ipc/messages.h"

/* --version depends on the name by which the program was called. */
#define OPTIONS_NAME_SLIRPD "slirpd"
#define OPTIONS_NAME_SLIRP4NETNS "slirp4netns"

/* The size of one log line, so that a message is not cut. */
#define OPTIONS_MESSAGE_SIZE 480

/* Two deprecated spellings, surplus arguments and an option without effect, each once. */
#define OPTIONS_N_WARNINGS_MAX 4

/* A range counts once. The control socket takes more forwards than this. */
#define OPTIONS_PUBLISH_MAX 256

/* 64 addresses by hand are many; a file takes more. */
#define OPTIONS_OUT_MAX 64

enum options_outcome {
	OPTIONS_START,             /* with a command, all but target_pid is there */
	OPTIONS_PRINT_CONFINEMENT, /* all but a target is there */
	OPTIONS_CHECK_POLICY,      /* the same */
	OPTIONS_HELP,
	OPTIONS_VERSION,
	OPTIONS_ERROR, /* messages->error has the reason */
};

enum options_target {
	OPTIONS_TARGET_PID,   /* the namespaces of target_pid */
	OPTIONS_TARGET_PATH,  /* the network namespace at netns_path */
	OPTIONS_TARGET_TAPFD, /* none: tap_fd is an inherited TAP device */
	OPTIONS_TARGET_BESS,  /* none: frames come over the socket at bess_path */
};

/* Addresses that clients compute from the network, so they are fixed. Network byte
 * order. */
struct options_addresses {
	in_addr_t netmask_be;
	in_addr_t host_be; /* the gateway, and the host's loopback if allowed */
	in_addr_t dns_be;
	in_addr_t dhcp_start_be;
	in_addr_t dhcp_end_be;
	in_addr_t recommended_be; /* the guest's, with --configure */
};

/* A forward of --publish. */
struct options_publish {
	struct ipc_forward forward;
	const char *text; /* the value of --publish */
};

/* A value of --allow-out or --deny-out. */
struct options_out {
	const char *text;
	bool is_deny;
};

/* All strings are borrowed from argv, whose order getopt changes. */
struct options {
	const char *program_name; /* last part of argv[0] */

	enum options_target target;
	pid_t target_pid;        /* -1 unless OPTIONS_TARGET_PID */
	const char *netns_path;  /* NULL unless OPTIONS_TARGET_PATH */
	int tap_fd;              /* -1 unless OPTIONS_TARGET_TAPFD */
	const char *bess_path;   /* NULL unless OPTIONS_TARGET_BESS */
	const char *tap_name;    /* NULL unless the target is a PID or a path */
	const char *userns_path; /* NULL for none */
	char *const *command;    /* of `slirpd run`, ends in NULL; NULL without it */
	bool create_netns;

	bool configure;
	uint32_t mtu_bytes;
	bool has_mac;
	struct mac mac; /* valid if has_mac */

	struct cidr network;
	struct options_addresses addresses; /* derived from network */
	struct in6_addr prefix6;            /* of a /64 */
	bool enable_ipv6;
	bool enable_dns;
	bool allow_host_loopback;
	size_t n_policy;
	const char *policy[IPC_POLICY_FILES_MAX]; /* a path, or a word: a profile */
	size_t n_out;
	struct options_out out[OPTIONS_OUT_MAX];
	bool policy_audit; /* nothing is denied, whatever the policy says */
	bool policy_lock;  /* requests may only deny more */
	bool check_policy;
	const char *outbound_addr[2]; /* by is_ipv6: address or interface; NULL: none */

	const char *api_socket_path; /* NULL for none */
	const char *pidfile_path;    /* NULL for none */
	const char *log_file_path;   /* NULL for none */
	enum log_level log_level;    /* lines of a higher level are dropped */
	size_t n_publish;
	struct options_publish publish[OPTIONS_PUBLISH_MAX];
	int exit_fd;  /* -1 for none; not checked yet */
	int ready_fd; /* -1 for none; not checked yet */

	bool restart; /* a service that has died is started again; else slirpd ends */

	bool print_confinement;
	bool is_run;  /* `slirpd run` */
	bool keep_id; /* its command keeps uid and gid; else both are 0 */

	bool require_sandbox; /* fail if it cannot be made */
	bool require_seccomp;
	bool use_sandbox;
	bool use_seccomp;
	enum ipc_jail_mode sandbox_mode; /* derived from the four, and program_name */
	enum ipc_jail_mode seccomp_mode;
	bool has_runas;  /* --runas is given */
	uid_t runas_uid; /* the worker's, if real root starts slirpd */
	gid_t runas_gid;
};

/* Each text is one printable line without a newline. Known errors have the words of
 * slirp4netns. The caller adds program name and severity. */
struct options_messages {
	char error[OPTIONS_MESSAGE_SIZE]; /* empty unless OPTIONS_ERROR */
	size_t n_warnings;                /* may be set with every outcome */
	char warnings[OPTIONS_N_WARNINGS_MAX][OPTIONS_MESSAGE_SIZE];
};

/* Both results are written in full, whatever the outcome; options other than program_name
 * and is_run are of use with the first two only, and else have their defaults. argv[argc] is NULL;
 * argc may be 0. Then every value is right on its own and fits the others; whether
 * descriptors are open and whether the target exists is left to those who use them. */
enum options_outcome options_parse(struct options *options,
    struct options_messages *messages, int argc, char **argv);

/* A network with a prefix of 25 or shorter contains all of them. */
void options_addresses_derive(const struct cidr *network,
    struct options_addresses *addresses);

/* Whether a program of this name keeps to the texts and exit statuses of slirp4netns. */
bool options_is_slirp4netns(const char *program_name);

/* The exit status if the command line, or a policy that it names, is wrong. slirp4netns has one status
 * for all failures, and its clients may compare it; so has `slirpd run`. */
int options_usage_status(const struct options *options);

/* Whether the guest's destinations are limited. */
bool options_has_policy(const struct options *options);

/* Whether the kernel takes name for an interface and uses it unchanged. */
bool options_ifname_is_valid(const char *name);

/* Writes the help text, which has every long option: clients search it for option
 * names. */
void options_help_write(FILE *out, const char *program_name);
