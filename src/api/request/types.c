/* SPDX-License-Identifier: BSD-2-Clause */
/* The table of the types of replies and events, and its description for
 * query_commands. */
#include "api/request/types.h"

#include "ipc/messages.h"

#define INTEGER(member) \
	{ \
		.name = (member), .type = API_TYPE_INTEGER \
	}
#define STRING(member) \
	{ \
		.name = (member), .type = API_TYPE_STRING \
	}
#define BOOLEAN(member) \
	{ \
		.name = (member), .type = API_TYPE_BOOLEAN \
	}
#define OBJECT(member, its_type) \
	{ \
		.name = (member), .type = (its_type) \
	}
#define ARRAY(member, its_type) \
	{ \
		.name = (member), .type = (its_type), .is_array = true \
	}
#define OPTIONAL(member, its_type) \
	{ \
		.name = (member), .type = (its_type), .is_optional = true \
	}

static const struct api_member hostfwd_id[] = {
	INTEGER("id"),
};

static const struct api_member hostfwd[] = {
	INTEGER("id"),
	STRING("proto"),
	STRING("host_addr"),
	INTEGER("host_port"),
	OPTIONAL("host_port_end", API_TYPE_INTEGER),
	STRING("guest_addr"),
	INTEGER("guest_port"),
};

static const struct api_member hostfwds[] = {
	ARRAY("entries", "hostfwd"),
};

static const struct api_member version[] = {
	STRING("slirpd"),
	STRING("libslirp"),
	INTEGER("slirp_config_version_max"),
	INTEGER("api"),
};

static const struct api_member description[] = {
	ARRAY("commands", "command"),
	ARRAY("events", "event_kind"),
	ARRAY("error_classes", "error_class"),
	ARRAY("types", "type"),
};

static const struct api_member command[] = {
	STRING("name"),
	STRING("meaning"),
	BOOLEAN("only_in_session"),
	ARRAY("arguments", "argument"),
	STRING("returns"),
};

static const struct api_member argument[] = {
	STRING("name"),
	STRING("type"),
	BOOLEAN("required"),
	OPTIONAL("min", API_TYPE_INTEGER),
	OPTIONAL("max", API_TYPE_INTEGER),
	OPTIONAL("default", API_TYPE_STRING),
	STRING("wanted"),
	STRING("meaning"),
};

static const struct api_member event_kind[] = {
	STRING("name"),
	STRING("meaning"),
	STRING("data"),
};

static const struct api_member error_class[] = {
	STRING("name"),
	STRING("meaning"),
};

static const struct api_member type[] = {
	STRING("name"),
	OPTIONAL("internal", API_TYPE_BOOLEAN),
	ARRAY("members", "member"),
};

static const struct api_member member[] = {
	STRING("name"),
	STRING("type"),
	OPTIONAL("array", API_TYPE_BOOLEAN),
	OPTIONAL("optional", API_TYPE_BOOLEAN),
};

static const struct api_member status[] = {
	INTEGER("uptime_ms"),
	STRING("libslirp"),
	STRING("tap_name"),
	OBJECT("pids", "pids"),
	OBJECT("restarts", "restarts"),
	OBJECT("network", "network"),
	OBJECT("confinement", "confinement"),
};

static const struct api_member pids[] = {
	INTEGER("parent"),
	INTEGER("slirp_worker"),
	INTEGER("connector"),
	OPTIONAL("resolver", API_TYPE_INTEGER),
	INTEGER("api"),
};

/* The processes that are started again after a death. */
static const struct api_member restarts[] = {
	INTEGER("slirp_worker"),
	INTEGER("connector"),
	INTEGER("resolver"),
	INTEGER("api"),
};

static const struct api_member process[] = {
	STRING("name"),
	INTEGER("restarts"),
};

static const struct api_member network[] = {
	STRING("network_addr"),
	INTEGER("prefix_len"),
	STRING("host_addr"),
	STRING("nameserver_addr"),
	STRING("dhcp_start_addr"),
	STRING("guest_addr"),
	BOOLEAN("ipv6_enabled"),
	OPTIONAL("network_addr6", API_TYPE_STRING),
	OPTIONAL("host_addr6", API_TYPE_STRING),
	OPTIONAL("nameserver_addr6", API_TYPE_STRING),
	INTEGER("mtu_bytes"),
	BOOLEAN("dns_enabled"),
	BOOLEAN("host_loopback_allowed"),
};

