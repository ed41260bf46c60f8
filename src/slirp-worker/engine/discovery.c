/* SPDX-License-Identifier: BSD-2-Clause */
/* Keeps in mind which paths the guest knows to be narrow. */
#include "slirp-worker/engine/discovery.h"

#include <assert.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "base/bytes.h"
#include "slirp-worker/wire/wire.h"

static_assert(IP_PMTUDISC_WANT == IPV6_PMTUDISC_WANT &&
	IP_PMTUDISC_DO == IPV6_PMTUDISC_DO,
    "the values of both families are the same");

static bool
is_known(const struct discovery_paths *paths, const struct inaddr *to)
{
	for (size_t i = 0; i < DISCOVERY_PATHS_MAX; i++)
		if (inaddr_is_equal(&paths->to[i], to))
			return true;
	return false;
}

void
discovery_begin(struct discovery *discovery, const struct discovery_paths *paths,
    const struct inaddr *to)
{
	*discovery = (struct discovery){
		.is_told = is_known(paths, to),
		.value = IP_PMTUDISC_WANT, /* the kernel's default */
	};
}

void
discovery_note(struct discovery *discovery, struct discovery_paths *paths,
    const struct inaddr *to, const struct errqueue_error *error)
{
	if (error->own_mtu_bytes != 0)
		discovery->own_mtu_bytes = error->own_mtu_bytes;
	if (!error->is_for_guest || error->icmp.mtu_bytes == 0 || discovery->is_told)
		return;
	discovery->is_told = true;
	/* Another socket to the host may have told of it since this one was made. */
	if (is_known(paths, to))
		return;
	paths->to[paths->next] = *to;
	paths->next = (paths->next + 1) % DISCOVERY_PATHS_MAX;
}

void
discovery_set(struct discovery *discovery, int fd, bool is_ip6, bool may_fragment)
{
	int value = IP_PMTUDISC_WANT;

	if (may_fragment && !is_ip6)
		value = IP_PMTUDISC_DONT;
	else if (!may_fragment && discovery->is_told)
		value = IP_PMTUDISC_DO;
	if (value == discovery->value)
		return;
	/* Cannot fail on a socket of the family. */
	if (is_ip6)
		setsockopt(fd, IPPROTO_IPV6, IPV6_MTU_DISCOVER, &value, sizeof(value));
	else
		setsockopt(fd, IPPROTO_IP, IP_MTU_DISCOVER, &value, sizeof(value));
	discovery->value = value;
}

bool
discovery_refuses(const struct discovery *discovery, bool is_ip6, size_t l4_len,
    const uint8_t *gateway, struct refusal_error *answer)
{
	*answer = (struct refusal_error){
		.type = is_ip6 ? WIRE_ICMP6_TOO_BIG : WIRE_ICMP4_UNREACHABLE,
		.code = is_ip6 ? 0 : WIRE_ICMP4_TOO_BIG,
		.source = gateway,
		.mtu_bytes = discovery->own_mtu_bytes,
	};
	return discovery->value == IP_PMTUDISC_DO && discovery->own_mtu_bytes != 0 &&
	    l4_len + (is_ip6 ? WIRE_IP6_LEN : WIRE_IP4_LEN) > discovery->own_mtu_bytes;
}

bool
discovery_may_fragment(const struct gate_frame *parsed, const uint8_t *frame)
{
	if (parsed->was_cut)
		return true;
	return parsed->ethertype != WIRE_TYPE_IP6 &&
	    !(load_be16(frame + WIRE_ETH_LEN + WIRE_IP4_FRAGMENT) &
		WIRE_IP4_DONT_FRAGMENT);
}
