#include "ipc/validate.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <string.h>

#include "base/log.h"

static int
refuse(const char **why, const char *text)
{
	*why = text;
	return -1;
}

static bool
is_zero(const void *bytes, size_t n)
{
	const uint8_t *byte = bytes;

	for (size_t i = 0; i < n; i++)
		if (byte[i] != 0)
			return false;
	return true;
}

static bool
is_flag(uint8_t value)
{
	return value <= 1;
}

/* Text of at most size - 1 bytes, NUL-terminated, and zeros to the end, so that no
 * bytes of the sender's memory travel behind it. */
static bool
is_text(const char *text, size_t size)
{
	size_t len = strnlen(text, size);

	return len < size && is_zero(text + len, size - len);
}

static int
validate_network(const struct ipc_network *net, const char **why)
{
	if (net->prefix_len < IPC_PREFIX_LEN_MIN || net->prefix_len > IPC_PREFIX_LEN_MAX)
		return refuse(why, "prefix_len");
	if (ntohl(net->netmask_be) != UINT32_MAX << (32 - net->prefix_len))
		return refuse(why, "netmask_be");
	if ((net->network_be & ~net->netmask_be) != 0)
		return refuse(why, "network_be");
	const uint32_t inside[] = { net->host_be, net->nameserver_be, net->dhcp_start_be,
		net->guest_be };
	for (size_t i = 0; i < sizeof(inside) / sizeof(inside[0]); i++)
		if ((inside[i] & net->netmask_be) != net->network_be)
			return refuse(why, "address outside network_be");
	if (!is_zero(net->prefix6 + IPC_ADDR6_LEN / 2, IPC_ADDR6_LEN / 2))
		return refuse(why, "prefix6");
	if (memcmp(net->host6, net->prefix6, IPC_ADDR6_LEN / 2) != 0 ||
	    memcmp(net->nameserver6, net->prefix6, IPC_ADDR6_LEN / 2) != 0)
		return refuse(why, "address outside prefix6");
	if (net->mtu_bytes < 1 || net->mtu_bytes > IPC_MTU_MAX_BYTES)
		return refuse(why, "mtu_bytes");
	if (!is_flag(net->enable_ipv6) || !is_flag(net->enable_dns) ||
	    !is_flag(net->allow_host_loopback))
		return refuse(why, "flag neither 0 nor 1");
	if (!is_zero(net->reserved, sizeof(net->reserved)))
		return refuse(why, "reserved");
	return 0;
}

int
ipc_validate_hello(const struct ipc_hello *msg, const char **why)
{
	if (msg->role < IPC_ROLE_PARENT || msg->role >= IPC_ROLE_END)
		return refuse(why, "role");
	if (msg->reserved != 0)
		return refuse(why, "reserved");
	return 0;
}

int
ipc_validate_log(const struct ipc_log *msg, const char **why)
{
	if (msg->level >= LOG_N_LEVELS)
		return refuse(why, "level");
	if (!is_zero(msg->reserved, sizeof(msg->reserved)))
		return refuse(why, "reserved");
	if (!is_text(msg->text, sizeof(msg->text)))
		return refuse(why, "text");
	return 0;
}

int
ipc_validate_confine(const struct ipc_confine *msg, const char **why)
{
	if (msg->sandbox_mode >= IPC_JAIL_N_MODES ||
	    msg->seccomp_mode >= IPC_JAIL_N_MODES)
		return refuse(why, "mode");
	if (!is_flag(msg->has_runas))
		return refuse(why, "has_runas");
	/* Neither id may be root's, which is what is to be given up. */
	if ((msg->runas_uid != 0) != msg->has_runas ||
	    (msg->runas_gid != 0) != msg->has_runas)
		return refuse(why, "runas");
	return msg->reserved == 0 ? 0 : refuse(why, "reserved");
}

int
ipc_validate_confined(const struct ipc_confined *msg, const char **why)
{
	if (msg->stages >= 1U << IPC_STAGE_N)
		return refuse(why, "stages");
	return msg->reserved == 0 ? 0 : refuse(why, "reserved");
}

int
ipc_validate_fallback_userns(const struct ipc_fallback_userns *msg, const char **why)
{
	return msg->reserved == 0 ? 0 : refuse(why, "reserved");
}

int
ipc_validate_resolv_copy(const struct ipc_resolv_copy *msg, const char **why)
{
	return msg->reserved == 0 ? 0 : refuse(why, "reserved");
}

