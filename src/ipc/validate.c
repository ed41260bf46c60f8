/* SPDX-License-Identifier: BSD-2-Clause */
/* Checks the payloads of messages about the start and the end of processes, and their state. */
#include "ipc/validate.h"

#include <arpa/inet.h>
#include <string.h>

#include "base/log.h"
#include "ipc/validate_fields.h"

static int
validate_network(const struct ipc_network *net, const char **why)
{
	const size_t prefix6_len = sizeof(net->prefix6) / 2;

	if (net->prefix_len < IPC_PREFIX_LEN_MIN || net->prefix_len > IPC_PREFIX_LEN_MAX)
		return ipc_refuse(why, "prefix_len");
	if (ntohl(net->netmask_be) != UINT32_MAX << (32 - net->prefix_len))
		return ipc_refuse(why, "netmask_be");
	if ((net->network_be & ~net->netmask_be) != 0)
		return ipc_refuse(why, "network_be");
	const uint32_t inside[] = { net->host_be, net->nameserver_be, net->dhcp_start_be,
		net->guest_be };
	for (size_t i = 0; i < sizeof(inside) / sizeof(inside[0]); i++)
		if ((inside[i] & net->netmask_be) != net->network_be)
			return ipc_refuse(why, "address outside network_be");
	if (!ipc_is_zero(net->prefix6.s6_addr + prefix6_len,
		sizeof(net->prefix6) - prefix6_len))
		return ipc_refuse(why, "prefix6");
	if (memcmp(&net->host6, &net->prefix6, prefix6_len) != 0 ||
	    memcmp(&net->nameserver6, &net->prefix6, prefix6_len) != 0)
		return ipc_refuse(why, "address outside prefix6");
	if (net->mtu_bytes < 1 || net->mtu_bytes > IPC_MTU_MAX_BYTES)
		return ipc_refuse(why, "mtu_bytes");
	if (!ipc_is_flag(net->enable_ipv6) || !ipc_is_flag(net->enable_dns) ||
	    !ipc_is_flag(net->allow_host_loopback))
		return ipc_refuse(why, "flag neither 0 nor 1");
	return ipc_check_zeros(net->reserved, sizeof(net->reserved), "reserved", why);
}

int
ipc_validate_hello(const struct ipc_hello *msg, const char **why)
{
	if (msg->role < IPC_ROLE_PARENT || msg->role >= IPC_ROLE_END)
		return ipc_refuse(why, "role");
	return msg->reserved == 0 ? 0 : ipc_refuse(why, "reserved");
}

int
ipc_validate_log(const struct ipc_log *msg, const char **why)
{
	if (msg->level >= LOG_N_LEVELS)
		return ipc_refuse(why, "level");
	if (!ipc_is_zero(msg->reserved, sizeof(msg->reserved)))
		return ipc_refuse(why, "reserved");
	if (!ipc_is_text(msg->text, sizeof(msg->text)))
		return ipc_refuse(why, "text");
	return 0;
}

int
ipc_validate_confine(const struct ipc_confine *msg, const char **why)
{
	if (msg->sandbox_mode >= IPC_JAIL_N_MODES ||
	    msg->seccomp_mode >= IPC_JAIL_N_MODES)
		return ipc_refuse(why, "mode");
	if (!ipc_is_flag(msg->has_runas))
		return ipc_refuse(why, "has_runas");
	if (!ipc_is_flag(msg->keeps_bind))
		return ipc_refuse(why, "keeps_bind");
	/* Neither id may be root's: root is what slirpd gives up. */
	if ((msg->runas_uid != 0) != msg->has_runas ||
	    (msg->runas_gid != 0) != msg->has_runas)
		return ipc_refuse(why, "runas");
	return 0;
}

int
ipc_validate_confined(const struct ipc_confined *msg, const char **why)
{
	if (msg->stages >= 1U << IPC_STAGE_N)
		return ipc_refuse(why, "stages");
	return msg->reserved == 0 ? 0 : ipc_refuse(why, "reserved");
}

int
ipc_validate_join_userns(const struct ipc_join_userns *msg, const char **why)
{
	if (!ipc_is_text(msg->label, sizeof(msg->label)))
		return ipc_refuse(why, "label");
	return 0;
}

