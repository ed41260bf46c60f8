/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The values that each row of messages.h refuses. A table describes the fields of each row
 * and of each struct inside a row; the bad samples are made from it. The table is written
 * here a second time on purpose: made from the checks, samples would miss a missing check.
 *
 * A payload without a table does not compile. A field that its table lacks fails
 * test_tables_cover_every_byte.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/log.h"
#include "ipc/describe.h"
#include "ipc/validate.h"
#include "ipc_samples.h"

enum kind {
	KIND_ANY,     /* every value is legal */
	KIND_ZERO,    /* every byte is zero */
	KIND_TEXT,    /* ends with a NUL; zeros follow */
	KIND_RANGE,   /* a number from min to max */
	KIND_ONE_OF,  /* one byte out of `allowed` */
	KIND_STRUCTS, /* structs that `inner` describes */
	KIND_PAGE,    /* the same; those that the sample leaves empty are zeros */
};

struct field {
	const char *name;
	const char *word; /* that a refusal gives as the reason */
	size_t offset, size;
	enum kind kind;
	uint64_t min, max;
	const char *allowed;
	const struct field *inner;
	size_t inner_size;
};

/* clang-format off */
#define FIELD(row, field, ...) \
	{ .name = #field, .offset = offsetof(struct ipc_##row, field), \
	  .size = sizeof(((struct ipc_##row *)NULL)->field), __VA_ARGS__ }
#define ANY(row, field) FIELD(row, field, .kind = KIND_ANY)
#define RESERVED(row) FIELD(row, reserved, .kind = KIND_ZERO, .word = "reserved")
#define TEXT(row, field) FIELD(row, field, .kind = KIND_TEXT, .word = #field)
#define RANGE(row, field, from, to, word_) \
	FIELD(row, field, .kind = KIND_RANGE, .min = (from), .max = (to), .word = (word_))
#define FLAG(row, field) RANGE(row, field, 0, 1, "flag neither 0 nor 1")
#define ADDR(row, field, word) \
	ANY(row, field.bytes), RANGE(row, field.is_ipv6, 0, 1, word)
#define ONE_OF(row, field, values) \
	FIELD(row, field, .kind = KIND_ONE_OF, .allowed = (values), .word = #field)
#define STRUCTS(row, field, type) \
	FIELD(row, field, .kind = KIND_STRUCTS, .inner = fields_##type, \
	    .inner_size = sizeof(struct ipc_##type))
#define PAGE(row, field, type) \
	FIELD(row, field, .kind = KIND_PAGE, .inner = fields_##type, \
	    .inner_size = sizeof(struct ipc_##type), .word = "entries after the last")
#define FIELDS(row, ...) \
	static const struct field fields_##row[] = { __VA_ARGS__, { .name = NULL } };

/* Structs inside rows. */
FIELDS(network,
	ANY(network, network_be), ANY(network, netmask_be), ANY(network, host_be),
	ANY(network, nameserver_be), ANY(network, dhcp_start_be), ANY(network, guest_be),
	ANY(network, prefix6), ANY(network, host6), ANY(network, nameserver6),
	RANGE(network, prefix_len, IPC_PREFIX_LEN_MIN, IPC_PREFIX_LEN_MAX, "prefix_len"),
	RANGE(network, mtu_bytes, 1, IPC_MTU_MAX_BYTES, "mtu_bytes"),
	FLAG(network, enable_ipv6), FLAG(network, enable_dns),
	FLAG(network, allow_host_loopback), RESERVED(network))
FIELDS(forward,
	ADDR(forward, host_addr, "host_addr"), ADDR(forward, guest_addr, "guest_addr"),
	RANGE(forward, host_port_first, 1, UINT16_MAX, "host_port"),
	RANGE(forward, host_port_last, 1, UINT16_MAX, "host_port"),
	RANGE(forward, guest_port_first, 1, UINT16_MAX, "guest_port"),
	ONE_OF(forward, proto, ((const char[]){ IPPROTO_TCP, IPPROTO_UDP, 0 })),
	RESERVED(forward))
FIELDS(forward_entry,
	RANGE(forward_entry, id, 1, UINT32_MAX, "id"), RESERVED(forward_entry),
	STRUCTS(forward_entry, forward, forward))
FIELDS(forward_result,
	RANGE(forward_result, outcome, 0, IPC_FORWARD_N_OUTCOMES - 1, "outcome"),
	ANY(forward_result, id), ANY(forward_result, error),
	ANY(forward_result, conflict_id), ANY(forward_result, port),
	RESERVED(forward_result))
FIELDS(connection,
	ADDR(connection, source_addr, "source_addr"),
	ADDR(connection, dest_addr, "dest_addr"),
	ANY(connection, source_port), ANY(connection, dest_port),
	ONE_OF(connection, proto,
	    ((const char[]){ IPPROTO_TCP, IPPROTO_UDP, IPPROTO_ICMP, 0 })),
	FLAG(connection, is_forward),
	RANGE(connection, state, 0, IPC_TCP_N_STATES - 1, "state"),
	RESERVED(connection),
	ANY(connection, recv_queue_bytes), ANY(connection, send_queue_bytes),
	ANY(connection, round_trip_us), ANY(connection, bytes_in),
	ANY(connection, bytes_out), ANY(connection, retransmitted_bytes),
	ANY(connection, age_ms))

/* Rows. */
FIELDS(hello,
	ANY(hello, protocol_hash),
	RANGE(hello, role, IPC_ROLE_PARENT, IPC_ROLE_END - 1, "role"), RESERVED(hello))
FIELDS(log,
	RANGE(log, level, 0, LOG_N_LEVELS - 1, "level"), RESERVED(log), TEXT(log, text))
FIELDS(confined,
	ANY(confined, cap_effective), ANY(confined, cap_bounding),
	ANY(confined, namespaces),
	RANGE(confined, stages, 0, (1U << IPC_STAGE_N) - 1, "stages"),
	ANY(confined, landlock_abi), ANY(confined, n_calls), RESERVED(confined))
FIELDS(confine,
	RANGE(confine, sandbox_mode, 0, IPC_JAIL_N_MODES - 1, "mode"),
	RANGE(confine, seccomp_mode, 0, IPC_JAIL_N_MODES - 1, "mode"),
	RANGE(confine, has_runas, 0, 1, "has_runas"),
	RANGE(confine, keeps_bind, 0, 1, "keeps_bind"),
	RANGE(confine, runas_uid, 1, UINT32_MAX, "runas"),
	RANGE(confine, runas_gid, 1, UINT32_MAX, "runas"))
FIELDS(join_userns, TEXT(join_userns, label))
FIELDS(make_tap,
	STRUCTS(make_tap, network, network), TEXT(make_tap, netns_label),
	TEXT(make_tap, tap_name), ANY(make_tap, mac), FLAG(make_tap, has_mac),
	FLAG(make_tap, configure))
FIELDS(inspect_tap, ANY(inspect_tap, caller_number), RESERVED(inspect_tap))
FIELDS(tap_made,
	RANGE(tap_made, header_len, 0, IPC_TAP_HEADER_MAX, "header_len"),
	FLAG(tap_made, has_offloads), FLAG(tap_made, has_uso), RESERVED(tap_made))
FIELDS(outbound,
	ADDR(outbound, addr[0], "addr"), ADDR(outbound, addr[1], "addr"),
	FLAG(outbound, has_addr[0]), FLAG(outbound, has_addr[1]))
FIELDS(nameserver,
	ADDR(nameserver, addr, "addr"), RESERVED(nameserver), ANY(nameserver, scope_id))
FIELDS(nameservers,
	PAGE(nameservers, servers, nameserver),
	RANGE(nameservers, n, 0, IPC_NAMESERVERS_MAX, "n"),
	RANGE(nameservers, timeout_s, 0, IPC_NAMESERVER_TIMEOUT_MAX_S, "timeout_s"),
	RANGE(nameservers, attempts, 0, IPC_NAMESERVER_ATTEMPTS_MAX, "attempts"),
	FLAG(nameservers, rotate))
FIELDS(connector_start,
	STRUCTS(connector_start, network, network),
	STRUCTS(connector_start, outbound, outbound),
	STRUCTS(connector_start, nameservers, nameservers),
	RANGE(connector_start, has_policy, 0, 1, "has_policy"))
FIELDS(policy_settings,
	RANGE(policy_settings, default_action, 0, 1, "default_action"),
	RANGE(policy_settings, mode, 0, IPC_POLICY_N_MODES - 1, "mode"),
	RANGE(policy_settings, refusal, 0, IPC_POLICY_N_REFUSALS - 1, "refusal"),
	RANGE(policy_settings, established, 0, IPC_POLICY_N_ESTABLISHED - 1, "established"),
	RANGE(policy_settings, dns, 0, IPC_POLICY_N_DNS - 1, "dns"),
	RANGE(policy_settings, dns_refusal, 0, IPC_POLICY_N_DNS_REFUSALS - 1, "dns_refusal"),
	RANGE(policy_settings, is_dns_exclusive, 0, 1, "is_dns_exclusive"),
	RESERVED(policy_settings),
	RANGE(policy_settings, dns_types, 1, (1U << IPC_POLICY_N_DNS_TYPES) - 1, "dns_types"),
	FIELD(policy_settings, reserved_too, .kind = KIND_ZERO, .word = "reserved"))
FIELDS(policy_rule,
	ANY(policy_rule, key),
	RANGE(policy_rule, classes, 0, (1U << IPC_POLICY_N_CLASSES) - 1, "classes"),
	RANGE(policy_rule, line, 1, UINT32_MAX, "line"),
	RANGE(policy_rule, source, 0, IPC_POLICY_N_SOURCES - 1, "source"),
	RANGE(policy_rule, action, 0, IPC_POLICY_N_ACTIONS - 1, "action"),
	RANGE(policy_rule, proto, 0, IPC_POLICY_N_PROTOS - 1, "proto"),
	RANGE(policy_rule, n_ports, 0, IPC_POLICY_PORTS_MAX, "n_ports"),
	RANGE(policy_rule, options, 0, IPC_POLICY_OPTION_PRIVATE, "options"),
	RESERVED(policy_rule), ANY(policy_rule, ports), TEXT(policy_rule, label))
FIELDS(policy_prefix,
	ANY(policy_prefix, rule), ADDR(policy_prefix, addr, "addr"),
	RANGE(policy_prefix, len, 0, 128, "len"))
FIELDS(policy_name,
	ANY(policy_name, rule), RANGE(policy_name, is_wildcard, 0, 1, "is_wildcard"),
	RESERVED(policy_name), TEXT(policy_name, text))
FIELDS(policy_inline,
	RANGE(policy_inline, source, 0, IPC_POLICY_N_SOURCES - 1, "source"),
	RANGE(policy_inline, line, 1, UINT32_MAX, "line"), TEXT(policy_inline, name),
	TEXT(policy_inline, text))
FIELDS(policy_file,
	RANGE(policy_file, source, IPC_POLICY_FROM_FILE, IPC_POLICY_N_SOURCES - 1, "source"),
	RESERVED(policy_file), TEXT(policy_file, name))
FIELDS(policy_read,
	RANGE(policy_read, is_audit, 0, 1, "is_audit"),
	RANGE(policy_read, enable_dns, 0, 1, "enable_dns"),
	RANGE(policy_read, is_check, 0, 1, "is_check"), RESERVED(policy_read))
FIELDS(policy_said,
	RANGE(policy_said, is_error, 0, 1, "is_error"), RESERVED(policy_said),
	TEXT(policy_said, text))
FIELDS(policy_begin,
	ANY(policy_begin, generation), STRUCTS(policy_begin, settings, policy_settings))
FIELDS(policy_source,
	RANGE(policy_source, source, 0, IPC_POLICY_N_SOURCES - 1, "source"),
	RESERVED(policy_source), TEXT(policy_source, name))
FIELDS(policy_rules,
	RANGE(policy_rules, n, 1, IPC_POLICY_RULES_N, "n"), RESERVED(policy_rules),
	PAGE(policy_rules, rules, policy_rule))
FIELDS(policy_prefixes,
	RANGE(policy_prefixes, n, 1, IPC_POLICY_PREFIXES_N, "n"),
	PAGE(policy_prefixes, prefixes, policy_prefix))
FIELDS(policy_names,
	RANGE(policy_names, n, 1, IPC_POLICY_NAMES_N, "n"),
	PAGE(policy_names, names, policy_name))
FIELDS(policy_commit,
	ANY(policy_commit, generation), ANY(policy_commit, n_rules),
	ANY(policy_commit, n_prefixes), ANY(policy_commit, n_names),
	RESERVED(policy_commit))
FIELDS(policy_committed, ANY(policy_committed, generation))
FIELDS(policy_known, ANY(policy_known, generation))
FIELDS(change_policy, ANY(change_policy, request))
FIELDS(policy_changed,
	ANY(policy_changed, request), ANY(policy_changed, generation),
	RANGE(policy_changed, outcome, 0, IPC_POLICY_N_OUTCOMES - 1, "outcome"),
	RESERVED(policy_changed))
FIELDS(listen,
	FLAG(listen, has_policy), FLAG(listen, is_locked), FLAG(listen, is_audit),
	FLAG(listen, enable_dns), RESERVED(listen))
FIELDS(query_policy, ANY(query_policy, request))
FIELDS(policy_state,
	ANY(policy_state, request), ANY(policy_state, generation),
	ANY(policy_state, n_allowed), ANY(policy_state, n_denied),
	ANY(policy_state, n_by_default), ANY(policy_state, n_flows_limited),
	ANY(policy_state, n_names_denied),
	ANY(policy_state, n_names_limited), ANY(policy_state, n_addrs_cut),
	ANY(policy_state, n_pins),
	RESERVED(policy_state))
FIELDS(list_hits,
	ANY(list_hits, request),
	RANGE(list_hits, from, 0, IPC_POLICY_RULES_MAX - 1, "from"), RESERVED(list_hits))
FIELDS(rule_hits, ANY(rule_hits, n), ANY(rule_hits, idle_ms))
FIELDS(hits_page,
	ANY(hits_page, request), ANY(hits_page, generation),
	RANGE(hits_page, n, 0, IPC_POLICY_HITS_N, "n"), RESERVED(hits_page),
	PAGE(hits_page, hits, rule_hits))
FIELDS(list_pins,
	ANY(list_pins, request), ANY(list_pins, from), RESERVED(list_pins))
FIELDS(pin,
	ADDR(pin, addr, "addr"), RESERVED(pin),
	RANGE(pin, name, 0, IPC_POLICY_NAMES_MAX - 1, "name"), ANY(pin, life_s))
FIELDS(pins_page,
	ANY(pins_page, request), ANY(pins_page, generation),
	RANGE(pins_page, n, 0, IPC_POLICY_PINS_N, "n"), RANGE(pins_page, next, 0, 0, "next"),
	PAGE(pins_page, pins, pin))
FIELDS(check_flow,
	ANY(check_flow, request), RANGE(check_flow, port, 1, UINT16_MAX, "port"),
	RANGE(check_flow, proto, IPC_POLICY_PROTO_tcp, IPC_POLICY_PROTO_icmp, "proto"),
	ADDR(check_flow, addr, "addr"), TEXT(check_flow, name), RESERVED(check_flow))
FIELDS(flow_verdict,
	ANY(flow_verdict, request), ANY(flow_verdict, generation),
	RANGE(flow_verdict, classes, 0, (1U << IPC_POLICY_N_CLASSES) - 1, "classes"),
	RANGE(flow_verdict, rule, 0, IPC_POLICY_RULES_MAX - 1, "rule"),
	RANGE(flow_verdict, is_allowed, 0, 1, "is_allowed"),
	RANGE(flow_verdict, reason, 0, IPC_POLICY_N_REASONS - 1, "reason"),
	RANGE(flow_verdict, n, 0, IPC_POLICY_VERDICT_PINS_N, "n"), RESERVED(flow_verdict),
	PAGE(flow_verdict, pins, pin))
FIELDS(list_denied,
	ANY(list_denied, request), ANY(list_denied, from), RESERVED(list_denied))
FIELDS(denied,
	ANY(denied, count),
	RANGE(denied, classes, 0, (1U << IPC_POLICY_N_CLASSES) - 1, "classes"),
	ANY(denied, port), RANGE(denied, proto, 0, IPC_POLICY_N_PROTOS - 1, "proto"),
	RANGE(denied, reason, 0, IPC_DENIED_N_REASONS - 1, "reason"),
	ADDR(denied, addr, "addr"), RESERVED(denied), TEXT(denied, name))
FIELDS(denied_page,
	ANY(denied_page, request), ANY(denied_page, generation),
	RANGE(denied_page, n, 0, IPC_POLICY_DENIED_N, "n"),
	RANGE(denied_page, next, 0, 0, "next"), PAGE(denied_page, entries, denied))
FIELDS(dns_pin,
	ANY(dns_pin, number), ANY(dns_pin, generation), ANY(dns_pin, ttl_s),
	RANGE(dns_pin, n_addrs, 1, IPC_DNS_ADDRS_MAX, "n_addrs"),
	RANGE(dns_pin, n_patterns, 0, IPC_DNS_PATTERNS_MAX, "n_patterns"),
	RESERVED(dns_pin), ANY(dns_pin, patterns), ANY(dns_pin, addrs),
	TEXT(dns_pin, name))
FIELDS(dns_refusal,
	ANY(dns_refusal, generation), ANY(dns_refusal, n_denied),
	ANY(dns_refusal, n_limited), ANY(dns_refusal, n_cut), ANY(dns_refusal, rule),
	TEXT(dns_refusal, name))
FIELDS(dns_pinned,
	ANY(dns_pinned, number), RANGE(dns_pinned, is_pinned, 0, 1, "is_pinned"),
	RESERVED(dns_pinned))
FIELDS(host_addrs,
	RANGE(host_addrs, is_first, 0, 1, "is_first"),
	RANGE(host_addrs, is_last, 0, 1, "is_last"),
	RANGE(host_addrs, n, 0, IPC_HOST_ADDRS_N, "n"), RESERVED(host_addrs),
	ANY(host_addrs, addrs))
FIELDS(resolver_start,
	STRUCTS(resolver_start, network, network),
	STRUCTS(resolver_start, nameservers, nameservers),
	RANGE(resolver_start, has_policy, 0, 1, "has_policy"))
FIELDS(dns_query,
	ANY(dns_query, number), RESERVED(dns_query), ANY(dns_query, bytes),
	RANGE(dns_query, len, IPC_DNS_LEN_MIN, IPC_DNS_QUERY_MAX, "len"))
FIELDS(dns_answer,
	ANY(dns_answer, number), RESERVED(dns_answer), ANY(dns_answer, bytes),
	RANGE(dns_answer, len, IPC_DNS_LEN_MIN, IPC_DNS_ANSWER_MAX, "len"))
FIELDS(dns_open,
	ANY(dns_open, number), STRUCTS(dns_open, server, nameserver),
	FLAG(dns_open, is_tcp), RESERVED(dns_open))
FIELDS(dns_opened, ANY(dns_opened, number))
FIELDS(dns_refused,
	ANY(dns_refused, number), RANGE(dns_refused, error, 1, 4095, "error"),
	RESERVED(dns_refused))
FIELDS(guest_addr6, ANY(guest_addr6, addr))
FIELDS(flow_open,
	ANY(flow_open, flow), ADDR(flow_open, guest, "guest"), ADDR(flow_open, peer, "peer"),
	ONE_OF(flow_open, proto, "\x01\x06\x11"), RESERVED(flow_open),
	ANY(flow_open, guest_port), RANGE(flow_open, peer_port, 1, UINT16_MAX, "peer_port"))
FIELDS(flow_answers, ANY(flow_answers, flow))
FIELDS(reply_open,
	ANY(reply_open, flow),
	RANGE(reply_open, listener, 0, IPC_LISTENERS_MAX - 1, "listener"),
	RANGE(reply_open, peer_scope_id, 0, 0, "scope_id"),
	RANGE(reply_open, own_scope_id, 0, 0, "scope_id"),
	ADDR(reply_open, peer, "peer"), ADDR(reply_open, own, "own"),
	RANGE(reply_open, peer_port, 1, UINT16_MAX, "peer_port"))
FIELDS(flow_closed,
	RANGE(flow_closed, n, 1, IPC_FLOWS_CLOSED_MAX, "n"), RESERVED(flow_closed),
	ANY(flow_closed, flows))
FIELDS(flow_opened,
	ANY(flow_opened, flow), ADDR(flow_opened, to, "to"),
	FLAG(flow_opened, is_kept), RESERVED(flow_opened),
	RANGE(flow_opened, to_scope_id, 0, 0, "to_scope_id"),
	ANY(flow_opened, to_port), ANY(flow_opened, own_port),
	FIELD(flow_opened, reserved2, .kind = KIND_ZERO, .word = "reserved2"))
FIELDS(flow_refused,
	ANY(flow_refused, flow), RANGE(flow_refused, error, 1, 4095, "error"),
	RESERVED(flow_refused))
FIELDS(start,
	STRUCTS(start, network, network),
	RANGE(start, tap_header_len, 0, IPC_TAP_HEADER_MAX, "header_len"),
	FLAG(start, tap_has_offloads), FLAG(start, tap_has_uso),
	FLAG(start, is_bess),
	FLAG(start, has_guest_mac), ANY(start, guest_mac), RESERVED(start))
FIELDS(publish, STRUCTS(publish, forward, forward))
FIELDS(about,
	TEXT(about, libslirp_version), ANY(about, config_version_max), RESERVED(about))
FIELDS(tap_gone, ANY(tap_gone, error), RESERVED(tap_gone))
FIELDS(stats,
	ANY(stats, counters), ANY(stats, drops), ANY(stats, tcp), ANY(stats, tcp_ends))
FIELDS(published, STRUCTS(published, result, forward_result))
FIELDS(table_port,
	RANGE(table_port, forward, 1, UINT32_MAX, "forward"),
	RANGE(table_port, listener, 0, IPC_LISTENERS_MAX - 1, "listener"),
	RANGE(table_port, host_port, 1, UINT16_MAX, "host_port"), RESERVED(table_port))
FIELDS(kept_forward, STRUCTS(kept_forward, entry, forward_entry))
FIELDS(kept_port, STRUCTS(kept_port, port, table_port))
FIELDS(kept_end, ANY(kept_end, last_id), RESERVED(kept_end))
FIELDS(table_added, STRUCTS(table_added, entry, forward_entry))
FIELDS(table_removed,
	RANGE(table_removed, id, 1, UINT32_MAX, "id"), RESERVED(table_removed))
FIELDS(listener,
	RANGE(listener, id, 0, IPC_LISTENERS_MAX - 1, "id"),
	RANGE(listener, forward, 1, UINT32_MAX, "forward"),
	ADDR(listener, host_addr, "host_addr"), ADDR(listener, guest_addr, "guest_addr"),
	RANGE(listener, host_port, 1, UINT16_MAX, "host_port"),
	RANGE(listener, guest_port, 1, UINT16_MAX, "guest_port"),
	ANY(listener, proto), RESERVED(listener))
FIELDS(listener_gone,
	RANGE(listener_gone, id, 0, IPC_LISTENERS_MAX - 1, "id"), RESERVED(listener_gone))
FIELDS(listener_closed,
	RANGE(listener_closed, id, 0, IPC_LISTENERS_MAX - 1, "id"), RESERVED(listener_closed))
FIELDS(listener_wanted,
	RANGE(listener_wanted, id, 0, IPC_LISTENERS_MAX - 1, "id"), RESERVED(listener_wanted))
FIELDS(peer, RANGE(peer, role, IPC_ROLE_SLIRP_WORKER, IPC_ROLE_API, "role"),
	ANY(peer, number))
FIELDS(peer_missed, RANGE(peer_missed, role, IPC_ROLE_SLIRP_WORKER, IPC_ROLE_API, "role"),
	ANY(peer_missed, number))
FIELDS(peer_dropped,
	RANGE(peer_dropped, role, IPC_ROLE_SLIRP_WORKER, IPC_ROLE_API, "role"),
	ANY(peer_dropped, number), TEXT(peer_dropped, why))
FIELDS(program, RANGE(program, role, IPC_ROLE_SLIRP_WORKER, IPC_ROLE_API, "role"),
	RESERVED(program))
FIELDS(spawn, RANGE(spawn, role, IPC_ROLE_SLIRP_WORKER, IPC_ROLE_API, "role"),
	RESERVED(spawn))
FIELDS(spawned, RANGE(spawned, role, IPC_ROLE_SLIRP_WORKER, IPC_ROLE_API, "role"),
	RANGE(spawned, pid, 0, INT32_MAX, "pid"), ANY(spawned, error), RESERVED(spawned))
FIELDS(cgroup_follow, TEXT(cgroup_follow, cgroup), ANY(cgroup_follow, pids))
FIELDS(status,
	ANY(status, request), STRUCTS(status, network, network),
	STRUCTS(status, about, about), STRUCTS(status, confined, confined),
	ANY(status, uptime_ms), ANY(status, pids), ANY(status, n_restarts),
	ANY(status, n_forwards), RESERVED(status),
	TEXT(status, tap_name))
FIELDS(event, RANGE(event, kind, 0, IPC_N_EVENTS - 1, "kind"),
	FIELD(event, role, .kind = KIND_ZERO, .word = "role"),
	FIELD(event, n_restarts, .kind = KIND_ZERO, .word = "n_restarts"), RESERVED(event))
FIELDS(get_status, ANY(get_status, request))
FIELDS(add_forward, ANY(add_forward, request), STRUCTS(add_forward, forward, forward))
FIELDS(remove_forward,
	ANY(remove_forward, request), ANY(remove_forward, id), RESERVED(remove_forward))
FIELDS(list_forwards,
	ANY(list_forwards, request), ANY(list_forwards, after_id), RESERVED(list_forwards))
FIELDS(query_worker, ANY(query_worker, request))
FIELDS(list_connections,
	ANY(list_connections, request), ANY(list_connections, from),
	RESERVED(list_connections))
FIELDS(forward_added,
	ANY(forward_added, request), STRUCTS(forward_added, result, forward_result),
	STRUCTS(forward_added, forward, forward))
FIELDS(forward_removed,
	ANY(forward_removed, request),
	RANGE(forward_removed, outcome, 0, IPC_FORWARD_N_OUTCOMES - 1, "outcome"),
	ANY(forward_removed, id), STRUCTS(forward_removed, forward, forward))
FIELDS(forwards_page,
	ANY(forwards_page, request), RANGE(forwards_page, n, 0, IPC_PAGE_ENTRIES, "n"),
	RANGE(forwards_page, has_more, 0, 1, "has_more"),
	PAGE(forwards_page, entries, forward_entry))
FIELDS(worker_state,
	ANY(worker_state, request), ANY(worker_state, stats),
	ANY(worker_state, n_tcp_sockets), ANY(worker_state, n_udp_sockets),
	ANY(worker_state, n_icmp_sockets),
	ANY(worker_state, n_tcp_flows), ANY(worker_state, n_tcp_half_open),
	ANY(worker_state, n_tcp_time_wait), ANY(worker_state, tcp_buffer_bytes),
	RESERVED(worker_state))
FIELDS(connections_page,
	ANY(connections_page, request),
	RANGE(connections_page, n, 0, IPC_CONNECTIONS_PAGE_ENTRIES, "n"),
	ANY(connections_page, next),
	PAGE(connections_page, entries, connection))
/* clang-format on */

static const struct field *const fields_of[IPC_MSG_N] = {
#define FIELDS_OF(name, carries, when, meaning) \
	IPC_IF_PAYLOAD_##carries([IPC_MSG_##name] = fields_##name, )
	IPC_ALL_ROWS(FIELDS_OF)
};

/* A sample, and the offset in it of the struct under test. */
struct subject {
	enum ipc_message_id id;
	union ipc_payload payload;
	size_t struct_offset;
};

static struct subject
sample_of(enum ipc_message_id id)
{
	struct subject subject = { .id = id };

	ipc_sample_fill(id, &subject.payload);
	return subject;
}

static uint8_t *
bytes_of(struct subject *subject, const struct field *field)
{
	return (uint8_t *)&subject->payload + subject->struct_offset + field->offset;
}

/* The check of the row refuses the payload and gives `word` as the reason. */
static void
expect_refusal(const struct subject *bad, const char *word, const char *what)
{
	const struct ipc_description *row = &ipc_descriptions[bad->id];
	const char *why = NULL;

	if (row->validate(&bad->payload, &why) != -1)
		fail_msg("%s: %s: accepted", row->name, what);
	if (strcmp(why, word) != 0)
		fail_msg("%s: %s: expected \"%s\", got \"%s\"", row->name, what, word,
		    why);
}

static void
check_zeros(const struct subject *sample, const struct field *field, size_t begin)
{
	for (size_t i = begin; i < field->size; i++) {
		struct subject bad = *sample;

		bytes_of(&bad, field)[i] = 1;
		expect_refusal(&bad, field->word, field->name);
	}
}

static void
check_text(const struct subject *sample, const struct field *field)
{
	struct subject bad = *sample;
	char *text = (char *)bytes_of(&bad, field);

	assert_true(strlen(text) + 1 < field->size);
	text[field->size - 1] = 'x';
	expect_refusal(&bad, field->word, "text with bytes after its end");
	memset(text, 'x', field->size);
	expect_refusal(&bad, field->word, "text without its end");
}

static void
check_number(const struct subject *sample, const struct field *field, uint64_t value)
{
	struct subject bad = *sample;
	uint8_t *bytes = bytes_of(&bad, field);
	char what[128];

	if (field->size == sizeof(uint8_t))
		*bytes = (uint8_t)value;
	else if (field->size == sizeof(uint16_t))
		memcpy(bytes, &(uint16_t){ (uint16_t)value }, sizeof(uint16_t));
	else if (field->size == sizeof(uint32_t))
		memcpy(bytes, &(uint32_t){ (uint32_t)value }, sizeof(uint32_t));
	else
		fail_msg("%s: a number of %zu bytes", field->name, field->size);
	snprintf(what, sizeof(what), "%s %llu", field->name, (unsigned long long)value);
	expect_refusal(&bad, field->word, what);
}

static void
check_range(const struct subject *sample, const struct field *field)
{
	const uint64_t type_max = UINT64_MAX >> (64 - 8 * field->size);

	assert_true(field->min > 0 || field->max < type_max);
	if (field->min > 0)
		check_number(sample, field, field->min - 1);
	if (field->max < type_max) {
		check_number(sample, field, field->max + 1);
		check_number(sample, field, type_max);
	}
}

static void
check_one_of(const struct subject *sample, const struct field *field)
{
	for (uint64_t value = 0; value <= UINT8_MAX; value++)
		if (value == 0 || !strchr(field->allowed, (int)value))
			check_number(sample, field, value);
}

static void check_fields(const struct subject *sample, const struct field *fields);

static bool
is_zero(const uint8_t *bytes, size_t n)
{
	while (n > 0 && bytes[n - 1] == 0)
		n--;
	return n == 0;
}

static void
check_structs(const struct subject *sample, const struct field *field)
{
	size_t begin = 0;

	for (; begin < field->size; begin += field->inner_size) {
		struct subject subject = *sample;

		if (field->kind == KIND_PAGE &&
		    is_zero(bytes_of(&subject, field) + begin, field->inner_size))
			break;
		subject.struct_offset += field->offset + begin;
		check_fields(&subject, field->inner);
	}
	/* The sample has one struct at least. */
	assert_int_not_equal(begin, 0);
	check_zeros(sample, field, begin);
}

static void
check_fields(const struct subject *sample, const struct field *fields)
{
	for (const struct field *field = fields; field->name; field++)
		switch (field->kind) {
		case KIND_ANY:
			break;
		case KIND_ZERO:
			check_zeros(sample, field, 0);
			break;
		case KIND_TEXT:
			check_text(sample, field);
			break;
		case KIND_RANGE:
			check_range(sample, field);
			break;
		case KIND_ONE_OF:
			check_one_of(sample, field);
			break;
		case KIND_STRUCTS:
		case KIND_PAGE:
			check_structs(sample, field);
			break;
		}
}

static void
test_bad_fields_are_refused(void **state)
{
	(void)state;
	for (int id = 0; id < IPC_MSG_N; id++) {
		const struct subject sample = sample_of((enum ipc_message_id)id);
		const char *why;

		if (!fields_of[id])
			continue;
		assert_int_equal(ipc_descriptions[id].validate(&sample.payload, &why), 0);
		check_fields(&sample, fields_of[id]);
	}
}

static void
expect_cover(const char *name, const struct field *fields, size_t size)
{
	uint8_t n_tables[sizeof(union ipc_payload)] = { 0 };

	for (const struct field *field = fields; field->name; field++) {
		for (size_t i = 0; i < field->size; i++)
			n_tables[field->offset + i]++;
		if (field->inner)
			expect_cover(field->name, field->inner, field->inner_size);
	}
	for (size_t i = 0; i < size; i++)
		if (n_tables[i] != 1)
			fail_msg("%s: byte %zu is in %d fields of its table", name, i,
			    n_tables[i]);
}

static void
test_tables_cover_every_byte(void **state)
{
	(void)state;
	for (size_t id = 0; id < IPC_MSG_N; id++)
		if (ipc_descriptions[id].payload_size > 0)
			expect_cover(ipc_descriptions[id].name, fields_of[id],
			    ipc_descriptions[id].payload_size);
}

/* Fields that are legal alone and contradict each other. The statements change `msg`. */
#define BAD(row, word, statements) \
	{ \
		struct subject bad = sample_of(IPC_MSG_##row); \
		struct ipc_##row *msg = &bad.payload.row; \
		statements; \
		expect_refusal(&bad, word, #statements); \
	}

static void
test_contradictions_are_refused(void **state)
{
	(void)state;
	BAD(start, "netmask_be", msg->network.prefix_len = 16)
	BAD(start, "network_be", msg->network.network_be = htonl(0x0a000201))
	BAD(start, "address outside network_be", msg->network.host_be = 1)
	BAD(start, "address outside network_be", msg->network.nameserver_be = 1)
	BAD(start, "address outside network_be", msg->network.dhcp_start_be = 1)
	BAD(start, "address outside network_be", msg->network.guest_be = 1)
	BAD(start, "prefix6", msg->network.prefix6.s6_addr[8] = 1)
	BAD(start, "prefix6", msg->network.prefix6.s6_addr[15] = 1)
	BAD(start, "address outside prefix6", msg->network.host6.s6_addr[7] = 1)
	BAD(start, "address outside prefix6", msg->network.nameserver6.s6_addr[7] = 1)
	BAD(start, "header_len", msg->tap_header_len = 0)
	BAD(tap_made, "header_len", msg->has_offloads = 1)
	BAD(tap_made, "has_uso", msg->has_uso = 1)
	BAD(flow_open, "guest", msg->guest.bytes[4] = 1)
	BAD(flow_open, "peer", msg->peer.bytes[4] = 1)
	BAD(flow_open, "peer", msg->peer.is_ipv6 = 1)
	BAD(flow_open, "peer_port", msg->proto = IPPROTO_ICMP)
	BAD(flow_open, "proto", msg->proto = IPPROTO_ICMPV6)
	BAD(flow_open, "peer", msg->guest.is_ipv6 = 1)
	BAD(reply_open, "peer", msg->peer.bytes[4] = 1)
	BAD(reply_open, "own", msg->own.bytes[4] = 1)
	BAD(flow_opened, "to", msg->to.bytes[4] = 1)
	BAD(flow_opened, "to_scope_id", msg->to = inaddr_loopback(true);
	    msg->to_scope_id = 2)
	BAD(flow_closed, "flows after the last", msg->flows[2] = 1)
	BAD(flow_closed, "flows after the last", msg->flows[31] = 1)
	BAD(flow_closed, "flows after the last", msg->n = 1)
	BAD(connector_start, "addr", msg->outbound.has_addr[0] = 0)
	BAD(connector_start, "scope_id", msg->nameservers.servers[1].addr.bytes[0] = 0xfd)
	BAD(start, "guest_mac", msg->has_guest_mac = 0)
	BAD(listener, "proto", msg->proto = 0)
	BAD(listener, "proto", msg->proto = IPPROTO_ICMP)
	BAD(listener, "guest_addr", msg->guest_addr = (struct inaddr){ 0 })
	BAD(policy_inline, "name", memset(msg->name, 0, sizeof(msg->name)))
	BAD(policy_file, "name", memset(msg->name, 0, sizeof(msg->name)))
	BAD(policy_source, "name", memset(msg->name, 0, sizeof(msg->name)))
	BAD(policy_begin, "is_dns_exclusive", msg->settings.dns = 0)
	BAD(policy_rules, "n_ports", msg->rules[0].proto = IPC_POLICY_PROTO_icmp)
	BAD(policy_rules, "n_ports", msg->rules[0].proto = IPC_POLICY_PROTO_any)
	BAD(policy_rules, "ports", msg->rules[0].ports[1].first = 82)
	BAD(policy_rules, "ports", msg->rules[0].ports[0].first = 0)
	BAD(policy_rules, "ports", msg->rules[0].ports[2].last = 1)
	BAD(policy_rules, "ports", msg->rules[0].n_ports = 1)
	BAD(policy_rules, "label", msg->rules[0].label[0] = 'A')
	BAD(policy_rules, "entries after the last", msg->n = 1)
	BAD(policy_rules, "line", msg->n = 3)
	BAD(policy_prefixes, "addr", msg->prefixes[0].len = 7)
	BAD(policy_prefixes, "addr", msg->prefixes[0].addr.bytes[4] = 1)
	BAD(policy_prefixes, "len", msg->prefixes[0].len = 33)
	BAD(policy_prefixes, "entries after the last", msg->n = 1)
	BAD(policy_names, "text", msg->names[0].text[0] = 'A')
	BAD(policy_names, "text", msg->names[0].text[0] = '.')
	BAD(policy_names, "text", msg->n = 2)
	BAD(policy_names, "entries after the last", msg->names[1].text[0] = 'a')
	BAD(dns_pin, "addrs", msg->addrs[0].bytes[4] = 1)
	BAD(dns_pin, "addrs", msg->addrs[1].is_ipv6 = 2)
	BAD(dns_pin, "entries after the last", msg->n_addrs = 1)
	BAD(dns_pin, "entries after the last", msg->n_patterns = 1)
	BAD(dns_pin, "name", msg->name[0] = '\0')
	BAD(dns_pin, "name", msg->name[0] = 'A')
	BAD(pins_page, "next", {
		msg->n = IPC_POLICY_PINS_N;
		msg->next = IPC_POLICY_PINS_MAX + 1;
	})
	BAD(denied_page, "next", {
		msg->n = IPC_POLICY_DENIED_N;
		msg->next = IPC_POLICY_DENIED_MAX + 1;
	})
	BAD(denied_page, "name", msg->entries[0].name[0] = '#')
	BAD(denied_page, "name", msg->entries[1].name[0] = '\0')
	BAD(denied_page, "entries after the last", msg->n = 1)
	BAD(dns_refusal, "name", msg->name[0] = 'A')
	BAD(dns_refusal, "name", msg->name[4] = '\n')
	BAD(host_addrs, "addrs", msg->addrs[0].bytes[4] = 1)
	BAD(host_addrs, "addrs", msg->addrs[1].is_ipv6 = 2)
	BAD(host_addrs, "entries after the last", msg->n = 1)
	BAD(outbound, "addr", msg->has_addr[0] = 0)
	BAD(outbound, "addr", msg->has_addr[1] = 1)
	BAD(outbound, "addr", msg->addr[0].bytes[4] = 1)
	BAD(outbound, "addr", msg->addr[0].is_ipv6 = 1)
	BAD(outbound, "addr", msg->addr[1].bytes[15] = 1)
	BAD(outbound, "addr", msg->addr[1].is_ipv6 = 1)
	BAD(nameservers, "entries after the last", msg->n = 1)
	BAD(dns_query, "bytes after the last", msg->bytes[msg->len - 1] = 1; msg->len--)
	BAD(dns_answer, "bytes after the last", msg->bytes[msg->len - 1] = 1; msg->len--)
	BAD(dns_open, "scope_id", msg->server.scope_id = 1)
	BAD(nameservers, "addr", msg->servers[0].addr.bytes[4] = 1)
	BAD(nameservers, "scope_id", msg->servers[0].scope_id = 1)
	BAD(nameservers, "scope_id", msg->servers[1].addr.bytes[0] = 0xfd)
	BAD(confine, "runas", msg->has_runas = 0; msg->runas_gid = 0)
	BAD(confine, "runas", msg->has_runas = 0; msg->runas_uid = 0)
	BAD(make_tap, "tap_name", memset(msg->tap_name, 0, sizeof(msg->tap_name)))
	BAD(make_tap, "mac", msg->has_mac = 0)
	/* waitpid(2) and kill(2) take 1 for init. */
	BAD(spawned, "pid", msg->pid = 1)
	BAD(spawned, "error", msg->pid = 0)
	BAD(spawned, "error", msg->error = 1)
	BAD(cgroup_follow, "cgroup", msg->cgroup[0] = 'u')
	BAD(cgroup_follow, "cgroup", memset(msg->cgroup, 0, sizeof(msg->cgroup)))
	BAD(cgroup_follow, "cgroup", memcpy(msg->cgroup, "/../", 4))
	BAD(cgroup_follow, "cgroup", memcpy(msg->cgroup, "/a/../..", 9))
	BAD(cgroup_follow, "pids", msg->pids[IPC_ROLE_PARENT] = 8)
	BAD(cgroup_follow, "pids", msg->pids[IPC_ROLE_CGROUP_MOVER] = 1U << 31)

	BAD(publish, "host_addr", msg->forward.host_addr.bytes[4] = 1)
	BAD(publish, "host_addr", msg->forward.host_addr.bytes[15] = 1)
	BAD(publish, "guest_addr", msg->forward.guest_addr.is_ipv6 = 0)
	BAD(publish, "host_port", msg->forward.host_port_last = 7999)
	/* The hundredth port would be 65536. */
	BAD(publish, "guest_port", msg->forward.guest_port_first = 65437)
	BAD(published, "id", msg->result.id = 1)
	BAD(published, "id", msg->result.outcome = IPC_FORWARD_done)
	BAD(forward_added, "id", msg->result.id = 0)
	BAD(forward_added, "forward", msg->result.id = 0;
	    msg->result.outcome = IPC_FORWARD_in_use)
	BAD(forward_removed, "forward", msg->outcome = IPC_FORWARD_no_such_forward)

	BAD(forwards_page, "order of ids", msg->entries[1].id = msg->entries[0].id)
	BAD(forwards_page, "order of ids", msg->entries[1].id = msg->entries[0].id - 1)
	BAD(forwards_page, "entries after the last", msg->n--)
	BAD(forwards_page, "id", msg->n++)
	BAD(forwards_page, "has_more", msg->has_more = 1; msg->n = 0)
	BAD(connections_page, "entries after the last", msg->n--; msg->next = 0)
	BAD(connections_page, "proto", msg->n++)
	BAD(connections_page, "next", msg->n = 0)
	BAD(connections_page, "source_addr", msg->entries[0].source_addr.bytes[4] = 1)
	BAD(connections_page, "dest_addr", msg->entries[0].dest_addr.bytes[15] = 1)
	BAD(connections_page, "state", msg->entries[0].state = IPC_TCP_NONE)
	BAD(connections_page, "state", msg->entries[0].proto = IPPROTO_UDP)
}

static void
fill_forwards_page(struct ipc_forwards_page *page)
{
	for (; page->n < IPC_PAGE_ENTRIES; page->n++) {
		page->entries[page->n] = page->entries[page->n - 1];
		page->entries[page->n].id++;
	}
}

static void
fill_connections_page(struct ipc_connections_page *page)
{
	for (; page->n < IPC_CONNECTIONS_PAGE_ENTRIES; page->n++)
		page->entries[page->n] = page->entries[page->n - 1];
}

/* Legal values that the samples lack: both ends of a range, and the other kinds. */
#define GOOD(row, statements) \
	{ \
		struct subject good = sample_of(IPC_MSG_##row); \
		struct ipc_##row *msg = &good.payload.row; \
		const char *why = NULL; \
		statements; \
		if (ipc_validate_##row(msg, &why) != 0) \
			fail_msg(#row ": %s: refused: %s", #statements, why); \
	}

static void
test_legal_values_are_accepted(void **state)
{
	(void)state;
	GOOD(make_tap, msg->has_mac = 0; msg->mac = (struct mac){ 0 })
	GOOD(flow_open, msg->peer = msg->guest = inaddr_loopback(true))
	GOOD(flow_open, msg->proto = IPPROTO_UDP)
	GOOD(flow_open, msg->proto = IPPROTO_ICMP; msg->peer_port = 0)
	GOOD(reply_open, inaddr_parse("fe80::1", &msg->peer);
	     inaddr_parse("fe80::2", &msg->own);
	     msg->peer_scope_id = msg->own_scope_id = 2)
	GOOD(flow_opened, inaddr_parse("fe80::1", &msg->to); msg->to_scope_id = 2)
	GOOD(flow_closed, msg->n = 32; msg->flows[31] = UINT64_MAX)
	GOOD(outbound, msg->has_addr[0] = 0; msg->addr[0] = (struct inaddr){ 0 })
	GOOD(outbound, msg->has_addr[1] = 1; msg->addr[1] = inaddr_loopback(true))
	GOOD(nameservers, msg->servers[1].scope_id = 0)
	GOOD(nameservers, msg->servers[2].addr = inaddr_loopback(true); msg->n = 3)
	GOOD(nameservers, memset(msg, 0, sizeof(*msg)))
	GOOD(confine, msg->has_runas = 0; msg->runas_uid = msg->runas_gid = 0)
	GOOD(start, msg->network.mtu_bytes = 1)
	GOOD(start, msg->network.mtu_bytes = IPC_MTU_MAX_BYTES)
	GOOD(start, msg->tap_has_offloads = 0; msg->tap_has_uso = 0;
	     msg->tap_header_len = 0)
	GOOD(start, msg->tap_has_uso = 0)
	GOOD(start, msg->network.prefix_len = IPC_PREFIX_LEN_MIN;
	     msg->network.netmask_be = htonl(0x80000000); msg->network.network_be = 0)
	GOOD(start, msg->network.prefix_len = IPC_PREFIX_LEN_MAX;
	     msg->network.netmask_be = htonl(0xffffff80))
	GOOD(spawned, msg->pid = INT32_MAX)
	GOOD(spawned, msg->pid = 0; msg->error = 1)
	GOOD(cgroup_follow, msg->cgroup[1] = '\0'; memset(msg->cgroup + 1, 0, 40))
	GOOD(cgroup_follow, memcpy(msg->cgroup, "/..a", 4))
	GOOD(cgroup_follow, msg->pids[IPC_ROLE_CGROUP_MOVER] = INT32_MAX)
	GOOD(publish, msg->forward.proto = IPPROTO_UDP)
	GOOD(publish, msg->forward.host_port_last = msg->forward.host_port_first)
	GOOD(publish, msg->forward.guest_port_first = 65436)
	GOOD(forwards_page, msg->has_more = 1)
	GOOD(forwards_page, memset(msg, 0, sizeof(*msg)))
	GOOD(forwards_page, fill_forwards_page(msg))
	GOOD(connections_page, memset(msg, 0, sizeof(*msg)))
	GOOD(connections_page, fill_connections_page(msg))
	GOOD(connections_page, msg->entries[0].proto = IPPROTO_ICMP;
	     msg->entries[0].state = IPC_TCP_NONE)
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_tables_cover_every_byte),
		cmocka_unit_test(test_bad_fields_are_refused),
		cmocka_unit_test(test_contradictions_are_refused),
		cmocka_unit_test(test_legal_values_are_accepted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
