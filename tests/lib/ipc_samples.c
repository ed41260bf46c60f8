/* SPDX-License-Identifier: BSD-2-Clause */
/* Valid payloads for every row of messages.h. */
#include "ipc_samples.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

static void
sample_network(struct ipc_network *network)
{
	*network = (struct ipc_network){
		.network_be = htonl(0x0a000200),
		.netmask_be = htonl(0xffffff00),
		.host_be = htonl(0x0a000202),
		.nameserver_be = htonl(0x0a000203),
		.dhcp_start_be = htonl(0x0a00020f),
		.guest_be = htonl(0x0a000264),
		.prefix6.s6_addr = { 0xfd },
		.host6.s6_addr = { 0xfd, [15] = 2 },
		.nameserver6.s6_addr = { 0xfd, [15] = 3 },
		.prefix_len = 24,
		.mtu_bytes = 1500,
		.enable_ipv6 = 1,
		.enable_dns = 1,
		.allow_host_loopback = 0,
	};
}

void
ipc_sample_hello(struct ipc_hello *msg)
{
	/* The sender sets its own role. */
	*msg = (struct ipc_hello){ .protocol_hash = ipc_protocol_hash,
		.role = IPC_ROLE_PARENT };
}

void
ipc_sample_log(struct ipc_log *msg)
{
	*msg = (struct ipc_log){ .level = 1, .text = "a line" };
}

void
ipc_sample_confine(struct ipc_confine *msg)
{
	*msg = (struct ipc_confine){
		.sandbox_mode = IPC_JAIL_REQUIRED,
		.seccomp_mode = IPC_JAIL_BEST_EFFORT,
		.has_runas = 1,
		.runas_uid = 65534,
		.runas_gid = 65534,
	};
}

void
ipc_sample_confined(struct ipc_confined *msg)
{
	*msg = (struct ipc_confined){
		.cap_effective = UINT64_MAX,
		.stages = (1U << IPC_STAGE_N) - 1,
		.landlock_abi = 7,
		.n_calls = 45,
		.namespaces = { .user = 4026531837, .net = 4026531840 },
	};
}

void
ipc_sample_join_userns(struct ipc_join_userns *msg)
{
	*msg = (struct ipc_join_userns){ .label = "/proc/1/ns/user" };
}

void
ipc_sample_make_tap(struct ipc_make_tap *msg)
{
	*msg = (struct ipc_make_tap){
		.netns_label = "/proc/1/ns/net",
		.tap_name = "tap0",
		.mac.octets = { 2, 0, 0, 0, 0, 1 },
		.has_mac = 1,
		.configure = 1,
	};
	sample_network(&msg->network);
}

void
ipc_sample_inspect_tap(struct ipc_inspect_tap *msg)
{
	*msg = (struct ipc_inspect_tap){ 0 };
}

void
ipc_sample_tap_made(struct ipc_tap_made *msg)
{
	*msg = (struct ipc_tap_made){ .header_len = IPC_TAP_HEADER_MAX };
}

void
ipc_sample_outbound(struct ipc_outbound *msg)
{
	*msg = (struct ipc_outbound){
		.addr[0] = inaddr_from4(htonl(0xcb007102)),
		.has_addr[0] = 1,
	};
}

void
ipc_sample_nameservers(struct ipc_nameservers *msg)
{
	*msg = (struct ipc_nameservers){
		.servers[0].addr = inaddr_from4(htonl(0x7f000035)),
		.servers[1] = { .addr = { { 0xfe, 0x80, [15] = 0x53 }, 1 },
		    .scope_id = 2 },
		.n = 2,
		.timeout_s = 1,
		.attempts = 3,
		.rotate = 1,
	};
}

void
ipc_sample_start(struct ipc_start *msg)
{
	*msg = (struct ipc_start){
		.tap_header_len = IPC_TAP_OFFLOAD_HEADER_LEN,
		.tap_has_offloads = 1,
		.tap_has_uso = 1,
		.has_guest_mac = 1,
		.guest_mac = { { 0x52, 0x54, 0, 0x12, 0x34, 0x56 } },
	};
	sample_network(&msg->network);
}

