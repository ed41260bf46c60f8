/* SPDX-License-Identifier: BSD-2-Clause */
/* The cache of answers, and the limits of queries. */
#include "dns_fixture.h"

#include <stdio.h>

#include "base/clock.h"
#include "resolver/dns/cache.h"
#include "resolver/dns/limits.h"

static const uint64_t secret[2] = { 1, 2 };
static struct dns_cache cache;
static struct dns_limits limits;
static struct dns_answer answer;
static struct dns_answer found;

#define START_MS 5000000

static int
setup(void **state)
{
	(void)state;
	dns_cache_init(&cache, secret);
	memset(&limits, 0, sizeof(limits));
	dns_limits_init(&limits, secret);
	return 0;
}

static void
add(const char *text, uint32_t ttl_s)
{
	struct inaddr addr;

	assert_true(inaddr_parse(text, &addr));
	assert_true(dns_answer_add_addr(&answer, &addr, ttl_s));
}

static void
add_cname(const char *target, uint32_t ttl_s)
{
	struct dns_cname *cname = &answer.cnames[answer.n_cnames++];

	cname->ttl_s = ttl_s;
	memcpy(cname->target, target, strlen(target) + 1);
}

static void
put(const char *name, uint32_t ttl_s)
{
	dns_answer_init(&answer, name, DNS_A);
	add("198.51.99.1", ttl_s);
	dns_cache_put(&cache, &answer, START_MS);
}

static void
expect_get(enum dns_cache_outcome outcome, const char *name, uint16_t type,
    uint64_t after_ms)
{
	assert_int_equal(dns_cache_get(&cache, name, type, START_MS + after_ms, &found),
	    outcome);
}

static void
test_answer_comes_back(void **state)
{
	(void)state;
	dns_answer_init(&answer, "a.test", DNS_AAAA);
	add_cname("b.test", 100);
	add_cname("c.test", 90);
	add("2600::1", 80);
	add("2600::2", 80);
	expect_get(DNS_CACHE_MISSED, "a.test", DNS_AAAA, 0);
	dns_cache_put(&cache, &answer, START_MS);
	expect_get(DNS_CACHE_HIT, "a.test", DNS_AAAA, 0);
	assert_string_equal(found.name, "a.test");
	assert_int_equal(found.type, DNS_AAAA);
	assert_int_equal(found.n_cnames, 2);
	assert_string_equal(found.cnames[0].target, "b.test");
	assert_int_equal(found.cnames[0].ttl_s, 100);
	assert_string_equal(found.cnames[1].target, "c.test");
	assert_int_equal(found.n_records, 2);
	assert_int_equal(found.ttl_s, 80);
	expect_addr(&found, 0, "2600::1");
	expect_addr(&found, 1, "2600::2");
	expect_get(DNS_CACHE_MISSED, "a.test", DNS_A, 0);
	expect_get(DNS_CACHE_MISSED, "b.test", DNS_AAAA, 0);
	expect_get(DNS_CACHE_MISSED, "a.tes", DNS_AAAA, 0);
}

static void
test_ttl_counts_down(void **state)
{
	(void)state;
	dns_answer_init(&answer, "a.test", DNS_A);
	add_cname("b.test", 100);
	add("198.51.99.1", 10);
	dns_cache_put(&cache, &answer, START_MS);
	/* Rounded down: never longer than the server said. */
	expect_get(DNS_CACHE_HIT, "a.test", DNS_A, 1);
	assert_int_equal(found.ttl_s, 9);
	assert_int_equal(found.cnames[0].ttl_s, 99);
	expect_get(DNS_CACHE_HIT, "a.test", DNS_A, 3000);
	assert_int_equal(found.ttl_s, 7);
	expect_get(DNS_CACHE_HIT, "a.test", DNS_A, 9999);
	assert_int_equal(found.ttl_s, 0);
	expect_get(DNS_CACHE_MISSED, "a.test", DNS_A, 10000);
	/* The lowest TTL is that of the chain. */
	dns_answer_init(&answer, "a.test", DNS_A);
	add_cname("b.test", 5);
	add("198.51.99.1", 10);
	dns_cache_put(&cache, &answer, START_MS);
	expect_get(DNS_CACHE_HIT, "a.test", DNS_A, 4999);
	expect_get(DNS_CACHE_MISSED, "a.test", DNS_A, 5000);
}

