/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * parent/options: the command line of slirp4netns's clients, the bytes of each error, and
 * no state between calls. The program runs in its own directory, which has one file of
 * each kind.
 */

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <arpa/inet.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/log.h"
#include "parent/cmdline/options.h"

#define N_ELEMENTS(array) (sizeof(array) / sizeof((array)[0]))

/* Arguments of one call, without the program's name. */
#define N_ARGS_MAX (OPTIONS_OUT_MAX + 3)

_Static_assert(OPTIONS_MESSAGE_SIZE <= LOG_TEXT_SIZE, "a log line holds any message");

static struct options options;
static struct options_messages messages;

/* argv[0] of parse(). */
static const char *program = "/usr/bin/slirpd";

static enum options_outcome
parse(const char *const *args)
{
	char *argv[N_ARGS_MAX + 2] = { (char *)program };
	int argc = 1;

	while (args[argc - 1] != NULL) {
		argv[argc] = (char *)args[argc - 1];
		argc++;
	}
	memset(&options, 0xa5, sizeof(options));
	memset(&messages, 0xa5, sizeof(messages));
	return options_parse(&options, &messages, argc, argv);
}

/* PARSE("-c", "1", "tap0") */
#define PARSE(...) parse((const char *const[N_ARGS_MAX + 1]){ __VA_ARGS__ })

#define ASSERT_RUNS(...) \
	do { \
		if (PARSE(__VA_ARGS__) != OPTIONS_START) \
			fail_msg("refused: %s", messages.error); \
		assert_string_equal(messages.error, ""); \
	} while (0)

#define ASSERT_REFUSED(text, ...) \
	do { \
		assert_int_equal(PARSE(__VA_ARGS__), OPTIONS_ERROR); \
		assert_string_equal(messages.error, text); \
	} while (0)

/* The arguments are options; a valid target follows them. */
#define ASSERT_OPTION_REFUSED(text, ...) ASSERT_REFUSED(text, __VA_ARGS__, "1", "tap0")

/* With the text under the name slirp4netns, which its clients know, first. */
#define ASSERT_REFUSED_BY_NAME(known, text, ...) \
	do { \
		program = "/usr/bin/slirp4netns"; \
		ASSERT_REFUSED(known, __VA_ARGS__); \
		program = "/usr/bin/slirpd"; \
		ASSERT_REFUSED(text, __VA_ARGS__); \
	} while (0)

#define ASSERT_OPTION_REFUSED_BY_NAME(known, text, ...) \
	ASSERT_REFUSED_BY_NAME(known, text, __VA_ARGS__, "1", "tap0")

static void
test_defaults(void **state)
{
	(void)state;
	ASSERT_RUNS("4711", "tap0");
	assert_string_equal(options.program_name, "slirpd");
	assert_int_equal(options.target, OPTIONS_TARGET_PID);
	assert_int_equal(options.target_pid, 4711);
	assert_null(options.netns_path);
	assert_int_equal(options.tap_fd, -1);
	assert_null(options.bess_path);
	assert_string_equal(options.tap_name, "tap0");
	assert_null(options.userns_path);
	assert_false(options.create_netns);
	assert_false(options.is_run);
	assert_null(options.command);
	assert_false(options.configure);
	assert_int_equal(options.mtu_bytes, 1500);
	assert_false(options.has_mac);
	assert_int_equal(options.network.prefix_len, 24);
	assert_false(options.enable_ipv6);
	assert_true(options.enable_dns);
	assert_true(options.allow_host_loopback);
	assert_null(options.outbound_addr[0]);
	assert_null(options.outbound_addr[1]);
	assert_null(options.api_socket_path);
	assert_null(options.pidfile_path);
	assert_null(options.log_file_path);
	assert_int_equal(options.log_level, LOG_LEVEL_INFO);
	assert_int_equal(options.exit_fd, -1);
	assert_int_equal(options.ready_fd, -1);
	assert_int_equal(options.sandbox_mode, IPC_JAIL_REQUIRED);
	assert_int_equal(options.seccomp_mode, IPC_JAIL_REQUIRED);
	assert_int_equal(options.runas_uid, 65534);
	assert_int_equal(messages.n_warnings, 0);
}

/* Every spelling of an option sets the same value. */
static void
test_spellings(void **state)
{
	static const char *const exit_fd[][2] = { { "-e7" }, { "-e", "7" },
		{ "--exit-fd=7" }, { "--exit-fd", "7" }, { "--exit=7" },
		{ "--ex", "7" } };
	static const char *const ready_fd[][2] = { { "-r7" }, { "-r", "7" },
		{ "--ready-fd=7" }, { "--ready-fd", "7" }, { "--ready=7" },
		{ "--rea", "7" } };
	static const char *const mtu[][2] = { { "-m65520" }, { "-m", "65520" },
		{ "--mtu=65520" }, { "--mtu", "65520" }, { "--mt=65520" } };
	static const char *const configure[] = { "-c", "--configure", "--conf" };
	static const char *const ipv6[] = { "-6", "--enable-ipv6", "--enable-i" };
	static const char *const loopback[] = { "--disable-host-loopback", "--disable-h",
		"--no-host-loopback", "--no-h" };
	static const char *const dns[] = { "--disable-dns", "--disable-d" };

	(void)state;
	for (size_t i = 0; i < N_ELEMENTS(exit_fd); i++) {
		ASSERT_RUNS("1", "tap0", exit_fd[i][0], exit_fd[i][1]);
		assert_int_equal(options.exit_fd, 7);
	}
	for (size_t i = 0; i < N_ELEMENTS(ready_fd); i++) {
		ASSERT_RUNS("1", "tap0", ready_fd[i][0], ready_fd[i][1]);
		assert_int_equal(options.ready_fd, 7);
	}
	for (size_t i = 0; i < N_ELEMENTS(mtu); i++) {
		ASSERT_RUNS("1", "tap0", mtu[i][0], mtu[i][1]);
		assert_int_equal(options.mtu_bytes, 65520);
	}
	for (size_t i = 0; i < N_ELEMENTS(configure); i++) {
		ASSERT_RUNS("1", "tap0", configure[i]);
		assert_true(options.configure);
	}
	for (size_t i = 0; i < N_ELEMENTS(ipv6); i++) {
		ASSERT_RUNS("1", "tap0", ipv6[i]);
		assert_true(options.enable_ipv6);
	}
	for (size_t i = 0; i < N_ELEMENTS(loopback); i++) {
		ASSERT_RUNS("1", "tap0", loopback[i]);
		assert_false(options.allow_host_loopback);
	}
	for (size_t i = 0; i < N_ELEMENTS(dns); i++) {
		ASSERT_RUNS("1", "tap0", dns[i]);
		assert_false(options.enable_dns);
		assert_true(options.allow_host_loopback);
	}
}

static void
test_values_reach_the_options(void **state)
{
	static const uint8_t octets[] = { 0x0a, 0x0b, 0x0c, 0x0d, 0x0e, 0x0f };

	(void)state;
	ASSERT_RUNS("-c6", "-e", "4", "-r", "3", "-m", "9000", "--cidr=192.168.77.0/24",
	    "--mac=0a:0B:0c:0d:0e:0f", "--disable-dns", "--disable-host-loopback",
	    "--user=/proc/self/ns/user", "--net=path", "/proc/self/ns/net", "tap1");
	assert_true(options.configure);
	assert_true(options.enable_ipv6);
	assert_int_equal(options.exit_fd, 4);
	assert_int_equal(options.ready_fd, 3);
	assert_int_equal(options.mtu_bytes, 9000);
	assert_int_equal(ntohl(options.network.network_be), 0xc0a84d00);
	assert_int_equal(options.network.prefix_len, 24);
	assert_int_equal(ntohl(options.addresses.recommended_be), 0xc0a84d64);
	assert_true(options.has_mac);
	assert_memory_equal(options.mac.octets, octets, sizeof(octets));
	assert_false(options.enable_dns);
	assert_false(options.allow_host_loopback);
	assert_string_equal(options.userns_path, "/proc/self/ns/user");
	assert_int_equal(options.target, OPTIONS_TARGET_PATH);
	assert_int_equal(options.target_pid, -1);
	assert_string_equal(options.netns_path, "/proc/self/ns/net");
	assert_string_equal(options.tap_name, "tap1");
}

/* Known clients' calls, as far as they are supported. */
static void
test_calls_of_known_clients(void **state)
{
	(void)state;
	ASSERT_RUNS("--disable-host-loopback", "--mtu=65520", "--enable-ipv6", "-c", "-r",
	    "3", "-e", "4", "--netns-type=path", "/proc/self/ns/net", "tap0");
	ASSERT_RUNS("-c", "-e", "3", "-r", "4", "--mtu", "65520", "4711", "tap0");
	ASSERT_RUNS("--mtu", "65520", "-r", "3", "--disable-host-loopback", "--cidr",
	    "10.0.3.0/24", "--enable-ipv6", "4711", "tap0");
	ASSERT_RUNS("--mtu", "65520", "-r", "3", "-c", "4711", "tap0");
	ASSERT_RUNS("--ready=3", "--configure", "--userns-path=/proc/self/ns/user",
	    "4711", "tap0");
	ASSERT_RUNS("--netns-type=tapfd", "--enable-ipv6", "--ready-fd=9", "5");
}

