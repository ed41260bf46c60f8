/* SPDX-License-Identifier: BSD-2-Clause */
/* Keys of flows, and their keyed hash. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "model/flow_key.h"
#include "slirp-worker/wire/wire.h"

/* SipHash-2-4 of the bytes 0 to 39 with a key of zeros, computed with openssl-mac(1). */
#define HASH_OF_COUNT UINT64_C(0xa43827a530b08989)

static const struct flow_key *
count_key(void)
{
	static struct flow_key key;
	uint64_t words[sizeof(key) / sizeof(uint64_t)] = { 0 };

	/* SipHash reads its words in little-endian order. */
	for (size_t i = 0; i < sizeof(key); i++)
		words[i / 8] |= (uint64_t)i << i % 8 * 8;
	memcpy(&key, words, sizeof(key));
	return &key;
}

static void
test_hash_is_siphash(void **state)
{
	(void)state;
	assert_true(flow_key_hash(count_key()) == HASH_OF_COUNT);
}

static void
test_hash_depends_on_the_secret(void **state)
{
	uint64_t last = HASH_OF_COUNT;

	(void)state;
	for (int i = 0; i < 4; i++) {
		assert_int_equal(flow_key_make_secret(), 0);
		assert_true(flow_key_hash(count_key()) != last);
		last = flow_key_hash(count_key());
	}
}

static void
test_address_of_ip4_takes_four_bytes(void **state)
{
	static const uint8_t address[16] = { 1, 2, 3, 4, 5 };
	struct flow_key key = flow_key_udp(WIRE_TYPE_IP4, address, 5, 6);

	(void)state;
	assert_int_equal(key.guest_address[3], 4);
	assert_int_equal(key.guest_address[4], 0);
	key = flow_key_udp(WIRE_TYPE_IP6, address, 5, 6);
	assert_int_equal(key.guest_address[4], 5);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_hash_is_siphash),
		cmocka_unit_test(test_hash_depends_on_the_secret),
		cmocka_unit_test(test_address_of_ip4_takes_four_bytes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
