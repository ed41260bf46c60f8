/* SPDX-License-Identifier: BSD-2-Clause */
/* Shared by the gate's tests: a virtual network, and checks of verdicts. */
#pragma once

#include "frames.h"
#include "slirp-worker/gate/gate.h"

#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define GUEST4 "10.0.2.100"
#define HOST4 "10.0.2.2"
#define DNS4 "10.0.2.3"
#define OUTSIDE4 "192.0.2.7"
#define GUEST6 "fd00::100"
#define HOST6 "fd00::2"
#define DNS6 "fd00::3"
#define OUTSIDE6 "2001:db8::7"

/* Any time but zero, which would hide a missing one. */
#define NOW_MS 1000000

static struct gate gate;
static struct frame frame;
static struct gate_frame parsed;

/* The defaults of slirpd with --enable-ipv6, loopback open or closed. */
__attribute__((unused)) static void
gate_open(bool allow_host_loopback, bool enable_dns)
{
	struct gate_config config = {
		.allow_host_loopback = allow_host_loopback,
		.enable_ipv6 = true,
		.enable_dns = enable_dns,
	};

	inet_pton(AF_INET, "10.0.2.0", &config.network_be);
	inet_pton(AF_INET, "255.255.255.0", &config.netmask_be);
	inet_pton(AF_INET, HOST4, &config.host_be);
	inet_pton(AF_INET, DNS4, &config.nameserver_be);
	inet_pton(AF_INET6, "fd00::", &config.prefix6);
	inet_pton(AF_INET6, HOST6, &config.host6);
	inet_pton(AF_INET6, DNS6, &config.nameserver6);
	gate_init(&gate, &config);
}

__attribute__((unused)) static int
loopback_closed(void **state)
{
	(void)state;
	gate_open(false, true);
	return 0;
}

__attribute__((unused)) static int
loopback_allowed(void **state)
{
	(void)state;
	gate_open(true, true);
	return 0;
}

__attribute__((unused)) static const char *
reason_name(enum ipc_drop_reason reason)
{
#define R(name, sentence) #name,
	static const char *const names[] = { IPC_DROP_REASONS(R) };
#undef R

	return names[reason];
}

/* Checks the frame in a block of exactly its size, so that a sanitizer sees every read
 * beyond it; cmocka's blocks have space around them. Then copies the frame back. */
__attribute__((unused)) static enum gate_verdict
gate_judge_at(uint64_t now_ms)
{
	uint8_t *exact = malloc(frame.len + 1);
	enum gate_verdict verdict;

	memcpy(exact + 1, frame.bytes, frame.len);
	verdict = gate_check(&gate, exact + 1, frame.len, now_ms, &parsed);
	memcpy(frame.bytes, exact + 1, frame.len);
	if (parsed.src) {
		parsed.src = frame.bytes + (parsed.src - (exact + 1));
		parsed.dst = frame.bytes + (parsed.dst - (exact + 1));
	}
	free(exact);
	return verdict;
}

#define expect_verdict(wanted) assert_int_equal(gate_judge_at(NOW_MS), wanted)

/* By name, so that a failure shows the name. */
#define expect_reason(verdict, name) \
	do { \
		expect_verdict(verdict); \
		assert_string_equal(reason_name(parsed.reason), #name); \
	} while (0)
#define expect_pass() expect_verdict(GATE_PASS)
#define expect_ping() expect_verdict(GATE_PING)
#define expect_icmp_error() expect_verdict(GATE_ICMP_ERROR)
#define expect_drop(name) expect_reason(GATE_DROP, name)
#define expect_refuse(name) expect_reason(GATE_REFUSE, name)