/* The roles of ipc/roles.h. */
static const struct api_member confinement[] = {
	OBJECT("parent", "confined"),
	OBJECT("netns_helper", "confined"),
	OBJECT("spawner", "confined"),
	OBJECT("slirp_worker", "confined"),
	OBJECT("connector", "confined"),
	OBJECT("resolver", "confined"),
	OBJECT("api", "confined"),
	OBJECT("cgroup_mover", "confined"),
	OBJECT("policy_reader", "confined"),
};

static const struct api_member confined[] = {
#define STAGE(name, meaning) BOOLEAN(#name),
	IPC_STAGES(STAGE)
#undef STAGE
	    ARRAY("missing", API_TYPE_STRING),
	STRING("cap_effective"),
	STRING("cap_bounding"),
	INTEGER("landlock_abi"),
	INTEGER("n_calls"),
	BOOLEAN("own_userns"),
};

static const struct api_member stats[] = {
	OBJECT("counters", "counters"),
	OBJECT("drops", "drops"),
	OBJECT("tcp", "tcp"),
	OBJECT("tcp_ends", "tcp_ends"),
	OBJECT("tcp_flows", "tcp_flows"),
	OBJECT("sockets", "sockets"),
	INTEGER("hostfwds"),
	OBJECT("api", "api_stats"),
};

#define COUNTER(name, meaning) INTEGER(#name),
static const struct api_member counters[] = { IPC_COUNTERS(COUNTER) };
static const struct api_member drops[] = { IPC_DROP_REASONS(COUNTER) };
static const struct api_member tcp[] = { IPC_TCP_COUNTERS(COUNTER) };
static const struct api_member tcp_ends[] = { IPC_TCP_ENDS(COUNTER) };
#undef COUNTER

static const struct api_member tcp_flows[] = {
	INTEGER("all"),
	INTEGER("half_open"),
	INTEGER("time_wait"),
	INTEGER("buffer_bytes"),
};

static const struct api_member sockets[] = {
	INTEGER("tcp"),
	INTEGER("udp"),
	INTEGER("icmp"),
};

static const struct api_member api_stats[] = {
	INTEGER("clients"),
	INTEGER("sessions"),
	INTEGER("connections"),
	INTEGER("requests"),
	INTEGER("errors"),
	INTEGER("gave_way"),
	INTEGER("slow"),
	INTEGER("restarts"),
};

static const struct api_member connections[] = {
	ARRAY("connections", "connection"),
};

static const struct api_member connection[] = {
	STRING("proto"),
	OPTIONAL("state", API_TYPE_STRING),
	BOOLEAN("hostfwd"),
	STRING("source_addr"),
	INTEGER("source_port"),
	STRING("dest_addr"),
	INTEGER("dest_port"),
	INTEGER("recv_queue_bytes"),
	INTEGER("send_queue_bytes"),
	OPTIONAL("bytes_in", API_TYPE_INTEGER),
	OPTIONAL("bytes_out", API_TYPE_INTEGER),
	OPTIONAL("retransmitted_bytes", API_TYPE_INTEGER),
	OPTIONAL("round_trip_us", API_TYPE_INTEGER),
	OPTIONAL("age_ms", API_TYPE_INTEGER),
};

static const struct api_member policy[] = {
	INTEGER("generation"),
	STRING("hash"),
	STRING("mode"),
	STRING("default"),
	BOOLEAN("locked"),
	INTEGER("rules"),
	INTEGER("prefixes"),
	INTEGER("names"),
	INTEGER("allowed"),
	INTEGER("denied"),
	INTEGER("by_default"),
	INTEGER("flows_limited"),
	INTEGER("names_denied"),
	INTEGER("names_limited"),
	INTEGER("addrs_cut"),
	INTEGER("pins"),
};

static const struct api_member policy_text[] = {
	INTEGER("generation"),
	ARRAY("settings", API_TYPE_STRING),
	ARRAY("rules", "policy_rule"),
};

static const struct api_member policy_rule[] = {
	STRING("id"),
	STRING("where"),
	STRING("line"),
	INTEGER("hits"),
	OPTIONAL("idle_ms", API_TYPE_INTEGER),
};

static const struct api_member policy_pins[] = {
	INTEGER("generation"),
	ARRAY("pins", "policy_pin"),
};

static const struct api_member policy_pin[] = {
	STRING("addr"),
	STRING("name"),
	INTEGER("life_s"),
};

