/* SPDX-License-Identifier: BSD-2-Clause */
/* The api's core between clients and the other processes: the bytes of every reply. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>

#include "api/accept.h"
#include "api/loop.h"
#include "api_fixture.h"
#include "base/clock.h"
#include "base/log.h"
#include "ipc_samples.h"

#define ADD \
	"{\"execute\":\"add_hostfwd\",\"arguments\":{\"proto\":\"tcp\"," \
	"\"host_addr\":\"0.0.0.0\",\"host_port\":8080,\"guest_addr\":\"10.0.2.100\"," \
	"\"guest_port\":80}}"
#define LIST "{\"execute\":\"list_hostfwd\"}"
#define REMOVE(id) "{\"execute\":\"remove_hostfwd\",\"arguments\":{\"id\":" #id "}}"
#define SESSION "{\"execute\":\"qmp_capabilities\"}"
#define ENTRY \
	"\"proto\":\"tcp\",\"host_addr\":\"0.0.0.0\",\"host_port\":8080," \
	"\"guest_addr\":\"10.0.2.100\",\"guest_port\":80}"

#define BAD(desc, class, detail) \
	"{\"error\":{\"desc\":\"bad request: " desc \
	"\",\"class\":\"" class "\",\"detail\":\"" detail "\"}}"

#define NO_EXECUTE \
	BAD("no execute found", "BadRequest", "execute: wanted the name of a command")

static struct api_fixture fixture;
/* Room for the longest reply of a test. */
static char reply[1 << 20];

static char last_line[LOG_TEXT_SIZE];

static void
keep_line(enum log_level level, const char *text)
{
	(void)level;
	snprintf(last_line, sizeof(last_line), "%s", text);
}

static int
setup(void **state)
{
	(void)state;
	api_fixture_start(&fixture);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	api_fixture_stop(&fixture);
	return 0;
}

static void
expect_reply(int client_fd, const char *expected, bool expect_eof)
{
	bool at_eof;

	api_fixture_run(&fixture);
	api_fixture_read(client_fd, reply, sizeof(reply), &at_eof);
	assert_string_equal(reply, expected);
	assert_int_equal(at_eof, expect_eof);
}

/* A client of version 1 sends a request, and gets its reply and the end of file. */
static void
asks(const char *text, const char *expected)
{
	int fd = api_fixture_connect(&fixture);

	api_fixture_send(&fixture, fd, text);
	expect_reply(fd, expected, true);
	close(fd);
}

/* The other end of the channel on which the api sends this row. */
static struct ipc_channel *
peer_that_takes(enum ipc_message_id id)
{
	return ipc_arrow_of(id) == IPC_ARROW_API_TO_CONNECTOR ? &fixture.connector
							      : &fixture.worker;
}

static void
asked(enum ipc_message_id id, struct ipc_message *msg)
{
	const char *why = "";

	api_fixture_run(&fixture);
	assert_int_equal(ipc_channel_recv(peer_that_takes(id), msg, &why),
	    IPC_OUTCOME_MESSAGE);
	assert_int_equal(msg->id, id);
}

static struct ipc_forward
web_forward(void)
{
	return (struct ipc_forward){
		.guest_addr.bytes = { 10, 0, 2, 100 },
		.host_port_first = 8080,
		.host_port_last = 8080,
		.guest_port_first = 80,
		.proto = IPPROTO_TCP,
	};
}

static void
answer_add(uint64_t request, const struct ipc_forward_result *result)
{
	struct ipc_forward_added added = { .request = request, .result = *result };

	if (result->outcome == IPC_FORWARD_done)
		added.forward = web_forward();
	assert_int_equal(ipc_send_forward_added(&fixture.connector, &added), 0);
}

static void
adds(struct ipc_forward_result result, const char *expected)
{
	int fd = api_fixture_connect(&fixture);
	struct ipc_message msg;

	api_fixture_send(&fixture, fd, ADD);
	asked(IPC_MSG_add_forward, &msg);
	answer_add(msg.payload.add_forward.request, &result);
	expect_reply(fd, expected, true);
	close(fd);
}

static void
test_add_forward(void **state)
{
	int fd = api_fixture_connect(&fixture);
	struct ipc_forward expected = web_forward();
	struct ipc_message msg;

	(void)state;
	api_fixture_send(&fixture, fd, ADD);
	asked(IPC_MSG_add_forward, &msg);
	assert_memory_equal(&msg.payload.add_forward.forward, &expected,
	    sizeof(expected));
	answer_add(msg.payload.add_forward.request,
	    &(struct ipc_forward_result){ .outcome = IPC_FORWARD_done, .id = 1 });
	expect_reply(fd, "{\"return\":{\"id\":1}}", true);
	close(fd);
}

#define FAILED(class, detail) \
	"{\"error\":{\"desc\":\"bad request: add_hostfwd: slirp_add_hostfwd failed\"," \
	"\"class\":\"" class "\",\"detail\":\"" detail "\"}}"

static void
test_add_forward_failures_name_the_cause(void **state)
{
	(void)state;
	adds((struct ipc_forward_result){ .outcome = IPC_FORWARD_in_use_by_forward,
		 .conflict_id = 3,
		 .port = 8080 },
	    FAILED("AddressInUse",
		"a forward has the port already: forward 3 has tcp port 8080 of 0.0.0.0"));
	adds((struct ipc_forward_result){ .outcome = IPC_FORWARD_in_use, .port = 8080 },
	    FAILED("AddressInUse",
		"another program has the port: tcp port 8080 of 0.0.0.0"));
	adds((struct ipc_forward_result){ .outcome = IPC_FORWARD_not_permitted,
		 .port = 80 },
	    FAILED("PermissionDenied",
		"the port needs a privilege: tcp port 80 of 0.0.0.0; on the host the sysctl "
		"net.ipv4.ip_unprivileged_port_start has to be at most 80, or slirpd needs "
		"CAP_NET_BIND_SERVICE over the host's network"));
	adds((struct ipc_forward_result){ .outcome = IPC_FORWARD_not_permitted,
		 .port = 1024 },
	    FAILED("PermissionDenied",
		"the port needs a privilege: tcp port 1024 of 0.0.0.0; on the host the "
		"sysctl net.ipv4.ip_unprivileged_port_start has to be at most 1024, and no "
		"security module may refuse the port"));
	adds((struct ipc_forward_result){ .outcome = IPC_FORWARD_no_such_address },
	    FAILED("AddressNotAvailable",
		"no interface of the host has the address 0.0.0.0"));
	adds((struct ipc_forward_result){ .outcome = IPC_FORWARD_table_full },
	    FAILED("TableFull", "the table of forwards is full"));
	adds((struct ipc_forward_result){ .outcome = IPC_FORWARD_bad_guest_address },
	    BAD("add_hostfwd: bad arguments.guest_addr", "BadArgument",
		"the address is not one of the guest's network"));
	/* The option would not help: the kernel has no IPv6. */
	adds((struct ipc_forward_result){ .outcome = IPC_FORWARD_ipv6_is_off,
		 .error = EAFNOSUPPORT,
		 .port = 8080 },
	    BAD("add_hostfwd: bad arguments.guest_addr", "NotSupported",
		"IPv6 is not enabled on the host: Address family not supported by protocol"));
	adds((struct ipc_forward_result){ .outcome = IPC_FORWARD_system_error,
		 .error = EMFILE,
		 .port = 8080 },
	    FAILED("Internal",
		"the kernel refused: tcp port 8080 of 0.0.0.0: Too many open files"));
}