void
ipc_sample_resolver_start(struct ipc_resolver_start *msg)
{
	*msg = (struct ipc_resolver_start){ 0 };
	sample_network(&msg->network);
	ipc_sample_nameservers(&msg->nameservers);
}

void
ipc_sample_dns_query(struct ipc_dns_query *msg)
{
	*msg = (struct ipc_dns_query){ .number = 7, .len = IPC_DNS_QUERY_MAX };
}

void
ipc_sample_dns_answer(struct ipc_dns_answer *msg)
{
	*msg = (struct ipc_dns_answer){ .number = 7, .len = IPC_DNS_ANSWER_MAX };
}

void
ipc_sample_dns_open(struct ipc_dns_open *msg)
{
	*msg = (struct ipc_dns_open){
		.number = 7,
		.server.addr = inaddr_from4(htonl(0x7f000035)),
		.is_tcp = 1,
	};
}

void
ipc_sample_dns_opened(struct ipc_dns_opened *msg)
{
	*msg = (struct ipc_dns_opened){ .number = 7 };
}

void
ipc_sample_dns_refused(struct ipc_dns_refused *msg)
{
	*msg = (struct ipc_dns_refused){ .number = 7, .error = ENETUNREACH };
}

void
ipc_sample_dns_pin(struct ipc_dns_pin *msg)
{
	*msg = (struct ipc_dns_pin){
		.number = 7,
		.generation = 1,
		.n_addrs = 2,
		.n_patterns = 2,
		.patterns = { 3, 4 },
		.addrs = { { .bytes = { 192, 0, 2, 1 } }, { .is_ipv6 = 1 } },
		.name = "api.test",
	};
}

void
ipc_sample_dns_refusal(struct ipc_dns_refusal *msg)
{
	*msg = (struct ipc_dns_refusal){
		.generation = 1,
		.n_denied = 2,
		.n_cut = 1,
		.rule = IPC_DNS_NO_RULE,
		.name = "evil.test",
	};
}

void
ipc_sample_dns_pinned(struct ipc_dns_pinned *msg)
{
	*msg = (struct ipc_dns_pinned){ .number = 7, .is_pinned = 1 };
}

void
ipc_sample_connector_start(struct ipc_connector_start *msg)
{
	*msg = (struct ipc_connector_start){ 0 };
	sample_network(&msg->network);
	ipc_sample_outbound(&msg->outbound);
	ipc_sample_nameservers(&msg->nameservers);
}

void
ipc_sample_guest_addr6(struct ipc_guest_addr6 *msg)
{
	*msg = (struct ipc_guest_addr6){ .addr = { { { 0xfd, [15] = 100 } } } };
}

void
ipc_sample_policy_inline(struct ipc_policy_inline *msg)
{
	*msg = (struct ipc_policy_inline){
		.source = IPC_POLICY_FROM_ALLOW_OUT,
		.line = 1,
		.name = "--allow-out",
		.text = "192.0.2.1:443",
	};
}

void
ipc_sample_policy_file(struct ipc_policy_file *msg)
{
	*msg = (struct ipc_policy_file){
		.source = IPC_POLICY_FROM_FILE,
		.name = "ci.policy",
	};
}

void
ipc_sample_policy_read(struct ipc_policy_read *msg)
{
	*msg = (struct ipc_policy_read){ .is_audit = 1, .enable_dns = 1 };
}

void
ipc_sample_policy_said(struct ipc_policy_said *msg)
{
	*msg = (struct ipc_policy_said){
		.is_error = 1,
		.text = "ci.policy:2:1: set @a is not defined",
	};
}

void
ipc_sample_policy_begin(struct ipc_policy_begin *msg)
{
	*msg = (struct ipc_policy_begin){
		.generation = 1,
		.settings = {
			.dns = IPC_POLICY_DNS_any,
			.is_dns_exclusive = 1,
			.dns_types = 1,
		},
	};
}

void
ipc_sample_policy_source(struct ipc_policy_source *msg)
{
	*msg = (struct ipc_policy_source){
		.source = IPC_POLICY_FROM_FILE,
		.name = "ci.policy",
	};
}

