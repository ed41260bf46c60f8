/* SPDX-License-Identifier: BSD-2-Clause */
/* The rows of an egress policy: what the guest may reach. slirpd-policy(5) has the language.
 * model/policy makes rows of text and text of rows. */
#pragma once

#include <stdint.h>

#include "base/inaddr.h"

/* A policy of a program is some ten lines. The largest lists of addresses and names that people
 * publish have thousands of entries. The tables take about 1.5 MiB, and only the pages in use
 * are memory. */
#define IPC_POLICY_RULES_MAX 1024
#define IPC_POLICY_PREFIXES_MAX 16384
#define IPC_POLICY_NAMES_MAX 4096

/* Port ranges of a rule. */
#define IPC_POLICY_PORTS_MAX 8

/* RFC 1035 2.3.4: 255 bytes on the wire are 253 as text. */
#define IPC_POLICY_NAME_SIZE 254

/* The word before a rule's colon, with its NUL. */
#define IPC_POLICY_LABEL_SIZE 32

/* --policy can be repeated. */
#define IPC_POLICY_FILES_MAX 16

/* The sources of rules: their numbers in struct ipc_policy_rule. Rules of a lower number come
 * first. */
enum ipc_policy_source_number {
	IPC_POLICY_FROM_API,
	IPC_POLICY_FROM_DENY_OUT,
	IPC_POLICY_FROM_ALLOW_OUT,
	IPC_POLICY_FROM_FILE, /* the first --policy */
	IPC_POLICY_N_SOURCES = IPC_POLICY_FROM_FILE + IPC_POLICY_FILES_MAX,
};

/* The name of a source in "NAME:LINE". */
#define IPC_POLICY_SOURCE_SIZE 64

/* clang-format off */
/* The classes of addresses, and their words. */
#define IPC_POLICY_CLASSES(CLASS) \
	CLASS(any, "any") \
	CLASS(internet, "internet") \
	CLASS(private, "private") \
	CLASS(link_local, "link-local") \
	CLASS(metadata, "metadata") \
	CLASS(host, "host") \
	CLASS(gateway, "gateway") \
	CLASS(nameserver, "nameserver") \
	CLASS(loopback, "loopback") \
	CLASS(multicast, "multicast") \
	CLASS(broadcast, "broadcast") \
	CLASS(special, "special")

#define IPC_POLICY_ACTIONS(ACTION) \
	ACTION(deny, "deny") \
	ACTION(allow, "allow") \
	ACTION(forbid, "forbid")

#define IPC_POLICY_PROTOS(PROTO) \
	PROTO(any, "any") \
	PROTO(tcp, "tcp") \
	PROTO(udp, "udp") \
	PROTO(icmp, "icmp")

#define IPC_POLICY_MODES(MODE) \
	MODE(enforce, "enforce") \
	MODE(audit, "audit")

#define IPC_POLICY_REFUSALS(REFUSAL) \
	REFUSAL(prohibited, "prohibited") \
	REFUSAL(reset, "reset") \
	REFUSAL(drop, "drop")

#define IPC_POLICY_ESTABLISHED(ESTABLISHED) \
	ESTABLISHED(reset, "reset") \
	ESTABLISHED(keep, "keep")

/* unset: any if the default or a rule opens the internet, else listed. */
#define IPC_POLICY_DNS(DNS) \
	DNS(unset, "") \
	DNS(listed, "listed") \
	DNS(any, "any")

#define IPC_POLICY_DNS_REFUSALS(REFUSAL) \
	REFUSAL(nxdomain, "nxdomain") \
	REFUSAL(refused, "refused")

/* Types of queries that a guest may send. */
#define IPC_POLICY_DNS_TYPES(TYPE) \
	TYPE(a, "a") \
	TYPE(aaaa, "aaaa") \
	TYPE(cname, "cname") \
	TYPE(https, "https") \
	TYPE(svcb, "svcb") \
	TYPE(srv, "srv") \
	TYPE(mx, "mx") \
	TYPE(txt, "txt") \
	TYPE(ptr, "ptr") \
	TYPE(ns, "ns") \
	TYPE(soa, "soa") \
	TYPE(caa, "caa")

#define IPC_POLICY_CLASS_ENUM(name, word) IPC_POLICY_CLASS_##name,
#define IPC_POLICY_ACTION_ENUM(name, word) IPC_POLICY_ACTION_##name,
#define IPC_POLICY_PROTO_ENUM(name, word) IPC_POLICY_PROTO_##name,
#define IPC_POLICY_MODE_ENUM(name, word) IPC_POLICY_MODE_##name,
#define IPC_POLICY_REFUSAL_ENUM(name, word) IPC_POLICY_REFUSAL_##name,
#define IPC_POLICY_ESTABLISHED_ENUM(name, word) IPC_POLICY_ESTABLISHED_##name,
#define IPC_POLICY_DNS_ENUM(name, word) IPC_POLICY_DNS_##name,
#define IPC_POLICY_DNS_REFUSAL_ENUM(name, word) IPC_POLICY_DNS_REFUSAL_##name,
#define IPC_POLICY_DNS_TYPE_ENUM(name, word) IPC_POLICY_DNS_TYPE_##name,