int
ipc_validate_make_tap(const struct ipc_make_tap *msg, const char **why)
{
	if (validate_network(&msg->network, why) == -1)
		return -1;
	if (!ipc_is_text(msg->netns_label, sizeof(msg->netns_label)))
		return ipc_refuse(why, "netns_label");
	if (!ipc_is_text(msg->tap_name, sizeof(msg->tap_name)) ||
	    msg->tap_name[0] == '\0')
		return ipc_refuse(why, "tap_name");
	if (!ipc_is_flag(msg->has_mac) || !ipc_is_flag(msg->configure))
		return ipc_refuse(why, "flag neither 0 nor 1");
	if (!msg->has_mac && !ipc_is_zero(&msg->mac, sizeof(msg->mac)))
		return ipc_refuse(why, "mac");
	return 0;
}

static int
validate_tap_header(uint32_t header_len, uint8_t has_offloads, uint8_t has_uso,
    const char **why)
{
	if (!ipc_is_flag(has_offloads) || !ipc_is_flag(has_uso))
		return ipc_refuse(why, "flag neither 0 nor 1");
	if (has_uso && !has_offloads)
		return ipc_refuse(why, "has_uso");
	if (header_len > IPC_TAP_HEADER_MAX ||
	    (has_offloads && header_len != IPC_TAP_OFFLOAD_HEADER_LEN))
		return ipc_refuse(why, "header_len");
	return 0;
}

int
ipc_validate_tap_made(const struct ipc_tap_made *msg, const char **why)
{
	if (validate_tap_header(msg->header_len, msg->has_offloads, msg->has_uso, why) ==
	    -1)
		return -1;
	return ipc_check_zeros(msg->reserved, sizeof(msg->reserved), "reserved", why);
}

int
ipc_validate_inspect_tap(const struct ipc_inspect_tap *msg, const char **why)
{
	return msg->reserved == 0 ? 0 : ipc_refuse(why, "reserved");
}

int
ipc_validate_outbound(const struct ipc_outbound *msg, const char **why)
{
	for (uint8_t i = 0; i < 2; i++) {
		const struct inaddr *addr = &msg->addr[i];

		if (!ipc_is_flag(msg->has_addr[i]))
			return ipc_refuse(why, "flag neither 0 nor 1");
		if (msg->has_addr[i] ? !ipc_is_inaddr(addr) || addr->is_ipv6 != i
				     : !ipc_is_zero(addr, sizeof(*addr)))
			return ipc_refuse(why, "addr");
	}
	return 0;
}

int
ipc_validate_start(const struct ipc_start *msg, const char **why)
{
	if (validate_network(&msg->network, why) == -1)
		return -1;
	if (validate_tap_header(msg->tap_header_len, msg->tap_has_offloads,
		msg->tap_has_uso, why) == -1)
		return -1;
	if (!ipc_is_flag(msg->is_bess) || !ipc_is_flag(msg->has_guest_mac))
		return ipc_refuse(why, "flag neither 0 nor 1");
	if (!msg->has_guest_mac && !ipc_is_zero(&msg->guest_mac, sizeof(msg->guest_mac)))
		return ipc_refuse(why, "guest_mac");
	return ipc_check_zeros(msg->reserved, sizeof(msg->reserved), "reserved", why);
}

int
ipc_validate_connector_start(const struct ipc_connector_start *msg, const char **why)
{
	if (validate_network(&msg->network, why) == -1 ||
	    ipc_validate_outbound(&msg->outbound, why) == -1)
		return -1;
	if (msg->has_policy > 1)
		return ipc_refuse(why, "has_policy");
	return ipc_validate_nameservers(&msg->nameservers, why);
}

int
ipc_validate_guest_addr6(const struct ipc_guest_addr6 *msg, const char **why)
{
	/* Any address is legal: a forward's guest address is checked on its own. */
	(void)msg;
	(void)why;
	return 0;
}

int
ipc_validate_resolver_start(const struct ipc_resolver_start *msg, const char **why)
{
	if (validate_network(&msg->network, why) == -1)
		return -1;
	if (msg->has_policy > 1)
		return ipc_refuse(why, "has_policy");
	return ipc_validate_nameservers(&msg->nameservers, why);
}

int
ipc_validate_about(const struct ipc_about *msg, const char **why)
{
	if (!ipc_is_text(msg->libslirp_version, sizeof(msg->libslirp_version)))
		return ipc_refuse(why, "libslirp_version");
	return msg->reserved == 0 ? 0 : ipc_refuse(why, "reserved");
}