int
ipc_validate_join_userns(const struct ipc_join_userns *msg, const char **why)
{
	if (!is_text(msg->label, sizeof(msg->label)))
		return refuse(why, "label");
	return 0;
}

int
ipc_validate_make_tap(const struct ipc_make_tap *msg, const char **why)
{
	if (validate_network(&msg->network, why) == -1)
		return -1;
	if (!is_text(msg->netns_label, sizeof(msg->netns_label)))
		return refuse(why, "netns_label");
	if (!is_text(msg->tap_name, sizeof(msg->tap_name)) || msg->tap_name[0] == '\0')
		return refuse(why, "tap_name");
	if (!is_flag(msg->has_mac) || !is_flag(msg->configure))
		return refuse(why, "flag neither 0 nor 1");
	if (!msg->has_mac && !is_zero(msg->mac, sizeof(msg->mac)))
		return refuse(why, "mac");
	return 0;
}

static int
validate_tap_header(uint32_t header_len, uint8_t has_offloads, const char **why)
{
	if (!is_flag(has_offloads))
		return refuse(why, "flag neither 0 nor 1");
	if (header_len > IPC_TAP_HEADER_MAX ||
	    (has_offloads && header_len != IPC_TAP_OFFLOAD_HEADER_LEN))
		return refuse(why, "header_len");
	return 0;
}

int
ipc_validate_tap_made(const struct ipc_tap_made *msg, const char **why)
{
	if (validate_tap_header(msg->header_len, msg->has_offloads, why) == -1)
		return -1;
	return is_zero(msg->reserved, sizeof(msg->reserved)) ? 0
							     : refuse(why, "reserved");
}

int
ipc_validate_inspect_tap(const struct ipc_inspect_tap *msg, const char **why)
{
	return msg->reserved == 0 ? 0 : refuse(why, "reserved");
}

int
ipc_validate_outbound(const struct ipc_outbound *msg, const char **why)
{
	if (!is_flag(msg->has_addr4) || !is_flag(msg->has_addr6))
		return refuse(why, "flag neither 0 nor 1");
	if (!msg->has_addr4 && msg->addr4_be != 0)
		return refuse(why, "addr4_be");
	if (!msg->has_addr6 && !is_zero(msg->addr6, sizeof(msg->addr6)))
		return refuse(why, "addr6");
	return is_zero(msg->reserved, sizeof(msg->reserved)) ? 0
							     : refuse(why, "reserved");
}

int
ipc_validate_start(const struct ipc_start *msg, const char **why)
{
	if (validate_network(&msg->network, why) == -1 ||
	    ipc_validate_outbound(&msg->outbound, why) == -1)
		return -1;
	if (validate_tap_header(msg->tap_header_len, msg->tap_has_offloads, why) == -1)
		return -1;
	if (!is_flag(msg->is_bess))
		return refuse(why, "flag neither 0 nor 1");
	return is_zero(msg->reserved, sizeof(msg->reserved)) ? 0
							     : refuse(why, "reserved");
}

int
ipc_validate_about(const struct ipc_about *msg, const char **why)
{
	if (!is_text(msg->libslirp_version, sizeof(msg->libslirp_version)))
		return refuse(why, "libslirp_version");
	if (msg->reserved != 0)
		return refuse(why, "reserved");
	return 0;
}

int
ipc_validate_ready(const struct ipc_ready *msg, const char **why)
{
	return msg->reserved == 0 ? 0 : refuse(why, "reserved");
}

int
ipc_validate_tap_gone(const struct ipc_tap_gone *msg, const char **why)
{
	return msg->reserved == 0 ? 0 : refuse(why, "reserved");
}

int
ipc_validate_get_stats(const struct ipc_get_stats *msg, const char **why)
{
	return msg->reserved == 0 ? 0 : refuse(why, "reserved");
}

int
ipc_validate_stats(const struct ipc_stats *msg, const char **why)
{
	/* Any counter may have any value. */
	(void)msg;
	(void)why;
	return 0;
}

/* IPv4 stands in the first four bytes; then there are zeros. */
static bool
is_address(const uint8_t addr[IPC_ADDR6_LEN], uint8_t is_ipv6)
{
	return is_ipv6 ||
	    is_zero(addr + sizeof(struct in_addr),
		IPC_ADDR6_LEN - sizeof(struct in_addr));
}

