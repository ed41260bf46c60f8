#include "ipc_samples.h"

#include <arpa/inet.h>
#include <string.h>

#include "ipc/describe.h"

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
		.prefix6 = { 0xfd },
		.host6 = { 0xfd, [15] = 2 },
		.nameserver6 = { 0xfd, [15] = 3 },
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
	/* Of no role in particular: whoever sends it sets its own. */
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
		.has_own_userns = 1,
	};
}

void
ipc_sample_fallback_userns(struct ipc_fallback_userns *msg)
{
	*msg = (struct ipc_fallback_userns){ 0 };
}

void
ipc_sample_resolv_copy(struct ipc_resolv_copy *msg)
{
	*msg = (struct ipc_resolv_copy){ 0 };
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
		.mac = { 2, 0, 0, 0, 0, 1 },
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
ipc_sample_start(struct ipc_start *msg)
{
	*msg = (struct ipc_start){ .tap_header_len = 0 };
	sample_network(&msg->network);
}

void
ipc_sample_about(struct ipc_about *msg)
{
	*msg = (struct ipc_about){ .libslirp_version = "4.7.0", .config_version_max = 4 };
}

void
ipc_sample_ready(struct ipc_ready *msg)
{
	*msg = (struct ipc_ready){ 0 };
}

void
ipc_sample_tap_gone(struct ipc_tap_gone *msg)
{
	*msg = (struct ipc_tap_gone){ .error = 77 };
}

void
ipc_sample_get_stats(struct ipc_get_stats *msg)
{
	*msg = (struct ipc_get_stats){ 0 };
}

void
ipc_sample_stats(struct ipc_stats *msg)
{
	memset(msg, 0xff, sizeof(*msg));
}