static void
test_ipv6_that_is_off_is_an_argument_of_it(void **state)
{
	static const char *const refused[][2] = {
		{ "\"proto\":\"tcp6\"", "proto" },
		{ "\"proto\":\"tcp6\",\"host_addr\":\"::1\"", "proto" },
		{ "\"proto\":\"tcp\",\"host_addr\":\"::1\"", "host_addr" },
		{ "\"proto\":\"tcp\",\"host_addr\":\"::1\",\"guest_addr\":\"fd00::64\"",
		    "host_addr" },
		{ "\"proto\":\"tcp\",\"guest_addr\":\"fd00::64\"", "guest_addr" },
	};
	const struct ipc_forward_result off = { .outcome = IPC_FORWARD_ipv6_is_off };
	struct ipc_message msg;
	char request[256], expected[256];

	(void)state;
	for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
		int fd = api_fixture_connect(&fixture);

		snprintf(request, sizeof(request),
		    "{\"execute\":\"add_hostfwd\",\"arguments\":{%s,\"host_port\":8080,"
		    "\"guest_port\":80}}",
		    refused[i][0]);
		snprintf(expected, sizeof(expected),
		    BAD("add_hostfwd: bad arguments.%s", "NotSupported",
			"IPv6 is not enabled; --enable-ipv6 does it"),
		    refused[i][1]);
		api_fixture_send(&fixture, fd, request);
		asked(IPC_MSG_add_forward, &msg);
		answer_add(msg.payload.add_forward.request, &off);
		expect_reply(fd, expected, true);
		close(fd);
	}
}

static void
test_remove_forward(void **state)
{
	int fd = api_fixture_connect(&fixture);
	struct ipc_forward_removed removed = { .outcome = IPC_FORWARD_done,
		.id = 7,
		.forward = web_forward() };
	struct ipc_message msg;

	(void)state;
	api_fixture_send(&fixture, fd, REMOVE(7));
	asked(IPC_MSG_remove_forward, &msg);
	assert_int_equal(msg.payload.remove_forward.id, 7);
	removed.request = msg.payload.remove_forward.request;
	assert_int_equal(ipc_send_forward_removed(&fixture.connector, &removed), 0);
	expect_reply(fd, "{\"return\":{}}", true);
	close(fd);

	fd = api_fixture_connect(&fixture);
	api_fixture_send(&fixture, fd, REMOVE(7));
	asked(IPC_MSG_remove_forward, &msg);
	removed = (struct ipc_forward_removed){
		.request = msg.payload.remove_forward.request,
		.outcome = IPC_FORWARD_no_such_forward,
		.id = 7,
	};
	assert_int_equal(ipc_send_forward_removed(&fixture.connector, &removed), 0);
	expect_reply(fd,
	    BAD("remove_hostfwd: bad arguments.id", "NotFound",
		"forward 7: there is no forward with this id"),
	    true);
	close(fd);

	fd = api_fixture_connect(&fixture);
	api_fixture_send(&fixture, fd, REMOVE(7));
	asked(IPC_MSG_remove_forward, &msg);
	removed.request = msg.payload.remove_forward.request;
	removed.outcome = IPC_FORWARD_system_error;
	assert_int_equal(ipc_send_forward_removed(&fixture.connector, &removed), 0);
	expect_reply(fd,
	    BAD("remove_hostfwd: slirp_remove_hostfwd failed", "Internal",
		"forward 7: the kernel refused"),
	    true);
	close(fd);
}

static void
answer_page(const struct ipc_message *msg, uint32_t n, bool has_more)
{
	struct ipc_forwards_page page = {
		.request = msg->payload.list_forwards.request,
		.n = n,
		.has_more = has_more,
	};

	for (uint32_t i = 0; i < n; i++)
		page.entries[i] = (struct ipc_forward_entry){
			.id = msg->payload.list_forwards.after_id + 1 + i,
			.forward = web_forward(),
		};
	assert_int_equal(ipc_send_forwards_page(&fixture.connector, &page), 0);
}

static void
test_list_forwards_has_the_entries_twice(void **state)
{
	int fd = api_fixture_connect(&fixture);
	struct ipc_message msg;

	(void)state;
	api_fixture_send(&fixture, fd, LIST);
	asked(IPC_MSG_list_forwards, &msg);
	assert_int_equal(msg.payload.list_forwards.after_id, 0);
	answer_page(&msg, 0, false);
	expect_reply(fd, "{\"return\":{\"entries\":[]},\"entries\":[]}", true);
	close(fd);

	for (uint32_t id = 1; id <= 2; id++) {
		char added[32];

		snprintf(added, sizeof(added), "{\"return\":{\"id\":%u}}", id);
		adds((struct ipc_forward_result){ .outcome = IPC_FORWARD_done, .id = id },
		    added);
	}
	asks(LIST,
	    "{\"return\":{\"entries\":[{\"id\":1," ENTRY ",{\"id\":2," ENTRY
	    "]},\"entries\":[{\"id\":1," ENTRY ",{\"id\":2," ENTRY "]}");
}

static void
test_list_goes_over_pages(void **state)
{
	int fd = api_fixture_connect(&fixture);
	struct ipc_message msg;
	bool at_eof;

	(void)state;
	api_fixture_send(&fixture, fd, LIST);
	for (uint32_t page = 0; page < 32; page++) {
		asked(IPC_MSG_list_forwards, &msg);
		assert_int_equal(msg.payload.list_forwards.after_id,
		    page * IPC_PAGE_ENTRIES);
		answer_page(&msg, IPC_PAGE_ENTRIES, page < 31);
	}
	api_fixture_run(&fixture);
	/* The request may exceed a socket's queue. */
	for (size_t len = 0;;) {
		len += api_fixture_read(fd, reply + len, sizeof(reply) - len, &at_eof);
		if (at_eof)
			break;
		api_fixture_run(&fixture);
	}
	assert_non_null(strstr(reply, "{\"entries\":[{\"id\":1," ENTRY ",{\"id\":2,"));
	assert_non_null(strstr(reply, "\"entries\":[{\"id\":1," ENTRY ",{\"id\":2,"));
	assert_string_equal(reply + strlen(reply) - strlen(",{\"id\":896," ENTRY "]}"),
	    ",{\"id\":896," ENTRY "]}");
	close(fd);
}

static void
test_range_and_ipv6_in_a_list(void **state)
{
	int fd = api_fixture_connect(&fixture);
	struct ipc_forwards_page page = { .n = 1 };
	struct ipc_message msg;

	(void)state;
	api_fixture_send(&fixture, fd, LIST);
	asked(IPC_MSG_list_forwards, &msg);
	page.request = msg.payload.list_forwards.request;
	page.entries[0] = (struct ipc_forward_entry){
		.id = 9,
		.forward = { .host_addr = { { [15] = 1 }, 1 },
		    .guest_addr = { { 0xfd, [15] = 9 }, 1 },
		    .host_port_first = 8000,
		    .host_port_last = 8099,
		    .guest_port_first = 90,
		    .proto = IPPROTO_UDP },
	};
	assert_int_equal(ipc_send_forwards_page(&fixture.connector, &page), 0);
#define RANGE \
	"{\"id\":9,\"proto\":\"udp\",\"host_addr\":\"::1\",\"host_port\":8000," \
	"\"host_port_end\":8099,\"guest_addr\":\"fd00::9\",\"guest_port\":90}"
	expect_reply(fd, "{\"return\":{\"entries\":[" RANGE "]},\"entries\":[" RANGE "]}",
	    true);
	close(fd);
}

