/* SPDX-License-Identifier: BSD-2-Clause */
/* The UDP ports of forwards, with sockets of the kernel. */
#include <netinet/in.h>
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

static struct poller poller;
static struct budget budget;
static struct port_table table;
static struct udp_ports ports;

static int
set_up(void **state)
{
	(void)state;
	budget_init(&budget, 2048, 28000);
	assert_int_equal(poller_init(&poller), 0);
	assert_int_equal(port_table_init(&table, &poller, &budget), 0);
	udp_ports_init(&ports, &table);
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	port_table_free(&table);
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

/* The host's port is the number that the connector gives. */
static struct port *
take(const char *host, uint16_t host_port, const char *guest, uint16_t guest_port)
{
	const struct ipc_listener listener = {
		.id = host_port,
		.forward = 1,
		.host_addr = address(host),
		.guest_addr = address(guest),
		.host_port = host_port,
		.guest_port = guest_port,
		.proto = IPPROTO_UDP,
	};
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct port *port;

	assert_int_not_equal(fd, -1);
	port = port_table_take(&table, &listener, fd, 0);
	assert_non_null(port);
	assert_true(udp_ports_begin(&ports, port, 0));
	return port;
}

static void
close_port(uint16_t host_port)
{
	struct port *port = port_table_find(&table, host_port);

	assert_non_null(port);
	udp_ports_end(&ports, port);
	port_table_close(&table, port);
}

static uint16_t
port_of(const char *guest, uint16_t guest_port)
{
	const struct inaddr addr = address(guest);
	struct flow_key key = {
		.guest_port = guest_port,
		.ethertype = addr.is_ipv6 ? WIRE_TYPE_IP6 : WIRE_TYPE_IP4,
	};
	const struct port *port;

	memcpy(key.guest_address, addr.bytes, sizeof(key.guest_address));
	port = udp_port_to_guest(&ports, &key);
	return port != NULL ? inaddr_sock_port(&port->host) : 0;
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
	close_port(8001);
	assert_int_equal(port_of("10.0.2.101", 53), 0);
	assert_int_equal(port_of("10.0.2.100", 53), 8000);
	close_port(8000);
	assert_int_equal(port_of("10.0.2.100", 53), 0);
	assert_int_equal(port_of("10.0.2.100", 53 + UDP_PORT_CHAINS), 8002);
}

static void
test_wait_for_a_mac(void **state)
{
	struct port *port = take("0.0.0.0", 8000, "10.0.2.100", 53);
	struct port *other = take("0.0.0.0", 8001, "10.0.2.101", 53);

	(void)state;
	assert_int_equal(udp_ports_due(&ports), DEADLINE_NONE);
	udp_port_wait(&ports, port, 1000);
	assert_int_equal(udp_ports_due(&ports), 1000);
	udp_port_wait(&ports, other, 900);
	assert_int_equal(udp_ports_due(&ports), 900);
	port->due_ms = 800;
	port->n_asked = 1;
	/* A wait goes on as it began. */
	udp_port_wait(&ports, port, 1100);
	assert_int_equal(port->n_asked, 1);
	assert_int_equal(udp_ports_due(&ports), 800);
	udp_port_go_on(&ports, port);
	assert_int_equal(port->state, PORT_WATCHED);
	assert_int_equal(udp_ports_due(&ports), 900);
	/* The other is closed while it waits. */
	close_port(8001);
	assert_int_equal(udp_ports_due(&ports), DEADLINE_NONE);
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(test_port_of_a_guest_s_end),
		TEST(test_wait_for_a_mac),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