static void
test_options_may_stand_anywhere(void **state)
{
	(void)state;
	ASSERT_RUNS("4711", "-c", "tap0", "--mtu", "1280");
	assert_int_equal(options.target_pid, 4711);
	assert_string_equal(options.tap_name, "tap0");
	assert_int_equal(options.mtu_bytes, 1280);
	assert_true(options.configure);

	ASSERT_RUNS("-c", "--", "4711", "-m");
	assert_string_equal(options.tap_name, "-m");
	ASSERT_RUNS("-c", "4711", "-");
	assert_string_equal(options.tap_name, "-");
}

static void
test_last_value_counts(void **state)
{
	(void)state;
	ASSERT_RUNS("-m1", "-m2", "-e8", "-e9", "--cidr=10.0.0.0/8", "--cidr=10.1.0.0/16",
	    "--netns-type=path", "--netns-type=pid", "--target-type=bess",
	    "--target-type=netns", "1", "tap0");
	assert_int_equal(options.mtu_bytes, 2);
	assert_int_equal(options.exit_fd, 9);
	assert_int_equal(options.network.prefix_len, 16);
	assert_int_equal(options.target, OPTIONS_TARGET_PID);
	/* Each value is checked. */
	ASSERT_OPTION_REFUSED_BY_NAME("MTU must be a positive integer (< 65522)",
	    "--mtu: \"x\" is not a number from 1 to 65521", "-mx", "-m2");
	ASSERT_OPTION_REFUSED_BY_NAME("\"x\" is an invalid MAC address.",
	    "--macaddress: \"x\" is not a MAC address such as 0a:0b:0c:0d:0e:0f", "-c",
	    "--macaddress=x", "--macaddress=0a:0b:0c:0d:0e:0f", "--macaddress=y");
}

static void
test_number_is_digits_only(void **state)
{
	static const char *const bad[] = { "", " ", "x", "12x", "x12", " 5", "5 ", "+5",
		"-5", "0x10", "1.0", "1e3", "5\n", "99999999999999999999999999",
		"2147483648", "4294967297", "18446744073709551617", "\xd9\xa3" };

	(void)state;
	program = "/usr/bin/slirp4netns";
	for (size_t i = 0; i < N_ELEMENTS(bad); i++) {
		ASSERT_OPTION_REFUSED("exit-fd must be a non-negative integer", "-e",
		    bad[i]);
		ASSERT_OPTION_REFUSED("ready-fd must be a non-negative integer", "-r",
		    bad[i]);
		ASSERT_OPTION_REFUSED("MTU must be a positive integer (< 65522)", "-m",
		    bad[i]);
		ASSERT_REFUSED("PID must be a positive integer", "--", bad[i], "tap0");
		assert_int_equal(PARSE("--netns-type=tapfd", "--", bad[i]),
		    OPTIONS_ERROR);
		assert_non_null(strstr(messages.error,
		    "FD must be a non-negative integer "
		    "when --netns-type=tapfd, not \""));
	}
	program = "/usr/bin/slirpd";
	ASSERT_OPTION_REFUSED("--exit-fd: \"-5\" is not the number of a descriptor",
	    "--exit-fd=-5");
	ASSERT_OPTION_REFUSED("--ready-fd: \"x\" is not the number of a descriptor",
	    "--ready-fd=x");
	ASSERT_OPTION_REFUSED("--mtu: \"jumbo\" is not a number from 1 to 65521",
	    "--mtu=jumbo");
}

static void
test_wrong_pid_gets_a_guess(void **state)
{
	(void)state;
	ASSERT_REFUSED_BY_NAME("PID must be a positive integer",
	    "PID \"tap0\" is not a positive integer: is the PID missing? For a file use "
	    "--netns-type=path",
	    "--configure", "tap0");
	ASSERT_REFUSED_BY_NAME("PID must be a positive integer",
	    "PID \"tap0\" is not a positive integer; the PID comes before TAPNAME",
	    "tap0", "17");
	ASSERT_REFUSED_BY_NAME("PID must be a positive integer",
	    "PID \"/run/netns/x\" is not a positive integer; for a file use "
	    "--netns-type=path",
	    "/run/netns/x", "tap0");
	ASSERT_REFUSED_BY_NAME("PID must be a positive integer",
	    "PID \"self\" is not a positive integer; see slirpd --help", "self", "tap0");
	ASSERT_REFUSED_BY_NAME("PID must be a positive integer",
	    "PID \"0\" is not a positive integer", "0", "tap0");
}

static void
test_limits_of_numbers(void **state)
{
	(void)state;
	ASSERT_RUNS("-m1", "1", "tap0");
	assert_int_equal(options.mtu_bytes, 1);
	ASSERT_RUNS("-m65521", "1", "tap0");
	assert_int_equal(options.mtu_bytes, 65521);
	ASSERT_OPTION_REFUSED_BY_NAME("MTU must be a positive integer (< 65522)",
	    "--mtu: \"0\" is not a number from 1 to 65521", "-m0");
	ASSERT_OPTION_REFUSED_BY_NAME("MTU must be a positive integer (< 65522)",
	    "--mtu: \"65522\" is not a number from 1 to 65521", "-m65522");

	ASSERT_RUNS("-e0", "-r2147483647", "2147483647", "tap0");
	assert_int_equal(options.exit_fd, 0);
	assert_int_equal(options.ready_fd, 2147483647);
	assert_int_equal(options.target_pid, 2147483647);
	ASSERT_RUNS("0012", "tap0");
	assert_int_equal(options.target_pid, 12);
	ASSERT_RUNS("--netns-type=tapfd", "0");
	assert_int_equal(options.tap_fd, 0);
}

static void
test_errors_of_cidr(void **state)
{
	(void)state;
	ASSERT_OPTION_REFUSED_BY_NAME("invalid CIDR: x",
	    "--cidr: \"x\" has no prefix length: give an IPv4 network such as 10.0.2.0/24",
	    "--cidr=x");
	ASSERT_OPTION_REFUSED_BY_NAME("invalid CIDR: ",
	    "--cidr: \"\" is not an IPv4 network such as 10.0.2.0/24", "--cidr=");
	ASSERT_OPTION_REFUSED_BY_NAME("invalid CIDR: 10.0.2.0",
	    "--cidr: \"10.0.2.0\" has no prefix length: give an IPv4 network such as 10.0.2.0/24",
	    "--cidr=10.0.2.0");
	ASSERT_OPTION_REFUSED_BY_NAME("invalid CIDR: 10.0.2.0/24x",
	    "--cidr: \"10.0.2.0/24x\" is not an IPv4 network such as 10.0.2.0/24",
	    "--cidr=10.0.2.0/24x");
	ASSERT_OPTION_REFUSED_BY_NAME("invalid network address: 300.0.0.0",
	    "--cidr: \"300.0.0.0/24\" has a wrong address: give an IPv4 network such as 10.0.2.0/24",
	    "--cidr=300.0.0.0/24");
	ASSERT_OPTION_REFUSED_BY_NAME("prefix length needs to be 1-25",
	    "--cidr: \"10.0.2.0/0\" has a prefix length outside 1 to 25",
	    "--cidr=10.0.2.0/0");
	ASSERT_OPTION_REFUSED_BY_NAME("prefix length needs to be 1-25",
	    "--cidr: \"10.0.2.0/26\" has a prefix length outside 1 to 25",
	    "--cidr=10.0.2.0/26");
	ASSERT_OPTION_REFUSED_BY_NAME(
	    "CIDR needs to be a network address like 10.0.2.0/24, not like 10.0.2.100/24",
	    "--cidr: \"10.0.2.1/24\" is an address in a network; the network is 10.0.2.0/24",
	    "--cidr=10.0.2.1/24");
	ASSERT_RUNS("--cidr=10.0.2.128/25", "1", "tap0");
	ASSERT_RUNS("--cidr=128.0.0.0/1", "1", "tap0");
	ASSERT_RUNS("--cidr=240.0.0.0/4", "1", "tap0");
	ASSERT_OPTION_REFUSED(
	    "--cidr: \"0.0.0.0/1\" is not a network that hosts can be in",
	    "--cidr=0.0.0.0/1");
	ASSERT_OPTION_REFUSED(
	    "--cidr: \"127.1.0.0/16\" is not a network that hosts can be in",
	    "--cidr=127.1.0.0/16");
	ASSERT_OPTION_REFUSED(
	    "--cidr: \"224.0.0.0/4\" is not a network that hosts can be in",
	    "--cidr=224.0.0.0/4");
}