static void
test_requests_that_are_none(void **state)
{
	int fd;

	(void)state;
	asks("[1]",
	    BAD("json_object() failed", "BadRequest",
		"a request is an object: {\\\"execute\\\":...}"));
	asks("{}",
	    BAD("no execute found", "BadRequest",
		"execute: wanted the name of a command"));
	asks("{\"execute\":\"x\"}",
	    BAD("unknown execute", "UnknownCommand",
		"query_commands lists the commands"));
	asks("{\"execute\":\"remove_hostfwd\"}",
	    BAD("remove_hostfwd: bad arguments.id", "BadArgument",
		"id: missing; wanted a whole number from 1 to 4294967295"));
	asks(LIST LIST,
	    BAD("cannot parse JSON", "ParseError", "something follows the object"));
	asks("{\"\n",
	    BAD("cannot parse JSON", "ParseError", "a control character in a string"));
	/* The text is jansson's, so it may change. */
	fd = api_fixture_connect(&fixture);
	api_fixture_send(&fixture, fd, "GET / HTTP/1.1\r\n");
	expect_reply(fd, reply, true);
	assert_memory_equal(reply,
	    "{\"error\":{\"desc\":\"bad request: cannot parse JSON\"",
	    strlen("{\"error\":{\"desc\":\"bad request: cannot parse JSON\""));
	close(fd);
	/* A half-close means that nothing else follows. */
	fd = api_fixture_connect(&fixture);
	assert_int_equal(shutdown(fd, SHUT_WR), 0);
	expect_reply(fd,
	    BAD("cannot parse JSON", "ParseError",
		"the connection ended before the request did"),
	    true);
	close(fd);
}

static char *
padded(size_t len)
{
	char *text = malloc(len + 1);

	assert_non_null(text);
	memset(text, ' ', len);
	memcpy(text, "{\"execute\":\"x\"", 14);
	text[len - 1] = '}';
	text[len] = '\0';
	return text;
}

static void
test_requests_below_4096_bytes_are_taken(void **state)
{
	static const char too_large[] =
	    BAD("too large message", "TooLarge", "a request is shorter than 4096 bytes");
	static const char taken[] =
	    BAD("unknown execute", "UnknownCommand", "query_commands lists the commands");
	char *text;
	int fd;

	(void)state;
	text = padded(4095);
	asks(text, taken);
	free(text);
	text = padded(4096);
	asks(text, too_large);
	/* White space after the request does not count. */
	text[4094] = '}';
	text[4095] = '\n';
	asks(text, taken);
	free(text);
	/* The reply is sent as soon as the request is too long; the rest is read without
	 * an error. */
	text = padded(100000);
	fd = api_fixture_connect(&fixture);
	for (size_t sent = 0; sent < 100000;) {
		ssize_t n = send(fd, text + sent, 100000 - sent, MSG_NOSIGNAL);

		assert_true(n > 0 || errno == EAGAIN);
		sent += n > 0 ? (size_t)n : 0;
		api_fixture_run(&fixture);
	}
	expect_reply(fd, too_large, true);
	free(text);
	close(fd);
}

static void
test_request_byte_by_byte(void **state)
{
	int fd = api_fixture_connect(&fixture);
	char byte[2] = "";

	(void)state;
	for (const char *c = "{\"execute\":\"x\"}"; *c; c++) {
		byte[0] = *c;
		api_fixture_send(&fixture, fd, byte);
	}
	expect_reply(fd,
	    BAD("unknown execute", "UnknownCommand", "query_commands lists the commands"),
	    true);
	/* A newline in its own write arrives after the reply, and does no harm. */
	api_fixture_send(&fixture, fd, "\n");
	expect_reply(fd, "", true);
	close(fd);
}

static void
test_session(void **state)
{
	int fd = api_fixture_connect(&fixture);
	struct ipc_message msg;

	(void)state;
	api_fixture_send(&fixture, fd,
	    "{\"execute\":\"qmp_capabilities\",\"id\":1}\n{\"execute\":\"x\",\"id\":\"two\"}\n"
	    "{\"execute\":\"remove_hostfwd\",\"arguments\":{\"id\":4},\"id\":3}\n" LIST);
	asked(IPC_MSG_remove_forward, &msg);
	expect_reply(fd,
	    "{\"return\":{},\"id\":1}\n"
	    "{\"error\":{\"desc\":\"bad request: unknown execute\",\"class\":"
	    "\"UnknownCommand\",\"detail\":\"query_commands lists the commands\"},"
	    "\"id\":\"two\"}\n",
	    false);
	/* One request at a time: the connector gets the next one after the answer. */
	assert_int_equal(ipc_send_forward_removed(&fixture.connector,
			     &(struct ipc_forward_removed){
				 .request = msg.payload.remove_forward.request,
				 .outcome = IPC_FORWARD_done,
				 .id = 4,
				 .forward = web_forward() }),
	    0);
	asked(IPC_MSG_list_forwards, &msg);
	answer_page(&msg, 1, false);
	expect_reply(fd,
	    "{\"return\":{},\"id\":3}\n{\"return\":{\"entries\":[{\"id\":1," ENTRY
	    "]}}\n",
	    false);
	/* After an invalid line, the next line works. */
	api_fixture_send(&fixture, fd, "nonsense {\n[]\n{\"\nx\n{\"execute\":\"x\"}\n");
	api_fixture_read(fd, reply, sizeof(reply), &(bool){ false });
	assert_int_equal(strncmp(reply,
			     "{\"error\":{\"desc\":\"bad request: cannot parse JSON\"",
			     48),
	    0);
	assert_non_null(strstr(reply, "json_object() failed"));
	assert_non_null(strstr(reply, "a control character"));
	assert_non_null(strstr(reply, "unknown execute"));
	assert_int_equal(shutdown(fd, SHUT_WR), 0);
	expect_reply(fd, "", true);
	assert_int_equal(fixture.api.n_clients, 0);
	assert_int_equal(fixture.api.n_sessions, 0);
	close(fd);
}

/* Requests wait in the socket; they are not refused. */
static void
test_requests_of_a_session_wait_after_a_burst(void **state)
{
	static const char line[] = "{}\n";
	const int n = 2 * API_SESSION_BURST;
	int fd = api_fixture_connect(&fixture);
	uint64_t begin_ms;
	bool at_eof;

	(void)state;
	api_fixture_send(&fixture, fd, SESSION);
	expect_reply(fd, "{\"return\":{}}\n", false);
	begin_ms = clock_now_ms();
	for (int i = 0; i < n; i++)
		assert_int_equal(send(fd, line, strlen(line), 0), (ssize_t)strlen(line));
	while (fixture.api.counters.n_errors < (uint64_t)n)
		api_loop_once(&fixture.api, clock_now_ms() + 1);
	assert_true(clock_now_ms() - begin_ms >=
	    (uint64_t)(n - API_SESSION_BURST - 1) * API_SESSION_INTERVAL_MS);
	api_fixture_read(fd, reply, sizeof(reply), &at_eof);
	assert_false(at_eof);
	close(fd);
}

static void
test_replies_without_memory_are_busy(void **state)
{
	struct api_out unread = { 0 };
	int fd = api_fixture_connect(&fixture);
	struct ipc_message msg;

	(void)state;
	/* The limit of unread replies of all clients together. */
	while (unread.size < API_OUT_TOTAL_MAX_BYTES)
		api_out_raw(&unread, reply, sizeof(reply));
	assert_false(unread.failed);
	api_fixture_send(&fixture, fd, LIST);
	for (int page = 0; page < 2; page++) {
		asked(IPC_MSG_list_forwards, &msg);
		answer_page(&msg, IPC_PAGE_ENTRIES, page < 1);
	}
	expect_reply(fd,
	    BAD("reply too long", "Busy",
		"other replies that nobody reads take all the memory"),
	    true);
	close(fd);
	api_out_free(&unread);
	fd = api_fixture_connect(&fixture);
	api_fixture_send(&fixture, fd, LIST);
	expect_reply(fd, reply, true);
	assert_non_null(strstr(reply, "{\"id\":56,"));
	close(fd);
}

static void
test_too_long_a_line_in_a_session(void **state)
{
	int fd = api_fixture_connect(&fixture);
	char *text = padded(8000);

	(void)state;
	api_fixture_send(&fixture, fd, SESSION);
	expect_reply(fd, "{\"return\":{}}\n", false);
	api_fixture_send(&fixture, fd, text);
	expect_reply(fd,
	    BAD("too large message", "TooLarge",
		"a request is shorter than 4096 bytes") "\n",
	    false);
	api_fixture_send(&fixture, fd, "\n{}\n");
	expect_reply(fd,
	    BAD("no execute found", "BadRequest",
		"execute: wanted the name of a command") "\n",
	    false);
	free(text);
	close(fd);
}