void
ipc_sample_policy_rules(struct ipc_policy_rules *msg)
{
	*msg = (struct ipc_policy_rules){ .n = 2 };
	msg->rules[0] = (struct ipc_policy_rule){
		.key = 7,
		.classes = IPC_POLICY_BIT(internet),
		.line = 2,
		.source = IPC_POLICY_FROM_FILE,
		.action = IPC_POLICY_ACTION_allow,
		.proto = IPC_POLICY_PROTO_tcp,
		.n_ports = 2,
		.ports = { { 443, 443 }, { 80, 81 } },
		.label = "web",
	};
	msg->rules[1] = (struct ipc_policy_rule){
		.line = 3,
		.source = IPC_POLICY_FROM_FILE,
		.action = IPC_POLICY_ACTION_deny,
		.label = "rest",
	};
}

void
ipc_sample_policy_prefixes(struct ipc_policy_prefixes *msg)
{
	*msg = (struct ipc_policy_prefixes){ .n = 2 };
	msg->prefixes[0] = (struct ipc_policy_prefix){
		.addr = { .bytes = { 11 } },
		.len = 8,
	};
	msg->prefixes[1] = (struct ipc_policy_prefix){
		.rule = 1,
		.addr = { .bytes = { 0x20, 0x01, 0x0d, 0xb8 }, .is_ipv6 = 1 },
		.len = 32,
	};
}

void
ipc_sample_policy_names(struct ipc_policy_names *msg)
{
	*msg = (struct ipc_policy_names){ .n = 1 };
	msg->names[0] = (struct ipc_policy_name){
		.rule = 1,
		.is_wildcard = 1,
		.text = "pypi.test",
	};
}

void
ipc_sample_policy_commit(struct ipc_policy_commit *msg)
{
	*msg = (struct ipc_policy_commit){
		.generation = 1,
		.n_rules = 2,
		.n_prefixes = 2,
		.n_names = 1,
	};
}

void
ipc_sample_policy_committed(struct ipc_policy_committed *msg)
{
	*msg = (struct ipc_policy_committed){ .generation = 1 };
}

void
ipc_sample_policy_known(struct ipc_policy_known *msg)
{
	*msg = (struct ipc_policy_known){ .generation = 1 };
}

void
ipc_sample_change_policy(struct ipc_change_policy *msg)
{
	*msg = (struct ipc_change_policy){ .request = 1 };
}

void
ipc_sample_policy_changed(struct ipc_policy_changed *msg)
{
	*msg = (struct ipc_policy_changed){
		.request = 1,
		.generation = 2,
		.outcome = IPC_POLICY_OUTCOME_done,
	};
}

void
ipc_sample_listen(struct ipc_listen *msg)
{
	*msg = (struct ipc_listen){ .has_policy = 1, .is_locked = 1, .enable_dns = 1 };
}

void
ipc_sample_query_policy(struct ipc_query_policy *msg)
{
	*msg = (struct ipc_query_policy){ .request = 1 };
}

void
ipc_sample_policy_state(struct ipc_policy_state *msg)
{
	*msg = (struct ipc_policy_state){
		.request = 1,
		.generation = 1,
		.n_allowed = 3,
		.n_denied = 2,
		.n_by_default = 1,
		.n_flows_limited = 9,
		.n_names_denied = 6,
		.n_names_limited = 7,
		.n_addrs_cut = 8,
		.n_pins = 4,
	};
}

void
ipc_sample_list_hits(struct ipc_list_hits *msg)
{
	*msg = (struct ipc_list_hits){ .request = 1, .from = IPC_POLICY_HITS_N };
}

void
ipc_sample_hits_page(struct ipc_hits_page *msg)
{
	*msg = (struct ipc_hits_page){
		.request = 1,
		.generation = 1,
		.n = 2,
		.hits = { { .n = 5, .idle_ms = 1 }, { .n = 1 } },
	};
}

void
ipc_sample_list_pins(struct ipc_list_pins *msg)
{
	*msg = (struct ipc_list_pins){ .request = 1, .from = IPC_POLICY_PINS_N };
}

