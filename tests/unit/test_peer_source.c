/* SPDX-License-Identifier: BSD-2-Clause */
/* Datagrams from the host's loopback get the gateway's address. */
#include "gate_fixture.h"

#include "slirp-worker/engine/slirp/peer_source.h"

static struct ipc_network network;

static void
expect_as_if_from(const char *source, const char *gateway, const char *guest)
{
	static const char data[] = "seven..";
	static struct frame expected;

	frame_udp(&frame, source, 5000, guest, 53, data, sizeof(data));
	frame_udp(&expected, gateway, 5000, guest, 53, data, sizeof(data));
	assert_true(peer_source_is_loopback(frame.bytes, frame.len));
	peer_source_replace(&network, frame.bytes, frame.len);
	assert_int_equal(frame.len, expected.len);
	assert_memory_equal(frame.bytes, expected.bytes, frame.len);
	assert_false(peer_source_is_loopback(frame.bytes, frame.len));
}

static void
test_loopback_becomes_the_gateway(void **state)
{
	(void)state;
	expect_as_if_from("127.0.0.1", HOST4, GUEST4);
	expect_as_if_from("::1", HOST6, GUEST6);
}

static void
test_checksum_that_would_be_zero_is_written_as_ones(void **state)
{
	uint8_t data[2] = { 0 };

	(void)state;
	/* One value of the field makes the sum zero: tries all. */
	for (int value = 0; value <= UINT16_MAX; value++) {
		data[0] = (uint8_t)(value >> 8);
		data[1] = (uint8_t)value;
		frame_udp(&frame, "127.0.0.1", 5000, GUEST4, 53, data, sizeof(data));
		peer_source_replace(&network, frame.bytes, frame.len);
		assert_true(frame.bytes[40] != 0 || frame.bytes[41] != 0);
		assert_true(frame_checksums_are_right(frame.bytes, frame.len));
	}
}

static void
test_datagram_without_a_checksum_stays_without(void **state)
{
	(void)state;
	frame_udp(&frame, "127.0.0.1", 5000, GUEST4, 53, "x", 1);
	frame.bytes[40] = frame.bytes[41] = 0;
	peer_source_replace(&network, frame.bytes, frame.len);
	assert_int_equal(frame.bytes[40], 0);
	assert_int_equal(frame.bytes[41], 0);
}

/* Only the first fragment has the header with a checksum that covers the source. */
static void
test_later_fragment_has_only_its_address_changed(void **state)
{
	static struct frame whole, expected;

	(void)state;
	frame_udp(&whole, "127.0.0.1", 5000, GUEST4, 53, NULL, 4000);
	frame_fragment(&frame, &whole, 1480, 1480, true, 7);
	frame_udp(&whole, HOST4, 5000, GUEST4, 53, NULL, 4000);
	frame_fragment(&expected, &whole, 1480, 1480, true, 7);
	assert_true(peer_source_is_loopback(frame.bytes, frame.len));
	peer_source_replace(&network, frame.bytes, frame.len);
	assert_memory_equal(frame.bytes, expected.bytes, expected.len);
}

static void
test_others_are_left_alone(void **state)
{
	static const char *const sources[] = { OUTSIDE4, HOST4, "127.0.0.2", "126.0.0.1",
		OUTSIDE6, HOST6, "::2" };

	(void)state;
	for (size_t i = 0; i < sizeof(sources) / sizeof(sources[0]); i++) {
		frame_udp(&frame, sources[i], 5000,
		    strchr(sources[i], ':') ? GUEST6 : GUEST4, 53, "x", 1);
		assert_false(peer_source_is_loopback(frame.bytes, frame.len));
	}
	frame_tcp(&frame, "127.0.0.1", 5000, GUEST4, 80, 0x10);
	assert_false(peer_source_is_loopback(frame.bytes, frame.len));
}

/* Cuts the frame at each length, in a block of that size for a sanitizer. */
static void
test_short_frames(void **state)
{
	static const char *const sources[] = { "127.0.0.1", "::1" };

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		frame_udp(&frame, sources[i], 5000, i == 0 ? GUEST4 : GUEST6, 53, "x", 1);
		for (size_t len = 0; len <= frame.len; len++) {
			uint8_t *exact = malloc(len + 1);

			memcpy(exact + 1, frame.bytes, len);
			if (peer_source_is_loopback(exact + 1, len))
				peer_source_replace(&network, exact + 1, len);
			free(exact);
		}
	}
}

static int
make_network(void **state)
{
	(void)state;
	inet_pton(AF_INET, HOST4, &network.host_be);
	inet_pton(AF_INET6, HOST6, &network.host6);
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_loopback_becomes_the_gateway),
		cmocka_unit_test(test_checksum_that_would_be_zero_is_written_as_ones),
		cmocka_unit_test(test_datagram_without_a_checksum_stays_without),
		cmocka_unit_test(test_later_fragment_has_only_its_address_changed),
		cmocka_unit_test(test_others_are_left_alone),
		cmocka_unit_test(test_short_frames),
	};

	return cmocka_run_group_tests(tests, make_network, NULL);
}
