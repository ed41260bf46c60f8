/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Reassembles the fragments for which gate_check() returns GATE_FRAGMENT.
 *
 * Theory of operation
 * Each incomplete datagram has a buffer for the longest datagram, and two bitmaps with a
 * bit for each 8 bytes: `present` for bytes that have arrived, `begins` for the start of
 * each fragment. There is no list of holes that a guest could make long: every fragment
 * costs the same, whatever arrived before.
 */
#include "slirp-worker/gate/reass.h"

#include "base/bytes.h"
#include "base/deadline.h"
#include "slirp-worker/wire/ip.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

/* Both families have a length of 16 bits: IPv4's includes the header, IPv6's does not. */
#define LEN_MAX 65535

#define N_UNITS ((LEN_MAX + WIRE_FRAGMENT_UNIT - 1) / WIRE_FRAGMENT_UNIT)
#define UNITS_PER_WORD 64
#define N_WORDS (N_UNITS / UNITS_PER_WORD + 1)

/* Offset of the data in a datagram's frame, so that the longest header fits before it. */
#define DATA_OFFSET (WIRE_ETH_LEN + WIRE_IP4_MAX_LEN)

/* IPv4: source, destination, protocol and identification (RFC 791 3.2). IPv6: the same
 * without the protocol (RFC 8200 4.5). Compared as bytes. */
struct reass_key {
	uint8_t addresses[32];
	uint32_t id;
	uint16_t ethertype;
	uint16_t protocol;
};

static_assert(sizeof(struct reass_key) == 40, "no padding in a key");

struct reass_datagram {
	struct reass_key key;
	bool in_use;
	bool is_poisoned; /* given up; kept so that its later fragments are dropped */
	uint64_t deadline_ms;
	uint64_t last_step;
	size_t n_fragments;
	size_t n_bytes;    /* received so far; no byte counts twice */
	size_t end;        /* offset after the last byte received */
	size_t total_len;  /* 0 until the last fragment arrives */
	size_t header_len; /* of the first fragment's IP header; 0 until it arrives */
	uint8_t protocol;  /* the first fragment's protocol */
	uint64_t present[N_WORDS];
	uint64_t begins[N_WORDS];
	uint8_t frame[DATA_OFFSET + LEN_MAX];
};

/* A parsed fragment. */
struct piece {
	const struct gate_frame *parsed;
	const uint8_t *frame;
	const uint8_t *data;
	size_t offset;
	size_t len;
	size_t end;
	bool is_last;
	size_t header_len; /* of the IP header, without a fragment header */
};

int
reass_init(struct reass *reass)
{
	*reass = (struct reass){ 0 };
	/* A zeroed page uses no memory until a fragment writes to it. */
	reass->datagrams = calloc(REASS_MAX_DATAGRAMS + 1, sizeof(*reass->datagrams));
	return reass->datagrams != NULL ? 0 : -1;
}

void
reass_free(struct reass *reass)
{
	free(reass->datagrams);
	reass->datagrams = NULL;
}

static bool
bit_is_set(const uint64_t *bits, size_t unit)
{
	return (bits[unit / UNITS_PER_WORD] >> unit % UNITS_PER_WORD & 1) != 0;
}

/* The bits of the units from first up to end that are in this word. */
static uint64_t
bits_within(size_t word, size_t first, size_t end)
{
	uint64_t mask = UINT64_MAX;

	if (word == first / UNITS_PER_WORD)
		mask &= UINT64_MAX << first % UNITS_PER_WORD;
	if (word == end / UNITS_PER_WORD)
		mask &= ~(UINT64_MAX << end % UNITS_PER_WORD);
	return mask;
}

static void
bits_set(uint64_t *bits, size_t first, size_t end)
{
	for (size_t word = first / UNITS_PER_WORD; word * UNITS_PER_WORD < end; word++)
		bits[word] |= bits_within(word, first, end);
}

static size_t
n_bits_set(const uint64_t *bits, size_t first, size_t end)
{
	size_t n = 0;

	for (size_t word = first / UNITS_PER_WORD; word * UNITS_PER_WORD < end; word++)
		n += (size_t)__builtin_popcountll(
		    bits[word] & bits_within(word, first, end));
	return n;
}

/* The last unit of the last fragment may be short; nothing can follow in it. */
static size_t
unit_behind(size_t end)
{
	return (end + WIRE_FRAGMENT_UNIT - 1) / WIRE_FRAGMENT_UNIT;
}

static bool
is_ip6(const struct piece *piece)
{
	return piece->parsed->ethertype == WIRE_TYPE_IP6;
}

static struct piece
piece_of(const struct gate_frame *parsed, const uint8_t *frame)
{
	struct piece piece = {
		.parsed = parsed,
		.frame = frame,
		.data = frame + parsed->l4_offset,
		.offset = parsed->fragment_offset,
		.len = parsed->l4_len,
		.end = (size_t)parsed->fragment_offset + parsed->l4_len,
		.is_last = !parsed->fragment_more,
		.header_len = parsed->l4_offset - WIRE_ETH_LEN,
	};

	if (is_ip6(&piece))
		piece.header_len = WIRE_IP6_LEN;
	return piece;
}

