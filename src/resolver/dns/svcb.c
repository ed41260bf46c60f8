/* SPDX-License-Identifier: BSD-2-Clause */
/* The data of SVCB and HTTPS records. */
#include "resolver/dns/svcb.h"

#include <string.h>

#include "base/bytes.h"

/* RFC 9460 14.3.2. */
enum param_key {
	PARAM_MANDATORY = 0,
	PARAM_ALPN = 1,
	PARAM_NO_DEFAULT_ALPN = 2,
	PARAM_PORT = 3,
	PARAM_IPV4HINT = 4,
	PARAM_IPV6HINT = 6,
	N_PARAMS,
};

#define PARAMS_KEPT \
	(1U << PARAM_MANDATORY | 1U << PARAM_ALPN | 1U << PARAM_NO_DEFAULT_ALPN | \
	    1U << PARAM_PORT | 1U << PARAM_IPV4HINT | 1U << PARAM_IPV6HINT)

struct param {
	uint16_t key;
	uint16_t len;
	const uint8_t *value;
};

static bool
is_kept(uint32_t key)
{
	return key < N_PARAMS && PARAMS_KEPT >> key & 1;
}

static struct param
read_param(struct dns_reader *reader)
{
	struct param param = { .key = dns_read16(reader), .len = dns_read16(reader) };

	param.value = dns_read_bytes(reader, param.len);
	return param;
}

static void
write_param(struct dns_writer *writer, const struct param *param)
{
	dns_write16(writer, param->key);
	dns_write16(writer, param->len);
	dns_write_bytes(writer, param->value, param->len);
}

/* RFC 9460 7.1.1: names of protocols, each with its length before it. */
static bool
is_alpn(const struct param *param)
{
	size_t at = 0;

	while (at < param->len && param->value[at] != 0)
		at += 1 + (size_t)param->value[at];
	return at == param->len && at > 0;
}

/* RFC 9460 8: keys in ascending order, without `mandatory` itself. */
static bool
is_mandatory(const struct param *param)
{
	int last = PARAM_MANDATORY;

	for (size_t at = 0; at + 1 < param->len; at += 2) {
		int key = load_be16(param->value + at);

		if (key <= last)
			return false;
		last = key;
	}
	return param->len > 0 && param->len % 2 == 0;
}

static bool
has_good_value(const struct param *param)
{
	switch (param->key) {
	case PARAM_MANDATORY:
		return is_mandatory(param);
	case PARAM_ALPN:
		return is_alpn(param);
	case PARAM_NO_DEFAULT_ALPN:
		return param->len == 0;
	case PARAM_PORT:
		return param->len == 2;
	case PARAM_IPV4HINT:
		return param->len > 0 && param->len % sizeof(struct in_addr) == 0;
	case PARAM_IPV6HINT:
		return param->len > 0 && param->len % sizeof(struct in6_addr) == 0;
	default:
		return true;
	}
}

/* All parameters of a record, as far as they are kept. */
struct params {
	uint32_t seen; /* set of 1 << enum param_key */
	struct param mandatory;
	uint32_t n_mandatory_seen;
};

static bool
is_listed(const struct param *mandatory, uint16_t key)
{
	for (size_t at = 0; at < mandatory->len; at += 2) {
		if (load_be16(mandatory->value + at) == key)
			return true;
	}
	return false;
}

/* RFC 9460 2.2: the keys ascend, so that `mandatory` is the first. */
static enum dns_rdata_outcome
copy_params(struct dns_reader *reader, struct dns_writer *writer)
{
	struct params params = { 0 };
	bool is_dropped = false;
	int last = -1;

	while (reader->at < reader->len) {
		struct param param = read_param(reader);

		if (reader->is_bad || param.key <= last || !has_good_value(&param))
			return DNS_RDATA_BAD;
		last = param.key;
		if (param.key == PARAM_MANDATORY)
			params.mandatory = param;
		if (is_listed(&params.mandatory, param.key)) {
			params.n_mandatory_seen++;
			is_dropped = is_dropped || !is_kept(param.key);
		}
		if (!is_kept(param.key))
			continue;
		params.seen |= 1U << param.key;
		write_param(writer, &param);
	}
	/* RFC 9460 8: what is mandatory must be there. 7.1.1: the same of alpn. */
	if (params.n_mandatory_seen != params.mandatory.len / 2U ||
	    (params.seen & 1U << PARAM_NO_DEFAULT_ALPN &&
		!(params.seen & 1U << PARAM_ALPN)))
		return DNS_RDATA_BAD;
	return is_dropped ? DNS_RDATA_DROPPED : DNS_RDATA_OK;
}