static void
test_events(void **state)
{
	int all_fd = api_fixture_connect(&fixture);
	int one_fd = api_fixture_connect(&fixture);
	int none_fd = api_fixture_connect(&fixture);
	const struct ipc_event event = { .kind = IPC_EVENT_RESOLV_CONF_CHANGED };

	(void)state;
	api_fixture_send(&fixture, all_fd, SESSION "{\"execute\":\"subscribe\"}");
	api_fixture_send(&fixture, one_fd,
	    SESSION "{\"execute\":\"subscribe\",\"arguments\":{\"events\":"
		    "[\"RESOLV_CONF_CHANGED\"]}}");
	api_fixture_send(&fixture, none_fd, SESSION);
	expect_reply(all_fd, "{\"return\":{}}\n{\"return\":{}}\n", false);
	expect_reply(one_fd, "{\"return\":{}}\n{\"return\":{}}\n", false);
	expect_reply(none_fd, "{\"return\":{}}\n", false);

	adds((struct ipc_forward_result){ .outcome = IPC_FORWARD_done, .id = 5 },
	    "{\"return\":{\"id\":5}}");
	api_fixture_read(all_fd, reply, sizeof(reply), &(bool){ false });
	assert_int_equal(strncmp(reply,
			     "{\"event\":\"HOSTFWD_ADDED\",\"data\":{\"id\":5," ENTRY
			     ",\"timestamp\":{\"seconds\":",
			     strlen(
				 "{\"event\":\"HOSTFWD_ADDED\",\"data\":{\"id\":5," ENTRY
				 ",\"timestamp\":{\"seconds\":")),
	    0);
	assert_int_equal(reply[strlen(reply) - 1], '\n');
	expect_reply(one_fd, "", false);

	assert_int_equal(ipc_send_event(&fixture.parent, &event), 0);
	api_fixture_run(&fixture);
	for (int i = 0; i < 2; i++) {
		api_fixture_read(i ? one_fd : all_fd, reply, sizeof(reply),
		    &(bool){ false });
		assert_int_equal(strncmp(reply,
				     "{\"event\":\"RESOLV_CONF_CHANGED\",\"data\":{},",
				     41),
		    0);
	}
	expect_reply(none_fd, "", false);
	close(all_fd);
	close(one_fd);
	close(none_fd);
}

/* A request finds the parent gone before the parent's last message was read. */
static void
test_last_event_of_the_parent_is_sent(void **state)
{
	const struct ipc_event event = { .kind = IPC_EVENT_SHUTDOWN };
	int session_fd = api_fixture_connect(&fixture);
	struct api_client *asker;
	int fd;

	(void)state;
	api_fixture_send(&fixture, session_fd, SESSION "{\"execute\":\"subscribe\"}");
	expect_reply(session_fd, "{\"return\":{}}\n{\"return\":{}}\n", false);
	fd = api_fixture_connect(&fixture);
	api_fixture_send(&fixture, fd, "{\"execute\":");
	asker = fixture.api.places[1];
	assert_int_equal(send(fd, "\"query_version\"}", 16, MSG_NOSIGNAL), 16);
	assert_int_equal(ipc_send_event(&fixture.parent, &event), 0);
	ipc_channel_close(&fixture.parent);
	api_client_serve(&fixture.api, asker, POLLIN);
	api_client_tick(&fixture.api, asker);
	assert_true(fixture.api.ended);
	api_loop_run(&fixture.api);
	api_fixture_read(session_fd, reply, sizeof(reply), &(bool){ false });
	assert_int_equal(strncmp(reply, "{\"event\":\"SHUTDOWN\",\"data\":{},", 30), 0);
	close(session_fd);
	close(fd);
}

/* It asked for events and reads none: it loses them, nobody else does. */
static void
test_slow_session_is_closed(void **state)
{
	const struct ipc_event event = { .kind = IPC_EVENT_RESOLV_CONF_CHANGED };
	int slow_fd = api_fixture_connect(&fixture);
	int fd = api_fixture_connect(&fixture);
	bool at_eof;

	(void)state;
	api_fixture_send(&fixture, slow_fd, SESSION "{\"execute\":\"subscribe\"}");
	api_fixture_send(&fixture, fd, SESSION "{\"execute\":\"subscribe\"}");
	/* The socket's queue, and the unread replies that a session may have. */
	for (int i = 0; fixture.api.n_clients == 2; i++) {
		assert_true(i < 100000);
		assert_int_equal(ipc_send_event(&fixture.parent, &event), 0);
		api_fixture_run(&fixture);
		api_fixture_read(fd, reply, sizeof(reply), &at_eof);
		assert_false(at_eof);
	}
	assert_int_equal(fixture.api.n_sessions, 1);
	assert_int_equal(fixture.api.counters.n_slow, 1);
	close(slow_fd);
	close(fd);
}

static void
test_sessions_are_bounded(void **state)
{
	int fds[API_SESSIONS_MAX];

	(void)state;
	for (int i = 0; i < API_SESSIONS_MAX; i++) {
		fds[i] = api_fixture_connect(&fixture);
		api_fixture_send(&fixture, fds[i], SESSION);
		expect_reply(fds[i], "{\"return\":{}}\n", false);
	}
	asks(SESSION, BAD("too many sessions", "Busy", "there are 64 sessions already"));
	close(fds[0]);
	api_fixture_run(&fixture);
	fds[0] = api_fixture_connect(&fixture);
	api_fixture_send(&fixture, fds[0], SESSION);
	expect_reply(fds[0], "{\"return\":{}}\n", false);
	for (int i = 0; i < API_SESSIONS_MAX; i++)
		close(fds[i]);
}

static void
test_silent_clients_give_way(void **state)
{
	static int fds[API_CLIENTS_MAX + 50];
	const size_t n_fds = sizeof(fds) / sizeof(fds[0]);
	int fd, session_fd;

	(void)state;
	/* A session may be silent for any time. */
	session_fd = api_fixture_connect(&fixture);
	api_fixture_send(&fixture, session_fd, SESSION);
	expect_reply(session_fd, "{\"return\":{}}\n", false);
	for (size_t i = 0; i < n_fds; i++)
		fds[i] = api_fixture_connect(&fixture);
	api_fixture_run(&fixture);
	assert_int_equal(fixture.api.n_clients, API_CLIENTS_MAX);
	fd = api_fixture_connect(&fixture);
	assert_int_equal(send(fd, "{}", 2, 0), 2);
	/* Pretends that the time has passed. */
	for (size_t i = 0; i < API_CLIENTS_MAX; i++)
		fixture.api.clients[i].read_ms -= API_PATIENCE_MS;
	expect_reply(fd,
	    BAD("no execute found", "BadRequest",
		"execute: wanted the name of a command"),
	    true);
	assert_int_equal(fixture.api.counters.n_gave_way, 52);
	expect_reply(fds[0],
	    BAD("no request", "Busy", "the place was needed for another client"), true);
	api_fixture_send(&fixture, session_fd, "{}\n");
	expect_reply(session_fd, NO_EXECUTE "\n", false);
	close(session_fd);
	for (size_t i = 0; i < n_fds; i++)
		close(fds[i]);
	close(fd);
}

/* Pretends that the time has passed for every client, whatever it waits for. */
static void
age_clients(uint64_t ms)
{
	for (size_t i = 0; i < API_CLIENTS_MAX; i++) {
		struct api_client *client = &fixture.api.clients[i];

		client->read_ms -= ms;
		client->wrote_ms -= ms;
		if (client->since_ms)
			client->since_ms -= ms;
	}
	api_fixture_run(&fixture);
}

#define LATE BAD("cannot parse JSON", "ParseError", "the request did not end in time")