enum ipc_policy_class { IPC_POLICY_CLASSES(IPC_POLICY_CLASS_ENUM) IPC_POLICY_N_CLASSES };
enum ipc_policy_action { IPC_POLICY_ACTIONS(IPC_POLICY_ACTION_ENUM) IPC_POLICY_N_ACTIONS };
enum ipc_policy_proto { IPC_POLICY_PROTOS(IPC_POLICY_PROTO_ENUM) IPC_POLICY_N_PROTOS };
enum ipc_policy_mode { IPC_POLICY_MODES(IPC_POLICY_MODE_ENUM) IPC_POLICY_N_MODES };
enum ipc_policy_refusal { IPC_POLICY_REFUSALS(IPC_POLICY_REFUSAL_ENUM) IPC_POLICY_N_REFUSALS };
enum ipc_policy_established {
	IPC_POLICY_ESTABLISHED(IPC_POLICY_ESTABLISHED_ENUM) IPC_POLICY_N_ESTABLISHED
};
enum ipc_policy_dns { IPC_POLICY_DNS(IPC_POLICY_DNS_ENUM) IPC_POLICY_N_DNS };
enum ipc_policy_dns_refusal {
	IPC_POLICY_DNS_REFUSALS(IPC_POLICY_DNS_REFUSAL_ENUM) IPC_POLICY_N_DNS_REFUSALS
};
enum ipc_policy_dns_type { IPC_POLICY_DNS_TYPES(IPC_POLICY_DNS_TYPE_ENUM) IPC_POLICY_N_DNS_TYPES };
/* clang-format on */

/* Options of a rule, a set of bits. */
#define IPC_POLICY_OPTION_PRIVATE 1U /* names of the rule may lead to class private */

#define IPC_POLICY_BIT(class) (1U << IPC_POLICY_CLASS_##class)

#pragma GCC diagnostic push
#pragma GCC diagnostic error "-Wpadded"

struct ipc_policy_settings {
	uint8_t default_action; /* enum ipc_policy_action: allow or deny */
	uint8_t mode;           /* enum ipc_policy_mode, and so on */
	uint8_t refusal;
	uint8_t established;
	uint8_t dns;
	uint8_t dns_refusal;
	uint8_t is_dns_exclusive; /* ports 53 and 853 lead to the name server alone */
	uint8_t reserved;
	uint32_t dns_types; /* set of 1 << enum ipc_policy_dns_type */
	uint32_t reserved_too;
};

struct ipc_policy_ports {
	uint16_t first; /* host order, 1 to 65535 */
	uint16_t last;
};

/* The rows of a rule's prefixes and names follow it. */
struct ipc_policy_rule {
	uint64_t
	    key; /* hash of the rule's text without label: equal rules have equal keys */
	uint32_t classes; /* set of 1 << enum ipc_policy_class */
	uint32_t line;    /* in its source, from 1 */
	uint16_t source;  /* enum ipc_policy_source_number */
	uint8_t action;   /* enum ipc_policy_action */
	uint8_t proto;    /* enum ipc_policy_proto */
	uint8_t n_ports;  /* 0: all ports */
	uint8_t options;  /* set of IPC_POLICY_OPTION_... */
	uint8_t reserved[2];
	struct ipc_policy_ports ports[IPC_POLICY_PORTS_MAX]; /* the unused are zeros */
	char label[IPC_POLICY_LABEL_SIZE];                   /* "": none */
};

struct ipc_policy_prefix {
	uint16_t rule; /* index of the rule */
	struct inaddr addr;
	uint8_t len; /* bits; those behind it are 0 */
};

struct ipc_policy_name {
	uint16_t rule;       /* index of the rule */
	uint8_t is_wildcard; /* the names below `text`, and not itself */
	uint8_t reserved;
	char text[IPC_POLICY_NAME_SIZE]; /* canonical: lower case, no final dot */
};

/* Rows of a policy in one message; it stays below 2 KiB (describe.c asserts it). */
#define IPC_POLICY_RULES_N 20
#define IPC_POLICY_PREFIXES_N 96
#define IPC_POLICY_NAMES_N 7

/* The text of a profile, or a value of --allow-out with the longest name. */
#define IPC_POLICY_INLINE_SIZE 512