static int
validate_hostfwd(const struct ipc_hostfwd *rule, const char **why)
{
	uint32_t n_more = (uint32_t)rule->host_port_last - rule->host_port_first;

	if (rule->proto != IPPROTO_TCP && rule->proto != IPPROTO_UDP)
		return refuse(why, "proto");
	if (!is_flag(rule->host_is_ipv6) || !is_flag(rule->guest_is_ipv6))
		return refuse(why, "flag neither 0 nor 1");
	if (!is_address(rule->host_addr, rule->host_is_ipv6))
		return refuse(why, "host_addr");
	if (!is_address(rule->guest_addr, rule->guest_is_ipv6))
		return refuse(why, "guest_addr");
	if (rule->host_port_first == 0 || rule->host_port_last < rule->host_port_first)
		return refuse(why, "host_port");
	if (rule->guest_port_first == 0 || n_more + rule->guest_port_first > UINT16_MAX)
		return refuse(why, "guest_port");
	if (!is_zero(rule->reserved, sizeof(rule->reserved)))
		return refuse(why, "reserved");
	return 0;
}

/* A rule where there is one, zeros where there is none. */
static int
validate_optional_hostfwd(const struct ipc_hostfwd *rule, bool is_there, const char **why)
{
	if (is_there)
		return validate_hostfwd(rule, why);
	return is_zero(rule, sizeof(*rule)) ? 0 : refuse(why, "rule");
}

static int
validate_entry(const struct ipc_hostfwd_entry *entry, const char **why)
{
	if (entry->id == 0)
		return refuse(why, "id");
	if (entry->reserved != 0)
		return refuse(why, "reserved");
	return validate_hostfwd(&entry->rule, why);
}

static int
validate_result(const struct ipc_hostfwd_result *result, const char **why)
{
	if (result->outcome >= IPC_HOSTFWD_N_OUTCOMES)
		return refuse(why, "outcome");
	if ((result->id != 0) != (result->outcome == IPC_HOSTFWD_done))
		return refuse(why, "id");
	if (!is_zero(result->reserved, sizeof(result->reserved)))
		return refuse(why, "reserved");
	return 0;
}

int
ipc_validate_publish(const struct ipc_publish *msg, const char **why)
{
	return validate_hostfwd(&msg->rule, why);
}

int
ipc_validate_published(const struct ipc_published *msg, const char **why)
{
	return validate_result(&msg->result, why);
}

int
ipc_validate_rule_added(const struct ipc_rule_added *msg, const char **why)
{
	return validate_entry(&msg->entry, why);
}

int
ipc_validate_rule_removed(const struct ipc_rule_removed *msg, const char **why)
{
	if (msg->id == 0)
		return refuse(why, "id");
	return msg->reserved == 0 ? 0 : refuse(why, "reserved");
}

int
ipc_validate_api_channel(const struct ipc_api_channel *msg, const char **why)
{
	/* Any number will do. */
	(void)msg;
	(void)why;
	return 0;
}

int
ipc_validate_api_dropped(const struct ipc_api_dropped *msg, const char **why)
{
	return is_text(msg->why, sizeof(msg->why)) ? 0 : refuse(why, "why");
}

int
ipc_validate_add_hostfwd(const struct ipc_add_hostfwd *msg, const char **why)
{
	return validate_hostfwd(&msg->rule, why);
}

int
ipc_validate_hostfwd_added(const struct ipc_hostfwd_added *msg, const char **why)
{
	if (validate_result(&msg->result, why) == -1)
		return -1;
	return validate_optional_hostfwd(&msg->rule, msg->result.id != 0, why);
}

int
ipc_validate_remove_hostfwd(const struct ipc_remove_hostfwd *msg, const char **why)
{
	/* Any id may be asked for; that there is none of the kind is an answer. */
	return msg->reserved == 0 ? 0 : refuse(why, "reserved");
}

int
ipc_validate_hostfwd_removed(const struct ipc_hostfwd_removed *msg, const char **why)
{
	if (msg->outcome >= IPC_HOSTFWD_N_OUTCOMES)
		return refuse(why, "outcome");
	return validate_optional_hostfwd(&msg->rule, msg->outcome == IPC_HOSTFWD_done,
	    why);
}

int
ipc_validate_list_hostfwd(const struct ipc_list_hostfwd *msg, const char **why)
{
	return msg->reserved == 0 ? 0 : refuse(why, "reserved");
}

