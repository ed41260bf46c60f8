/* SPDX-License-Identifier: BSD-2-Clause */
/* The table of UDP ports of forwards, with sockets of the kernel. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>

#include <cmocka.h>

#include "base/deadline.h"
#include "slirp-worker/engine/udp/udp_port.h"
#include "slirp-worker/wire/wire.h"

#define N_MAX 8

static struct poller poller;
static struct udp_ports ports;

static int
set_up(void **state)
{
	(void)state;
	return poller_init(&poller) == 0 ? udp_ports_init(&ports, N_MAX, &poller) : -1;
}

static int
tear_down(void **state)
{
	(void)state;
	udp_ports_free(&ports);
	poller_free(&poller);
	return 0;
}

static struct inaddr
address(const char *text)
{
	struct inaddr addr = { 0 };

	assert_true(inaddr_parse(text, &addr));
	return addr;
}

static union inaddr_sock
sock(const char *text, uint16_t port)
{
	const struct inaddr addr = address(text);

	return inaddr_sock_make(&addr, port);
}

static int
take(const char *host, uint16_t host_port, const char *guest, uint16_t guest_port)
{
	const union inaddr_sock at = sock(host, host_port);
	const struct inaddr to = address(guest);
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	assert_int_not_equal(fd, -1);
	return udp_ports_take(&ports, fd, &at, &to, guest_port);
}

static uint32_t
close_port(const char *host, uint16_t port)
{
	const union inaddr_sock at = sock(host, port);

	return udp_ports_close(&ports, &at);
}

static uint16_t
port_of(const char *guest, uint16_t guest_port)
{
	const struct inaddr addr = address(guest);
	struct flow_key key = {
		.guest_port = guest_port,
		.ethertype = addr.is_ipv6 ? WIRE_TYPE_IP6 : WIRE_TYPE_IP4,
	};

	memcpy(key.guest_address, addr.bytes, sizeof(key.guest_address));
	return udp_port_of_guest(&ports, &key);
}

static void
test_closed_port_leaves_a_place(void **state)
{
	(void)state;
	for (uint16_t i = 0; i < N_MAX; i++)
		assert_int_equal(take("0.0.0.0", 8000 + i, "10.0.2.100", 53), 0);
	assert_int_equal(take("0.0.0.0", 9000, "10.0.2.100", 53), -1);
	assert_int_equal(close_port("127.0.0.1", 8003), UINT32_MAX);
	assert_int_equal(close_port("0.0.0.0", 8003), 3);
	assert_int_equal(close_port("0.0.0.0", 8003), UINT32_MAX);
	assert_null(udp_ports_at(&ports, 3, 0));
	assert_null(udp_ports_at(&ports, 3, 1));
	assert_int_equal(take("0.0.0.0", 9000, "10.0.2.100", 53), 0);
	/* Its events are told from those of the port before. */
	assert_null(udp_ports_at(&ports, 3, 0));
	assert_non_null(udp_ports_at(&ports, 3, 1));
	assert_null(udp_ports_at(&ports, N_MAX, 0));
	for (uint16_t i = 0; i < N_MAX; i++)
		close_port("0.0.0.0", 8000 + i);
	assert_int_equal(close_port("0.0.0.0", 9000), 3);
}

static void
test_port_of_a_guest_s_end(void **state)
{
	(void)state;
	take("0.0.0.0", 8000, "10.0.2.100", 53);
	/* One number for both chains, and others in the same. */
	take("0.0.0.0", 8001, "10.0.2.101", 53);
	take("0.0.0.0", 8002, "10.0.2.100", 53 + UDP_PORT_CHAINS);
	take("127.0.0.1", 8003, "10.0.2.100", 54);
	take("::", 8004, "10.0.2.100", 55);
	take("::", 8005, "fd00::1", 53);
	assert_int_equal(port_of("10.0.2.100", 53), 8000);
	assert_int_equal(port_of("10.0.2.101", 53), 8001);
	assert_int_equal(port_of("10.0.2.100", 53 + UDP_PORT_CHAINS), 8002);
	assert_int_equal(port_of("fd00::1", 53), 8005);
	/* Only a port of all addresses of the family can speak to any peer. */
	assert_int_equal(port_of("10.0.2.100", 54), 0);
	assert_int_equal(port_of("10.0.2.100", 55), 0);
	close_port("0.0.0.0", 8001);
	assert_int_equal(port_of("10.0.2.101", 53), 0);
	assert_int_equal(port_of("10.0.2.100", 53), 8000);
	close_port("0.0.0.0", 8000);
	assert_int_equal(port_of("10.0.2.100", 53), 0);
	assert_int_equal(port_of("10.0.2.100", 53 + UDP_PORT_CHAINS), 8002);
}

static void
test_wait_for_a_mac(void **state)
{
	struct udp_port *port;

	(void)state;
	take("0.0.0.0", 8000, "10.0.2.100", 53);
	take("0.0.0.0", 8001, "10.0.2.101", 53);
	assert_int_equal(udp_ports_due(&ports), DEADLINE_NONE);
	port = udp_ports_at(&ports, 0, 0);
	udp_port_wait(&ports, port, 1000);
	assert_int_equal(udp_ports_due(&ports), 1000);
	udp_port_wait(&ports, udp_ports_at(&ports, 1, 0), 900);
	assert_int_equal(udp_ports_due(&ports), 900);
	port->due_ms = 800;
	port->n_asked = 1;
	/* A wait goes on as it began. */
	udp_port_wait(&ports, port, 1100);
	assert_int_equal(port->n_asked, 1);
	assert_int_equal(udp_ports_due(&ports), 800);
	udp_port_go_on(&ports, port);
	assert_false(port->waits);
	assert_int_equal(udp_ports_due(&ports), 900);
	/* The other is closed while it waits. */
	assert_int_equal(close_port("0.0.0.0", 8001), 1);
	assert_int_equal(udp_ports_due(&ports), DEADLINE_NONE);
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(test_closed_port_leaves_a_place),
		TEST(test_port_of_a_guest_s_end),
		TEST(test_wait_for_a_mac),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