static void
test_errors_of_macaddress(void **state)
{
	static const char *const bad[] = { "", "x", "0a:0b:0c:0d:0e",
		"0a:0b:0c:0d:0e:0f:", "0a-0b-0c-0d-0e-0f", "01:00:00:00:00:00",
		"ff:ff:ff:ff:ff:ff", "00:00:00:00:00:00" };

	(void)state;
	program = "/usr/bin/slirp4netns";
	for (size_t i = 0; i < N_ELEMENTS(bad); i++) {
		char expected[OPTIONS_MESSAGE_SIZE];

		snprintf(expected, sizeof(expected), "\"%s\" is an invalid MAC address.",
		    bad[i]);
		ASSERT_OPTION_REFUSED(expected, "-c", "--macaddress", bad[i]);
	}
	program = "/usr/bin/slirpd";
	ASSERT_OPTION_REFUSED(
	    "--macaddress: \"x\" is not a MAC address such as 0a:0b:0c:0d:0e:0f", "-c",
	    "--macaddress=x");
	ASSERT_OPTION_REFUSED(
	    "--macaddress: \"01:00:00:00:00:00\" is a multicast address, "
	    "which an interface cannot have",
	    "-c", "--macaddress=01:00:00:00:00:00");
	ASSERT_OPTION_REFUSED(
	    "--macaddress: \"00:00:00:00:00:00\" is all zeros, which an "
	    "interface cannot have",
	    "-c", "--macaddress=00:00:00:00:00:00");
	ASSERT_OPTION_REFUSED_BY_NAME(
	    "--macaddr cannot be specified when --configure or -c is not specified",
	    "--macaddress needs --configure", "--macaddress=0a:0b:0c:0d:0e:0f");
	ASSERT_OPTION_REFUSED_BY_NAME(
	    "--macaddr cannot be specified when --configure or -c is not specified",
	    "--macaddress needs --configure", "--macaddress=x");
	ASSERT_RUNS("--macaddress=0a:0b:0c:0d:0e:0f", "1", "tap0", "-c");
}

static void
test_errors_of_target(void **state)
{
	(void)state;
	ASSERT_OPTION_REFUSED(
	    "--netns-type must be \"pid\", \"path\" or \"tapfd\", not \"foo\"",
	    "--netns-type=foo");
	ASSERT_OPTION_REFUSED(
	    "--netns-type must be \"pid\", \"path\" or \"tapfd\", not \"\"",
	    "--netns-type=");
	ASSERT_OPTION_REFUSED(
	    "--netns-type must be \"pid\", \"path\" or \"tapfd\", not \"PID\"",
	    "--netns-type=PID");
	ASSERT_OPTION_REFUSED_BY_NAME(
	    "--target-type must be either \"netns\" or \"bess\"",
	    "--target-type must be \"netns\" or \"bess\", not \"foo\"",
	    "--target-type=foo");

	ASSERT_REFUSED(
	    "existing path expected when --netns-type=path: \"none\": No such file or directory",
	    "--netns-type=path", "none", "tap0");
	ASSERT_REFUSED(
	    "existing path expected when --netns-type=path: \"\": No such file or directory",
	    "--netns-type=path", "", "tap0");
	ASSERT_REFUSED(
	    "existing path expected when --netns-type=path: \"file/x\": Not a directory",
	    "--netns-type=path", "file/x", "tap0");
	ASSERT_REFUSED(
	    "existing path expected when --netns-type=path: \"dir\": not a namespace",
	    "--netns-type=path", "dir", "tap0");
	/* open(2) of this file would block. */
	ASSERT_REFUSED(
	    "existing path expected when --netns-type=path: \"fifo\": not a namespace",
	    "--netns-type=path", "fifo", "tap0");

	ASSERT_OPTION_REFUSED_BY_NAME("userns path doesn't exist: none",
	    "--userns-path: \"none\": No such file or directory", "--userns-path=none");
	ASSERT_OPTION_REFUSED_BY_NAME("userns path doesn't exist: ",
	    "--userns-path: \"\": No such file or directory", "--userns-path=");
	ASSERT_OPTION_REFUSED_BY_NAME("userns path doesn't exist: file/x",
	    "--userns-path: \"file/x\": Not a directory", "--userns-path=file/x");
	ASSERT_OPTION_REFUSED("--userns-path: \"dir\": not a namespace",
	    "--userns-path=dir");
	ASSERT_OPTION_REFUSED(
	    "--userns-path: \"loop\": Too many levels of symbolic links",
	    "--userns-path=loop");
}

static void
test_path_may_be_a_descriptor_of_ours(void **state)
{
	char path[64];
	FILE *ns = fopen("/proc/self/ns/net", "re");

	(void)state;
	assert_non_null(ns);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fileno(ns));
	ASSERT_RUNS("--netns-type=path", path, "tap0");
	assert_string_equal(options.netns_path, path);
	fclose(ns);
	assert_int_equal(PARSE("--netns-type=path", path, "tap0"), OPTIONS_ERROR);
}

static void
test_missing_arguments_tell_the_usage(void **state)
{
	static const char usage[] = "usage: slirpd [OPTION]... PID|PATH|FD [TAPNAME]";
	char expected[OPTIONS_MESSAGE_SIZE];

	(void)state;
	snprintf(expected, sizeof(expected), "PID, PATH or FD is missing; %s", usage);
	ASSERT_REFUSED(expected, NULL);
	ASSERT_REFUSED(expected, "-c", "--");
	ASSERT_REFUSED(expected, "--netns-type=path");
	ASSERT_REFUSED(expected, "--netns-type=tapfd");
	ASSERT_REFUSED(expected, "--target-type=bess");
	snprintf(expected, sizeof(expected), "TAPNAME is missing; %s", usage);
	ASSERT_REFUSED(expected, "1");
	ASSERT_REFUSED(expected, "--netns-type=path", "/proc/self/ns/net");
	/* Existing arguments are checked before missing ones. */
	ASSERT_REFUSED_BY_NAME("PID must be a positive integer",
	    "PID \"x\" is not a positive integer: is the PID missing? For a file use --netns-type=path",
	    "x");
}

static void
test_tap_names(void **state)
{
	static const char *const good[] = { "t", "tap0", "123456789012345", "...",
		"tap-0", "tap_0.1", "\xc3\xa9", "a\"b" };
	static const char *const bad[] = { "", ".", "..", "1234567890123456", "a/b", "/",
		"a b", " ", "a\tb", "a\n", "a:1", "tap%d", "a\vb", "a\fb", "a\rb",
		"a\xa0" };

	(void)state;
	for (size_t i = 0; i < N_ELEMENTS(good); i++) {
		ASSERT_RUNS("1", good[i]);
		assert_string_equal(options.tap_name, good[i]);
		assert_true(options_ifname_is_valid(good[i]));
	}
	for (size_t i = 0; i < N_ELEMENTS(bad); i++) {
		assert_int_equal(PARSE("1", bad[i]), OPTIONS_ERROR);
		assert_non_null(strstr(messages.error, "TAPNAME \""));
		assert_non_null(strstr(messages.error, "1 to 15 bytes"));
		assert_false(options_ifname_is_valid(bad[i]));
	}
	ASSERT_REFUSED(
	    "TAPNAME \"a/b\" is not a name for an interface: 1 to 15 bytes without \"/\", \":\", \"%\" and white space, not \".\" or \"..\"",
	    "1", "a/b");
}

static void
test_tapfd_needs_no_name(void **state)
{
	(void)state;
	ASSERT_RUNS("--netns-type=tapfd", "5");
	assert_int_equal(options.target, OPTIONS_TARGET_TAPFD);
	assert_int_equal(options.tap_fd, 5);
	assert_int_equal(options.target_pid, -1);
	assert_null(options.tap_name);
	ASSERT_RUNS("--netns-type=tapfd", "5", "tap0");
	assert_null(options.tap_name);
	assert_int_equal(messages.n_warnings, 0);
}

