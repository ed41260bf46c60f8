/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The command line of slirpd, and of slirp4netns where it is called by that name. The
 * parent runs this first, before it opens or makes anything. Nothing is printed and
 * nothing ends the process here: texts go to the caller, so tests and fuzzers can call
 * it any number of times. What it looks at on the system: whether a path exists and of
 * what kind it is. Only user of getopt in the daemon.
 */
#pragma once

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>

#include "base/inet.h"
#include "base/log.h"
#include "ipc/messages.h"

/* What --version says depends on which of these the program was called by. */
#define OPTIONS_NAME_SLIRPD "slirpd"
#define OPTIONS_NAME_SLIRP4NETNS "slirp4netns"

/* One log line, so that none of a message is lost on its way out. */
#define OPTIONS_MESSAGE_SIZE 480

/* Two deprecated spellings, surplus arguments and an option without effect, each said
 * once. */
#define OPTIONS_N_WARNINGS_MAX 4

/* Ranges are one each; who wants more than this has the control socket. */
#define OPTIONS_PUBLISH_MAX 256

enum options_outcome {
	OPTIONS_RUN,
	OPTIONS_PRINT_CONFINEMENT, /* all but a target is there */
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

/* What clients compute from the network, and therefore fixed. All in network order. */
struct options_addresses {
	in_addr_t netmask_be;
	in_addr_t host_be; /* gateway, and the host's loopback where that is allowed */
	in_addr_t dns_be;
	in_addr_t dhcp_start_be;
	in_addr_t dhcp_end_be;
	in_addr_t recommended_be; /* the guest's, with --configure */
};

/* A forward to be made at the start. */
struct options_publish {
	struct ipc_hostfwd rule;
	const char *text; /* as it was given */
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
	bool create_netns;

	bool configure;
	uint32_t mtu_bytes;
	bool has_mac;
	struct inet_mac mac; /* where has_mac */

	struct inet_cidr network;
	struct options_addresses addresses; /* derived from network */
	struct in6_addr prefix6;            /* of a /64 */
	bool enable_ipv6;
	bool enable_dns;
	bool allow_host_loopback;
	const char *outbound_addr4; /* IPv4 address or interface name; NULL for none */
	const char *outbound_addr6; /* IPv6 address or interface name; NULL for none */

	const char *api_socket_path; /* NULL for none */
	const char *pidfile_path;    /* NULL for none */
	const char *log_file_path;   /* NULL for none */
	enum log_level log_level;    /* lines above it are left out */
	size_t n_publish;
	struct options_publish publish[OPTIONS_PUBLISH_MAX];
	int exit_fd;  /* -1 for none; not looked at yet */
	int ready_fd; /* -1 for none; not looked at yet */

	bool print_confinement;

	bool require_sandbox; /* fail where it can't be had */
	bool require_seccomp;
	bool use_sandbox;
	bool use_seccomp;
	enum ipc_jail_mode sandbox_mode; /* derived from the four, and program_name */
	enum ipc_jail_mode seccomp_mode;
	bool has_runas;  /* the ids below were asked for */
	uid_t runas_uid; /* of the worker when started by real root */
	gid_t runas_gid;
};

/* Each text is one line without a newline, printable, in the words that clients know
 * where slirp4netns has such an error; the caller adds program name and severity. */
struct options_messages {
	char error[OPTIONS_MESSAGE_SIZE]; /* empty unless OPTIONS_ERROR */
	size_t n_warnings;                /* may be set with every outcome */
	char warnings[OPTIONS_N_WARNINGS_MAX][OPTIONS_MESSAGE_SIZE];
};

/* Both results are written in full, whatever the outcome; options other than program_name
 * are of use with the first two only, and else have their defaults. argv[argc] is NULL;
 * argc may be 0. Then every value is right on its own and fits the others; whether
 * descriptors are open and whether the target exists is left to those who use them. */
enum options_outcome options_parse(struct options *options,
    struct options_messages *messages, int argc, char **argv);

/* A network of prefix 25 or shorter has room for all of them. */
void options_addresses_derive(const struct inet_cidr *network,
    struct options_addresses *addresses);

/* Whether the kernel takes name for an interface and uses it unchanged. */
bool options_ifname_is_valid(const char *name);

/* Clients look in this text for options by name: it holds every long one. */
void options_help_write(FILE *out, const char *program_name);
