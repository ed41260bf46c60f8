/* SPDX-License-Identifier: BSD-2-Clause */
/* Runs of datagrams: what may go out together, and that each goes out once and in order. */
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "slirp-worker/engine/udp/udp_batch.h"
#include "slirp-worker/wire/wire.h"

#define N_FLOWS 20
#define DATA_MAX 5000

/* The data of each flow: what was added, and what went out, with the length of each
 * datagram in front. */
struct stream {
	uint8_t bytes[1 << 20];
	size_t len;
};

static struct stream added[N_FLOWS], sent[N_FLOWS];
static unsigned int n_runs, n_frames;
static struct udp_batch batch;
static uint8_t data[DATA_MAX];

static void
note(struct stream *stream, const uint8_t *bytes, size_t len)
{
	assert_true(stream->len + sizeof(len) + len <= sizeof(stream->bytes));
	memcpy(stream->bytes + stream->len, &len, sizeof(len));
	if (len > 0)
		memcpy(stream->bytes + stream->len + sizeof(len), bytes, len);
	stream->len += sizeof(len) + len;
}

/* Takes the run apart again, as the kernel or udp_send.c does: some datagrams at a time. */
static void
take_apart(void *ctx, struct udp_batch_item *item)
{
	struct udp_run *run = &item->run;
	unsigned int n_at_once = (unsigned int)random() % 4 + 1;

	assert_null(ctx);
	n_runs++;
	while (!udp_run_is_empty(run)) {
		static uint8_t copy[UDP_RUN_PARTS_MAX * DATA_MAX];
		size_t len = n_at_once * run->piece_len, at = 0;
		const uint8_t *front;

		if (len > run->len)
			len = run->len;
		front = udp_run_front(run, len, copy);
		do {
			size_t piece =
			    len - at < run->piece_len ? len - at : run->piece_len;

			note(&sent[item->key.guest_port], front + at, piece);
			at += piece;
		} while (at < len);
		udp_run_drop(run, len);
	}
	assert_int_equal(run->len, 0);
}

static int
set_up(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(data); i++)
		data[i] = (uint8_t)random();
	memset(added, 0, sizeof(added));
	memset(sent, 0, sizeof(sent));
	n_runs = n_frames = 0;
	batch = (struct udp_batch){ .flush = take_apart };
	return 0;
}

static struct udp_batch_item
item_of(uint16_t flow, size_t len, size_t piece_len)
{
	static const uint8_t mac[WIRE_MAC_LEN] = { 2, 0, 0, 0, 0, 1 }, guest[4];
	struct udp_batch_item item = {
		.key = flow_key_udp(WIRE_TYPE_IP4, guest, flow, 9),
		.run = { .guest_mac = mac, .our_mac = mac },
	};

	udp_run_begin(&item.run, data + (size_t)random() % (sizeof(data) - len + 1), len,
	    piece_len);
	return item;
}

static void
add_item(const struct udp_batch_item *item)
{
	const struct udp_run *run = &item->run;
	const uint8_t *bytes = run->parts[0].iov_base;
	size_t at = 0;

	do {
		size_t piece =
		    run->len - at < run->piece_len ? run->len - at : run->piece_len;

		note(&added[item->key.guest_port], bytes + at, piece);
		at += piece;
	} while (at < run->len);
	udp_batch_add(&batch, item);
	n_frames++;
}

static void
add(uint16_t flow, size_t len, size_t piece_len)
{
	const struct udp_batch_item item = item_of(flow, len, piece_len);

	add_item(&item);
}

/* Each datagram has gone out once, in its flow's order, in this number of runs. */
static void
check_runs(unsigned int n_wanted)
{
	udp_batch_end(&batch);
	assert_int_equal(n_runs, n_wanted);
	for (unsigned int i = 0; i < N_FLOWS; i++) {
		assert_int_equal(sent[i].len, added[i].len);
		assert_memory_equal(sent[i].bytes, added[i].bytes, added[i].len);
	}
}