/* RFC 7112, and RFC 1858 for IPv4: the transport header must not be split. */
static bool
first_piece_has_l4_header(const struct piece *piece)
{
	if (piece->parsed->protocol != IPPROTO_TCP)
		return piece->len >= WIRE_UDP_LEN; /* or ICMP */
	return piece->len >= WIRE_TCP_LEN &&
	    piece->len >= (size_t)(piece->data[WIRE_TCP_DATA_OFFSET] >> 4) * 4;
}

static bool
first_piece_is_nd(const struct piece *piece)
{
	uint8_t type = piece->data[WIRE_ICMP_TYPE];

	return piece->parsed->protocol == IPPROTO_ICMPV6 &&
	    type >= WIRE_ICMP6_ROUTER_SOLICITATION && type <= WIRE_ICMP6_REDIRECT;
}

/* Checks a fragment alone, without the datagram. */
static bool
piece_is_bad(const struct piece *piece, enum ipc_drop_reason *reason)
{
	size_t counted_header_len = is_ip6(piece) ? 0 : piece->header_len;

	if (piece->len == 0)
		*reason = IPC_DROP_fragment_empty;
	else if (!piece->is_last && piece->len % WIRE_FRAGMENT_UNIT != 0)
		*reason = IPC_DROP_fragment_length;
	else if (counted_header_len + piece->end > LEN_MAX)
		*reason = IPC_DROP_fragment_too_long;
	else if (piece->offset == 0 && !first_piece_has_l4_header(piece))
		*reason = IPC_DROP_fragment_tiny;
	else if (piece->offset == 0 && first_piece_is_nd(piece)) /* RFC 6980 */
		*reason = IPC_DROP_fragment_nd;
	else
		return false;
	return true;
}

static struct reass_key
key_of(const struct piece *piece)
{
	struct reass_key key = {
		.id = piece->parsed->fragment_id,
		.ethertype = piece->parsed->ethertype,
	};

	/* In the header, the destination is behind the source. */
	memcpy(key.addresses, piece->parsed->src, is_ip6(piece) ? 32 : 8);
	if (!is_ip6(piece))
		key.protocol = piece->parsed->protocol;
	return key;
}

static void
datagram_begin(struct reass_datagram *d, const struct reass_key *key,
    uint64_t deadline_ms)
{
	/* Leave the frame's bytes: each is written before it is read. */
	memset(d, 0, offsetof(struct reass_datagram, frame));
	d->key = *key;
	d->in_use = true;
	d->deadline_ms = deadline_ms;
}

/* The datagram that the fragment belongs to, or a new one. */
static struct reass_datagram *
datagram_for(struct reass *reass, const struct piece *piece, uint64_t now_ms)
{
	struct reass_datagram *place = NULL;
	struct reass_key key = key_of(piece);

	for (size_t i = 0; i < REASS_MAX_DATAGRAMS; i++) {
		struct reass_datagram *d = &reass->datagrams[i];

		if (d->in_use && d->deadline_ms <= now_ms) {
			d->in_use = false;
			reass->n_expired++;
		}
		if (d->in_use && memcmp(&d->key, &key, sizeof(key)) == 0)
			return d;
		if (place == NULL || (place->in_use && !d->in_use) ||
		    (place->in_use && d->last_step < place->last_step))
			place = d;
	}
	if (place->in_use)
		reass->n_evicted++;
	datagram_begin(place, &key,
	    now_ms + (is_ip6(piece) ? REASS_LIFE6_MS : REASS_LIFE4_MS));
	return place;
}

/* Whether this fragment has arrived before: the same start, the same end, no other
 * fragment's start between them, and the same bytes. */
static bool
is_duplicate(const struct reass_datagram *d, const struct piece *piece)
{
	size_t first = piece->offset / WIRE_FRAGMENT_UNIT;
	size_t behind = unit_behind(piece->end);

	return n_bits_set(d->present, first, behind) == behind - first &&
	    bit_is_set(d->begins, first) && n_bits_set(d->begins, first, behind) == 1 &&
	    (!bit_is_set(d->present, behind) || bit_is_set(d->begins, behind)) &&
	    piece->is_last == (piece->end == d->total_len) &&
	    memcmp(d->frame + DATA_OFFSET + piece->offset, piece->data, piece->len) == 0;
}

/* Checks a fragment against its datagram. After any failure except a duplicate, the
 * datagram must be given up. */
static bool
piece_clashes(const struct reass_datagram *d, const struct piece *piece,
    enum ipc_drop_reason *reason)
{
	size_t first = piece->offset / WIRE_FRAGMENT_UNIT;

