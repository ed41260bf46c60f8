/* SPDX-License-Identifier: BSD-2-Clause */
/* Data of records, type by type, and the addresses that are cut out of it. */
#include "dns_fixture.h"

#include <arpa/inet.h>

#include "resolver/dns/filter.h"
#include "resolver/dns/rdata.h"

#define KEPT(bytes) bytes, sizeof(bytes) - 1

static uint8_t out[512];
static size_t out_len;

static enum dns_rdata_outcome
copy(uint16_t type, const void *bytes, size_t len)
{
	uint8_t *exact = malloc(len > 0 ? len : 1);
	struct dns_reader reader = { .bytes = exact, .len = len };
	struct dns_writer writer = { .bytes = out, .size = sizeof(out) };
	enum dns_rdata_outcome outcome;

	assert_non_null(exact);
	memcpy(exact, bytes, len);
	outcome = dns_rdata_copy(type, &reader, &writer);
	out_len = writer.len;
	free(exact);
	return outcome;
}

static void
expect_copy(uint16_t type, const void *bytes, size_t len, const void *wanted,
    size_t wanted_len)
{
	assert_int_equal(copy(type, bytes, len), DNS_RDATA_OK);
	assert_int_equal(out_len, wanted_len);
	assert_memory_equal(out, wanted, wanted_len);
}

static void
expect_same(uint16_t type, const void *bytes, size_t len)
{
	expect_copy(type, bytes, len, bytes, len);
	/* Every cut, and a byte more. */
	for (size_t n = 0; n < len; n++)
		assert_int_equal(copy(type, bytes, n), DNS_RDATA_BAD);
}

static void
expect_not(enum dns_rdata_outcome outcome, uint16_t type, const void *bytes, size_t len)
{
	out_len = 1;
	assert_int_equal(copy(type, bytes, len), outcome);
	assert_int_equal(out_len, 0);
}

static void
test_types_with_fixed_forms(void **state)
{
	(void)state;
	expect_same(DNS_A, KEPT("\300\0\2\1"));
	expect_same(DNS_AAAA, KEPT("0123456789abcdef"));
	expect_same(DNS_SRV, KEPT("\0\1\0\2\37\220\3www\0"));
	expect_same(DNS_MX, KEPT("\0\12\2mx\4test\0"));
	expect_same(DNS_PTR, KEPT("\4host\0"));
	expect_same(DNS_NS, KEPT("\2ns\0"));
	expect_same(DNS_SOA,
	    KEPT("\2ns\0\4root\0"
		 "0123456789abcdefghij"));
	expect_not(DNS_RDATA_BAD, DNS_A, KEPT("\300\0\2\1\0"));
	expect_not(DNS_RDATA_BAD, DNS_AAAA, KEPT("0123456789abcdef0"));
	expect_not(DNS_RDATA_BAD, DNS_PTR, KEPT("\4host\0\0"));
	/* RFC 7505: a dot says that there is no service. */
	expect_same(DNS_MX, KEPT("\0\0\0"));
	expect_same(DNS_SRV, KEPT("\0\0\0\0\0\0\0"));
	assert_false(dns_type_is_known(DNS_OPT));
	for (uint16_t type = 249; type < 256; type++) /* TKEY, TSIG, IXFR, AXFR, ANY */
		assert_false(dns_type_is_known(type));
	assert_false(dns_type_is_known(10)); /* NULL */
}

static void
test_names_are_folded(void **state)
{
	(void)state;
	expect_copy(DNS_PTR, KEPT("\4HosT\0"), KEPT("\4host\0"));
	expect_not(DNS_RDATA_BAD, DNS_PTR, KEPT("\4ho t\0"));
	expect_not(DNS_RDATA_BAD, DNS_SRV, KEPT("\0\1\0\2\0\3\4ho.t\0"));
}