enum dns_rdata_outcome
dns_svcb_copy(struct dns_reader *reader, struct dns_writer *writer)
{
	uint16_t priority = dns_read16(reader);
	char target[DNS_NAME_SIZE];

	/* RFC 9460 2.2: the target is not compressed. */
	if (!dns_read_name(reader, DNS_PLAIN, target))
		return DNS_RDATA_BAD;
	dns_write16(writer, priority);
	dns_write_name(writer, target);
	/* RFC 9460 2.4.2: an alias (priority 0) has no parameters, and those that it has are
	 * ignored. */
	if (priority == 0) {
		reader->at = reader->len;
		return DNS_RDATA_OK;
	}
	return copy_params(reader, writer);
}

/* The length of an address in the values of the key; 0: it is no hint. */
static size_t
hint_addr_len(uint16_t key)
{
	if (key == PARAM_IPV4HINT)
		return sizeof(struct in_addr);
	return key == PARAM_IPV6HINT ? sizeof(struct in6_addr) : 0;
}

/* A hint that is being filtered. */
struct hint {
	struct param param;
	size_t addr_len;
	dns_svcb_keep *keep;
	void *context;
};

/* Moves the addresses that stay to `to`. Returns their length. The source is never before the
 * target. */
static uint16_t
filter_hint(const struct hint *hint, uint8_t *to)
{
	uint16_t len = 0;

	for (size_t at = 0; at < hint->param.len; at += hint->addr_len) {
		const uint8_t *bytes = hint->param.value + at;
		const struct inaddr addr =
		    inaddr_from_bytes(bytes, hint->addr_len == sizeof(struct in6_addr));

		if (!hint->keep(hint->context, &addr))
			continue;
		memmove(to + len, bytes, hint->addr_len);
		len = (uint16_t)(len + hint->addr_len);
	}
	return len;
}

/* Where the parameters begin: behind the priority and the target, which is not compressed. */
static size_t
params_offset(const uint8_t *data)
{
	size_t at = 2;

	while (data[at] != 0)
		at += 1 + (size_t)data[at];
	return at + 1;
}

size_t
dns_svcb_filter(uint8_t *data, size_t len, dns_svcb_keep *keep, void *context,
    uint32_t *n_cut)
{
	size_t begin = params_offset(data);
	struct dns_reader reader = { .bytes = data, .len = len, .at = begin };
	struct param mandatory = { 0 };
	size_t to = begin;

	while (reader.at < reader.len) {
		struct hint hint = {
			.param = read_param(&reader),
			.keep = keep,
			.context = context,
		};
		uint16_t key = hint.param.key, old_len = hint.param.len,
			 new_len = old_len;

		/* At the first turn, and not moved then. */
		if (key == PARAM_MANDATORY)
			mandatory = hint.param;
		hint.addr_len = hint_addr_len(key);
		if (hint.addr_len > 0) {
			new_len = filter_hint(&hint, data + to + 4);
			*n_cut += (uint32_t)((old_len - new_len) / hint.addr_len);
		} else {
			memmove(data + to + 4, hint.param.value, old_len);
		}
		if (new_len == 0 && old_len > 0) {
			if (is_listed(&mandatory, key))
				return 0;
			continue;
		}
		store_be16(data + to, key);
		store_be16(data + to + 2, new_len);
		to += 4 + (size_t)new_len;
	}
	return to;
}

size_t
dns_svcb_hints(const uint8_t *data, size_t len, struct inaddr *addrs, size_t n,
    size_t n_max)
{
	struct dns_reader reader = {
		.bytes = data,
		.len = len,
		.at = params_offset(data),
	};

	while (reader.at < reader.len) {
		struct param param = read_param(&reader);
		size_t addr_len = hint_addr_len(param.key);

		for (size_t at = 0; addr_len > 0 && at < param.len && n < n_max;
		     at += addr_len)
			addrs[n++] = inaddr_from_bytes(param.value + at,
			    addr_len == sizeof(struct in6_addr));
	}
	return n;
}