static void
test_equal_datagrams_are_one_run(void **state)
{
	(void)state;
	for (unsigned int i = 0; i < 16; i++)
		add(1, 1400, 1400);
	check_runs(1);
}

static void
test_flows_do_not_part_each_other(void **state)
{
	(void)state;
	for (unsigned int i = 0; i < 8; i++) {
		add(1, 1400, 1400);
		add(2, 100, 100);
	}
	check_runs(2);
}

static void
test_shorter_datagram_is_the_last(void **state)
{
	(void)state;
	add(1, 1400, 1400);
	add(1, 1400, 1400);
	add(1, 7, 7);
	add(1, 7, 7);
	check_runs(2);
}

static void
test_longer_datagram_begins_a_run(void **state)
{
	(void)state;
	add(1, 7, 7);
	add(1, 1400, 1400);
	check_runs(2);
}

static void
test_empty_datagram_is_alone(void **state)
{
	(void)state;
	add(1, 0, 0);
	add(1, 0, 0);
	add(1, 5, 5);
	add(1, 0, 0);
	check_runs(4);
}

static void
test_frames_of_several_datagrams(void **state)
{
	(void)state;
	/* 100, 100, 100; 100, 100, 50; the next length is another. */
	add(1, 300, 100);
	add(1, 250, 100);
	add(1, 100, 100);
	check_runs(2);
	add(2, 300, 100);
	add(2, 300, 150);
	check_runs(4);
	/* One that is shorter than its pieces are said to be. */
	add(3, 300, 100);
	add(3, 60, 100);
	add(3, 60, 100);
	check_runs(6);
}

static void
test_what_differs_is_not_one_run(void **state)
{
	static const uint8_t other[WIRE_MAC_LEN] = { 2, 0, 0, 0, 0, 2 };
	struct udp_batch_item items[8];

	(void)state;
	for (unsigned int i = 0; i < 7; i++)
		items[i] = item_of(1, 100, 100);
	items[1].run.fate.ttl = 3;
	items[2].run.fate.tos = 3;
	items[3].run.fate.may_fragment = true;
	items[4].run.is_group = true;
	items[5].run.guest_mac = other;
	items[6].run.our_mac = other;
	for (unsigned int i = 0; i < 7; i++)
		add_item(&items[i]);
	check_runs(7);
}

static void
test_more_flows_and_frames_than_places(void **state)
{
	(void)state;
	for (uint16_t i = 0; i < N_FLOWS; i++)
		add(i, 100, 100);
	check_runs(N_FLOWS);
	for (unsigned int i = 0; i < 2 * UDP_RUN_PARTS_MAX; i++)
		add(1, 100, 100);
	check_runs(N_FLOWS + 2);
}

static void
test_any_frames_go_out_once_and_in_order(void **state)
{
	static const size_t lengths[] = { 0, 1, 2, 100, 101, 1400 };

	(void)state;
	for (unsigned int i = 0; i < 3000; i++) {
		size_t piece = lengths[(size_t)random() % 6],
		       n = (size_t)random() % 3 + 1;
		size_t len =
		    n > 1 && piece > 1 ? n * piece - (size_t)random() % 2 : piece;

		add((uint16_t)(random() % 3), len, piece);
		if (random() % 16 == 0)
			udp_batch_end(&batch);
	}
	udp_batch_end(&batch);
	assert_true(n_runs < n_frames);
	check_runs(n_runs);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_equal_datagrams_are_one_run, set_up),
		cmocka_unit_test_setup(test_flows_do_not_part_each_other, set_up),
		cmocka_unit_test_setup(test_shorter_datagram_is_the_last, set_up),
		cmocka_unit_test_setup(test_longer_datagram_begins_a_run, set_up),
		cmocka_unit_test_setup(test_empty_datagram_is_alone, set_up),
		cmocka_unit_test_setup(test_frames_of_several_datagrams, set_up),
		cmocka_unit_test_setup(test_what_differs_is_not_one_run, set_up),
		cmocka_unit_test_setup(test_more_flows_and_frames_than_places, set_up),
		cmocka_unit_test_setup(test_any_frames_go_out_once_and_in_order, set_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