static void
test_text(void **state)
{
	(void)state;
	expect_copy(DNS_TXT, KEPT("\3a\0b\0\2\"\\"), KEPT("\3a\0b\0\2\"\\"));
	expect_not(DNS_RDATA_BAD, DNS_TXT, KEPT(""));
	expect_not(DNS_RDATA_BAD, DNS_TXT, KEPT("\3ab"));
	expect_not(DNS_RDATA_BAD, DNS_TXT, KEPT("\2ab\1"));
}

static void
test_caa(void **state)
{
	(void)state;
	expect_copy(DNS_CAA, KEPT("\0\5issueca.test"), KEPT("\0\5issueca.test"));
	expect_copy(DNS_CAA, KEPT("\200\5issue"), KEPT("\200\5issue"));
	expect_copy(DNS_CAA, KEPT("\0\0170123456789abcde"),
	    KEPT("\0\0170123456789abcde"));
	expect_not(DNS_RDATA_BAD, DNS_CAA, KEPT("\0\5issu"));
	expect_not(DNS_RDATA_BAD, DNS_CAA, KEPT("\0\0issue"));
	expect_not(DNS_RDATA_BAD, DNS_CAA, KEPT("\0\0200123456789abcdef"));
	expect_not(DNS_RDATA_BAD, DNS_CAA, KEPT("\0"));
}

/* Priority 1, target ".", and the parameters. */
#define SERVICE "\0\1\0"
#define MANDATORY(keys) "\0\0\0\2" keys
#define ALPN "\0\1\0\3\2h2"
#define NO_DEFAULT "\0\2\0\0"
#define PORT "\0\3\0\2\1\273"
#define HINT4 "\0\4\0\10\12\0\0\1\306\63\143\1"
#define ECH "\0\5\0\4ech!"
#define HINT6 "\0\6\0\20\46\0\15\270\0\0\0\0\0\0\0\0\0\0\0\1"
#define UNKNOWN "\0\7\0\3/q?"

static void
test_service_is_copied(void **state)
{
	(void)state;
	expect_copy(DNS_HTTPS, KEPT("\0\1\3WWW\0" ALPN PORT HINT4 HINT6),
	    KEPT("\0\1\3www\0" ALPN PORT HINT4 HINT6));
	expect_copy(DNS_SVCB, KEPT(SERVICE), KEPT(SERVICE));
	expect_copy(DNS_SVCB, KEPT(SERVICE MANDATORY("\0\3") PORT),
	    KEPT(SERVICE MANDATORY("\0\3") PORT));
	/* An alias has no parameters, and what is in their place is ignored. */
	expect_copy(DNS_HTTPS,
	    KEPT("\0\0\1a\0"
		 "nonsense"),
	    KEPT("\0\0\1a\0"));
}

static void
test_ech_and_the_unknown_are_dropped(void **state)
{
	(void)state;
	expect_copy(DNS_HTTPS, KEPT(SERVICE ALPN ECH UNKNOWN), KEPT(SERVICE ALPN));
	expect_copy(DNS_HTTPS, KEPT(SERVICE ECH HINT6 "\377\0\0\1x"),
	    KEPT(SERVICE HINT6));
	expect_not(DNS_RDATA_DROPPED, DNS_HTTPS, KEPT(SERVICE MANDATORY("\0\5") ECH));
	expect_not(DNS_RDATA_DROPPED, DNS_HTTPS,
	    KEPT(SERVICE "\0\0\0\4\0\3\0\7" PORT UNKNOWN));
	expect_not(DNS_RDATA_BAD, DNS_HTTPS, KEPT(SERVICE MANDATORY("\0\5") ECH "\0"));
}