int
ipc_validate_tap_gone(const struct ipc_tap_gone *msg, const char **why)
{
	return msg->reserved == 0 ? 0 : ipc_refuse(why, "reserved");
}

int
ipc_validate_stats(const struct ipc_stats *msg, const char **why)
{
	/* Any counter may have any value. */
	(void)msg;
	(void)why;
	return 0;
}

int
ipc_validate_query_worker(const struct ipc_query_worker *msg, const char **why)
{
	/* Any number is legal: only the sender uses it. */
	(void)msg;
	(void)why;
	return 0;
}

int
ipc_validate_worker_state(const struct ipc_worker_state *msg, const char **why)
{
	return msg->reserved == 0 ? 0 : ipc_refuse(why, "reserved");
}

/* Whether the spawner starts this role. */
static bool
is_service(uint32_t role)
{
	return role < IPC_ROLE_END && (IPC_SERVICES & (1U << role));
}

int
ipc_validate_peer(const struct ipc_peer *msg, const char **why)
{
	return is_service(msg->role) ? 0 : ipc_refuse(why, "role");
}

int
ipc_validate_peer_missed(const struct ipc_peer_missed *msg, const char **why)
{
	return is_service(msg->role) ? 0 : ipc_refuse(why, "role");
}

int
ipc_validate_peer_dropped(const struct ipc_peer_dropped *msg, const char **why)
{
	if (!is_service(msg->role))
		return ipc_refuse(why, "role");
	return ipc_is_text(msg->why, sizeof(msg->why)) ? 0 : ipc_refuse(why, "why");
}

int
ipc_validate_program(const struct ipc_program *msg, const char **why)
{
	if (!is_service(msg->role))
		return ipc_refuse(why, "role");
	return msg->reserved == 0 ? 0 : ipc_refuse(why, "reserved");
}

int
ipc_validate_spawn(const struct ipc_spawn *msg, const char **why)
{
	if (!is_service(msg->role))
		return ipc_refuse(why, "role");
	return msg->reserved == 0 ? 0 : ipc_refuse(why, "reserved");
}

int
ipc_validate_spawned(const struct ipc_spawned *msg, const char **why)
{
	if (!is_service(msg->role))
		return ipc_refuse(why, "role");
	if (msg->reserved != 0)
		return ipc_refuse(why, "reserved");
	/* A PID is a positive int. The parent will wait for it and kill it. */
	if (msg->pid > INT32_MAX || msg->pid == 1)
		return ipc_refuse(why, "pid");
	return (msg->error == 0) == (msg->pid != 0) ? 0 : ipc_refuse(why, "error");
}

bool
ipc_is_cgroup(const char *path)
{
	if (path[0] != '/')
		return false;
	for (; path; path = strchr(path + 1, '/'))
		if (strncmp(path, "/..", 3) == 0 && (path[3] == '/' || path[3] == '\0'))
			return false;
	return true;
}

int
ipc_validate_cgroup_follow(const struct ipc_cgroup_follow *msg, const char **why)
{
	if (!ipc_is_text(msg->cgroup, sizeof(msg->cgroup)) || !ipc_is_cgroup(msg->cgroup))
		return ipc_refuse(why, "cgroup");
	for (size_t i = 0; i < IPC_ROLE_END; i++)
		/* A PID is a positive int. Only children are moved. */
		if (msg->pids[i] > INT32_MAX ||
		    (i < IPC_ROLE_CHILDREN && msg->pids[i] != 0))
			return ipc_refuse(why, "pids");
	return 0;
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
	if (msg->reserved != 0)
		return ipc_refuse(why, "reserved");
	return ipc_is_text(msg->tap_name, sizeof(msg->tap_name))
	    ? 0
	    : ipc_refuse(why, "tap_name");
}

int
ipc_validate_event(const struct ipc_event *msg, const char **why)
{
	bool is_of_process = msg->kind == IPC_EVENT_PROCESS_EXITED ||
	    msg->kind == IPC_EVENT_PROCESS_STARTED;

	if (msg->kind >= IPC_N_EVENTS)
		return ipc_refuse(why, "kind");
	if (is_of_process ? msg->role < IPC_ROLE_CHILDREN || msg->role >= IPC_ROLE_END
			  : msg->role != IPC_ROLE_NONE)
		return ipc_refuse(why, "role");
	if (!is_of_process && msg->n_restarts != 0)
		return ipc_refuse(why, "n_restarts");
	return msg->reserved == 0 ? 0 : ipc_refuse(why, "reserved");
}
