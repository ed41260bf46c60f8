/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Access to the host's loopback, open and closed: each of its addresses, both families,
 * TCP, UDP and ICMP, and the guest's answers to a forward's peers.
 */
#include "gate_fixture.h"

#include "slirp-worker/wire/wire.h"

#define N_OF(array) (sizeof(array) / sizeof(*(array)))

/* Addresses that some release of libslirp takes for the host's loopback. 4.7: the gateway
 * address, 255.255.255.255, and of IPv6 the whole prefix; others: any address of the
 * network. */
static const char *const names4[] = { HOST4, "10.0.2.0", "10.0.2.1", "10.0.2.4",
	"10.0.2.15", GUEST4, "10.0.2.254" };
static const char *const broadcasts4[] = { "10.0.2.255", "255.255.255.255" };
static const char *const names6[] = { HOST6, "fd00::", "fd00::1", "fd00::4", GUEST6,
	"fd00::ffff:ffff:ffff:ffff" };

static const char *
guest_for(const char *address)
{
	return strchr(address, ':') != NULL ? GUEST6 : "10.0.2.101";
}

#define SYN 0x02
#define ACK 0x10

static void
check_tcp_names(const char *const *names, size_t n, bool open)
{
	for (size_t i = 0; i < n; i++) {
		for (int flags = 0; flags < 256; flags++) {
			frame_tcp(&frame, guest_for(names[i]), 1000, names[i], 22,
			    (uint8_t)flags);
			if (!open && (flags & (SYN | ACK)) == SYN)
				expect_refuse(host_loopback_tcp);
			else
				expect_pass();
		}
	}
}

static void
test_tcp_does_not_open_when_closed(void **state)
{
	(void)state;
	check_tcp_names(names4, N_OF(names4), false);
	check_tcp_names(names6, N_OF(names6), false);
}

static void
test_tcp_passes_when_open(void **state)
{
	(void)state;
	check_tcp_names(names4, N_OF(names4), true);
	check_tcp_names(names6, N_OF(names6), true);
}

static void
test_tcp_syn_with_data_and_options_does_not_open(void **state)
{
	static const uint8_t options[] = { 2, 4, 5, 0xb4, 34, 2, 1, 1 };

	(void)state;
	frame_tcp_options(&frame, GUEST6, 1000, HOST6, 22, SYN, options, sizeof(options));
	expect_refuse(host_loopback_tcp);
}

static void
test_udp_does_not_pass_when_closed(void **state)
{
	static const uint16_t ports[] = { 0, 1, 7, 53, 68, 80, 546, 4444, 65535 };

	(void)state;
	for (size_t port = 0; port < N_OF(ports); port++) {
		for (size_t i = 0; i < N_OF(names4); i++) {
			frame_udp(&frame, "10.0.2.101", 1000, names4[i], ports[port],
			    NULL, 9);
			expect_refuse(host_loopback_udp);
		}
		for (size_t i = 0; i < N_OF(names6); i++) {
			frame_udp(&frame, GUEST6, 1000, names6[i], ports[port], NULL, 9);
			expect_refuse(host_loopback_udp);
		}
		for (size_t i = 0; i < N_OF(broadcasts4); i++) {
			frame_udp(&frame, GUEST4, 1000, broadcasts4[i], ports[port], NULL,
			    9);
			expect_drop(broadcast);
		}
	}
}

static void
test_udp_passes_when_open(void **state)
{
	(void)state;
	for (size_t i = 0; i < N_OF(names4); i++) {
		frame_udp(&frame, "10.0.2.101", 1000, names4[i], 80, NULL, 9);
		expect_pass();
	}
	for (size_t i = 0; i < N_OF(broadcasts4); i++) {
		frame_udp(&frame, GUEST4, 1000, broadcasts4[i], 80, NULL, 9);
		expect_pass();
	}
	for (size_t i = 0; i < N_OF(names6); i++) {
		frame_udp(&frame, GUEST6, 1000, names6[i], 80, NULL, 9);
		expect_pass();
	}
}

/* An address that is not the stack's own leads to the host's loopback, or outside. */
static void
expect_echo(const char *name, const char *host, bool is_open)
{
	if (strcmp(name, host) == 0)
		expect_pass(); /* the stack answers */
	else if (is_open)
		expect_ping();
	else
		expect_refuse(host_loopback_icmp);
}