static void
test_answers_that_are_not_kept(void **state)
{
	(void)state;
	put("a.test", 0);
	expect_get(DNS_CACHE_MISSED, "a.test", DNS_A, 0);
	/* A negative answer without a time. */
	dns_answer_init(&answer, "a.test", DNS_A);
	answer.is_nxdomain = true;
	dns_cache_put(&cache, &answer, START_MS);
	expect_get(DNS_CACHE_MISSED, "a.test", DNS_A, 0);
	/* One that is too large. */
	dns_answer_init(&answer, "a.test", DNS_TXT);
	answer.n_records = 1;
	answer.records[0].len = DNS_CACHE_BYTES_MAX;
	dns_cache_put(&cache, &answer, START_MS);
	expect_get(DNS_CACHE_MISSED, "a.test", DNS_TXT, 0);
}

static void
test_large_answer_is_kept(void **state)
{
	char text[INET6_ADDRSTRLEN];

	(void)state;
	dns_answer_init(&answer, "a-host-of-some-cloud.eu-central-1.cloud.test",
	    DNS_AAAA);
	add_cname("name-of-a-load-balancer-0123456789.eu-central-1.elb.cloud.test", 60);
	for (int i = 0; i < DNS_RECORDS_MAX; i++) {
		snprintf(text, sizeof(text), "2600::%d", i);
		add(text, 60);
	}
	dns_cache_put(&cache, &answer, START_MS);
	expect_get(DNS_CACHE_HIT, answer.name, DNS_AAAA, 0);
	assert_int_equal(found.n_records, DNS_RECORDS_MAX);
	expect_addr(&found, 31, "2600::31");
}

static void
test_negative_answers_are_kept(void **state)
{
	(void)state;
	dns_answer_init(&answer, "a.test", DNS_A);
	answer.is_nxdomain = true;
	answer.negative_ttl_s = 30;
	dns_cache_put(&cache, &answer, START_MS);
	dns_answer_init(&answer, "a.test", DNS_AAAA);
	answer.negative_ttl_s = 30;
	dns_cache_put(&cache, &answer, START_MS);
	expect_get(DNS_CACHE_HIT, "a.test", DNS_A, 29999);
	assert_true(found.is_nxdomain);
	assert_int_equal(found.n_records, 0);
	expect_get(DNS_CACHE_HIT, "a.test", DNS_AAAA, 29999);
	assert_false(found.is_nxdomain);
	expect_get(DNS_CACHE_MISSED, "a.test", DNS_A, 30000);
}

static void
test_failures_are_kept(void **state)
{
	(void)state;
	dns_cache_put_failure(&cache, "a.test", DNS_A, START_MS);
	expect_get(DNS_CACHE_FAILED, "a.test", DNS_A, 4999);
	expect_get(DNS_CACHE_MISSED, "a.test", DNS_AAAA, 0);
	expect_get(DNS_CACHE_MISSED, "a.test", DNS_A, 5000);
	put("a.test", 10);
	expect_get(DNS_CACHE_HIT, "a.test", DNS_A, 0);
	dns_cache_put_failure(&cache, "a.test", DNS_A, START_MS);
	expect_get(DNS_CACHE_FAILED, "a.test", DNS_A, 0);
}

static void
test_later_answer_takes_the_place(void **state)
{
	(void)state;
	put("a.test", 10);
	dns_answer_init(&answer, "a.test", DNS_A);
	add("198.51.99.2", 20);
	dns_cache_put(&cache, &answer, START_MS + 1000);
	expect_get(DNS_CACHE_HIT, "a.test", DNS_A, 1000);
	assert_int_equal(found.n_records, 1);
	assert_int_equal(found.ttl_s, 20);
	expect_addr(&found, 0, "198.51.99.2");
	assert_int_equal(cache.oldest, 1);
}

static const char *
numbered(int i)
{
	static char name[32];

	snprintf(name, sizeof(name), "n%d.test", i);
	return name;
}