static void
test_conflicts(void **state)
{
	(void)state;
	ASSERT_REFUSED("--configure conflicts with --target-type=bess",
	    "--target-type=bess", "-c", "sock");
	ASSERT_REFUSED("--netns-type conflicts with --target-type=bess",
	    "--target-type=bess", "--netns-type=pid", "sock");
	ASSERT_REFUSED("--netns-type conflicts with --target-type=bess",
	    "--target-type=bess", "--netns-type=tapfd", "sock");
	ASSERT_REFUSED("--userns-path conflicts with --target-type=bess",
	    "--userns-path=/proc/self/ns/user", "--target-type=bess", "sock");
	ASSERT_REFUSED("--configure conflicts with --netns-type=tapfd",
	    "--netns-type=tapfd", "-c", "5");
	ASSERT_REFUSED("--userns-path conflicts with --netns-type=tapfd",
	    "--netns-type=tapfd", "--userns-path=/proc/self/ns/user", "5");
	ASSERT_REFUSED("--configure conflicts with --netns-type=tapfd",
	    "--netns-type=tapfd", "-c", "--macaddress=0a:0b:0c:0d:0e:0f", "5");
	ASSERT_REFUSED("--create-netns conflicts with --netns-type=tapfd",
	    "--create-netns", "--netns-type=tapfd", "5");
	ASSERT_REFUSED("--create-netns conflicts with --target-type=bess",
	    "--create-netns", "--target-type=bess", "sock");
	ASSERT_OPTION_REFUSED("--create-netns needs --netns-type=path", "--create-netns");
	ASSERT_REFUSED("--create-netns conflicts with --userns-path", "--create-netns",
	    "--netns-type=path", "--userns-path=/proc/self/ns/user", "p", "tap0");
	ASSERT_REFUSED("--create-netns: the PATH \"\" is empty", "--create-netns",
	    "--netns-type=path", "", "tap0");
	/* The file need not exist. */
	assert_int_equal(PARSE("--create-netns", "--netns-type=path", "/none", "tap0"),
	    OPTIONS_START);
	assert_true(options.create_netns);
	assert_string_equal(options.netns_path, "/none");

	ASSERT_OPTION_REFUSED("--ready-fd and --exit-fd are both 3", "-r3", "-e3");
	ASSERT_REFUSED("--ready-fd and the FD of --netns-type=tapfd are both 5", "-r5",
	    "--netns-type=tapfd", "5");
	ASSERT_REFUSED("--exit-fd and the FD of --netns-type=tapfd are both 5", "-e5",
	    "--netns-type=tapfd", "5");
}

static void
test_errors_of_api_socket(void **state)
{
	char path[200], text[OPTIONS_MESSAGE_SIZE];

	(void)state;
	memset(path, 'p', sizeof(path));
	path[108] = '\0';
	program = "/usr/bin/slirp4netns";
	ASSERT_OPTION_REFUSED("the specified API socket path is too long (>= 108)", "-a",
	    path);
	program = "/usr/bin/slirpd";
	snprintf(text, sizeof(text),
	    "--api-socket: \"%s\" is too long: a socket's path has at most 107 bytes",
	    path);
	ASSERT_OPTION_REFUSED(text, "-a", path);
	path[107] = '\0';
	ASSERT_RUNS("-a", path, "1", "tap0");
	assert_string_equal(options.api_socket_path, path);
	ASSERT_RUNS("--api=sock", "1", "tap0");
	assert_string_equal(options.api_socket_path, "sock");
	ASSERT_RUNS("--api-socket=none", "1", "tap0");
	ASSERT_OPTION_REFUSED("--api-socket: the path \"\" is empty", "--api=");
	ASSERT_OPTION_REFUSED("--api-socket: \"dir\" is a directory", "--api=dir");
	ASSERT_OPTION_REFUSED("--api-socket: \"file\" is not a socket", "--api=file");
	ASSERT_OPTION_REFUSED("--api-socket: \"fifo\" is not a socket", "--api=fifo");
	ASSERT_OPTION_REFUSED("--api-socket: \"loop\" is not a socket", "--api=loop");
	ASSERT_OPTION_REFUSED("--api-socket: \"file/x\": Not a directory",
	    "--api=file/x");
}

static void
test_publish_is_kept_in_order(void **state)
{
	char *argv[2 * (OPTIONS_PUBLISH_MAX + 1) + 4] = { (char *)"slirpd" };
	int argc = 1;

	(void)state;
	ASSERT_RUNS("--publish=8080:80", "1", "tap0", "--publish", "53:53/udp");
	assert_int_equal(options.n_publish, 2);
	assert_string_equal(options.publish[0].text, "8080:80");
	assert_int_equal(options.publish[0].forward.host_port_first, 8080);
	assert_int_equal(options.publish[1].forward.proto, IPPROTO_UDP);
	ASSERT_OPTION_REFUSED(
	    "--publish: \"80\": not of the form [ADDR:]PORT[-PORT]:[GUEST:]PORT[/udp]",
	    "--publish=80");

	for (int i = 0; i <= OPTIONS_PUBLISH_MAX; i++) {
		argv[argc++] = (char *)"--publish";
		argv[argc++] = (char *)"1:1";
	}
	argv[argc++] = (char *)"1";
	argv[argc++] = (char *)"tap0";
	assert_int_equal(options_parse(&options, &messages, argc, argv), OPTIONS_ERROR);
	assert_string_equal(messages.error, "--publish: more than 256 of them");
	argv[argc - 2 - 2] = argv[argc - 2];
	argv[argc - 2 - 1] = argv[argc - 1];
	argv[argc - 2] = NULL;
	assert_int_equal(options_parse(&options, &messages, argc - 2, argv),
	    OPTIONS_START);
	assert_int_equal(options.n_publish, OPTIONS_PUBLISH_MAX);
}

static void
test_errors_of_outbound_addr(void **state)
{
	(void)state;
	ASSERT_OPTION_REFUSED(
	    "--outbound-addr: \"::1\" is neither an IPv4 address nor the name of an interface",
	    "--outbound-addr=::1");
	ASSERT_OPTION_REFUSED(
	    "--outbound-addr: \"\" is neither an IPv4 address nor the name of an interface",
	    "--outbound-addr=");
	ASSERT_OPTION_REFUSED(
	    "--outbound-addr6: \"a/b\" is neither an IPv6 address nor the name of an interface",
	    "--outbound-addr6=a/b");
	ASSERT_OPTION_REFUSED(
	    "--outbound-addr: \"224.0.0.1\" is not the address of a host",
	    "--outbound-addr=224.0.0.1");
	ASSERT_OPTION_REFUSED(
	    "--outbound-addr: \"255.255.255.255\" is not the address of a host",
	    "--outbound-addr=255.255.255.255");
	ASSERT_OPTION_REFUSED(
	    "--outbound-addr6: \"ff02::1\" is not the address of a host",
	    "--outbound-addr6=ff02::1");
}

static void
test_cidr6(void **state)
{
	static const char *const bad[] = { "", "fd00::", "fd00::/", "fd00::/48",
		"fd00::/640", "fd00::/064", "fd00::1/64", "fe80::/64", "ff05::/64",
		"::/64", "/64", "10.0.2.0/64", "fd00:/64", "fd00::%eth0/64",
		"fd00:0000:0000:0000:0000:0000:0000:0000:0000/64" };
	struct in6_addr expected;
	char option[128];

	(void)state;
	ASSERT_RUNS("1", "tap0");
	inet_pton(AF_INET6, "fd00::", &expected);
	assert_memory_equal(&options.prefix6, &expected, sizeof(expected));
	ASSERT_RUNS("-6", "--cidr6=2001:db8:5:6::/64", "1", "tap0");
	inet_pton(AF_INET6, "2001:db8:5:6::", &expected);
	assert_memory_equal(&options.prefix6, &expected, sizeof(expected));
	assert_int_equal(options.network.prefix_len, 24);
	ASSERT_OPTION_REFUSED("--cidr6 needs --enable-ipv6", "--cidr6=fd00:1::/64");
	for (size_t i = 0; i < N_ELEMENTS(bad); i++) {
		snprintf(option, sizeof(option), "--cidr6=%s", bad[i]);
		if (PARSE("-6", option, "1", "tap0") != OPTIONS_ERROR)
			fail_msg("accepted: %s", option);
		assert_non_null(
		    strstr(messages.error, "is not an IPv6 network of a guest"));
	}
}

static void
test_outbound_addr_is_an_address_or_a_name(void **state)
{
	(void)state;
	assert_int_equal(PARSE("--outbound-addr=10.1.2.3", "1", "tap0"), OPTIONS_START);
	assert_string_equal(options.outbound_addr[0], "10.1.2.3");
	assert_null(options.outbound_addr[1]);
	assert_int_equal(messages.n_warnings, 0);
	assert_int_equal(PARSE("--outbound-addr", "eth0", "-6", "--outbound-addr6=::1",
			     "1", "tap0"),
	    OPTIONS_START);
	assert_string_equal(options.outbound_addr[0], "eth0");
	assert_string_equal(options.outbound_addr[1], "::1");
	assert_int_equal(messages.n_warnings, 0);
	assert_int_equal(PARSE("--outbound-addr6=eth0", "1", "tap0"), OPTIONS_START);
	assert_int_equal(messages.n_warnings, 1);
	assert_string_equal(messages.warnings[0],
	    "--outbound-addr6 is without effect: there is no --enable-ipv6");
}