static void
try_echo(bool is_open)
{
	for (size_t i = 0; i < N_OF(names4); i++) {
		frame_echo(&frame, "10.0.2.101", names4[i], 9);
		expect_echo(names4[i], HOST4, is_open);
	}
	for (size_t i = 0; i < N_OF(broadcasts4); i++) {
		frame_echo(&frame, GUEST4, broadcasts4[i], 9);
		expect_drop(icmp_group);
	}
	for (size_t i = 0; i < N_OF(names6); i++) {
		frame_echo(&frame, GUEST6, names6[i], 9);
		expect_echo(names6[i], HOST6, is_open);
	}
}

static void
test_echo_when_closed(void **state)
{
	(void)state;
	try_echo(false);
}

static void
test_echo_when_open(void **state)
{
	(void)state;
	try_echo(true);
}

static void
test_outside_passes_whatever_the_loopback(void **state)
{
	(void)state;
	for (int open = 0; open <= 1; open++) {
		gate_open(open, true);
		for (int flags = 0; flags < 256; flags++) {
			frame_tcp(&frame, GUEST4, 1000, OUTSIDE4, 22, (uint8_t)flags);
			expect_pass();
			frame_tcp(&frame, GUEST6, 1000, OUTSIDE6, 22, (uint8_t)flags);
			expect_pass();
		}
		frame_udp(&frame, GUEST4, 1000, "10.0.3.2", 22, NULL, 1);
		expect_pass();
		frame_udp(&frame, GUEST6, 1000, "fd00:0:0:1::2", 22, NULL, 1);
		expect_pass();
	}
}

static void
check_nameserver(const char *guest, const char *dns, bool answers)
{
	frame_udp(&frame, guest, 1000, dns, 53, NULL, 30);
	expect_verdict(answers ? GATE_PASS : GATE_REFUSE);
	frame_tcp(&frame, guest, 1000, dns, 53, SYN);
	expect_verdict(answers ? GATE_PASS : GATE_REFUSE);
	frame_tcp(&frame, guest, 1000, dns, 53, ACK);
	expect_verdict(answers ? GATE_PASS : GATE_REFUSE);

	frame_udp(&frame, guest, 53, dns, 54, NULL, 30);
	expect_refuse(nameserver);
	frame_tcp(&frame, guest, 53, dns, 52, SYN);
	expect_refuse(nameserver);
	frame_tcp(&frame, guest, 53, dns, 22, ACK);
	expect_refuse(nameserver);
	frame_echo(&frame, guest, dns, 4);
	expect_pass();
}

static void
test_nameserver(void **state)
{
	(void)state;
	for (int open = 0; open <= 1; open++) {
		for (int dns = 0; dns <= 1; dns++) {
			gate_open(open, dns);
			check_nameserver(GUEST4, DNS4, dns);
			check_nameserver(GUEST6, DNS6, dns);
		}
	}
}

static void
test_another_network(void **state)
{
	struct gate_config config = { .enable_dns = true };

	(void)state;
	inet_pton(AF_INET, "192.168.76.128", &config.network_be);
	inet_pton(AF_INET, "255.255.255.128", &config.netmask_be);
	inet_pton(AF_INET, "192.168.76.130", &config.host_be);
	inet_pton(AF_INET, "192.168.76.131", &config.nameserver_be);
	gate_init(&gate, &config);

	frame_tcp(&frame, "192.168.76.228", 1000, "192.168.76.130", 22, SYN);
	expect_refuse(host_loopback_tcp);
	frame_tcp(&frame, "192.168.76.228", 1000, "192.168.76.200", 22, SYN);
	expect_refuse(host_loopback_tcp);
	frame_udp(&frame, "192.168.76.228", 1000, "192.168.76.255", 22, NULL, 1);
	expect_drop(broadcast);
	frame_tcp(&frame, "192.168.76.228", 1000, "192.168.76.127", 22, SYN);
	expect_pass();
	frame_tcp(&frame, "192.168.76.228", 1000, HOST4, 22, SYN);
	expect_pass();
	frame_dhcp(&frame, "192.168.76.130", 3);
	expect_pass();
}

/* The flows of the UDP engine. */
static struct flow_key known[4];
static size_t n_known;

static bool
knows_udp(void *ctx, const struct flow_key *key)
{
	assert_ptr_equal(ctx, known);
	for (size_t i = 0; i < n_known; i++)
		if (memcmp(&known[i], key, sizeof(*key)) == 0)
			return true;
	return false;
}

static int
loopback_closed_with_flows(void **state)
{
	loopback_closed(state);
	n_known = 0;
	gate.knows_udp = knows_udp;
	gate.ctx = known;
	return 0;
}

/* A peer on the host's loopback, which the guest sees as the gateway, has sent to the guest
 * through a forward. */