static void
test_malformed_services(void **state)
{
	(void)state;
	/* Order, twice the same, cut off. */
	expect_not(DNS_RDATA_BAD, DNS_HTTPS, KEPT(SERVICE PORT ALPN));
	expect_not(DNS_RDATA_BAD, DNS_HTTPS, KEPT(SERVICE PORT PORT));
	expect_not(DNS_RDATA_BAD, DNS_HTTPS, KEPT(SERVICE "\0\3\0\2\1"));
	expect_not(DNS_RDATA_BAD, DNS_HTTPS, KEPT(SERVICE "\0\3"));
	/* mandatory: empty, odd, itself, order, twice, not there. */
	expect_not(DNS_RDATA_BAD, DNS_HTTPS, KEPT(SERVICE "\0\0\0\0" PORT));
	expect_not(DNS_RDATA_BAD, DNS_HTTPS, KEPT(SERVICE "\0\0\0\3\0\3\0" PORT));
	expect_not(DNS_RDATA_BAD, DNS_HTTPS, KEPT(SERVICE MANDATORY("\0\0") PORT));
	expect_not(DNS_RDATA_BAD, DNS_HTTPS, KEPT(SERVICE "\0\0\0\4\0\3\0\1" ALPN PORT));
	expect_not(DNS_RDATA_BAD, DNS_HTTPS, KEPT(SERVICE "\0\0\0\4\0\3\0\3" PORT));
	expect_not(DNS_RDATA_BAD, DNS_HTTPS, KEPT(SERVICE MANDATORY("\0\4") PORT));
	/* alpn: empty, empty name, name beyond the end; default without a list. */
	expect_not(DNS_RDATA_BAD, DNS_HTTPS, KEPT(SERVICE "\0\1\0\0"));
	expect_not(DNS_RDATA_BAD, DNS_HTTPS, KEPT(SERVICE "\0\1\0\4\2h2\0"));
	expect_not(DNS_RDATA_BAD, DNS_HTTPS, KEPT(SERVICE "\0\1\0\3\3h2"));
	expect_not(DNS_RDATA_BAD, DNS_HTTPS, KEPT(SERVICE NO_DEFAULT));
	expect_not(DNS_RDATA_BAD, DNS_HTTPS, KEPT(SERVICE ALPN "\0\2\0\1x"));
	expect_copy(DNS_HTTPS, KEPT(SERVICE ALPN NO_DEFAULT),
	    KEPT(SERVICE ALPN NO_DEFAULT));
	/* Lengths of port and hints. */
	expect_not(DNS_RDATA_BAD, DNS_HTTPS, KEPT(SERVICE "\0\3\0\3abc"));
	expect_not(DNS_RDATA_BAD, DNS_HTTPS, KEPT(SERVICE "\0\4\0\0"));
	expect_not(DNS_RDATA_BAD, DNS_HTTPS, KEPT(SERVICE "\0\4\0\5abcde"));
	expect_not(DNS_RDATA_BAD, DNS_HTTPS, KEPT(SERVICE "\0\6\0\4abcd"));
	expect_not(DNS_RDATA_BAD, DNS_HTTPS, KEPT(SERVICE "\0\6\0\0"));
	/* A target that is compressed. */
	expect_not(DNS_RDATA_BAD, DNS_HTTPS, KEPT("\0\1\300\14"));
}

static struct policy_place place;
static const struct dns_filter public_only = { .place = &place };
static const struct dns_filter with_private = { .place = &place, .may_be_private = true };

/* The default network, and a host with a public and a private address. */
static int
setup(void **state)
{
	struct inaddr host[2];

	(void)state;
	place.network_be = htonl(0x0a000200);
	place.netmask_be = htonl(0xffffff00);
	assert_int_equal(inet_pton(AF_INET6, "fd00::", &place.prefix6), 1);
	assert_true(inaddr_parse("198.51.99.200", &host[0]));
	assert_true(inaddr_parse("192.168.7.7", &host[1]));
	policy_place_set_host(&place, host, 2);
	return 0;
}

static bool
keeps(const struct dns_filter *filter, const char *text)
{
	struct inaddr addr;

	assert_true(inaddr_parse(text, &addr));
	return dns_filter_keeps(filter, &addr);
}