void
ipc_sample_pins_page(struct ipc_pins_page *msg)
{
	*msg = (struct ipc_pins_page){
		.request = 1,
		.generation = 1,
		.n = 1,
		.pins[0] = {
			.addr = inaddr_from4(htonl(0xc0000201)),
			.name = 1,
			.life_s = 300,
		},
	};
}

void
ipc_sample_check_flow(struct ipc_check_flow *msg)
{
	*msg = (struct ipc_check_flow){
		.request = 1,
		.port = 443,
		.proto = IPC_POLICY_PROTO_tcp,
		.addr = inaddr_from4(htonl(0xc0000201)),
	};
}

void
ipc_sample_flow_verdict(struct ipc_flow_verdict *msg)
{
	*msg = (struct ipc_flow_verdict){
		.request = 1,
		.generation = 1,
		.classes = IPC_POLICY_BIT(any) | IPC_POLICY_BIT(internet),
		.rule = 2,
		.is_allowed = 1,
		.n = 1,
		.pins[0] = {
			.addr = inaddr_from4(htonl(0xc0000201)),
			.name = 1,
			.life_s = 300,
		},
	};
}

void
ipc_sample_list_denied(struct ipc_list_denied *msg)
{
	*msg = (struct ipc_list_denied){ .request = 1, .from = IPC_POLICY_DENIED_N };
}

void
ipc_sample_denied_page(struct ipc_denied_page *msg)
{
	*msg = (struct ipc_denied_page){
		.request = 1,
		.generation = 1,
		.n = 2,
		.entries[0] = {
			.count = 3,
			.classes = IPC_POLICY_BIT(any) | IPC_POLICY_BIT(internet),
			.port = 443,
			.proto = IPC_POLICY_PROTO_tcp,
			.addr = inaddr_from4(htonl(0xc6336301)),
			.name = "pypi.org",
		},
		.entries[1] = { .count = 1, .name = "evil.test" },
	};
}

void
ipc_sample_host_addrs(struct ipc_host_addrs *msg)
{
	*msg = (struct ipc_host_addrs){
		.is_first = 1,
		.is_last = 1,
		.n = 2,
		.addrs = { { .bytes = { 192, 0, 2, 1 } }, { .is_ipv6 = 1 } },
	};
}

void
ipc_sample_flow_open(struct ipc_flow_open *msg)
{
	*msg = (struct ipc_flow_open){
		.flow = UINT64_C(0x100000002),
		.guest = { .bytes = { 10, 0, 2, 100 } },
		.peer = { .bytes = { 192, 0, 2, 1 } },
		.proto = IPPROTO_TCP,
		.guest_port = 40000,
		.peer_port = 443,
	};
}

void
ipc_sample_reply_open(struct ipc_reply_open *msg)
{
	*msg = (struct ipc_reply_open){
		.flow = UINT64_C(0x100000002),
		.listener = 3,
		.peer = { .bytes = { 192, 0, 2, 1 } },
		.own = { .bytes = { 192, 0, 2, 2 } },
		.peer_port = 40000,
	};
}

void
ipc_sample_flow_closed(struct ipc_flow_closed *msg)
{
	*msg = (struct ipc_flow_closed){
		.n = 2,
		.flows = { UINT64_C(0x100000002), 7 },
	};
}

void
ipc_sample_flow_answers(struct ipc_flow_answers *msg)
{
	*msg = (struct ipc_flow_answers){ .flow = UINT64_C(0x100000002) };
}

void
ipc_sample_flow_opened(struct ipc_flow_opened *msg)
{
	*msg = (struct ipc_flow_opened){
		.flow = UINT64_C(0x100000002),
		.to = { .bytes = { 192, 0, 2, 1 } },
		.to_port = 443,
		.own_port = 40001,
	};
}

void
ipc_sample_flow_refused(struct ipc_flow_refused *msg)
{
	*msg = (struct ipc_flow_refused){
		.flow = UINT64_C(0x100000002),
		.error = 111,
	};
}

void
ipc_sample_about(struct ipc_about *msg)
{
	*msg = (struct ipc_about){ .libslirp_version = "4.7.0", .config_version_max = 4 };
}

void
ipc_sample_tap_gone(struct ipc_tap_gone *msg)
{
	*msg = (struct ipc_tap_gone){ .error = 77 };
}