int
ipc_validate_hostfwd_page(const struct ipc_hostfwd_page *msg, const char **why)
{
	if (msg->n > IPC_PAGE_ENTRIES)
		return refuse(why, "n");
	/* A page that is not the last brings its reader on. */
	if (msg->has_more > 1 || (msg->has_more && msg->n == 0))
		return refuse(why, "has_more");
	for (uint32_t i = 0; i < msg->n; i++) {
		if (validate_entry(&msg->entries[i], why) == -1)
			return -1;
		if (i > 0 && msg->entries[i].id <= msg->entries[i - 1].id)
			return refuse(why, "order of ids");
	}
	if (!is_zero(msg->entries + msg->n,
		(IPC_PAGE_ENTRIES - msg->n) * sizeof(msg->entries[0])))
		return refuse(why, "entries after the last");
	return 0;
}

int
ipc_validate_list_connections(const struct ipc_list_connections *msg, const char **why)
{
	return msg->reserved == 0 ? 0 : refuse(why, "reserved");
}

static int
validate_connection(const struct ipc_connection *connection, const char **why)
{
	if (connection->proto != IPPROTO_TCP && connection->proto != IPPROTO_UDP &&
	    connection->proto != IPPROTO_ICMP)
		return refuse(why, "proto");
	if (!is_flag(connection->is_ipv6) || !is_flag(connection->is_hostfwd))
		return refuse(why, "flag neither 0 nor 1");
	if (!is_address(connection->source_addr, connection->is_ipv6) ||
	    !is_address(connection->dest_addr, connection->is_ipv6))
		return refuse(why, "address");
	if (connection->state >= IPC_TCP_N_STATES ||
	    (connection->state != IPC_TCP_NONE) != (connection->proto == IPPROTO_TCP))
		return refuse(why, "state");
	return 0;
}

int
ipc_validate_connections_page(const struct ipc_connections_page *msg, const char **why)
{
	if (msg->n > IPC_PAGE_ENTRIES)
		return refuse(why, "n");
	if (msg->has_more > 1 || (msg->has_more && msg->n == 0))
		return refuse(why, "has_more");
	for (uint32_t i = 0; i < msg->n; i++)
		if (validate_connection(&msg->entries[i], why) == -1)
			return -1;
	if (!is_zero(msg->entries + msg->n,
		(IPC_PAGE_ENTRIES - msg->n) * sizeof(msg->entries[0])))
		return refuse(why, "entries after the last");
	return 0;
}

int
ipc_validate_query_worker(const struct ipc_query_worker *msg, const char **why)
{
	/* The number is the sender's own business. */
	(void)msg;
	(void)why;
	return 0;
}

int
ipc_validate_worker_state(const struct ipc_worker_state *msg, const char **why)
{
	(void)msg;
	(void)why;
	return 0;
}

int
ipc_validate_spawn(const struct ipc_spawn *msg, const char **why)
{
	return msg->reserved == 0 ? 0 : refuse(why, "reserved");
}

int
ipc_validate_spawned(const struct ipc_spawned *msg, const char **why)
{
	/* A process number is a positive int; the parent will wait for it and kill it. */
	if (msg->pid > INT32_MAX || msg->pid == 1)
		return refuse(why, "pid");
	return (msg->error == 0) == (msg->pid != 0) ? 0 : refuse(why, "error");
}

int
ipc_validate_listen(const struct ipc_listen *msg, const char **why)
{
	return msg->reserved == 0 ? 0 : refuse(why, "reserved");
}

int
ipc_validate_worker_channel(const struct ipc_worker_channel *msg, const char **why)
{
	return msg->reserved == 0 ? 0 : refuse(why, "reserved");
}

int
ipc_validate_api_ready(const struct ipc_api_ready *msg, const char **why)
{
	return msg->reserved == 0 ? 0 : refuse(why, "reserved");
}

int
ipc_validate_get_status(const struct ipc_get_status *msg, const char **why)
{
	(void)msg;
	(void)why;
	return 0;
}

int
ipc_validate_status(const struct ipc_status *msg, const char **why)
{
	if (validate_network(&msg->network, why) == -1 ||
	    ipc_validate_about(&msg->about, why) == -1)
		return -1;
	for (size_t i = 0; i < IPC_ROLE_END; i++)
		if (ipc_validate_confined(&msg->confined[i], why) == -1)
			return -1;
	if (!is_text(msg->tap_name, sizeof(msg->tap_name)))
		return refuse(why, "tap_name");
	return msg->reserved == 0 ? 0 : refuse(why, "reserved");
}

int
ipc_validate_event(const struct ipc_event *msg, const char **why)
{
	if (msg->kind >= IPC_N_EVENTS)
		return refuse(why, "kind");
	return msg->reserved == 0 ? 0 : refuse(why, "reserved");
}