/* An error of the policy's text. */
#define IPC_POLICY_SAID_SIZE 400

/* A text of the command line: a profile (FROM_FILE and above), or "HOST:PORT[-PORT][/udp]". */
struct ipc_policy_inline {
	uint32_t source; /* enum ipc_policy_source_number */
	uint32_t line;   /* the first line is this one, from 1 */
	char name[IPC_POLICY_SOURCE_SIZE];
	char text[IPC_POLICY_INLINE_SIZE];
};

/* The descriptor is of a text. */
struct ipc_policy_file {
	uint32_t source; /* FROM_FILE and above */
	uint32_t reserved;
	char name[IPC_POLICY_SOURCE_SIZE];
};

struct ipc_policy_read {
	uint8_t is_audit;   /* mode audit, whatever the texts say */
	uint8_t enable_dns; /* there is a name server */
	uint8_t is_check;   /* report unusual rules; nothing is started */
	uint8_t reserved[5];
};

struct ipc_policy_said {
	uint8_t is_error; /* the policy is refused; else a remark on a rule */
	uint8_t reserved[7];
	char text[IPC_POLICY_SAID_SIZE];
};

/* The rows of one policy, from begin to commit, replace the policy before. */
struct ipc_policy_begin {
	uint64_t generation;
	struct ipc_policy_settings settings;
};

struct ipc_policy_source {
	uint32_t source;
	uint32_t reserved;
	char name[IPC_POLICY_SOURCE_SIZE];
};

/* Entries behind the n that are in use are zeros. */
struct ipc_policy_rules {
	uint32_t n;
	uint32_t reserved;
	struct ipc_policy_rule rules[IPC_POLICY_RULES_N];
};

struct ipc_policy_prefixes {
	uint32_t n;
	struct ipc_policy_prefix prefixes[IPC_POLICY_PREFIXES_N];
};

struct ipc_policy_names {
	uint16_t n;
	struct ipc_policy_name names[IPC_POLICY_NAMES_N];
};

struct ipc_policy_commit {
	uint64_t generation;
	uint32_t n_rules; /* of all messages since begin */
	uint32_t n_prefixes;
	uint32_t n_names;
	uint32_t reserved;
};

/* What the api knows of the policy when it begins. */
struct ipc_listen {
	uint8_t has_policy; /* its rows follow when the api is ready */
	uint8_t is_locked;  /* changes may only deny more */
	uint8_t is_audit;   /* mode audit, whatever a text says */
	uint8_t enable_dns; /* there is a name server */
	uint8_t reserved[4];
};

struct ipc_policy_committed {
	uint64_t generation;
};

struct ipc_change_policy {
	uint64_t request;
};

/* clang-format off */
#define IPC_POLICY_OUTCOMES(OUTCOME) \
	OUTCOME(done) \
	OUTCOME(conflict) /* it was made from another policy than the one in force */ \
	OUTCOME(locked)   /* it would not only deny more */ \
	OUTCOME(busy)     /* another change, or a start, is under way */

#define IPC_POLICY_OUTCOME_ENUM(name) IPC_POLICY_OUTCOME_##name,
enum ipc_policy_outcome { IPC_POLICY_OUTCOMES(IPC_POLICY_OUTCOME_ENUM) IPC_POLICY_N_OUTCOMES };
/* clang-format on */

struct ipc_policy_changed {
	uint64_t request;
	uint64_t generation; /* of the policy in force */
	uint32_t outcome;    /* enum ipc_policy_outcome */
	uint32_t reserved;
};

struct ipc_policy_known {
	uint64_t generation;
};

struct ipc_query_policy {
	uint64_t request;
};

/* Counts since the connector's start: flows of the guest that it has judged. */
struct ipc_policy_state {
	uint64_t request;
	uint64_t generation;   /* of the policy in force; 0: none */
	uint64_t n_allowed;    /* of the flows */
	uint64_t n_denied;     /* of the flows; in mode audit those that it would deny */
	uint64_t n_by_default; /* of both, without a rule that fits */
	uint64_t
	    n_flows_limited;     /* flows that were refused for a limit, and not judged */
	uint64_t n_names_denied; /* queries for names, as in ipc_dns_refusal; so below */
	uint64_t n_names_limited;
	uint64_t n_addrs_cut;
	uint32_t n_pins; /* addresses of names that the guest may connect to now */
	uint32_t reserved;
};

struct ipc_list_hits {
	uint64_t request;
	uint32_t from; /* the first rule */
	uint32_t reserved;
};

/* Hits of rules in one message; it stays below 2 KiB. */
#define IPC_POLICY_HITS_N 120

/* How often a rule has decided. */
struct ipc_rule_hits {
	uint64_t n;
	uint64_t idle_ms; /* since the last time; 0 if there was none */
};