void
ipc_sample_stats(struct ipc_stats *msg)
{
	memset(msg, 0xff, sizeof(*msg));
}

static struct ipc_forward
sample_forward(void)
{
	return (struct ipc_forward){
		.host_addr.bytes = { 127, 0, 0, 1 },
		.guest_addr = { { 0xfd, [15] = 100 }, 1 },
		.host_port_first = 8000,
		.host_port_last = 8099,
		.guest_port_first = 80,
		.proto = IPPROTO_TCP,
	};
}

static struct ipc_forward_entry
sample_entry(uint32_t id)
{
	return (struct ipc_forward_entry){ .id = id, .forward = sample_forward() };
}

void
ipc_sample_publish(struct ipc_publish *msg)
{
	*msg = (struct ipc_publish){ .forward = sample_forward() };
}

void
ipc_sample_published(struct ipc_published *msg)
{
	*msg =
	    (struct ipc_published){ .result = { .outcome = IPC_FORWARD_in_use_by_forward,
					.conflict_id = 4,
					.port = 8017 } };
}

static struct ipc_table_port
sample_port(void)
{
	return (struct ipc_table_port){ .forward = 7, .listener = 5, .host_port = 8001 };
}

void
ipc_sample_table_port(struct ipc_table_port *msg)
{
	*msg = sample_port();
}

void
ipc_sample_kept_forward(struct ipc_kept_forward *msg)
{
	*msg = (struct ipc_kept_forward){ .entry = sample_entry(7) };
}

void
ipc_sample_kept_port(struct ipc_kept_port *msg)
{
	*msg = (struct ipc_kept_port){ .port = sample_port() };
}

void
ipc_sample_kept_end(struct ipc_kept_end *msg)
{
	*msg = (struct ipc_kept_end){ .last_id = 7 };
}

void
ipc_sample_table_added(struct ipc_table_added *msg)
{
	*msg = (struct ipc_table_added){ .entry = sample_entry(7) };
}

void
ipc_sample_table_removed(struct ipc_table_removed *msg)
{
	*msg = (struct ipc_table_removed){ .id = 7 };
}

void
ipc_sample_listener(struct ipc_listener *msg)
{
	*msg = (struct ipc_listener){
		.id = 5,
		.forward = 7,
		.host_addr = { .bytes = { 127, 0, 0, 1 } },
		.guest_addr = { .bytes = { 10, 0, 2, 100 } },
		.host_port = 8080,
		.guest_port = 80,
		.proto = IPPROTO_TCP,
	};
}

void
ipc_sample_listener_gone(struct ipc_listener_gone *msg)
{
	*msg = (struct ipc_listener_gone){ .id = 5 };
}

void
ipc_sample_listener_closed(struct ipc_listener_closed *msg)
{
	*msg = (struct ipc_listener_closed){ .id = 5 };
}

void
ipc_sample_listener_wanted(struct ipc_listener_wanted *msg)
{
	*msg = (struct ipc_listener_wanted){ .id = 5 };
}

void
ipc_sample_peer(struct ipc_peer *msg)
{
	*msg = (struct ipc_peer){ .role = IPC_ROLE_CONNECTOR, .number = 3 };
}

void
ipc_sample_peer_missed(struct ipc_peer_missed *msg)
{
	*msg = (struct ipc_peer_missed){ .role = IPC_ROLE_RESOLVER, .number = 3 };
}

void
ipc_sample_peer_dropped(struct ipc_peer_dropped *msg)
{
	*msg = (struct ipc_peer_dropped){
		.role = IPC_ROLE_API,
		.number = 3,
		.why = "add_forward: proto",
	};
}

void
ipc_sample_add_forward(struct ipc_add_forward *msg)
{
	*msg = (struct ipc_add_forward){ .request = 1, .forward = sample_forward() };
}

void
ipc_sample_forward_added(struct ipc_forward_added *msg)
{
	*msg = (struct ipc_forward_added){
		.request = 1,
		.result = { .outcome = IPC_FORWARD_done, .id = 9 },
		.forward = sample_forward(),
	};
}