static void
test_full_cache_forgets_the_oldest(void **state)
{
	(void)state;
	for (int i = 0; i < DNS_CACHE_SIZE; i++)
		put(numbered(i), 60);
	for (int i = 0; i < DNS_CACHE_SIZE; i++)
		expect_get(DNS_CACHE_HIT, numbered(i), DNS_A, 0);
	/* A name that is there takes no other's place. */
	put(numbered(7), 60);
	expect_get(DNS_CACHE_HIT, numbered(0), DNS_A, 0);
	for (int i = 0; i < DNS_CACHE_SIZE / 2; i++)
		put(numbered(DNS_CACHE_SIZE + i), 60);
	for (int i = 0; i < DNS_CACHE_SIZE * 3 / 2; i++)
		expect_get(i < DNS_CACHE_SIZE / 2 ? DNS_CACHE_MISSED : DNS_CACHE_HIT,
		    numbered(i), DNS_A, 0);
}

static void
test_flush_forgets_all(void **state)
{
	(void)state;
	for (int i = 0; i < DNS_CACHE_SIZE + 10; i++)
		put(numbered(i), 60);
	dns_cache_flush(&cache);
	for (int i = 0; i < DNS_CACHE_SIZE + 10; i++)
		expect_get(DNS_CACHE_MISSED, numbered(i), DNS_A, 0);
	for (int i = 0; i < DNS_CACHE_SIZE + 10; i++)
		put(numbered(i), 60);
	expect_get(DNS_CACHE_MISSED, numbered(9), DNS_A, 0);
	expect_get(DNS_CACHE_HIT, numbered(10), DNS_A, 0);
}

static bool
allow(uint16_t wildcard, int i, uint64_t after_ms)
{
	const char *name = numbered(i);

	return dns_limits_allow_name(&limits, wildcard, name, strlen(name),
	    START_MS + after_ms);
}

static void
test_names_of_a_wildcard_are_limited(void **state)
{
	const uint64_t hour_ms = DNS_NAMES_PERIOD_MS;

	(void)state;
	for (int i = 0; i < 500; i++)
		assert_true(allow(7, i, (uint64_t)i));
	assert_false(allow(7, 500, 600));
	assert_true(allow(7, 499, 600));
	assert_true(allow(8, 500, 600));
	/* The names of another wildcard are others. */
	assert_true(allow(8, 0, 600));
	assert_int_equal(limits.n_names, 502);
	assert_false(allow(7, 500, hour_ms - 1));
	assert_true(allow(7, 500, hour_ms));
	assert_int_equal(limits.n_names, 1);
}

static void
test_names_of_all_wildcards_are_limited(void **state)
{
	int i = 0;

	(void)state;
	for (; i < DNS_NAMES_MAX; i++)
		assert_true(allow((uint16_t)(i / DNS_NAMES_PER_WILDCARD), i, 0));
	assert_false(allow(DNS_WILDCARDS_MAX - 1, i, 0));
	assert_true(allow(0, 0, 0));
	assert_true(allow(0, DNS_NAMES_PER_WILDCARD - 1, 0));
}

static void
test_queries_are_limited(void **state)
{
	(void)state;
	for (int i = 0; i < 200; i++)
		assert_true(dns_limits_allow_query(&limits, START_MS));
	assert_false(dns_limits_allow_query(&limits, START_MS + 19));
	assert_true(dns_limits_allow_query(&limits, START_MS + 20));
	assert_false(dns_limits_allow_query(&limits, START_MS + 20));
	for (int i = 0; i < 50; i++)
		assert_true(dns_limits_allow_query(&limits, START_MS + 1020));
	assert_false(dns_limits_allow_query(&limits, START_MS + 1020));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_answer_comes_back, setup),
		cmocka_unit_test_setup(test_ttl_counts_down, setup),
		cmocka_unit_test_setup(test_answers_that_are_not_kept, setup),
		cmocka_unit_test_setup(test_large_answer_is_kept, setup),
		cmocka_unit_test_setup(test_negative_answers_are_kept, setup),
		cmocka_unit_test_setup(test_failures_are_kept, setup),
		cmocka_unit_test_setup(test_later_answer_takes_the_place, setup),
		cmocka_unit_test_setup(test_full_cache_forgets_the_oldest, setup),
		cmocka_unit_test_setup(test_flush_forgets_all, setup),
		cmocka_unit_test_setup(test_names_of_a_wildcard_are_limited, setup),
		cmocka_unit_test_setup(test_names_of_all_wildcards_are_limited, setup),
		cmocka_unit_test_setup(test_queries_are_limited, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
