/* SPDX-License-Identifier: BSD-2-Clause */
/* What the policy has denied: entries, names of addresses, and what gives way. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "connector/denied.h"

#define PUBLIC (IPC_POLICY_BIT(any) | IPC_POLICY_BIT(internet))
#define PRIVATE (IPC_POLICY_BIT(any) | IPC_POLICY_BIT(private))
#define METADATA (PRIVATE | IPC_POLICY_BIT(metadata))

static const uint64_t secret[2] = { 5, 6 };
static struct denied denied;

static int
setup(void **state)
{
	(void)state;
	memset(&denied, 0, sizeof(denied));
	denied_init(&denied, secret);
	return 0;
}

static struct inaddr
numbered(uint32_t i)
{
	return inaddr_from4(htonl(0xc6336300 + i));
}

static void
flow_of(uint32_t i, uint16_t port, uint32_t classes)
{
	const struct ipc_denied flow = {
		.proto = IPC_POLICY_PROTO_tcp,
		.port = port,
		.addr = numbered(i),
		.classes = classes,
	};

	denied_note_flow(&denied, &flow);
}

static void
origin(uint32_t i, const char *name)
{
	const struct inaddr addr = numbered(i);

	denied_note_origin(&denied, &addr, name);
}

static size_t
n_entries(void)
{
	uint32_t place = 0;
	size_t n = 0;

	while (denied_from(&denied, &place) != NULL)
		n++;
	return n;
}

/* The count of the only entry with this name and port; 0: there is none. */
static uint64_t
count_of(const char *name, uint16_t port)
{
	const struct ipc_denied *row;
	uint32_t place = 0;
	uint64_t count = 0;

	while ((row = denied_from(&denied, &place)) != NULL) {
		if (strcmp(row->name, name) != 0 || row->port != port)
			continue;
		assert_int_equal(count, 0);
		count = row->count;
	}
	return count;
}

static void
test_flows_are_counted(void **state)
{
	const struct ipc_denied *row;
	uint32_t place = 0;

	(void)state;
	assert_null(denied_from(&denied, &place));
	flow_of(1, 443, PUBLIC);
	flow_of(1, 443, PUBLIC);
	flow_of(1, 80, PUBLIC);
	flow_of(2, 25, PUBLIC);
	assert_int_equal(n_entries(), 3);
	assert_int_equal(count_of("", 443), 2);
	assert_int_equal(count_of("", 80), 1);
	place = 0;
	row = denied_from(&denied, &place);
	assert_int_equal(row->proto, IPC_POLICY_PROTO_tcp);
	assert_int_equal(row->classes, PUBLIC);
}

static void
test_addresses_of_a_name_are_one_entry(void **state)
{
	(void)state;
	for (uint32_t i = 0; i < 100; i++) {
		origin(i, "pypi.org");
		flow_of(i, 443, PUBLIC);
	}
	assert_int_equal(n_entries(), 1);
	assert_int_equal(count_of("pypi.org", 443), 100);
	/* The last name counts, and private addresses are another entry. */
	origin(1, "example.org");
	flow_of(1, 443, PUBLIC);
	assert_int_equal(count_of("example.org", 443), 1);
	flow_of(1, 22, PRIVATE);
	flow_of(1, 22, PUBLIC);
	assert_int_equal(n_entries(), 4);
	/* No name may lead to them. */
	flow_of(1, 99, METADATA);
	assert_int_equal(count_of("example.org", 99), 1);
	origin(2, "example.org");
	flow_of(2, 99, METADATA);
	assert_int_equal(n_entries(), 6);
}

static void
test_names_are_counted(void **state)
{
	(void)state;
	denied_note_name(&denied, "evil.test", IPC_DENIED_BY_default);
	denied_note_name(&denied, "evil.test", IPC_DENIED_BY_forbid);
	denied_note_name(&denied, "other.test", IPC_DENIED_BY_default);
	assert_int_equal(n_entries(), 2);
	assert_int_equal(count_of("evil.test", 0), 2);
}

static void
test_scan_does_not_push_out_what_comes_again(void **state)
{
	char name[32];

	(void)state;
	for (int round = 0; round < 2; round++) {
		flow_of(1, 443, PUBLIC);
		denied_note_name(&denied, "good.test", IPC_DENIED_BY_default);
	}
	flow_of(2, 444, PUBLIC);
	for (uint32_t i = 0; i < 10 * DENIED_FLOWS_MAX; i++) {
		flow_of(1000 + i, 1, PUBLIC);
		snprintf(name, sizeof(name), "n%u.test", i);
		denied_note_name(&denied, name, IPC_DENIED_BY_default);
		origin(i, name);
	}
	assert_int_equal(n_entries(), DENIED_FLOWS_MAX + DENIED_NAMES_MAX);
	assert_int_equal(count_of("", 443), 2);
	assert_int_equal(count_of("good.test", 0), 2);
	assert_int_equal(count_of("", 444), 0);
	/* Entries that all come again give way by their age. */
	for (uint32_t i = 0; i < 2 * DENIED_FLOWS_MAX; i++)
		flow_of(100000 + i / 2, 2, PUBLIC);
	assert_int_equal(n_entries(), DENIED_FLOWS_MAX + DENIED_NAMES_MAX);
	assert_int_equal(count_of("", 443), 0);
}

static bool
has_port_443(void *ctx, const struct ipc_denied *row)
{
	(*(int *)ctx)++;
	return row->port == 443;
}

static void
test_what_is_allowed_later_is_dropped(void **state)
{
	int n = 0;

	(void)state;
	flow_of(1, 443, PUBLIC);
	flow_of(2, 443, PUBLIC);
	flow_of(2, 443, PUBLIC);
	flow_of(1, 80, PUBLIC);
	denied_note_name(&denied, "evil.test", IPC_DENIED_BY_default);
	denied_drop_if(&denied, has_port_443, &n);
	assert_int_equal(n, 4);
	assert_int_equal(n_entries(), 2);
	/* Free places are used first. */
	for (uint32_t i = 0; i < DENIED_FLOWS_MAX - 1; i++)
		flow_of(1000 + i, 1, PUBLIC);
	assert_int_equal(count_of("", 80), 1);
	assert_int_equal(n_entries(), DENIED_FLOWS_MAX + 1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_flows_are_counted, setup),
		cmocka_unit_test_setup(test_addresses_of_a_name_are_one_entry, setup),
		cmocka_unit_test_setup(test_names_are_counted, setup),
		cmocka_unit_test_setup(test_scan_does_not_push_out_what_comes_again,
		    setup),
		cmocka_unit_test_setup(test_what_is_allowed_later_is_dropped, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