void
ipc_sample_remove_forward(struct ipc_remove_forward *msg)
{
	*msg = (struct ipc_remove_forward){ .request = 2, .id = UINT32_MAX };
}

void
ipc_sample_forward_removed(struct ipc_forward_removed *msg)
{
	*msg = (struct ipc_forward_removed){
		.request = 2,
		.outcome = IPC_FORWARD_done,
		.id = UINT32_MAX,
		.forward = sample_forward(),
	};
}

void
ipc_sample_list_forwards(struct ipc_list_forwards *msg)
{
	*msg = (struct ipc_list_forwards){ .request = 3, .after_id = 32 };
}

void
ipc_sample_forwards_page(struct ipc_forwards_page *msg)
{
	*msg = (struct ipc_forwards_page){ .request = 3, .n = 2 };
	msg->entries[0] = sample_entry(33);
	msg->entries[1] = sample_entry(35);
}

void
ipc_sample_list_connections(struct ipc_list_connections *msg)
{
	*msg = (struct ipc_list_connections){ .request = 4 };
}

void
ipc_sample_connections_page(struct ipc_connections_page *msg)
{
	*msg = (struct ipc_connections_page){ .request = 4, .n = 1, .next = 1 };
	msg->entries[0] = (struct ipc_connection){
		.source_addr.bytes = { 10, 0, 2, 100 },
		.dest_addr.bytes = { 192, 0, 2, 1 },
		.source_port = 40000,
		.dest_port = 80,
		.proto = IPPROTO_TCP,
		.state = IPC_TCP_ESTABLISHED,
		.recv_queue_bytes = 1,
	};
}

void
ipc_sample_query_worker(struct ipc_query_worker *msg)
{
	*msg = (struct ipc_query_worker){ .request = 5 };
}

void
ipc_sample_worker_state(struct ipc_worker_state *msg)
{
	memset(msg, 0xff, sizeof(*msg));
	msg->reserved = 0;
}

void
ipc_sample_program(struct ipc_program *msg)
{
	*msg = (struct ipc_program){ .role = IPC_ROLE_API };
}

void
ipc_sample_spawn(struct ipc_spawn *msg)
{
	*msg = (struct ipc_spawn){ .role = IPC_ROLE_CONNECTOR };
}

void
ipc_sample_spawned(struct ipc_spawned *msg)
{
	*msg = (struct ipc_spawned){ .role = IPC_ROLE_API, .pid = 4194304 };
}

void
ipc_sample_cgroup_follow(struct ipc_cgroup_follow *msg)
{
	*msg = (struct ipc_cgroup_follow){
		.cgroup = "/user.slice/rootless-netns.scope",
		.pids = { [IPC_ROLE_SLIRP_WORKER] = 4194304, [IPC_ROLE_API] = 8 },
	};
}

void
ipc_sample_get_status(struct ipc_get_status *msg)
{
	*msg = (struct ipc_get_status){ .request = 6 };
}

void
ipc_sample_status(struct ipc_status *msg)
{
	*msg = (struct ipc_status){
		.request = 6,
		.uptime_ms = 1000,
		.pids[IPC_ROLE_PARENT] = 100,
		.pids[IPC_ROLE_SLIRP_WORKER] = 102,
		.pids[IPC_ROLE_CONNECTOR] = 103,
		.pids[IPC_ROLE_RESOLVER] = 104,
		.n_restarts[IPC_ROLE_API] = 1,
		.n_forwards = 2,
		.tap_name = "tap0",
	};
	sample_network(&msg->network);
	ipc_sample_about(&msg->about);
	ipc_sample_confined(&msg->confined[IPC_ROLE_SLIRP_WORKER]);
}

void
ipc_sample_event(struct ipc_event *msg)
{
	*msg = (struct ipc_event){ .kind = IPC_EVENT_RESOLV_CONF_CHANGED };
}

void
ipc_sample_fill(enum ipc_message_id id, union ipc_payload *payload)
{
	switch (id) {
#define FILL(name, carries, when, meaning) \
	case IPC_MSG_##name: \
		IPC_IF_PAYLOAD_##carries(ipc_sample_##name(&payload->name);) break;
		IPC_ALL_ROWS(FILL)
	default:
		abort();
	}
}