static const struct api_member policy_denied[] = {
	INTEGER("generation"),
	ARRAY("denied", "policy_denial"),
};

static const struct api_member policy_denial[] = {
	OPTIONAL("proto", API_TYPE_STRING),
	OPTIONAL("port", API_TYPE_INTEGER),
	OPTIONAL("addr", API_TYPE_STRING),
	ARRAY("classes", API_TYPE_STRING),
	OPTIONAL("name", API_TYPE_STRING),
	STRING("denied_by"),
	INTEGER("count"),
};

static const struct api_member policy_verdict[] = {
	INTEGER("generation"),
	STRING("verdict"),
	STRING("cause"),
	BOOLEAN("audit"),
	OPTIONAL("rule", API_TYPE_STRING),
	OPTIONAL("id", API_TYPE_STRING),
	ARRAY("classes", API_TYPE_STRING),
	ARRAY("pins", "policy_pin"),
};

static const struct api_member policy_committed[] = {
	INTEGER("generation"),
	ARRAY("remarks", API_TYPE_STRING),
};

static const struct api_member policy_added[] = {
	INTEGER("generation"),
	STRING("id"),
};

static const struct api_member policy_removed[] = {
	INTEGER("generation"),
};

static const struct api_member policy_change[] = {
	INTEGER("generation"),
	STRING("command"),
	INTEGER("pid"),
	INTEGER("uid"),
};

static const struct api_member error[] = {
	STRING("desc"),
	STRING("class"),
	STRING("detail"),
};

static const struct api_member timestamp[] = {
	INTEGER("seconds"),
	INTEGER("microseconds"),
};

#define TYPE(array) \
	.name = #array, .members = (array), \
	.n_members = sizeof(array) / sizeof((array)[0])

const struct api_type api_types[] = {
	{ TYPE(hostfwd_id) },
	{ TYPE(hostfwd) },
	{ TYPE(hostfwds) },
	{ TYPE(version) },
	{ TYPE(description) },
	{ TYPE(command) },
	{ TYPE(argument) },
	{ TYPE(event_kind) },
	{ TYPE(error_class) },
	{ TYPE(type) },
	{ TYPE(member) },
	{ TYPE(status) },
	{ TYPE(pids) },
	{ TYPE(restarts) },
	{ TYPE(process) },
	{ TYPE(network) },
	{ TYPE(confinement), .is_internal = true },
	{ TYPE(confined), .is_internal = true },
	{ TYPE(stats) },
	{ TYPE(counters), .is_internal = true },
	{ TYPE(drops), .is_internal = true },
	{ TYPE(tcp), .is_internal = true },
	{ TYPE(tcp_ends), .is_internal = true },
	{ TYPE(tcp_flows), .is_internal = true },
	{ TYPE(sockets) },
	{ TYPE(api_stats) },
	{ TYPE(connections) },
	{ TYPE(connection) },
	{ TYPE(policy) },
	{ TYPE(policy_text) },
	{ TYPE(policy_rule) },
	{ TYPE(policy_pins) },
	{ TYPE(policy_pin) },
	{ TYPE(policy_denied) },
	{ TYPE(policy_denial) },
	{ TYPE(policy_verdict) },
	{ TYPE(policy_committed) },
	{ TYPE(policy_added) },
	{ TYPE(policy_removed) },
	{ TYPE(policy_change) },
	{ TYPE(error) },
	{ TYPE(timestamp) },
	{ .name = "empty" },
	{ .name = NULL },
};

static void
describe_member(struct api_out *out, const struct api_member *described)
{
	api_out_open(out, NULL, '{');
	api_out_string(out, "name", described->name);
	api_out_string(out, "type", described->type);
	if (described->is_array)
		api_out_bool(out, "array", true);
	if (described->is_optional)
		api_out_bool(out, "optional", true);
	api_out_close(out, '}');
}

void
api_types_describe(struct api_out *out)
{
	api_out_open(out, "types", '[');
	for (const struct api_type *described = api_types; described->name; described++) {
		api_out_open(out, NULL, '{');
		api_out_string(out, "name", described->name);
		if (described->is_internal)
			api_out_bool(out, "internal", true);
		api_out_open(out, "members", '[');
		for (size_t i = 0; i < described->n_members; i++)
			describe_member(out, &described->members[i]);
		api_out_close(out, ']');
		api_out_close(out, '}');
	}
	api_out_close(out, ']');
}