static void
test_bess(void **state)
{
	(void)state;
	ASSERT_RUNS("--target-type=bess", "sock");
	assert_int_equal(options.target, OPTIONS_TARGET_BESS);
	assert_string_equal(options.bess_path, "sock");
	assert_null(options.tap_name);
	assert_int_equal(messages.n_warnings, 0);
	/* slirp4netns accepts a name there, and ignores it. */
	ASSERT_RUNS("--target-type=bess", "sock", "tap0");
	assert_null(options.tap_name);
	ASSERT_REFUSED(
	    "--api-socket and the PATH of --target-type=bess are both \"sock\"",
	    "--target-type=bess", "-a", "sock", "sock");
}

static void
test_paths_that_are_one(void **state)
{
	(void)state;
	ASSERT_OPTION_REFUSED("--api-socket and --pidfile are both \"x\"", "--pidfile=x",
	    "-a", "x");
	ASSERT_OPTION_REFUSED("--pidfile and --log-file are both \"x\"", "--pidfile=x",
	    "--log-file=x");
	ASSERT_OPTION_REFUSED(
	    "--pidfile and the older file of --log-file are both \"x.1\"",
	    "--pidfile=x.1", "--log-file=x");
	ASSERT_REFUSED("--api-socket and the PATH of --create-netns are both \"x\"",
	    "--create-netns", "--netns-type=path", "-ax", "x", "tap0");
	ASSERT_REFUSED("the PATH of --target-type=bess and the older file of --log-file "
		       "are both \"x.1\"",
	    "--target-type=bess", "--log-file=x", "x.1");
	ASSERT_RUNS("--pidfile=x.10", "--log-file=x", "-ax.2", "1", "tap0");
	ASSERT_RUNS("--pidfile=x", "--log-file=x.1", "1", "tap0");
}

static void
test_jail_modes(void **state)
{
	(void)state;
	assert_int_equal(PARSE("--enable-sandbox", "1", "tap0"), OPTIONS_START);
	assert_int_equal(options.sandbox_mode, IPC_JAIL_REQUIRED);
	assert_int_equal(PARSE("--disable-sandbox", "--enable-seccomp", "1", "tap0"),
	    OPTIONS_START);
	assert_int_equal(options.sandbox_mode, IPC_JAIL_OFF);
	assert_int_equal(options.seccomp_mode, IPC_JAIL_REQUIRED);
	assert_int_equal(PARSE("--disable-seccomp", "1", "tap0"), OPTIONS_START);
	assert_int_equal(options.sandbox_mode, IPC_JAIL_REQUIRED);
	assert_int_equal(options.seccomp_mode, IPC_JAIL_OFF);
	ASSERT_OPTION_REFUSED("--enable-sandbox conflicts with --disable-sandbox",
	    "--enable-sandbox", "--disable-sandbox");
	ASSERT_OPTION_REFUSED("--enable-seccomp conflicts with --disable-seccomp",
	    "--disable-seccomp", "--enable-seccomp");
	ASSERT_OPTION_REFUSED("--runas: there is no user \"no such user\"",
	    "--runas=no such user");
	ASSERT_OPTION_REFUSED("--runas: \"root\" is root, or in its group",
	    "--runas=root");
	assert_int_equal(PARSE("--runas=daemon", "1", "tap0"), OPTIONS_START);
	assert_int_not_equal(options.runas_uid, 65534);
	assert_true(options.has_runas);
}

/* A replacement for slirp4netns must not fail if slirp4netns works, unless asked to. */
static void
test_jail_of_slirp4netns_is_best_effort(void **state)
{
	char *argv[] = { (char *)"slirp4netns", (char *)"1", (char *)"tap0",
		(char *)"--enable-seccomp", NULL };

	(void)state;
	assert_int_equal(options_parse(&options, &messages, 4, argv), OPTIONS_START);
	assert_int_equal(options.sandbox_mode, IPC_JAIL_BEST_EFFORT);
	assert_int_equal(options.seccomp_mode, IPC_JAIL_REQUIRED);
}

static void
test_errors_of_bess_path(void **state)
{
	char long_path[109];

	(void)state;
	memset(long_path, 'p', sizeof(long_path) - 1);
	long_path[108] = '\0';
	ASSERT_REFUSED("PATH must have 1 to 107 bytes when --target-type=bess, not \"\"",
	    "--target-type=bess", "");
	assert_int_equal(PARSE("--target-type=bess", long_path), OPTIONS_ERROR);
	assert_non_null(strstr(messages.error, "PATH must have 1 to 107 bytes"));
}

static void
test_syntax_errors_name_the_option(void **state)
{
	(void)state;
	ASSERT_OPTION_REFUSED_BY_NAME("unrecognized option '--bogus'",
	    "unrecognized option '--bogus'; see slirpd --help", "--bogus");
	ASSERT_OPTION_REFUSED_BY_NAME("unrecognized option '--bogus=1'",
	    "unrecognized option '--bogus=1'; see slirpd --help", "--bogus=1");
	ASSERT_OPTION_REFUSED_BY_NAME("unrecognized option '--configured'",
	    "unrecognized option '--configured'; did you mean --configure? See slirpd --help",
	    "--configured");
	ASSERT_OPTION_REFUSED(
	    "unrecognized option '--mut=1500'; did you mean --mtu? See slirpd --help",
	    "--mut=1500");
	ASSERT_OPTION_REFUSED(
	    "invalid option -- 'p'; did you mean --publish? See slirpd --help",
	    "-p80:80");
	ASSERT_OPTION_REFUSED(
	    "invalid option -- 'V'; did you mean --version? See slirpd --help", "-V");
	ASSERT_OPTION_REFUSED_BY_NAME("invalid option -- 'Z'",
	    "invalid option -- 'Z'; see slirpd --help", "-Z");
	ASSERT_OPTION_REFUSED_BY_NAME("invalid option -- 'Z'",
	    "invalid option -- 'Z'; see slirpd --help", "-cZ6");
	ASSERT_OPTION_REFUSED_BY_NAME("invalid option -- ':'",
	    "invalid option -- ':'; see slirpd --help", "-:");
	ASSERT_OPTION_REFUSED_BY_NAME("invalid option -- '\\xc3'",
	    "invalid option -- '\\xc3'; see slirpd --help", "-\xc3\xa9");
	ASSERT_REFUSED("option '--mtu' requires an argument", "1", "tap0", "--mtu");
	ASSERT_REFUSED("option '--mtu' requires an argument", "1", "tap0", "-m");
	ASSERT_REFUSED("option '--cidr' requires an argument", "--cidr");
	ASSERT_OPTION_REFUSED("option '--configure' doesn't allow an argument",
	    "--configure=yes");
	ASSERT_OPTION_REFUSED(
	    "option '--enable-s' is ambiguous; possibilities: '--enable-sandbox' '--enable-seccomp'",
	    "--enable-s");
	ASSERT_OPTION_REFUSED(
	    "option '--m=1' is ambiguous; possibilities: '--mtu' '--macaddress'",
	    "--m=1");
	assert_int_equal(PARSE("--=1", "1", "tap0"), OPTIONS_ERROR);
	assert_non_null(strstr(messages.error, "option '--=1' is ambiguous"));
}

static void
test_abbreviations_of_clients_stay_unambiguous(void **state)
{
	static const char *const abbreviations[] = { "--ready=3", "--exit=4",
		"--api=sock", "--cidr=10.0.2.0/24", "--net=pid",
		"--user=/proc/self/ns/user", "--disable-h", "--mac=0a:0b:0c:0d:0e:0f",
		"--conf" };

	(void)state;
	for (size_t i = 0; i < N_ELEMENTS(abbreviations); i++) {
		assert_int_equal(PARSE("-c", abbreviations[i], "1", "tap0"),
		    OPTIONS_START);
	}
}

static void
test_log_and_pidfile(void **state)
{
	(void)state;
	ASSERT_RUNS("--pidfile=p", "--log-file", "dir/log", "--log-level=warning", "1",
	    "tap0");
	assert_string_equal(options.pidfile_path, "p");
	assert_string_equal(options.log_file_path, "dir/log");
	assert_int_equal(options.log_level, LOG_LEVEL_WARNING);
	ASSERT_RUNS("--log-level=error", "--log-level=info", "1", "tap0");
	assert_int_equal(options.log_level, LOG_LEVEL_INFO);
	ASSERT_RUNS("--log-level=debug", "1", "tap0");
	assert_int_equal(options.log_level, LOG_LEVEL_DEBUG);
	ASSERT_OPTION_REFUSED(
	    "--log-level must be \"error\", \"warning\", \"info\" or \"debug\", "
	    "not \"Info\"",
	    "--log-level=Info");
	ASSERT_OPTION_REFUSED("--pidfile: the path \"\" is empty", "--pidfile=");
	ASSERT_OPTION_REFUSED("--log-file: \"dir/\" is a directory", "--log-file=dir/");
	ASSERT_REFUSED("--print-confinement conflicts with --pidfile",
	    "--print-confinement", "--pidfile=p");
}