	if (d->is_poisoned)
		*reason = IPC_DROP_fragment_poisoned;
	else if (is_duplicate(d, piece))
		*reason = IPC_DROP_fragment_duplicate;
	else if ((d->total_len != 0 && piece->end > d->total_len) ||
	    (piece->is_last && d->total_len != 0 && piece->end != d->total_len) ||
	    (piece->is_last && piece->end < d->end))
		*reason = IPC_DROP_fragment_conflict;
	else if (n_bits_set(d->present, first, unit_behind(piece->end)) != 0)
		*reason = IPC_DROP_fragment_overlap;
	else if (d->n_fragments == REASS_MAX_FRAGMENTS)
		*reason = IPC_DROP_fragment_count;
	else
		return false;
	return true;
}

static void
datagram_take(struct reass_datagram *d, const struct piece *piece)
{
	size_t first = piece->offset / WIRE_FRAGMENT_UNIT;
	size_t head_len = WIRE_ETH_LEN + piece->header_len;

	memcpy(d->frame + DATA_OFFSET + piece->offset, piece->data, piece->len);
	bits_set(d->present, first, unit_behind(piece->end));
	bits_set(d->begins, first, first + 1);
	d->n_fragments++;
	d->n_bytes += piece->len;
	if (piece->end > d->end)
		d->end = piece->end;
	if (piece->is_last)
		d->total_len = piece->end;
	if (piece->offset == 0) {
		d->header_len = piece->header_len;
		d->protocol = piece->parsed->protocol;
		memcpy(d->frame + DATA_OFFSET - head_len, piece->frame, head_len);
	}
}

/* Turns the first fragment's header into the header of the whole datagram. Returns the
 * start of the frame. */
static uint8_t *
datagram_finish(struct reass_datagram *d)
{
	uint8_t *ip = d->frame + DATA_OFFSET - d->header_len;

	if (d->key.ethertype == WIRE_TYPE_IP6) {
		store_be16(ip + WIRE_IP6_PAYLOAD_LEN, (uint16_t)d->total_len);
		ip[WIRE_IP6_NEXT] = d->protocol;
	} else {
		store_be16(ip + WIRE_IP4_TOTAL_LEN,
		    (uint16_t)(d->header_len + d->total_len));
		/* Clears Don't Fragment too: libslirp copies it into echo replies, which
		 * may need fragmentation like the request did. */
		store_be16(ip + WIRE_IP4_FRAGMENT, 0);
		ip4_refresh_checksum(ip);
	}
	d->in_use = false;
	return ip - WIRE_ETH_LEN;
}

enum reass_outcome
reass_add(struct reass *reass, const struct gate_frame *parsed, const uint8_t *frame,
    uint64_t now_ms, uint8_t **whole_frame, size_t *whole_len,
    enum ipc_drop_reason *reason)
{
	const struct piece piece = piece_of(parsed, frame);
	struct reass_datagram *d;

	if (piece_is_bad(&piece, reason))
		return REASS_DROPPED;

	if (piece.offset == 0 && piece.is_last) {
		const struct reass_key key = key_of(&piece);

		d = &reass->datagrams[REASS_MAX_DATAGRAMS];
		datagram_begin(d, &key, now_ms);
	} else {
		d = datagram_for(reass, &piece, now_ms);
		if (piece_clashes(d, &piece, reason)) {
			if (*reason != IPC_DROP_fragment_duplicate)
				d->is_poisoned = true;
			return REASS_DROPPED;
		}
		d->last_step = ++reass->n_steps;
	}

	datagram_take(d, &piece);
	if (d->n_bytes != d->total_len)
		return REASS_KEPT;
	/* The first fragment's header stays, and may be longer than the others. */
	if (d->key.ethertype == WIRE_TYPE_IP4 && d->header_len + d->total_len > LEN_MAX) {
		d->is_poisoned = true;
		*reason = IPC_DROP_fragment_too_long;
		return REASS_DROPPED;
	}
	*whole_len = WIRE_ETH_LEN + d->header_len + d->total_len;
	*whole_frame = datagram_finish(d);
	return REASS_COMPLETE;
}

unsigned int
reass_expire(struct reass *reass, uint64_t now_ms)
{
	unsigned int n = 0;

	for (size_t i = 0; i < REASS_MAX_DATAGRAMS; i++) {
		struct reass_datagram *d = &reass->datagrams[i];

		if (d->in_use && d->deadline_ms <= now_ms) {
			d->in_use = false;
			n++;
		}
	}
	reass->n_expired += n;
	return n;
}

uint64_t
reass_next_deadline(const struct reass *reass)
{
	uint64_t deadline_ms = DEADLINE_NONE;

	for (size_t i = 0; i < REASS_MAX_DATAGRAMS; i++) {
		const struct reass_datagram *d = &reass->datagrams[i];

		if (d->in_use)
			deadline_ms = deadline_earlier(deadline_ms, d->deadline_ms);
	}
	return deadline_ms;
}