static void
note(const char *guest, uint16_t guest_port, const char *gateway, uint16_t peer_port)
{
	bool is_ip6 = strchr(guest, ':') != NULL;
	struct in6_addr address;

	inet_pton(is_ip6 ? AF_INET6 : AF_INET, guest, &address);
	known[n_known] = flow_key_udp(is_ip6 ? WIRE_TYPE_IP6 : WIRE_TYPE_IP4,
	    address.s6_addr, guest_port, peer_port);
	inet_pton(is_ip6 ? AF_INET6 : AF_INET, gateway, known[n_known].peer_address);
	n_known++;
}

static enum gate_verdict
reply(const char *guest, uint16_t guest_port, const char *dst, uint16_t dst_port)
{
	frame_udp(&frame, guest, guest_port, dst, dst_port, NULL, 20);
	return gate_judge_at(NOW_MS);
}

static void
check_flow(const char *guest, const char *host, const char *other_guest,
    const char *other_host)
{
	assert_int_equal(reply(guest, 80, host, 40000), GATE_REFUSE);
	note(guest, 80, host, 40000);
	assert_int_equal(reply(guest, 80, host, 40000), GATE_PASS);
	/* The whole key must match. */
	assert_int_equal(reply(guest, 80, host, 40001), GATE_REFUSE);
	assert_int_equal(reply(guest, 80, host, 0x409c), GATE_REFUSE);
	assert_int_equal(reply(guest, 81, host, 40000), GATE_REFUSE);
	assert_int_equal(reply(other_guest, 80, host, 40000), GATE_REFUSE);
	assert_int_equal(reply(guest, 80, other_host, 40000), GATE_REFUSE);
	assert_int_equal(reply(guest, 40000, host, 80), GATE_REFUSE);
	/* Only UDP may answer. */
	frame_tcp(&frame, guest, 80, host, 40000, SYN);
	expect_refuse(host_loopback_tcp);
}

static void
test_flow_matches_exactly(void **state)
{
	(void)state;
	check_flow(GUEST4, HOST4, "10.0.2.101", "10.0.2.5");
	check_flow(GUEST6, HOST6, "fd00::101", "fd00::5");
	/* A flow is valid for one family only. */
	assert_int_equal(reply(GUEST4, 81, HOST4, 40001), GATE_REFUSE);
	note(GUEST6, 81, HOST6, 40001);
	assert_int_equal(reply(GUEST4, 81, HOST4, 40001), GATE_REFUSE);
}

static void
test_flow_that_ended_opens_nothing(void **state)
{
	(void)state;
	note(GUEST4, 80, HOST4, 40000);
	assert_int_equal(reply(GUEST4, 80, HOST4, 40000), GATE_PASS);
	n_known = 0;
	assert_int_equal(reply(GUEST4, 80, HOST4, 40000), GATE_REFUSE);
}

/* A flow is for the gateway's address alone: the others of the network stay closed. */
static void
test_flow_to_another_address_opens_nothing(void **state)
{
	(void)state;
	note(GUEST4, 80, "10.0.2.5", 40000);
	assert_int_equal(reply(GUEST4, 80, "10.0.2.5", 40000), GATE_REFUSE);
	assert_int_equal(reply(GUEST4, 80, HOST4, 40000), GATE_REFUSE);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_tcp_does_not_open_when_closed,
		    loopback_closed),
		cmocka_unit_test_setup(test_tcp_passes_when_open, loopback_allowed),
		cmocka_unit_test_setup(test_tcp_syn_with_data_and_options_does_not_open,
		    loopback_closed),
		cmocka_unit_test_setup(test_udp_does_not_pass_when_closed,
		    loopback_closed),
		cmocka_unit_test_setup(test_udp_passes_when_open, loopback_allowed),
		cmocka_unit_test_setup(test_echo_when_closed, loopback_closed),
		cmocka_unit_test_setup(test_echo_when_open, loopback_allowed),
		cmocka_unit_test(test_outside_passes_whatever_the_loopback),
		cmocka_unit_test(test_nameserver),
		cmocka_unit_test(test_another_network),
		cmocka_unit_test_setup(test_flow_matches_exactly,
		    loopback_closed_with_flows),
		cmocka_unit_test_setup(test_flow_that_ended_opens_nothing,
		    loopback_closed_with_flows),
		cmocka_unit_test_setup(test_flow_to_another_address_opens_nothing,
		    loopback_closed_with_flows),
	};

	return cmocka_run_group_tests_name("gate_loopback", tests, NULL, NULL);
}