static void
test_help_and_version_win_where_they_stand(void **state)
{
	(void)state;
	assert_int_equal(PARSE("-h"), OPTIONS_HELP);
	assert_int_equal(PARSE("--help"), OPTIONS_HELP);
	assert_int_equal(PARSE("-v"), OPTIONS_VERSION);
	assert_int_equal(PARSE("--version"), OPTIONS_VERSION);
	assert_int_equal(PARSE("-c", "1", "tap0", "--help", "--bogus"), OPTIONS_HELP);
	assert_int_equal(PARSE("--enable-sandbox", "--version"), OPTIONS_VERSION);
	assert_string_equal(options.program_name, "slirpd");
	assert_string_equal(messages.error, "");
	assert_int_equal(PARSE("--bogus", "--help"), OPTIONS_ERROR);
	assert_int_equal(PARSE("--help=x"), OPTIONS_ERROR);
}

static void
test_runas_takes_names_and_numbers(void **state)
{
	/* The kernel's "none", and more than an id can hold. */
	static const char *const no_ids[] = { "4294967295", "4294967296",
		"99999999999999999999", "-1", "+1", "0x10", " 1", "" };
	const struct passwd *daemon = getpwnam("daemon");
	const struct group *group = getgrnam("nogroup");
	char text[64];

	(void)state;
	assert_non_null(daemon);
	ASSERT_RUNS("1", "tap0");
	assert_false(options.has_runas);
	ASSERT_RUNS("--runas=123456789", "1", "tap0");
	assert_true(options.has_runas);
	assert_int_equal(options.runas_uid, 123456789);
	assert_int_equal(options.runas_gid, 123456789);
	ASSERT_RUNS("--runas=4294967294:77", "1", "tap0");
	assert_true(options.runas_uid == 4294967294 && options.runas_gid == 77);
	/* The UID of a user selects the user's group. */
	snprintf(text, sizeof(text), "--runas=%u", daemon->pw_uid);
	ASSERT_RUNS(text, "1", "tap0");
	assert_int_equal(options.runas_gid, daemon->pw_gid);
	ASSERT_RUNS("--runas=daemon:4711", "1", "tap0");
	assert_int_equal(options.runas_uid, daemon->pw_uid);
	assert_int_equal(options.runas_gid, 4711);
	if (group) {
		ASSERT_RUNS("--runas=1234:nogroup", "1", "tap0");
		assert_int_equal(options.runas_gid, group->gr_gid);
	}

	for (size_t i = 0; i < N_ELEMENTS(no_ids); i++) {
		snprintf(text, sizeof(text), "--runas=%s", no_ids[i]);
		assert_int_equal(PARSE(text, "1", "tap0"), OPTIONS_ERROR);
		assert_non_null(strstr(messages.error, "--runas: there is no user"));
		snprintf(text, sizeof(text), "--runas=daemon:%s", no_ids[i]);
		assert_int_equal(PARSE(text, "1", "tap0"), OPTIONS_ERROR);
		assert_non_null(strstr(messages.error, "--runas: there is no group"));
	}
	ASSERT_OPTION_REFUSED("--runas: there is no user \"\"", "--runas=:1");
	ASSERT_OPTION_REFUSED("--runas: there is no user \"nemo\"", "--runas=nemo:1");
	ASSERT_OPTION_REFUSED("--runas: there is no group \"1:2\"", "--runas=1:1:2");
	ASSERT_OPTION_REFUSED("--runas: \"0\" is root, or in its group", "--runas=0");
	ASSERT_OPTION_REFUSED("--runas: \"1:0\" is root, or in its group", "--runas=1:0");
	ASSERT_OPTION_REFUSED("--runas: \"daemon:root\" is root, or in its group",
	    "--runas=daemon:root");
}

static void
test_print_confinement_takes_no_target(void **state)
{
	(void)state;
	assert_int_equal(PARSE("--print-confinement"), OPTIONS_PRINT_CONFINEMENT);
	assert_int_equal(options.sandbox_mode, IPC_JAIL_REQUIRED);
	assert_int_equal(PARSE("--disable-sandbox", "--print-conf", "--exit-fd=3",
			     "--runas=daemon"),
	    OPTIONS_PRINT_CONFINEMENT);
	assert_int_equal(options.sandbox_mode, IPC_JAIL_OFF);
	assert_int_equal(options.exit_fd, 3);
	ASSERT_REFUSED("--print-confinement makes its own guest, and takes no \"1\"",
	    "--print-confinement", "1", "tap0");
	ASSERT_REFUSED("--print-confinement conflicts with --ready-fd",
	    "--print-confinement", "-r3");
	ASSERT_REFUSED("--print-confinement conflicts with --netns-type",
	    "--print-confinement", "--netns-type=pid");
	ASSERT_REFUSED("--print-confinement conflicts with --target-type",
	    "--target-type=netns", "--print-confinement");
	ASSERT_REFUSED("--enable-sandbox conflicts with --disable-sandbox",
	    "--print-confinement", "--enable-sandbox", "--disable-sandbox");
}

static void
test_warnings(void **state)
{
	(void)state;
	ASSERT_RUNS("--no-host-loopback", "--no-host-loopback", "1", "tap0");
	assert_int_equal(messages.n_warnings, 1);
	assert_string_equal(messages.warnings[0],
	    "--no-host-loopback is deprecated, use --disable-host-loopback");

	ASSERT_RUNS("1", "tap0", "more", "-c", "yet more");
	assert_true(options.configure);
	assert_int_equal(messages.n_warnings, 1);
	assert_string_equal(messages.warnings[0],
	    "too many arguments: \"more\" and all after it are ignored");

	assert_int_equal(PARSE("--create-sandbox", "--no-host-loopback",
			     "--outbound-addr6=::1", "1", "tap0", "more"),
	    OPTIONS_START);
	assert_int_equal(messages.n_warnings, OPTIONS_N_WARNINGS_MAX);
	assert_string_equal(messages.warnings[1],
	    "--create-sandbox is deprecated, use --enable-sandbox");

	ASSERT_RUNS("--netns-type=tapfd", "5", "tap0", "more");
	assert_int_equal(messages.n_warnings, 1);

	/* There is no interface to name. */
	ASSERT_RUNS("--target-type=bess", "sock");
	assert_int_equal(messages.n_warnings, 0);
	ASSERT_RUNS("--target-type=bess", "sock", "tap0", "more");
	assert_int_equal(messages.n_warnings, 1);
	assert_string_equal(messages.warnings[0],
	    "too many arguments: \"tap0\" and all after it are ignored");
}

/* One printable line with its end, whatever the value's bytes and length are. */
static void
test_messages_are_one_line(void **state)
{
	static char value[4096];

	(void)state;
	ASSERT_OPTION_REFUSED_BY_NAME("invalid CIDR: a\\x0ab\\x1b[1m\\x7f",
	    "--cidr: \"a\\x0ab\\x1b[1m\\x7f\" has no prefix length: give an IPv4 network "
	    "such as 10.0.2.0/24",
	    "--cidr=a\nb\x1b[1m\x7f");
	memset(value, '\n', sizeof(value) - 1);
	assert_int_equal(PARSE("--netns-type=path", value, "tap0"), OPTIONS_ERROR);
	assert_non_null(strstr(messages.error, "...\": File name too long"));
	assert_null(strchr(messages.error, '\n'));

	memset(value, '1', sizeof(value) - 1);
	assert_int_equal(PARSE("1", value), OPTIONS_ERROR);
	assert_non_null(strstr(messages.error, "...\" is not a name for an interface"));
	assert_non_null(strstr(messages.error, "not \".\" or \"..\""));
	/* The value is cut, the outcome's text is not. */
	value[1] = value[3] = value[5] = '.';
	value[sizeof(value) - 4] = '/';
	assert_int_equal(PARSE("--cidr", value, "1", "tap0"), OPTIONS_ERROR);
	assert_int_equal(strncmp(messages.error, "--cidr: \"1.1.1.1", 16), 0);
	assert_non_null(strstr(messages.error, "...\" has a wrong address: give "));
}

static enum options_outcome
parse_as(const char *argv0)
{
	char *argv[] = { (char *)argv0, (char *)"--version", NULL };

	return options_parse(&options, &messages, 2, argv);
}

static void
test_program_name_is_the_last_part(void **state)
{
	(void)state;
	assert_int_equal(parse_as("slirp4netns"), OPTIONS_VERSION);
	assert_string_equal(options.program_name, "slirp4netns");
	assert_int_equal(parse_as("../libexec/slirp4netns"), OPTIONS_VERSION);
	assert_string_equal(options.program_name, "slirp4netns");
	assert_int_equal(parse_as("/usr/bin/"), OPTIONS_VERSION);
	assert_string_equal(options.program_name, "slirpd");
	assert_int_equal(parse_as(""), OPTIONS_VERSION);
	assert_string_equal(options.program_name, "slirpd");
}

