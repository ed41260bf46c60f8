/* SPDX-License-Identifier: BSD-2-Clause */
/* DHCP replies to the client's address, and their checksums. */
#include "gate_fixture.h"

#include "base/bytes.h"
#include "slirp-worker/engine/link/dhcp_reply.h"

#define CLIENT4 "10.0.2.15"
#define BROADCAST4 "255.255.255.255"
#define XID 0xdecafbad
#define MESSAGE_LEN 300

/* RFC 2131 2, figure 1: xid, flags, ciaddr, yiaddr, giaddr, chaddr */
static void
make_message(uint8_t *message, uint8_t op, uint8_t type)
{
	memset(message, 0, MESSAGE_LEN);
	message[0] = op;
	message[1] = 1;
	message[2] = 6;
	store_be32(message + 4, XID);
	memcpy(message + 28, frame_guest_mac, 6);
	store_be32(message + 236, 0x63825363);
	message[240] = 53;
	message[241] = 1;
	message[242] = type;
	message[243] = 0xff;
}

static uint8_t request[MESSAGE_LEN];
static uint8_t reply[MESSAGE_LEN];

static void
begin(void)
{
	make_message(request, 1, 3);
	inet_pton(AF_INET, CLIENT4, request + 12);
	make_message(reply, 2, 5);
	inet_pton(AF_INET, CLIENT4, reply + 16);
}

static void
send_request(void)
{
	frame_udp(&frame, "0.0.0.0", 68, BROADCAST4, 67, request, sizeof(request));
	expect_pass();
}

static void
make_reply(struct frame *made, const char *to)
{
	frame_udp(made, HOST4, 67, to, 68, reply, sizeof(reply));
	memcpy(made->bytes + 6, frame_stack_mac, 6);
	memset(made->bytes, 0xff, 6);
	if (strcmp(to, BROADCAST4) != 0)
		memcpy(made->bytes, frame_guest_mac, 6);
}

static void
expect_reply_to(const char *address)
{
	static struct frame expected;

	make_reply(&frame, BROADCAST4);
	make_reply(&expected, address);
	if (dhcp_reply_is_one(&gate.dhcp, frame.bytes, frame.len))
		dhcp_reply_rewrite(&gate.dhcp, frame.bytes);
	assert_int_equal(frame.len, expected.len);
	assert_memory_equal(frame.bytes, expected.bytes, expected.len);
}

static void
test_client_that_has_the_address_gets_the_reply_there(void **state)
{
	(void)state;
	begin();
	send_request();
	expect_reply_to(CLIENT4);
	/* RFC 2131 4.1: ciaddr has priority over the broadcast flag. */
	request[10] = 0x80;
	send_request();
	expect_reply_to(CLIENT4);
	/* The same request to the server's own address. */
	frame_udp(&frame, CLIENT4, 68, HOST4, 67, request, sizeof(request));
	expect_pass();
	expect_reply_to(CLIENT4);
}

static void
test_all_other_replies_stay_broadcasts(void **state)
{
	(void)state;
	begin();
	memset(request + 12, 0, 4);
	send_request();
	expect_reply_to(BROADCAST4);

	/* libslirp's DHCPNAK has 255.255.255.255 where the address would be. */
	begin();
	send_request();
	reply[242] = 6;
	memset(reply + 16, 0xff, 4);
	expect_reply_to(BROADCAST4);

	/* An address that is not the client's own. */
	begin();
	send_request();
	reply[19]++;
	expect_reply_to(BROADCAST4);

	/* The reply to another request. */
	begin();
	send_request();
	reply[7]++;
	expect_reply_to(BROADCAST4);
	begin();
	send_request();
	request[7]++;
	send_request();
	expect_reply_to(BROADCAST4);

	/* A relay agent is between the client and the server. */
	begin();
	inet_pton(AF_INET, "10.0.2.100", request + 24);
	send_request();
	expect_reply_to(BROADCAST4);
}