static void
test_request_has_to_end_in_time(void **state)
{
	int fd = api_fixture_connect(&fixture);

	(void)state;
	api_fixture_send(&fixture, fd, "{");
	age_clients(API_REQUEST_TIME_MS - 5000);
	/* Sending more of the request gives no more time. */
	api_fixture_send(&fixture, fd, "\"execute\":");
	expect_reply(fd, "", false);
	age_clients(5000);
	expect_reply(fd, LATE, true);
	close(fd);
	fd = api_fixture_connect(&fixture);
	api_fixture_run(&fixture);
	age_clients(API_REQUEST_TIME_MS);
	expect_reply(fd, LATE, true);
	close(fd);
}

static void
test_request_of_a_session_has_to_end_in_time(void **state)
{
	int fd = api_fixture_connect(&fixture);

	(void)state;
	api_fixture_send(&fixture, fd, SESSION);
	expect_reply(fd, "{\"return\":{}}\n", false);
	age_clients(100 * API_REQUEST_TIME_MS);
	expect_reply(fd, "", false);
	api_fixture_send(&fixture, fd, "{");
	age_clients(API_REQUEST_TIME_MS - 5000);
	expect_reply(fd, "", false);
	age_clients(5000);
	expect_reply(fd, LATE "\n", false);
	/* The session continues with the next line. */
	api_fixture_send(&fixture, fd, "}\n{}\n");
	expect_reply(fd, NO_EXECUTE "\n", false);
	close(fd);
}

/* The client is closed when it closes, is silent, or exceeds its time. */
static void
test_client_with_its_reply_does_not_stay(void **state)
{
	struct api_client *client = fixture.api.places[0];
	int fd;

	(void)state;
	asks("{}", NO_EXECUTE);
	api_fixture_run(&fixture);
	assert_int_equal(fixture.api.n_clients, 0);

	fd = api_fixture_connect(&fixture);
	api_fixture_send(&fixture, fd, "{}");
	expect_reply(fd, NO_EXECUTE, true);
	assert_int_equal(fixture.api.n_clients, 1);
	age_clients(API_LINGER_IDLE_MS);
	assert_int_equal(fixture.api.n_clients, 0);
	close(fd);

	fd = api_fixture_connect(&fixture);
	api_fixture_send(&fixture, fd, "{}");
	expect_reply(fd, NO_EXECUTE, true);
	client->since_ms -= API_LINGER_MAX_MS - 1000;
	api_fixture_send(&fixture, fd, "\n");
	assert_int_equal(fixture.api.n_clients, 1);
	client->since_ms -= 1000;
	api_fixture_send(&fixture, fd, "\n");
	assert_int_equal(fixture.api.n_clients, 0);
	close(fd);
}

/* So many forwards that their list, sent twice, exceeds a socket's default queue. */
#define N_RULES (300 * IPC_PAGE_ENTRIES)

static void
learn_many_forwards(void)
{
	int fd = api_fixture_connect(&fixture);
	struct ipc_message msg;

	api_fixture_send(&fixture, fd, LIST);
	for (int page = 300; page-- > 0;) {
		asked(IPC_MSG_list_forwards, &msg);
		answer_page(&msg, IPC_PAGE_ENTRIES, page > 0);
	}
	close(fd);
	api_fixture_run(&fixture);
	assert_int_equal(fixture.api.n_clients, 0);
	assert_int_equal(fixture.api.forwards->n, N_RULES);
}

/* All memory for replies is free. */
static void
no_reply_is_left(void)
{
	struct api_out all = { 0 };

	while (all.size < API_OUT_TOTAL_MAX_BYTES && !all.failed)
		api_out_raw(&all, reply, sizeof(reply));
	assert_false(all.failed);
	api_out_free(&all);
}

static void
test_reply_that_nobody_reads_is_thrown_away(void **state)
{
	struct ipc_connections_page page;
	struct ipc_message msg;
	bool at_eof;
	int fd;

	(void)state;
	learn_many_forwards();
	no_reply_is_left();
	for (int session = 0; session < 2; session++) {
		/* This client hangs up. */
		fd = api_fixture_connect(&fixture);
		api_fixture_send(&fixture, fd, session ? SESSION LIST : LIST);
		assert_int_equal(fixture.api.n_clients, 1);
		close(fd);
		api_fixture_run(&fixture);
		assert_int_equal(fixture.api.n_clients, 0);
		no_reply_is_left();
		/* This client stays. */
		fd = api_fixture_connect(&fixture);
		api_fixture_send(&fixture, fd, session ? SESSION LIST : LIST);
		age_clients(API_WRITE_TIME_MS - 5000);
		assert_int_equal(fixture.api.n_clients, 1);
		/* Each piece that it reads gives it more time. */
		api_fixture_read(fd, reply, 1 << 18, &at_eof);
		api_fixture_run(&fixture);
		age_clients(API_WRITE_TIME_MS - 5000);
		assert_int_equal(fixture.api.n_clients, 1);
		age_clients(5000);
		assert_int_equal(fixture.api.n_clients, 0);
		assert_int_equal(fixture.api.counters.n_slow, session + 1);
		no_reply_is_left();
		close(fd);
	}
	/* It hangs up while its reply is made. */
	fd = api_fixture_connect(&fixture);
	api_fixture_send(&fixture, fd, "{\"execute\":\"query_connections\"}");
	for (int i = 0; i < 2; i++) {
		asked(IPC_MSG_list_connections, &msg);
		ipc_sample_connections_page(&page);
		page.request = msg.payload.list_connections.request;
		page.next = (uint32_t)i + 1;
		if (i == 1)
			close(fd);
		api_fixture_run(&fixture);
		assert_int_equal(ipc_send_connections_page(&fixture.worker, &page), 0);
		api_fixture_run(&fixture);
	}
	assert_int_equal(fixture.api.n_left, 0);
	no_reply_is_left();
	/* A worker whose list has no end. */
	fd = api_fixture_connect(&fixture);
	api_fixture_send(&fixture, fd, "{\"execute\":\"query_connections\"}");
	for (int i = 0; i < 2; i++) {
		asked(IPC_MSG_list_connections, &msg);
		page.request = msg.payload.list_connections.request;
		page.next = 1;
		api_fixture_run(&fixture);
		assert_int_equal(ipc_send_connections_page(&fixture.worker, &page), 0);
		api_fixture_run(&fixture);
	}
	assert_int_equal(fixture.api.worker.channel.fd, -1);
	close(fd);
}

static void
answer_status_with(struct ipc_status *status)
{
	struct ipc_message msg;
	const char *why = "";

	api_fixture_run(&fixture);
	assert_int_equal(ipc_channel_recv(&fixture.parent, &msg, &why),
	    IPC_OUTCOME_MESSAGE);
	assert_int_equal(msg.id, IPC_MSG_get_status);
	status->request = msg.payload.get_status.request;
	assert_int_equal(ipc_send_status(&fixture.parent, status), 0);
}

static void
answer_status(void)
{
	struct ipc_status status;

	ipc_sample_status(&status);
	answer_status_with(&status);
}

static void
test_client_that_left_is_no_harm(void **state)
{
	struct ipc_message msg;
	int fd = api_fixture_connect(&fixture);

	(void)state;
	api_fixture_send(&fixture, fd, ADD);
	close(fd);
	asked(IPC_MSG_add_forward, &msg);
	answer_add(msg.payload.add_forward.request,
	    &(struct ipc_forward_result){ .outcome = IPC_FORWARD_done, .id = 1 });
	api_fixture_run(&fixture);
	assert_int_equal(fixture.api.n_clients, 0);
	adds((struct ipc_forward_result){ .outcome = IPC_FORWARD_done, .id = 2 },
	    "{\"return\":{\"id\":2}}");
}

/* Takes the requests that a peer got. Returns their count and the first number. */
static size_t
take_requests(enum ipc_message_id id, uint64_t *first)
{
	struct ipc_message msg;
	const char *why;
	size_t n = 0;

	api_fixture_run(&fixture);
	while (ipc_channel_recv(peer_that_takes(id), &msg, &why) == IPC_OUTCOME_MESSAGE) {
		assert_int_equal(msg.id, id);
		if (n++ == 0)
			*first = msg.payload.add_forward.request;
	}
	return n;
}