static void
test_no_argv_at_all(void **state)
{
	char *argv[] = { NULL };

	(void)state;
	assert_int_equal(options_parse(&options, &messages, 0, argv), OPTIONS_ERROR);
	assert_string_equal(options.program_name, "slirpd");
	assert_non_null(strstr(messages.error, "PID, PATH or FD is missing"));
}

/* getopt(3) keeps its position in static variables, also within a group of letters. */
static void
test_nothing_is_left_from_the_call_before(void **state)
{
	(void)state;
	assert_int_equal(PARSE("-cZ66", "1", "tap0"), OPTIONS_ERROR);
	ASSERT_RUNS("1", "tap0");
	assert_false(options.configure);
	assert_false(options.enable_ipv6);
	assert_int_equal(PARSE("-ch6", "1", "tap0"), OPTIONS_HELP);
	ASSERT_RUNS("1", "tap0");
	assert_false(options.enable_ipv6);
	assert_int_equal(PARSE("--no-host-loopback", "--", "x", "--help"), OPTIONS_ERROR);
	ASSERT_RUNS("1", "tap0");
	assert_true(options.allow_host_loopback);
	assert_int_equal(messages.n_warnings, 0);
}

static void
test_a_refused_call_leaves_defaults(void **state)
{
	(void)state;
	assert_int_equal(PARSE("-c", "-r3", "-e4", "-m9000", "--cidr=10.9.0.0/16", "1",
			     "a/b"),
	    OPTIONS_ERROR);
	assert_string_equal(options.program_name, "slirpd");
	assert_int_equal(options.ready_fd, -1);
	assert_int_equal(options.exit_fd, -1);
	assert_int_equal(options.target_pid, -1);
	assert_int_equal(options.mtu_bytes, 1500);
	assert_int_equal(ntohl(options.network.network_be), 0x0a000200);
	assert_false(options.configure);
}

static void
test_addresses_are_counted_from_the_network(void **state)
{
	static const struct {
		const char *cidr;
		uint32_t network;
		uint32_t netmask;
	} cases[] = {
		{ "10.0.2.0/24", 0x0a000200, 0xffffff00 },
		{ "10.0.2.128/25", 0x0a000280, 0xffffff80 },
		{ "192.168.0.0/16", 0xc0a80000, 0xffff0000 },
		{ "128.0.0.0/1", 0x80000000, 0x80000000 },
	};

	(void)state;
	for (size_t i = 0; i < N_ELEMENTS(cases); i++) {
		struct options_addresses *addresses = &options.addresses;

		ASSERT_RUNS("--cidr", cases[i].cidr, "1", "tap0");
		assert_int_equal(ntohl(addresses->netmask_be), cases[i].netmask);
		assert_int_equal(ntohl(addresses->host_be), cases[i].network + 2);
		assert_int_equal(ntohl(addresses->dns_be), cases[i].network + 3);
		assert_int_equal(ntohl(addresses->dhcp_start_be), cases[i].network + 15);
		assert_int_equal(ntohl(addresses->dhcp_end_be), cases[i].network + 30);
		assert_int_equal(ntohl(addresses->recommended_be),
		    cases[i].network + 100);
	}
}

static void
test_defaults_of_run(void **state)
{
	(void)state;
	ASSERT_RUNS("run", "true");
	assert_string_equal(options.program_name, "slirpd");
	assert_true(options.is_run);
	assert_string_equal(options.command[0], "true");
	assert_null(options.command[1]);
	assert_int_equal(options.target, OPTIONS_TARGET_PID);
	assert_int_equal(options.target_pid, -1);
	assert_string_equal(options.tap_name, "tap0");
	assert_true(options.configure);
	assert_false(options.allow_host_loopback);
	assert_false(options.keep_id);
	assert_int_equal(options.log_level, LOG_LEVEL_WARNING);
	assert_int_equal(options.sandbox_mode, IPC_JAIL_REQUIRED);
	assert_int_equal(messages.n_warnings, 0);
}

static void
test_options_of_run(void **state)
{
	(void)state;
	ASSERT_RUNS("run", "-6", "--mtu=65520", "--keep-id", "--allow-host-loopback",
	    "--log-level", "info", "--macaddress=0a:0b:0c:0d:0e:0f", "--", "true");
	assert_true(options.enable_ipv6);
	assert_int_equal(options.mtu_bytes, 65520);
	assert_true(options.keep_id);
	assert_true(options.allow_host_loopback);
	assert_int_equal(options.log_level, LOG_LEVEL_INFO);
	assert_true(options.has_mac);
	assert_string_equal(options.command[0], "true");
}

/* From the first argument on that is not an option everything is the command's, in its order. */
static void
test_command_of_run_keeps_its_arguments(void **state)
{
	static const char *const words[] = { "ls", "-6", "x", "--mtu=5", "--", "-h" };

	(void)state;
	ASSERT_RUNS("run", "-c", "ls", "-6", "x", "--mtu=5", "--", "-h");
	assert_false(options.enable_ipv6);
	assert_int_equal(options.mtu_bytes, 1500);
	for (size_t i = 0; i < N_ELEMENTS(words); i++)
		assert_string_equal(options.command[i], words[i]);
	assert_null(options.command[N_ELEMENTS(words)]);

	ASSERT_RUNS("run", "--", "--help");
	assert_string_equal(options.command[0], "--help");
	ASSERT_RUNS("run", "run");
	assert_string_equal(options.command[0], "run");
	assert_null(options.command[1]);
	assert_int_equal(PARSE("run", "--help"), OPTIONS_HELP);
}

static void
test_errors_of_run(void **state)
{
	static const char *const conflicting[] = { "--netns-type=pid",
		"--netns-type=tapfd", "--create-netns",
		"--userns-path=/proc/self/ns/user", "--target-type=netns",
		"--target-type=bess", "--print-confinement" };

	(void)state;
	ASSERT_REFUSED("COMMAND is missing; usage: slirpd run [OPTION]... [--] COMMAND "
		       "[ARG]...",
	    "run");
	assert_true(options.is_run);
	ASSERT_REFUSED("COMMAND is missing; usage: slirpd run [OPTION]... [--] COMMAND "
		       "[ARG]...",
	    "run", "-6", "--");
	for (size_t i = 0; i < N_ELEMENTS(conflicting); i++) {
		char text[OPTIONS_MESSAGE_SIZE];

		snprintf(text, sizeof(text), "run conflicts with %.*s",
		    (int)strcspn(conflicting[i], "="), conflicting[i]);
		ASSERT_REFUSED(text, "run", conflicting[i], "true");
		assert_null(options.command);
	}
}

static void
test_run_is_the_first_argument_of_slirpd(void **state)
{
	char *argv[] = { (char *)"slirp4netns", (char *)"run", (char *)"true", NULL };

	(void)state;
	ASSERT_REFUSED("PID \"run\" is not a positive integer; see slirpd --help", "-c",
	    "run", "true");
	ASSERT_REFUSED("PID \"run\" is not a positive integer; see slirpd --help", "--",
	    "run", "true");
	assert_int_equal(options_parse(&options, &messages, 3, argv), OPTIONS_ERROR);
	assert_string_equal(messages.error, "PID must be a positive integer");
	assert_false(options.is_run);
}

static void
test_options_of_run_need_run(void **state)
{
	char *argv[] = { (char *)"slirp4netns", (char *)"--keep-id", (char *)"1",
		(char *)"tap0", NULL };

	(void)state;
	ASSERT_OPTION_REFUSED("--keep-id needs `slirpd run`", "--keep-id");
	ASSERT_OPTION_REFUSED("--allow-host-loopback needs `slirpd run`",
	    "--allow-host-loopback");
	ASSERT_REFUSED("--keep-id needs `slirpd run`", "--print-confinement",
	    "--keep-id");
	/* slirp4netns has no such options, and its short forms stay unambiguous. */
	assert_int_equal(options_parse(&options, &messages, 4, argv), OPTIONS_ERROR);
	assert_string_equal(messages.error, "unrecognized option '--keep-id'");
	argv[1] = (char *)"--a=/s";
	assert_int_equal(options_parse(&options, &messages, 4, argv), OPTIONS_START);
	assert_string_equal(options.api_socket_path, "/s");
}

static void
test_limit_of_allow_out(void **state)
{
	const char *many[OPTIONS_OUT_MAX + 4];
	size_t n = 0;

	(void)state;
	while (n <= OPTIONS_OUT_MAX) {
		many[n] = n % 2 ? "--allow-out=a.test:1" : "--deny-out=a.test:1";
		n++;
	}
	many[n] = "1";
	many[n + 1] = "tap0";
	many[n + 2] = NULL;
	assert_int_equal(parse(many + 1), OPTIONS_START);
	assert_int_equal(options.n_out, 64);
	assert_int_equal(parse(many), OPTIONS_ERROR);
	assert_string_equal(messages.error,
	    "--allow-out and --deny-out: more than 64; --policy takes a file");
}

