/* SPDX-License-Identifier: BSD-2-Clause */
/* The kernel's acknowledgements: found, distinguished, and refused if truncated. */
#include <errno.h>
#include <linux/rtnetlink.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "netns-helper/rtnl.h"

struct ack {
	struct nlmsghdr header;
	struct nlmsgerr body;
};

static struct ack
make_ack(uint32_t sequence, int error)
{
	return (struct ack){
		.header = { .nlmsg_len = sizeof(struct ack),
		    .nlmsg_type = NLMSG_ERROR,
		    .nlmsg_seq = sequence },
		.body.error = -error,
	};
}

static void
test_acknowledgement_and_error(void **state)
{
	struct ack ack = make_ack(7, 0);
	int error = -1;

	(void)state;
	assert_int_equal(rtnl_parse_reply(&ack, sizeof(ack), 7, &error), RTNL_REPLY_ACK);
	assert_int_equal(error, 0);
	ack = make_ack(7, EPERM);
	assert_int_equal(rtnl_parse_reply(&ack, sizeof(ack), 7, &error), RTNL_REPLY_ACK);
	assert_int_equal(error, EPERM);
}

static void
test_answer_to_another_request(void **state)
{
	struct ack acks[2] = { make_ack(6, EPERM), make_ack(7, EEXIST) };
	int error = -1;

	(void)state;
	assert_int_equal(rtnl_parse_reply(&acks[0], sizeof(acks[0]), 7, &error),
	    RTNL_REPLY_OTHER);
	assert_int_equal(error, -1);
	/* Several in one datagram. */
	assert_int_equal(rtnl_parse_reply(acks, sizeof(acks), 7, &error), RTNL_REPLY_ACK);
	assert_int_equal(error, EEXIST);
}

static void
test_garbage(void **state)
{
	struct ack ack = make_ack(7, 0);
	int error = -1;

	(void)state;
	for (size_t len = 1; len < sizeof(ack); len++)
		assert_int_equal(rtnl_parse_reply(&ack, len, 7, &error),
		    RTNL_REPLY_GARBAGE);
	ack.header.nlmsg_len = sizeof(struct nlmsghdr) - 1;
	assert_int_equal(rtnl_parse_reply(&ack, sizeof(ack), 7, &error),
	    RTNL_REPLY_GARBAGE);
	ack.header.nlmsg_len = sizeof(struct nlmsghdr);
	assert_int_equal(rtnl_parse_reply(&ack, sizeof(ack), 7, &error),
	    RTNL_REPLY_GARBAGE);
	ack = make_ack(7, -1);
	assert_int_equal(rtnl_parse_reply(&ack, sizeof(ack), 7, &error),
	    RTNL_REPLY_GARBAGE);
	assert_int_equal(error, -1);
	assert_int_equal(rtnl_parse_reply(&ack, 0, 7, &error), RTNL_REPLY_OTHER);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_acknowledgement_and_error),
		cmocka_unit_test(test_answer_to_another_request),
		cmocka_unit_test(test_garbage),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