/* Pretends that the time has passed since all pending requests. */
static void
age_calls(uint64_t ms)
{
	for (size_t i = 0; i < API_CLIENTS_MAX; i++)
		fixture.api.clients[i].call.since_ms -= ms;
	for (size_t i = 0; i < API_LEFT_PLACES; i++)
		fixture.api.left[i].call.since_ms -= ms;
	api_fixture_run(&fixture);
}

#define NO_ANSWER(why) BAD("add_hostfwd: no answer", "Busy", why)

static void
test_client_that_hung_up_has_no_place(void **state)
{
	uint64_t first = 0;
	int fd;

	(void)state;
	/* None of these requests gets an answer. */
	for (int i = 0; i < API_CLIENTS_MAX; i++) {
		fd = api_fixture_connect(&fixture);
		api_fixture_send(&fixture, fd, ADD);
		close(fd);
	}
	api_fixture_run(&fixture);
	assert_int_equal(fixture.api.n_clients, 0);
	assert_int_equal(fixture.api.n_left, API_CLIENTS_MAX);
	asks("{\"execute\":\"none\"}",
	    BAD("unknown execute", "UnknownCommand",
		"query_commands lists the commands"));
	/* The requests are carried out all the same, in their order. */
	for (int i = 0; i < API_CLIENTS_MAX; i += API_IN_FLIGHT_MAX) {
		size_t n = take_requests(IPC_MSG_add_forward, &first);

		assert_int_equal(n, API_IN_FLIGHT_MAX);
		assert_int_equal(first, i + 1);
		for (size_t k = 0; k < n; k++)
			answer_add(first + k,
			    &(struct ipc_forward_result){ .outcome = IPC_FORWARD_done,
				.id = (uint32_t)(first + k) });
	}
	api_fixture_run(&fixture);
	assert_int_equal(fixture.api.n_left, 0);
	adds((struct ipc_forward_result){ .outcome = IPC_FORWARD_done, .id = 1000 },
	    "{\"return\":{\"id\":1000}}");
}

static void
test_calls_without_a_client_are_bounded(void **state)
{
	uint64_t first = 0;
	int fd;

	(void)state;
	for (int i = 0; i < API_LEFT_MAX + 100; i++) {
		fd = api_fixture_connect(&fixture);
		api_fixture_send(&fixture, fd, ADD);
		close(fd);
		api_fixture_run(&fixture);
	}
	assert_int_equal(fixture.api.n_clients, 0);
	assert_int_equal(fixture.api.n_left, API_LEFT_MAX);
	/* Requests that the connector has not got have a timeout too. */
	age_calls(API_CALL_TIME_MS);
	assert_int_equal(fixture.api.n_left, API_IN_FLIGHT_MAX);
	assert_int_equal(take_requests(IPC_MSG_add_forward, &first), API_IN_FLIGHT_MAX);
	for (uint64_t k = 0; k < API_IN_FLIGHT_MAX; k++)
		answer_add(first + k,
		    &(struct ipc_forward_result){ .outcome = IPC_FORWARD_table_full });
	api_fixture_run(&fixture);
	assert_int_equal(fixture.api.n_left, 0);
}

static void
test_wait_for_an_answer_has_an_end(void **state)
{
	int fds[API_IN_FLIGHT_MAX + 1];
	const size_t n_fds = sizeof(fds) / sizeof(fds[0]);
	struct ipc_message msg;
	uint64_t first = 0;

	(void)state;
	for (size_t i = 0; i < n_fds; i++) {
		fds[i] = api_fixture_connect(&fixture);
		api_fixture_send(&fixture, fds[i], ADD);
	}
	assert_int_equal(take_requests(IPC_MSG_add_forward, &first), API_IN_FLIGHT_MAX);
	age_calls(API_CALL_TIME_MS - 1000);
	assert_int_equal(fixture.api.n_clients, n_fds);
	age_calls(1000);
	for (size_t i = 0; i < n_fds; i++) {
		expect_reply(fds[i],
		    i < API_IN_FLIGHT_MAX
			? NO_ANSWER("there is no answer in time; it may still be done")
			: NO_ANSWER("there is no answer in time; nothing was done"),
		    true);
		close(fds[i]);
	}
	/* Late answers go to no client, but update the copy of the forwards. */
	for (uint64_t k = 0; k < API_IN_FLIGHT_MAX; k++)
		answer_add(first + k,
		    &(struct ipc_forward_result){ .outcome = IPC_FORWARD_table_full });
	api_fixture_run(&fixture);
	assert_int_equal(fixture.api.n_left, 0);
	fds[0] = api_fixture_connect(&fixture);
	api_fixture_send(&fixture, fds[0], LIST);
	asked(IPC_MSG_list_forwards, &msg);
	answer_page(&msg, 0, false);
	expect_reply(fds[0], "{\"return\":{\"entries\":[]},\"entries\":[]}", true);
	close(fds[0]);
}

/* A session continues: the late answer is not taken for the answer to its next
 * request. */
static void
test_session_asks_again_after_a_late_answer(void **state)
{
	const struct ipc_forward_result done = { .outcome = IPC_FORWARD_done, .id = 1 };
	int fd = api_fixture_connect(&fixture);
	uint64_t first = 0, second = 0;

	(void)state;
	api_fixture_send(&fixture, fd, SESSION);
	expect_reply(fd, "{\"return\":{}}\n", false);
	api_fixture_send(&fixture, fd, ADD);
	assert_int_equal(take_requests(IPC_MSG_add_forward, &first), 1);
	age_calls(API_CALL_TIME_MS);
	expect_reply(fd,
	    NO_ANSWER("there is no answer in time; it may still be done") "\n", false);
	api_fixture_send(&fixture, fd, ADD);
	assert_int_equal(take_requests(IPC_MSG_add_forward, &second), 1);
	answer_add(first, &done);
	expect_reply(fd, "", false);
	answer_add(second,
	    &(struct ipc_forward_result){ .outcome = IPC_FORWARD_done, .id = 2 });
	expect_reply(fd, "{\"return\":{\"id\":2}}\n", false);
	close(fd);
}

/* The parent is asked, then the worker: the timeout is the request's. */
static void
test_wait_for_two_answers_has_the_same_end(void **state)
{
	int fd = api_fixture_connect(&fixture);
	struct ipc_message msg;

	(void)state;
	api_fixture_send(&fixture, fd, "{\"execute\":\"query_stats\"}");
	age_calls(API_CALL_TIME_MS - 5000);
	answer_status();
	asked(IPC_MSG_query_worker, &msg);
	expect_reply(fd, "", false);
	age_calls(5000);
	expect_reply(fd,
	    BAD("query_stats: no answer", "Busy", "there is no answer in time"), true);
	close(fd);
}

/* A client that hangs up needs no answer: nobody gets further requests for it. */
static void
test_questions_end_with_their_clients(void **state)
{
	static const char query[] = "{\"execute\":\"query_connections\"}";
	struct ipc_connections_page page;
	int fds[2 * API_IN_FLIGHT_MAX];
	const size_t n_fds = sizeof(fds) / sizeof(fds[0]);
	struct ipc_message msg;
	uint64_t first = 0;

	(void)state;
	for (size_t i = 0; i < n_fds; i++) {
		fds[i] = api_fixture_connect(&fixture);
		api_fixture_send(&fixture, fds[i], i == 0 ? query : LIST);
	}
	asked(IPC_MSG_list_connections, &msg);
	ipc_sample_connections_page(&page);
	page.request = msg.payload.list_connections.request;
	page.next = 1;
	for (size_t i = 0; i < n_fds; i++)
		close(fds[i]);
	/* Each peer has so many of its own. */
	assert_int_equal(take_requests(IPC_MSG_list_forwards, &first), API_IN_FLIGHT_MAX);
	assert_int_equal(fixture.api.n_left, API_IN_FLIGHT_MAX + 1);
	assert_int_equal(ipc_send_connections_page(&fixture.worker, &page), 0);
	for (uint64_t k = 0; k < API_IN_FLIGHT_MAX; k++) {
		msg.payload.list_forwards.request = first + k;
		msg.payload.list_forwards.after_id = 0;
		answer_page(&msg, IPC_PAGE_ENTRIES, true);
	}
	assert_int_equal(take_requests(IPC_MSG_list_forwards, &first), 0);
	assert_int_equal(fixture.api.n_left, 0);
	/* The first client alone had pages, and has left. */
	fds[0] = api_fixture_connect(&fixture);
	api_fixture_send(&fixture, fds[0], query);
	asked(IPC_MSG_list_connections, &msg);
	close(fds[0]);
}