static void
test_request_that_does_not_pass_is_not_remembered(void **state)
{
	(void)state;
	begin();
	gate_open(false, true);
	request[0] = 2;
	frame_udp(&frame, "0.0.0.0", 68, BROADCAST4, 67, request, sizeof(request));
	expect_drop(dhcp);
	expect_reply_to(BROADCAST4);
}

/* One value of the field makes the checksum all ones: tries all. */
static void
expect_no_checksum_of_ones(void)
{
	int n_without = 0;

	for (int value = 0; value <= UINT16_MAX; value++) {
		store_be16(reply + 298, (uint16_t)value);
		make_reply(&frame, BROADCAST4);
		assert_true(dhcp_reply_is_one(&gate.dhcp, frame.bytes, frame.len));
		dhcp_reply_rewrite(&gate.dhcp, frame.bytes);
		if (load_be16(frame.bytes + 40) == 0) {
			n_without++;
			continue;
		}
		assert_int_not_equal(load_be16(frame.bytes + 40), 0xffff);
		assert_true(frame_checksums_are_right(frame.bytes, frame.len));
	}
	assert_int_equal(n_without, 1);
}

static void
test_checksum_of_ones_becomes_none(void **state)
{
	(void)state;
	begin();
	send_request();
	expect_no_checksum_of_ones();
	memset(request + 12, 0, 4);
	send_request();
	expect_no_checksum_of_ones();
}

static void
test_others_are_left_alone(void **state)
{
	(void)state;
	begin();
	send_request();
	frame_udp(&frame, HOST4, 67, GUEST4, 68, reply, sizeof(reply));
	assert_false(dhcp_reply_is_one(&gate.dhcp, frame.bytes, frame.len));
	frame_udp(&frame, HOST4, 68, BROADCAST4, 68, reply, sizeof(reply));
	assert_false(dhcp_reply_is_one(&gate.dhcp, frame.bytes, frame.len));
	frame_udp(&frame, HOST4, 67, BROADCAST4, 67, reply, sizeof(reply));
	assert_false(dhcp_reply_is_one(&gate.dhcp, frame.bytes, frame.len));
	make_reply(&frame, BROADCAST4);
	assert_true(dhcp_reply_is_one(&gate.dhcp, frame.bytes, frame.len));
	frame.bytes[14 + 9] = IPPROTO_TCP;
	assert_false(dhcp_reply_is_one(&gate.dhcp, frame.bytes, frame.len));
	make_reply(&frame, BROADCAST4);
	frame.bytes[13] = 1;
	assert_false(dhcp_reply_is_one(&gate.dhcp, frame.bytes, frame.len));
}

/* Cuts the frame at each length, in a block of that size for a sanitizer. The IP header
 * has the frame's length, or that of the rest. */
static void
cut_everywhere(bool is_rest)
{
	for (size_t len = 0; len <= frame.len; len++) {
		uint8_t *exact = malloc(len + 1);

		if (is_rest && len >= 54)
			store_be16(frame.bytes + 16, (uint16_t)(len - 14));
		memcpy(exact + 1, frame.bytes, len);
		if (dhcp_reply_is_one(&gate.dhcp, exact + 1, len))
			dhcp_reply_rewrite(&gate.dhcp, exact + 1);
		free(exact);
	}
}

static void
test_short_frames(void **state)
{
	(void)state;
	begin();
	send_request();
	make_reply(&frame, BROADCAST4);
	cut_everywhere(false);
	cut_everywhere(true);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_client_that_has_the_address_gets_the_reply_there),
		cmocka_unit_test(test_all_other_replies_stay_broadcasts),
		cmocka_unit_test(test_request_that_does_not_pass_is_not_remembered),
		cmocka_unit_test(test_checksum_of_ones_becomes_none),
		cmocka_unit_test(test_others_are_left_alone),
		cmocka_unit_test(test_short_frames),
	};

	return cmocka_run_group_tests_name("dhcp_reply", tests, loopback_allowed, NULL);
}
