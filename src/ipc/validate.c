#include "ipc/validate.h"

#include <arpa/inet.h>
#include <stdbool.h>
#include <string.h>

#include "base/log.h"

/* slirp4netns(1): --mtu takes 1 to 65521, libslirp's own maximum. */
#define MTU_MAX_BYTES 65521
/* slirp4netns(1): the network must have room for network + 100. */
#define PREFIX_LEN_MIN 1
#define PREFIX_LEN_MAX 25

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
	if (net->prefix_len < PREFIX_LEN_MIN || net->prefix_len > PREFIX_LEN_MAX)
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
	if (net->mtu_bytes < 1 || net->mtu_bytes > MTU_MAX_BYTES)
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
	if (msg->role < IPC_ROLE_PARENT || msg->role > IPC_ROLE_SLIRP_WORKER)
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
	if (!is_flag(msg->has_own_userns))
		return refuse(why, "has_own_userns");
	if (!is_zero(msg->reserved, sizeof(msg->reserved)))
		return refuse(why, "reserved");
	return 0;
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

int
ipc_validate_tap_made(const struct ipc_tap_made *msg, const char **why)
{
	if (msg->header_len > IPC_TAP_HEADER_MAX)
		return refuse(why, "header_len");
	return msg->reserved == 0 ? 0 : refuse(why, "reserved");
}

int
ipc_validate_inspect_tap(const struct ipc_inspect_tap *msg, const char **why)
{
	return msg->reserved == 0 ? 0 : refuse(why, "reserved");
}

int
ipc_validate_start(const struct ipc_start *msg, const char **why)
{
	if (validate_network(&msg->network, why) == -1)
		return -1;
	if (msg->tap_header_len > IPC_TAP_HEADER_MAX)
		return refuse(why, "tap_header_len");
	return msg->reserved == 0 ? 0 : refuse(why, "reserved");
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