static void
test_addresses_that_stay(void **state)
{
	static const char *const internet[] = { "198.51.99.1", "2600::1",
		"64:ff9b::198.51.99.1", "2002:c633:6301::1" };
	static const char *const private[] = { "10.0.0.5", "192.168.1.1", "100.64.0.1",
		"fc00::5", "64:ff9b::a00:5", "2002:a00:5::" };
	static const char *const never[] = { "127.0.0.1", "169.254.1.1",
		"169.254.169.254", "100.100.100.200", "168.63.129.16", "198.51.99.200",
		"192.168.7.7", "10.0.2.2", "10.0.2.100", "0.0.0.0", "224.0.0.1",
		"255.255.255.255", "192.0.2.1", "::1", "::", "fe80::1", "fd00::2",
		"fd00:ec2::254", "ff02::1", "::ffff:198.51.99.1", "::ffff:10.0.0.5",
		"::10.0.0.5", "64:ff9b::7f00:1", "64:ff9b::169.254.169.254",
		"64:ff9b::198.51.99.200", "2002:7f00:1::", "64:ff9b:1::10.0.0.5",
		"2001:db8::1" };

	(void)state;
	for (size_t i = 0; i < sizeof(internet) / sizeof(*internet); i++) {
		assert_true(keeps(&public_only, internet[i]));
		assert_true(keeps(&with_private, internet[i]));
	}
	for (size_t i = 0; i < sizeof(private) / sizeof(*private); i++) {
		assert_false(keeps(&public_only, private[i]));
		assert_true(keeps(&with_private, private[i]));
	}
	for (size_t i = 0; i < sizeof(never) / sizeof(*never); i++) {
		assert_false(keeps(&public_only, never[i]));
		assert_false(keeps(&with_private, never[i]));
	}
}

static struct dns_answer answer;

static void
add(const char *text)
{
	struct inaddr addr;

	assert_true(inaddr_parse(text, &addr));
	assert_true(dns_answer_add_addr(&answer, &addr, 60));
}

static void
test_addresses_are_cut(void **state)
{
	(void)state;
	dns_answer_init(&answer, "a.test", DNS_A);
	add("10.0.0.5");
	add("198.51.99.1");
	add("127.0.0.1");
	add("198.51.99.2");
	assert_int_equal(dns_filter_answer(&with_private, &answer), 1);
	assert_int_equal(dns_filter_answer(&public_only, &answer), 1);
	assert_int_equal(answer.n_records, 2);
	expect_addr(&answer, 0, "198.51.99.1");
	expect_addr(&answer, 1, "198.51.99.2");
	assert_int_equal(dns_filter_answer(&public_only, &answer), 0);

	dns_answer_init(&answer, "a.test", DNS_AAAA);
	add("64:ff9b::a00:5");
	assert_int_equal(dns_filter_answer(&public_only, &answer), 1);
	assert_int_equal(answer.n_records, 0);

	/* A record without an address. */
	dns_answer_init(&answer, "a.test", DNS_SRV);
	answer.n_records = 1;
	assert_int_equal(dns_filter_answer(&public_only, &answer), 0);
	assert_int_equal(answer.n_records, 1);
}

/* The filtered data of a record. */
static void
expect_filtered(uint32_t n_cut, const void *bytes, size_t len, const void *wanted,
    size_t wanted_len)
{
	dns_answer_init(&answer, "a.test", DNS_HTTPS);
	memcpy(answer.data, bytes, len);
	answer.data_len = (uint16_t)len;
	answer.n_records = 1;
	answer.records[0].len = (uint16_t)len;
	assert_int_equal(dns_filter_answer(&public_only, &answer), n_cut);
	assert_int_equal(answer.n_records, wanted != NULL);
	if (wanted == NULL)
		return;
	assert_int_equal(answer.records[0].len, wanted_len);
	assert_memory_equal(answer.data, wanted, wanted_len);
}