static void
test_policies(void **state)
{
	char *argv[] = { (char *)"slirp4netns", (char *)"--policy=open", (char *)"1",
		(char *)"tap0", NULL };
	const char *many[IPC_POLICY_FILES_MAX + 3];

	(void)state;
	assert_int_equal(PARSE("1", "tap0"), OPTIONS_START);
	assert_false(options_has_policy(&options));
	assert_int_equal(PARSE("--policy=open", "--policy=./p", "--allow-out=a.test:1",
			     "--deny-out=[::1]:2", "--policy-mode=audit", "1", "tap0"),
	    OPTIONS_START);
	assert_int_equal(options.n_policy, 2);
	assert_string_equal(options.policy[1], "./p");
	assert_int_equal(options.n_out, 2);
	assert_true(!options.out[0].is_deny && options.out[1].is_deny);
	assert_string_equal(options.out[1].text, "[::1]:2");
	assert_true(options.policy_audit && options_has_policy(&options));
	assert_int_equal(PARSE("--policy-lock", "--policy=open", "1", "tap0"),
	    OPTIONS_START);
	assert_true(options.policy_lock);
	ASSERT_REFUSED("--policy-lock needs --policy, --allow-out or --deny-out",
	    "--policy-lock", "1", "tap0");
	assert_int_equal(PARSE("--check-policy", "--deny-out=x"), OPTIONS_CHECK_POLICY);
	assert_true(options_has_policy(&options));
	ASSERT_REFUSED("--check-policy starts nothing, and takes no \"1\"",
	    "--check-policy", "--policy=open", "1");
	ASSERT_REFUSED("--check-policy needs --policy, --allow-out or --deny-out",
	    "--check-policy");
	ASSERT_REFUSED("--policy-mode needs --policy, --allow-out or --deny-out",
	    "--policy-mode=audit", "1", "tap0");
	ASSERT_REFUSED("--policy-mode=enforce: it is audit, or left out to enforce",
	    "--policy-mode=enforce", "1", "tap0");
	ASSERT_REFUSED("--policy=: neither a profile nor a path", "--policy=", "1",
	    "tap0");
	ASSERT_REFUSED("--check-policy conflicts with --print-confinement",
	    "--check-policy", "--print-confinement", "--policy=open");
	for (size_t i = 0; i <= IPC_POLICY_FILES_MAX; i++)
		many[i] = "--policy=open";
	many[IPC_POLICY_FILES_MAX + 1] = "1";
	many[IPC_POLICY_FILES_MAX + 2] = NULL;
	assert_int_equal(parse(many), OPTIONS_ERROR);
	assert_string_equal(messages.error, "--policy: more than 16 of them");
	assert_int_equal(options_parse(&options, &messages, 4, argv), OPTIONS_ERROR);
	assert_string_equal(messages.error, "unrecognized option '--policy=open'");
}

static char help[16384];

static void
read_help(const char *name)
{
	FILE *out = fmemopen(help, sizeof(help), "w");

	assert_non_null(out);
	options_help_write(out, name);
	assert_int_equal(fclose(out), 0);
}

static void
test_help_names_every_option(void **state)
{
	static const char *const names[] = { "--configure", "--exit-fd", "--ready-fd",
		"--mtu", "--enable-ipv6", "--api-socket", "--cidr",
		"--disable-host-loopback", "--netns-type", "--userns-path",
		"--enable-sandbox", "--enable-seccomp", "--outbound-addr",
		"--outbound-addr6", "--disable-dns", "--macaddress", "--target-type",
		"--help", "--version", "--create-netns", "--publish", "--pidfile",
		"--log-file", "--log-level" };

	(void)state;
	read_help("slirp4netns");
	assert_int_equal(strncmp(help,
			     "Usage: slirp4netns [OPTION]... PID|PATH|FD [TAPNAME]\n",
			     53),
	    0);
	for (size_t i = 0; i < N_ELEMENTS(names); i++) {
		const char *at = strstr(help, names[i]);
		size_t len = strlen(names[i]);

		if (at == NULL) {
			fail_msg("%s is not in the help text", names[i]);
			continue; /* for analysers: fail_msg() doesn't return */
		}
		/* grep -w: no letter, digit or underscore may follow, nor precede. */
		assert_true(at[len] == ' ' || at[len] == '=');
		assert_true(at[-1] == ' ' || at[-1] == '\n');
	}
	assert_null(strstr(help, "--no-host-loopback"));
	assert_null(strstr(help, "--create-sandbox"));
	assert_null(strstr(help, " run "));
	assert_null(strstr(help, "--keep-id"));
	assert_non_null(strstr(help, "\n\nExample: slirp4netns --configure "));
	read_help("slirpd");
	assert_non_null(
	    strstr(help, "\n       slirpd run [OPTION]... [--] COMMAND [ARG]...\n"));
	assert_non_null(strstr(help, "\n    --keep-id "));
	assert_non_null(strstr(help, "\n    --allow-host-loopback "));
}

static char directory[] = "/tmp/test_options.XXXXXX";

static int
make_files(void **state)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX, .sun_path = "sock" };
	int sock_fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	FILE *file;

	(void)state;
	/* It makes getopt(3) stop at the first argument that is not an option. */
	unsetenv("POSIXLY_CORRECT");
	if (mkdtemp(directory) == NULL || chdir(directory) == -1)
		return -1;
	file = fopen("file", "we");
	if (file == NULL || fclose(file) != 0 || sock_fd == -1)
		return -1;
	if (bind(sock_fd, (struct sockaddr *)&addr, sizeof(addr)) == -1)
		return -1;
	close(sock_fd);
	return mkdir("dir", 0700) | mkfifo("fifo", 0600) | symlink("loop", "loop");
}

static int
remove_files(void **state)
{
	(void)state;
	unlink("file");
	unlink("sock");
	unlink("fifo");
	unlink("loop");
	return rmdir("dir") | chdir("/") | rmdir(directory);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_defaults),
		cmocka_unit_test(test_spellings),
		cmocka_unit_test(test_values_reach_the_options),
		cmocka_unit_test(test_calls_of_known_clients),
		cmocka_unit_test(test_options_may_stand_anywhere),
		cmocka_unit_test(test_last_value_counts),
		cmocka_unit_test(test_number_is_digits_only),
		cmocka_unit_test(test_wrong_pid_gets_a_guess),
		cmocka_unit_test(test_limits_of_numbers),
		cmocka_unit_test(test_errors_of_cidr),
		cmocka_unit_test(test_errors_of_macaddress),
		cmocka_unit_test(test_errors_of_target),
		cmocka_unit_test(test_path_may_be_a_descriptor_of_ours),
		cmocka_unit_test(test_missing_arguments_tell_the_usage),
		cmocka_unit_test(test_tap_names),
		cmocka_unit_test(test_tapfd_needs_no_name),
		cmocka_unit_test(test_conflicts),
		cmocka_unit_test(test_errors_of_api_socket),
		cmocka_unit_test(test_publish_is_kept_in_order),
		cmocka_unit_test(test_errors_of_outbound_addr),
		cmocka_unit_test(test_outbound_addr_is_an_address_or_a_name),
		cmocka_unit_test(test_cidr6),
		cmocka_unit_test(test_bess),
		cmocka_unit_test(test_paths_that_are_one),
		cmocka_unit_test(test_jail_modes),
		cmocka_unit_test(test_jail_of_slirp4netns_is_best_effort),
		cmocka_unit_test(test_errors_of_bess_path),
		cmocka_unit_test(test_syntax_errors_name_the_option),
		cmocka_unit_test(test_abbreviations_of_clients_stay_unambiguous),
		cmocka_unit_test(test_log_and_pidfile),
		cmocka_unit_test(test_help_and_version_win_where_they_stand),
		cmocka_unit_test(test_runas_takes_names_and_numbers),
		cmocka_unit_test(test_print_confinement_takes_no_target),
		cmocka_unit_test(test_warnings),
		cmocka_unit_test(test_messages_are_one_line),
		cmocka_unit_test(test_program_name_is_the_last_part),
		cmocka_unit_test(test_no_argv_at_all),
		cmocka_unit_test(test_nothing_is_left_from_the_call_before),
		cmocka_unit_test(test_a_refused_call_leaves_defaults),
		cmocka_unit_test(test_addresses_are_counted_from_the_network),
		cmocka_unit_test(test_defaults_of_run),
		cmocka_unit_test(test_options_of_run),
		cmocka_unit_test(test_command_of_run_keeps_its_arguments),
		cmocka_unit_test(test_errors_of_run),
		cmocka_unit_test(test_run_is_the_first_argument_of_slirpd),
		cmocka_unit_test(test_options_of_run_need_run),
		cmocka_unit_test(test_limit_of_allow_out),
		cmocka_unit_test(test_policies),
		cmocka_unit_test(test_help_names_every_option),
	};

	return cmocka_run_group_tests(tests, make_files, remove_files);
}