static void
test_log_tells_once_that_there_is_no_answer(void **state)
{
	uint64_t first = 0;
	int fd;

	(void)state;
	log_set_emit(keep_line);
	for (int round = 0; round < 2; round++) {
		fd = api_fixture_connect(&fixture);
		api_fixture_send(&fixture, fd, ADD);
		close(fd);
		assert_int_equal(take_requests(IPC_MSG_add_forward, &first), 1);
		last_line[0] = '\0';
		age_calls(API_CALL_TIME_MS - 1000);
		assert_string_equal(last_line, "");
		age_calls(1000);
		assert_string_equal(last_line,
		    "connector has not answered for 60 s; clients are told so");
		last_line[0] = '\0';
		age_calls(1000);
		assert_string_equal(last_line, "");
		answer_add(first,
		    &(struct ipc_forward_result){ .outcome = IPC_FORWARD_table_full });
		api_fixture_run(&fixture);
		assert_string_equal(last_line, "connector answers again");
	}
}

/* Only clients that have waited long for an answer are replaced. */
static void
test_clients_in_a_call_give_way(void **state)
{
	static int fds[API_CLIENTS_MAX];
	uint64_t first = 0;
	int fd;

	(void)state;
	for (size_t i = 0; i < API_CLIENTS_MAX; i++) {
		fds[i] = api_fixture_connect(&fixture);
		api_fixture_send(&fixture, fds[i], i == 1 ? SESSION ADD : ADD);
	}
	expect_reply(fds[1], "{\"return\":{}}\n", false);
	assert_int_equal(take_requests(IPC_MSG_add_forward, &first), API_IN_FLIGHT_MAX);
	fd = api_fixture_connect(&fixture);
	api_fixture_send(&fixture, fd, LIST "x");
	expect_reply(fd, "", false);
	age_calls(API_CALL_PATIENCE_MS);
	expect_reply(fd,
	    BAD("cannot parse JSON", "ParseError", "something follows the object"), true);
	expect_reply(fds[0],
	    NO_ANSWER("the place was needed for another client; it may still be done"),
	    true);
	/* The session asked before the others, and stays. */
	expect_reply(fds[1], "", false);
	expect_reply(fds[2], "", false);
	for (size_t i = 0; i < API_CLIENTS_MAX; i++)
		close(fds[i]);
	close(fd);
}

static void
test_in_flight_is_bounded(void **state)
{
	int fds[2 * API_IN_FLIGHT_MAX];
	const size_t n_fds = sizeof(fds) / sizeof(fds[0]);
	struct ipc_message msg;
	const char *why;

	(void)state;
	for (size_t i = 0; i < n_fds; i++) {
		fds[i] = api_fixture_connect(&fixture);
		api_fixture_send(&fixture, fds[i], LIST);
	}
	for (size_t i = 0; i < n_fds; i++) {
		struct ipc_message first;

		if (i == 0)
			for (size_t k = 0; k < API_IN_FLIGHT_MAX; k++) {
				asked(IPC_MSG_list_forwards, &msg);
				if (k == 0)
					first = msg;
			}
		if (i == 0) {
			api_fixture_run(&fixture);
			assert_int_equal(ipc_channel_recv(&fixture.connector, &msg, &why),
			    IPC_OUTCOME_NONE);
			msg = first;
		}
		msg.payload.list_forwards.request = i + 1;
		msg.payload.list_forwards.after_id = 0;
		answer_page(&msg, 0, false);
		expect_reply(fds[i], "{\"return\":{\"entries\":[]},\"entries\":[]}",
		    true);
		close(fds[i]);
	}
}

/* Pages for two clients would belong to two different lists. */
static void
test_connections_are_listed_one_client_at_a_time(void **state)
{
	static const char query[] = "{\"execute\":\"query_connections\"}";
	struct ipc_connections_page page;
	struct ipc_message msg;
	const char *why;
	int fds[2];

	(void)state;
	for (int i = 0; i < 2; i++) {
		fds[i] = api_fixture_connect(&fixture);
		api_fixture_send(&fixture, fds[i], query);
	}
	for (int i = 0; i < 2; i++) {
		asked(IPC_MSG_list_connections, &msg);
		assert_int_equal(msg.payload.list_connections.from, 0);
		assert_int_equal(ipc_channel_recv(&fixture.worker, &msg, &why),
		    IPC_OUTCOME_NONE);
		ipc_sample_connections_page(&page);
		page.request = msg.payload.list_connections.request;
		page.next = 70000;
		assert_int_equal(ipc_send_connections_page(&fixture.worker, &page), 0);
		asked(IPC_MSG_list_connections, &msg);
		assert_int_equal(msg.payload.list_connections.from, 70000);
		page = (struct ipc_connections_page){
			.request = msg.payload.list_connections.request,
			.n = 2,
			.entries[0] = { .proto = IPPROTO_UDP,
			    .source_addr.bytes = { 10, 0, 2, 100 },
			    .source_port = 5000,
			    .dest_addr.bytes = { 10, 0, 2, 3 },
			    .dest_port = 53,
			    .recv_queue_bytes = 1,
			    .send_queue_bytes = 2,
			    .bytes_in = IPC_BYTES_UNKNOWN,
			    .bytes_out = IPC_BYTES_UNKNOWN,
			    .retransmitted_bytes = IPC_BYTES_UNKNOWN,
			    .age_ms = IPC_AGE_UNKNOWN },
			.entries[1] = { .proto = IPPROTO_TCP,
			    .state = IPC_TCP_CLOSED,
			    .bytes_in = 0,
			    .bytes_out = INT64_MAX,
			    .round_trip_us = 250 },
		};
		assert_int_equal(ipc_send_connections_page(&fixture.worker, &page), 0);
		expect_reply(fds[i], reply, true);
		assert_non_null(strstr(reply,
		    "{\"proto\":\"udp\",\"hostfwd\":false,\"source_addr\":\"10.0.2.100\","
		    "\"source_port\":5000,\"dest_addr\":\"10.0.2.3\",\"dest_port\":53,"
		    "\"recv_queue_bytes\":1,\"send_queue_bytes\":2},"
		    "{\"proto\":\"tcp\",\"state\":\"CLOSED\","));
		assert_non_null(strstr(reply,
		    "\"bytes_in\":0,\"bytes_out\":9223372036854775807,"
		    "\"retransmitted_bytes\":0,\"round_trip_us\":250,\"age_ms\":0}]}}"));
		close(fds[i]);
	}
}

