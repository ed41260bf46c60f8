/* SPDX-License-Identifier: BSD-2-Clause */
/* parent/banner: the bytes of texts that clients read, and texts that do not fit. */

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <limits.h>
#include <string.h>

#include "parent/cmdline/banner.h"

static struct options
options_of(const char *cidr)
{
	struct options options = {
		.program_name = "slirpd",
		.mtu_bytes = 1500,
		.allow_host_loopback = true,
	};

	assert_int_equal(cidr_parse(cidr, 1, 25, &options.network), CIDR_OK);
	options_addresses_derive(&options.network, &options.addresses);
	return options;
}

static const struct ipc_outbound none;

static void
assert_ready(const struct options *options, uint32_t missing, const char *expected)
{
	char buf[LOG_TEXT_SIZE];

	banner_ready_format(buf, sizeof(buf), options, "/proc/7/ns/net", missing);
	assert_string_equal(buf, expected);
}

static void
test_ready_names_tap_address_namespace_and_confinement(void **state)
{
	struct options options = options_of("10.0.3.0/25");

	(void)state;
	options.tap_name = "tap0";
	options.configure = true;
	options.sandbox_mode = IPC_JAIL_REQUIRED;
	options.seccomp_mode = IPC_JAIL_REQUIRED;
	assert_ready(&options, 0,
	    "ready: tap0 has 10.0.3.100/25 in /proc/7/ns/net; all processes confined");
	assert_ready(&options, 1U << IPC_STAGE_root | 1U << IPC_STAGE_landlock,
	    "ready: tap0 has 10.0.3.100/25 in /proc/7/ns/net; processes confined "
	    "without: root landlock");
	options.configure = false;
	options.sandbox_mode = IPC_JAIL_OFF;
	assert_ready(&options, ~0U,
	    "ready: tap0 needs an address such as 10.0.3.100/25 in /proc/7/ns/net; "
	    "confined by seccomp only");
	options.target = OPTIONS_TARGET_TAPFD;
	options.tap_fd = 5;
	options.seccomp_mode = IPC_JAIL_OFF;
	assert_ready(&options, ~0U,
	    "ready: inherited TAP 5 needs an address such as 10.0.3.100/25; "
	    "no process confined");
	options.target = OPTIONS_TARGET_BESS;
	options.bess_path = "a\nb";
	assert_ready(&options, ~0U,
	    "ready: bess socket a\\x0ab, for an address such as 10.0.3.100/25; "
	    "no process confined");
}

static void
assert_banner(const struct options *options, const struct ipc_outbound *outbound,
    const char *expected)
{
	char buf[BANNER_SIZE];
	int len = banner_start_format(buf, sizeof(buf), options, outbound);

	assert_string_equal(buf, expected);
	assert_int_equal(len, (int)strlen(expected));
}

static void
test_default_banner(void **state)
{
	struct options options = options_of("10.0.2.0/24");

	(void)state;
	assert_banner(&options, &none,
	    "Starting slirp\n"
	    "* MTU:             1500\n"
	    "* Network:         10.0.2.0\n"
	    "* Netmask:         255.255.255.0\n"
	    "* Gateway:         10.0.2.2\n"
	    "* DNS:             10.0.2.3\n"
	    "* DHCP begin:      10.0.2.15\n"
	    "* DHCP end:        10.0.2.30\n"
	    "* Recommended IP:  10.0.2.100\n"
	    "WARNING: 127.0.0.1:* on the host is accessible as 10.0.2.2 (set "
	    "--disable-host-loopback to prohibit connecting to 127.0.0.1:*)\n");
}

static void
test_banner_of_all_options(void **state)
{
	const struct ipc_outbound outbound = {
		.addr = { { { 127, 0, 0, 1 }, 0 }, { { 0xfd, [15] = 9 }, 1 } },
		.has_addr = { 1, 1 },
	};
	struct options options = options_of("192.168.0.0/16");

	(void)state;
	options.mtu_bytes = 65520;
	options.allow_host_loopback = false;
	options.api_socket_path = "/run/user/1000/api.sock";
	options.has_mac = true;
	assert_int_equal(mac_parse("0A:0b:0c:0d:0e:0f", &options.mac), MAC_OK);
	assert_banner(&options, &outbound,
	    "Starting slirp\n"
	    "* MTU:             65520\n"
	    "* Network:         192.168.0.0\n"
	    "* Netmask:         255.255.0.0\n"
	    "* Gateway:         192.168.0.2\n"
	    "* DNS:             192.168.0.3\n"
	    "* DHCP begin:      192.168.0.15\n"
	    "* DHCP end:        192.168.0.30\n"
	    "* Recommended IP:  192.168.0.100\n"
	    "* API Socket:      /run/user/1000/api.sock\n"
	    "* Outbound IPv4:   127.0.0.1\n"
	    "* Outbound IPv6:   fd00::9\n"
	    "* MAC address:     0a:0b:0c:0d:0e:0f\n");
}