static void
test_hints_are_cut(void **state)
{
#define HINT6_PRIVATE "\0\6\0\20\375\0\0\0\0\0\0\0\0\0\0\0\0\0\0\1"
	(void)state;
	expect_filtered(1, KEPT("\0\1\3www\0" ALPN HINT4 HINT6),
	    KEPT("\0\1\3www\0" ALPN "\0\4\0\4\306\63\143\1" HINT6));
	expect_filtered(2, KEPT(SERVICE ALPN NO_DEFAULT HINT4 HINT6_PRIVATE),
	    KEPT(SERVICE ALPN NO_DEFAULT "\0\4\0\4\306\63\143\1"));
	expect_filtered(1, KEPT(SERVICE ALPN "\0\4\0\4\12\0\0\1" HINT6),
	    KEPT(SERVICE ALPN HINT6));
	expect_filtered(0, KEPT(SERVICE ALPN), KEPT(SERVICE ALPN));
	expect_filtered(0, KEPT("\0\0\1a\0"), KEPT("\0\0\1a\0"));
	/* A record that nobody can use any more. */
	expect_filtered(1, KEPT(SERVICE MANDATORY("\0\4") "\0\4\0\4\12\0\0\1" HINT6),
	    NULL, 0);
	expect_filtered(1, KEPT(SERVICE MANDATORY("\0\6") HINT6_PRIVATE), NULL, 0);
	expect_filtered(1, KEPT(SERVICE MANDATORY("\0\3") PORT HINT6_PRIVATE),
	    KEPT(SERVICE MANDATORY("\0\3") PORT));
}

/* Those that stay are pinned, so there are no more than places for them. */
static void
test_hints_are_collected(void **state)
{
#define HINTS_20 "\0\4\0\120" ADDRS_5 ADDRS_5 ADDRS_5 ADDRS_5
#define ADDRS_5 \
	"\306\63\143\1" \
	"\306\63\143\2" \
	"\306\63\143\3" \
	"\306\63\143\4" \
	"\306\63\143\5"
	struct inaddr addrs[DNS_RECORDS_MAX], expected;

	(void)state;
	dns_answer_init(&answer, "a.test", DNS_HTTPS);
	for (int i = 0; i < 2; i++) {
		answer.records[i].at = answer.data_len;
		answer.records[i].len = sizeof(SERVICE HINTS_20) - 1;
		memcpy(answer.data + answer.data_len, SERVICE HINTS_20,
		    answer.records[i].len);
		answer.data_len = (uint16_t)(answer.data_len + answer.records[i].len);
	}
	answer.n_records = 2;
	assert_int_equal(dns_filter_answer(&public_only, &answer), 8);
	assert_int_equal(dns_filter_addrs(&answer, addrs), DNS_RECORDS_MAX);
	for (unsigned int i = 0; i < DNS_RECORDS_MAX; i++) {
		char text[] = "198.51.99.0";

		text[10] = (char)('1' + i % 20 % 5);
		assert_true(inaddr_parse(text, &expected));
		assert_true(inaddr_is_equal(&addrs[i], &expected));
	}
	/* Of other types there are none. */
	answer.type = DNS_TXT;
	assert_int_equal(dns_filter_addrs(&answer, addrs), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_types_with_fixed_forms),
		cmocka_unit_test(test_names_are_folded),
		cmocka_unit_test(test_text),
		cmocka_unit_test(test_caa),
		cmocka_unit_test(test_service_is_copied),
		cmocka_unit_test(test_ech_and_the_unknown_are_dropped),
		cmocka_unit_test(test_malformed_services),
		cmocka_unit_test(test_addresses_that_stay),
		cmocka_unit_test(test_addresses_are_cut),
		cmocka_unit_test(test_hints_are_cut),
		cmocka_unit_test(test_hints_are_collected),
	};

	return cmocka_run_group_tests(tests, setup, NULL);
}