static void
test_queries(void **state)
{
	struct ipc_worker_state worker;
	struct ipc_message msg;
	int fd = api_fixture_connect(&fixture);

	(void)state;
	api_fixture_send(&fixture, fd, "{\"execute\":\"query_version\"}");
	answer_status();
	expect_reply(fd, reply, true);
	assert_int_equal(strncmp(reply, "{\"return\":{\"slirpd\":\"", 21), 0);
	close(fd);

	fd = api_fixture_connect(&fixture);
	api_fixture_send(&fixture, fd, "{\"execute\":\"query_status\"}");
	answer_status();
	expect_reply(fd, reply, true);
	assert_non_null(
	    strstr(reply, "\"network_addr\":\"10.0.2.0\",\"prefix_len\":24,"));
	assert_non_null(strstr(reply, "\"confinement\":{\"parent\":{\"descriptors\":"));
	close(fd);

	fd = api_fixture_connect(&fixture);
	api_fixture_send(&fixture, fd, "{\"execute\":\"query_stats\"}");
	answer_status();
	asked(IPC_MSG_query_worker, &msg);
	ipc_sample_worker_state(&worker);
	worker.request = msg.payload.query_worker.request;
	worker.stats.drops[IPC_DROP_tftp] = UINT64_MAX;
	worker.stats.tcp[IPC_TCP_COUNTER_timeouts] = 5;
	worker.stats.tcp_ends[IPC_TCP_END_reset_by_host] = 6;
	worker.n_tcp_flows = 9;
	worker.n_tcp_half_open = 2;
	worker.n_tcp_time_wait = 3;
	worker.tcp_buffer_bytes = 4096;
	assert_int_equal(ipc_send_worker_state(&fixture.worker, &worker), 0);
	expect_reply(fd, reply, true);
	assert_non_null(strstr(reply, "\"counters\":{\"frames_from_guest\":"));
	assert_non_null(strstr(reply, "\"tftp\":18446744073709551615,"));
	assert_non_null(strstr(reply, "\"tcp\":{\"bad_flags\":"));
	assert_non_null(strstr(reply, "\"timeouts\":5,"));
	assert_non_null(strstr(reply, "\"reset_by_host\":6,"));
	assert_non_null(strstr(reply,
	    "\"tcp_flows\":{\"all\":9,\"half_open\":2,\"time_wait\":3,"
	    "\"buffer_bytes\":4096}"));
	assert_non_null(strstr(reply, "\"api\":{\"clients\":1,\"sessions\":0,"));
	close(fd);

	fd = api_fixture_connect(&fixture);
	api_fixture_send(&fixture, fd, "{\"execute\":\"query_commands\"}");
	expect_reply(fd, reply, true);
	assert_int_equal(strncmp(reply,
			     "{\"return\":{\"commands\":[{\"name\":\"add_hostfwd\",", 45),
	    0);
	close(fd);
}

/* Sends a status with these reports, and finds the member "missing" of each process. */
static void
expect_missing(const struct ipc_confined confined[IPC_ROLE_END],
    const char *const missing[IPC_ROLE_END])
{
	int fd = api_fixture_connect(&fixture);
	const char *at = reply;
	struct ipc_status status;

	ipc_sample_status(&status);
	memcpy(status.confined, confined, sizeof(status.confined));
	api_fixture_send(&fixture, fd, "{\"execute\":\"query_status\"}");
	answer_status_with(&status);
	expect_reply(fd, reply, true);
	for (size_t role = IPC_ROLE_PARENT; role < IPC_ROLE_END; role++) {
		char expected[128];

		snprintf(expected, sizeof(expected), "\"missing\":[%s],",
		    missing[role] ? missing[role] : "");
		at = strstr(at, "\"missing\":");
		assert_non_null(at);
		assert_int_equal(strncmp(at, expected, strlen(expected)), 0);
		at += strlen(expected);
	}
	close(fd);
}

static void
test_missing_stages(void **state)
{
	struct ipc_confined confined[IPC_ROLE_END] = { 0 };
	const char *missing[IPC_ROLE_END] = { NULL };

	(void)state;
	/* A process that was not started has nothing to miss. */
	expect_missing(confined, missing);
#define REACH(constant, name, program, n_fds, stages_of_role) \
	confined[IPC_ROLE_##constant].stages = (stages_of_role);
	IPC_ROLES(REACH)
#undef REACH
	expect_missing(confined, missing);
	/* Started without a jail: only the namespaces are reported. */
	confined[IPC_ROLE_NETNS_HELPER] =
	    (struct ipc_confined){ .namespaces = { .user = 1 } };
	missing[IPC_ROLE_NETNS_HELPER] = "\"descriptors\",\"limits\",\"seccomp\"";
	confined[IPC_ROLE_API].stages &= ~(uint32_t)IPC_STAGE_BIT(landlock);
	missing[IPC_ROLE_API] = "\"landlock\"";
	/* More than its jail asks for. */
	confined[IPC_ROLE_PARENT].stages |= IPC_STAGE_BIT(root);
	expect_missing(confined, missing);
}

#define LOST \
	BAD("list_hostfwd: no connector", "Busy", \
	    "the process that has the forwards was lost; it may have done this or not")

static void
test_loss_of_the_connector(void **state)
{
	int fd = api_fixture_connect(&fixture);

	(void)state;
	log_set_emit(keep_line);
	api_fixture_send(&fixture, fd, LIST);
	ipc_channel_close(&fixture.connector);
	expect_reply(fd, LOST, true);
	close(fd);
	asks(ADD,
	    BAD("add_hostfwd: no connector", "Busy",
		"the process that has the forwards can't be reached"));
	/* The audit log has every request for a change, also a failed one. */
	assert_non_null(strstr(last_line,
	    ": add_hostfwd: refused: the process that has the forwards can't be reached"));
	asks("{}",
	    BAD("no execute found", "BadRequest",
		"execute: wanted the name of a command"));
}

static void
test_connector_that_breaks_the_protocol(void **state)
{
	int fd = api_fixture_connect(&fixture);
	struct ipc_message msg;

	(void)state;
	api_fixture_send(&fixture, fd, LIST);
	asked(IPC_MSG_list_forwards, &msg);
	/* An answer to a request of another kind. */
	answer_add(msg.payload.list_forwards.request,
	    &(struct ipc_forward_result){ .outcome = IPC_FORWARD_table_full });
	expect_reply(fd, LOST, true);
	assert_int_equal(fixture.api.connector.channel.fd, -1);
	close(fd);
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_add_forward),
		TEST(test_add_forward_failures_name_the_cause),
		TEST(test_ipv6_that_is_off_is_an_argument_of_it),
		TEST(test_remove_forward),
		TEST(test_list_forwards_has_the_entries_twice),
		TEST(test_list_goes_over_pages),
		TEST(test_range_and_ipv6_in_a_list),
		TEST(test_requests_that_are_none),
		TEST(test_requests_below_4096_bytes_are_taken),
		TEST(test_request_byte_by_byte),
		TEST(test_session),
		TEST(test_requests_of_a_session_wait_after_a_burst),
		TEST(test_replies_without_memory_are_busy),
		TEST(test_too_long_a_line_in_a_session),
		TEST(test_events),
		TEST(test_last_event_of_the_parent_is_sent),
		TEST(test_slow_session_is_closed),
		TEST(test_sessions_are_bounded),
		TEST(test_silent_clients_give_way),
		TEST(test_request_has_to_end_in_time),
		TEST(test_request_of_a_session_has_to_end_in_time),
		TEST(test_client_with_its_reply_does_not_stay),
		TEST(test_reply_that_nobody_reads_is_thrown_away),
		TEST(test_client_that_left_is_no_harm),
		TEST(test_client_that_hung_up_has_no_place),
		TEST(test_calls_without_a_client_are_bounded),
		TEST(test_wait_for_an_answer_has_an_end),
		TEST(test_session_asks_again_after_a_late_answer),
		TEST(test_wait_for_two_answers_has_the_same_end),
		TEST(test_questions_end_with_their_clients),
		TEST(test_log_tells_once_that_there_is_no_answer),
		TEST(test_clients_in_a_call_give_way),
		TEST(test_in_flight_is_bounded),
		TEST(test_connections_are_listed_one_client_at_a_time),
		TEST(test_queries),
		TEST(test_missing_stages),
		TEST(test_loss_of_the_connector),
		TEST(test_connector_that_breaks_the_protocol),
	};

	api_request_init();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