/* Entries behind the n that are in use are zeros. */
struct ipc_hits_page {
	uint64_t request;
	uint64_t generation; /* of the policy whose rules they are */
	uint32_t n;
	uint32_t reserved;
	struct ipc_rule_hits hits[IPC_POLICY_HITS_N]; /* of the rules from `from` on */
};

struct ipc_list_pins {
	uint64_t request;
	uint32_t from; /* 0, or `next` of the page before */
	uint32_t reserved;
};

/* An address that the guest may connect to because a name leads to it. */
struct ipc_pin {
	struct inaddr addr;
	uint8_t reserved;
	uint16_t name; /* index of the pattern among the policy's names */
	uint32_t life_s;
};

/* Pins in one message; it stays below 2 KiB. */
#define IPC_POLICY_PINS_N 72

/* Pins that the connector has at most: PINS_MAX. */
#define IPC_POLICY_PINS_MAX 8192

struct ipc_pins_page {
	uint64_t request;
	uint64_t generation; /* of the policy whose names they are of */
	uint32_t n;
	uint32_t
	    next; /* for the next page; 0, as always if n is lower: this is the last */
	struct ipc_pin pins[IPC_POLICY_PINS_N]; /* zeros from n on */
};

/* The api asks for a verdict; no socket is made. */
struct ipc_check_flow {
	uint64_t request;
	uint16_t port;                   /* 0: icmp */
	uint8_t proto;                   /* enum ipc_policy_proto, not any */
	struct inaddr addr;              /* zeros if there is a name */
	char name[IPC_POLICY_NAME_SIZE]; /* canonical; "": there is an address */
	uint8_t reserved[6];
};

/* Number of values of enum policy_reason. */
#define IPC_POLICY_N_REASONS 4

/* A verdict lists at most 32 pins. */
#define IPC_POLICY_VERDICT_PINS_N 32

struct ipc_flow_verdict {
	uint64_t request;
	uint64_t generation; /* of the policy in force; 0: none, and all is denied */
	uint32_t classes;    /* of the address, a set of 1 << enum ipc_policy_class */
	uint16_t rule;       /* if the reason is a rule */
	uint8_t is_allowed;
	uint8_t reason; /* enum policy_reason */
	uint32_t n;
	uint32_t reserved;
	struct ipc_pin pins[IPC_POLICY_VERDICT_PINS_N]; /* of the address or of the name's
							   patterns; zeros from n on */
};

/* clang-format off */
/* What has denied a flow or a name, and its word. */
#define IPC_DENIED_REASONS(REASON) \
	REASON(default, "default") \
	REASON(deny, "deny") \
	REASON(forbid, "forbid") \
	REASON(dns_exclusive, "dns exclusive")

#define IPC_DENIED_REASON_ENUM(name, word) IPC_DENIED_BY_##name,
enum ipc_denied_reason { IPC_DENIED_REASONS(IPC_DENIED_REASON_ENUM) IPC_DENIED_N_REASONS };
/* clang-format on */

struct ipc_list_denied {
	uint64_t request;
	uint32_t from; /* 0, or `next` of the page before */
	uint32_t reserved;
};

/* Flows to one destination, or queries for one name, that the policy has denied or would deny in
 * mode audit. The last of them counts for all but `count`. */
struct ipc_denied {
	uint64_t count;
	uint32_t classes; /* of addr */
	uint16_t port;    /* 0 for icmp and names */
	uint8_t proto;    /* enum ipc_policy_proto; any: a name, and addr is zeros */
	uint8_t reason;   /* enum ipc_denied_reason */
	struct inaddr addr;
	uint8_t reserved;
	char name[IPC_POLICY_NAME_SIZE]; /* that has led to addr; "": not known */
};

/* Entries in one message; it stays below 2 KiB. */
#define IPC_POLICY_DENIED_N 6

/* Entries that the connector has at most: DENIED_FLOWS_MAX and DENIED_NAMES_MAX. */
#define IPC_POLICY_DENIED_MAX 768

struct ipc_denied_page {
	uint64_t request;
	uint64_t generation; /* of the policy that denies them */
	uint32_t n;
	uint32_t next;                                  /* as in ipc_pins_page */
	struct ipc_denied entries[IPC_POLICY_DENIED_N]; /* zeros from n on */
};

/* Addresses of the host's interfaces: part of a list. */
#define IPC_HOST_ADDRS_N 64

struct ipc_host_addrs {
	uint8_t is_first; /* begins a new list */
	uint8_t is_last;  /* the list is complete */
	uint8_t n;
	uint8_t reserved;
	struct inaddr addrs[IPC_HOST_ADDRS_N];
};

#pragma GCC diagnostic pop