static void
test_warning_names_the_gateway_of_the_network(void **state)
{
	struct options options = options_of("192.168.77.0/24");
	char buf[BANNER_SIZE];

	(void)state;
	assert_true(banner_start_format(buf, sizeof(buf), &options, &none) > 0);
	assert_non_null(strstr(buf, "is accessible as 192.168.77.2 (set "));
	options.allow_host_loopback = false;
	assert_true(banner_start_format(buf, sizeof(buf), &options, &none) > 0);
	assert_null(strstr(buf, "WARNING"));
}

static void
test_version_by_name(void **state)
{
	static const struct {
		const char *program_name;
		const char *first;
	} cases[] = {
		{ "slirp4netns", "slirp4netns version " },
		{ "slirpd", "slirpd version " },
		{ "renamed", "slirpd version " },
		{ "slirp4netns2", "slirpd version " },
	};
	/* clang-format off */
	static const char rest[] =
	    SLIRPD_VERSION "\n"
	    "commit: " SLIRPD_COMMIT "\n"
	    "libslirp: 4.7.0\n"
	    "SLIRP_CONFIG_VERSION_MAX: 4\n"
	    "libseccomp: " SLIRPD_LIBSECCOMP_VERSION "\n";
	/* clang-format on */

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char buf[BANNER_SIZE];
		size_t first_len = strlen(cases[i].first);
		int len = banner_version_format(buf, sizeof(buf), cases[i].program_name,
		    "4.7.0", 4);

		assert_int_equal(strncmp(buf, cases[i].first, first_len), 0);
		assert_string_equal(buf + first_len, rest);
		assert_int_equal(len, (int)strlen(buf));
	}
}

/* Each size has its own block, so that AddressSanitizer sees any write past the end. */
static void
test_what_does_not_fit_is_no_text_at_all(void **state)
{
	struct options options = options_of("10.0.2.0/24");
	char full[BANNER_SIZE];
	size_t full_len =
	    (size_t)banner_start_format(full, sizeof(full), &options, &none);

	(void)state;
	for (size_t size = 1; size <= full_len + 1; size++) {
		char *buf = test_malloc(size);
		int len = banner_start_format(buf, size, &options, &none);

		assert_int_equal(len, size > full_len ? (int)full_len : -1);
		assert_string_equal(buf, size > full_len ? full : "");
		test_free(buf);
	}
	full_len =
	    (size_t)banner_version_format(full, sizeof(full), "slirpd", "4.7.0", 4);
	for (size_t size = 1; size <= full_len + 1; size++) {
		char *buf = test_malloc(size);
		int len = banner_version_format(buf, size, "slirpd", "4.7.0", 4);

		assert_int_equal(len, size > full_len ? (int)full_len : -1);
		assert_string_equal(buf, size > full_len ? full : "");
		test_free(buf);
	}
}

static void
test_longest_banner_fits(void **state)
{
	struct options options = options_of("128.0.0.0/1");
	struct ipc_outbound outbound = { .has_addr = { 1, 1 } };
	char path[PATH_MAX];
	char buf[BANNER_SIZE];

	(void)state;
	memset(path, 'p', sizeof(path) - 1);
	path[sizeof(path) - 1] = '\0';
	options.api_socket_path = path;
	outbound.addr[0] = inaddr_from4(UINT32_MAX);
	memset(&outbound.addr[1], 0xff, sizeof(outbound.addr[1]));
	options.has_mac = true;
	assert_true(
	    banner_start_format(buf, sizeof(buf), &options, &outbound) > PATH_MAX);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ready_names_tap_address_namespace_and_confinement),
		cmocka_unit_test(test_default_banner),
		cmocka_unit_test(test_banner_of_all_options),
		cmocka_unit_test(test_warning_names_the_gateway_of_the_network),
		cmocka_unit_test(test_version_by_name),
		cmocka_unit_test(test_what_does_not_fit_is_no_text_at_all),
		cmocka_unit_test(test_longest_banner_fits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
