/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Runs the scripts in tests/unit/tcp against the TCP machine, each with initial sequence
 * numbers at random, just below 2^31, and just below 2^32 on both sides. TCP_SEED=0x... repeats
 * the random ones of a failure.
 *
 * A line of a script is something that happens, or a call that the machine must make then.
 * Calls come in order, and a call that the script does not have is a failure. ":N" names one
 * of several flows. Sequence numbers count from the ISN of their side.
 *
 *   set NAME VALUE                 before all else: mtu, frame, big, pool (KiB), flows, ip6
 *   guest > FLAGS SEQ[:END] [ack N] [win N] [mss N] [ws N] [sackok 1] [sack L-R]... [ttl N]
 *   guest >> ...                   the same, and the batch goes on
 *   flood FIRST LAST               a SYN of each of these flows; the calls are not compared
 *   crowd FIRST LAST               a peer of a forward for each; the same
 *   senders FIRST LAST SEQ         a byte of each, which is opened if SEQ is 1; the same
 *   host opened | connected | failed ERRNO | data N | eof | reset | breaks ERRNO
 *   host lost ERRNO                as "reset", with another error
 *   host takes N | all             room in the socket's buffer; "all" is the start
 *   host writable                  the edge after that
 *   host accepted                  a peer of a forward
 *   refused OUTCOME                the answer to "open"
 *   emit ERRNO N                   the next N frames fail; tap ready: they go again
 *   too big SEQ MTU                from a router in the guest
 *   unreachable SEQ                the same, or from the guest
 *   +N ms | s                      time passes, and timers fire
 *   awake                          from now on the worker does not sleep between turns
 *   sleep                          it does, from now on and as at the start
 *
 *   guest < FLAGS SEQ:END [NAME VALUE]...      options that are named must match, in order
 *   guest takes N                  frames with N bytes in all, each behind the one before;
 *                                  "ack taken" then acknowledges them
 *   guest drains N SEQ             the same, each acknowledged at once, until no more come
 *   guest < unreachable host | net | prohibited
 *   host open | < N | end | keepalive | close | reset
 *   state NAME | none              of the flow
 *   big NAME                       whether the flow gets big frames (enum tcp_big)
 *   listed STATE [NAME N]...       the flow as lists show it (observe/tcp_list.h)
 *   counter NAME N
 *   ended NAME N                   flows that ended for this reason
 *
 *   opened | opened:N              stands for the lines of open_lines[]
 *   repeat N ... again             runs the lines between N times, with "*" for 1 to N; not
 *                                  inside another one
 */
#include "tcp_world.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include <cmocka.h>

#include "slirp-worker/engine/tcp/tcp_parts.h"
#include "slirp-worker/observe/tcp_list.h"

#define LINE_MAX_LEN 256
#define WORDS_MAX 32
#define DEFAULT_WINDOW 64240
#define US_PER_MS 1000

/* The shortest sleep: epoll_wait(2) counts milliseconds. */
#define STEP_US 1000

struct script {
	struct fake_world world;
	const char *path;
	int line_number;
	const char *variant;
	uint32_t guest_isn;
	uint32_t our_isn;
	bool begun;
	struct tcp_config config;
	bool is_ip6;
	/* Data of the segments of a batch. */
	uint8_t data[TCP_NOTED_MAX + 1][65536];
	size_t n_data;
	uint32_t taken; /* the end of the frames in "guest takes" */
};

static struct script script;

static void __attribute__((format(printf, 1, 2), noreturn)) fails(const char *format, ...)
{
	va_list arguments;

	fprintf(stderr, "%s:%d (%s): ", script.path, script.line_number, script.variant);
	va_start(arguments, format);
	vfprintf(stderr, format, arguments);
	va_end(arguments);
	fprintf(stderr, "\n");
	for (size_t i = 0; i < script.world.n_lines; i++)
		fprintf(stderr, "  %s%s\n", i < script.world.n_taken_lines ? "" : "> ",
		    script.world.lines[i]);
	fail();
	abort();
}

static int
error_named(const char *name)
{
	static const struct {
		const char *name;
		int error;
	} errors[] = {
		{ "ECONNREFUSED", ECONNREFUSED },
		{ "ECONNRESET", ECONNRESET },
		{ "EHOSTUNREACH", EHOSTUNREACH },
		{ "ENETUNREACH", ENETUNREACH },
		{ "ETIMEDOUT", ETIMEDOUT },
		{ "EACCES", EACCES },
		{ "EMFILE", EMFILE },
		{ "EPIPE", EPIPE },
		{ "EIO", EIO },
		{ "EAGAIN", EAGAIN },
		{ "ENOMEM", ENOMEM },
	};

	for (size_t i = 0; i < sizeof(errors) / sizeof(errors[0]); i++)
		if (strcmp(name, errors[i].name) == 0)
			return -errors[i].error;
	fails("unknown error %s", name);
}

/* The time at which the flow 0 of this run gets the wanted ISN. */
static uint64_t
begin_us(void)
{
	struct flow_key key = fake_key(&script.world, 0);

	key.protocol = UINT16_MAX;
	return 4 * (uint64_t)(uint32_t)(script.our_isn - (uint32_t)flow_key_hash(&key));
}

static void
begin(void)
{
	if (script.begun)
		return;
	script.begun = true;
	script.world.is_ip6 = script.is_ip6;
	fake_begin(&script.world, &script.config, script.is_ip6, begin_us());
	for (int i = 0; i < FAKE_FLOWS; i++)
		script.world.flow[i].guest_isn = script.guest_isn + 100000u * (uint32_t)i;
}

static void
check_world(void)
{
	if (script.world.fault)
		fails("%s", script.world.fault);
}

/* All calls up to now have been said. */
static void
nothing_unsaid(void)
{
	check_world();
	if (script.world.n_taken_lines < script.world.n_lines)
		fails("the script does not have: %s",
		    script.world.lines[script.world.n_taken_lines]);
	script.world.n_lines = script.world.n_taken_lines = 0;
}

static struct tcp_flow *
flow_numbered(int n)
{
	struct flow_key key = fake_key(&script.world, n);

	return flow_table_find(&script.world.tcp.flows, &key);
}

static const char *
value_of(char **words, int n, const char *name)
{
	for (int i = 0; i + 1 < n; i++)
		if (strcmp(words[i], name) == 0)
			return words[i + 1];
	return NULL;
}

static uint32_t
number(const char *text, uint32_t absent)
{
	return text ? (uint32_t)strtoul(text, NULL, 0) : absent;
}

static uint8_t
flags_of(const char *text)
{
	uint8_t flags = 0;

	for (; *text; text++)
		switch (*text) {
		case 'S':
			flags |= WIRE_TCP_SYN;
			break;
		case 'F':
			flags |= WIRE_TCP_FIN;
			break;
		case 'R':
			flags |= WIRE_TCP_RST;
			break;
		case 'P':
			flags |= WIRE_TCP_PSH;
			break;
		case '.':
			flags |= WIRE_TCP_ACK_FLAG;
			break;
		case '0':
			break;
		default:
			fails("unknown flag %c", *text);
		}
	return flags;
}

/* The value of "ack". */
static uint32_t
ack_of(char **words, int n)
{
	const char *text = value_of(words, n, "ack");

	return text && strcmp(text, "taken") == 0 ? script.taken : number(text, 0);
}

static void
guest_sends(int flow, char **words, int n, bool more)
{
	struct fake_flow *f = &script.world.flow[flow];
	const char *end = strchr(words[1], ':');
	uint32_t first = number(words[1], 0);
	struct tcp_segment segment = {
		.seq = f->guest_isn + first,
		.flags = flags_of(words[0]),
		.ack = f->our_isn + ack_of(words, n),
		.window = (uint16_t)number(value_of(words, n, "win"), DEFAULT_WINDOW),
		.mss = (uint16_t)number(value_of(words, n, "mss"), 0),
		.has_wscale = value_of(words, n, "ws") != NULL,
		.wscale = (uint8_t)number(value_of(words, n, "ws"), 0),
		.sack_ok = value_of(words, n, "sackok") != NULL,
		.data_len = end ? number(end + 1, 0) - first : 0,
		.ttl = (uint8_t)number(value_of(words, n, "ttl"), 64),
	};

	for (int i = 0; i + 1 < n; i++)
		if (strcmp(words[i], "sack") == 0)
			segment.sack[segment.n_sack++] = (struct tcp_sack_block){
				f->our_isn + number(words[i + 1], 0),
				f->our_isn + number(strchr(words[i + 1], '-') + 1, 0),
			};
	if (segment.data_len > sizeof(script.data[0]))
		fails("too long a segment");
	if (script.n_data > TCP_NOTED_MAX)
		fails("too many segments in a batch");
	fake_guest_sends(&script.world, flow, &segment, script.data[script.n_data++]);
	if (more)
		return;
	script.n_data = 0;
	fake_turn(&script.world);
}

/* Calls that a script does not compare. */
static void
skip_calls(void)
{
	script.world.n_taken_lines = script.world.n_lines;
	nothing_unsaid();
}

static void
check_flows(int first, int last)
{
	if (first < 0 || last >= FAKE_FLOWS)
		fails("flows are 0 to %d", FAKE_FLOWS - 1);
}

static void
flood(int first, int last)
{
	check_flows(first, last);
	for (int i = first; i <= last; i++) {
		char flags[] = "S", at[] = "0";
		char *words[] = { flags, at };

		guest_sends(i, words, 2, false);
		skip_calls();
	}
}

static void
host_accepts(int flow)
{
	static const uint8_t guest_mac[6] = { 2, 0, 0, 0, 0, 1 };
	static const uint8_t our_mac[6] = { 2, 0, 0, 0, 0, 2 };
	struct flow_key key = fake_key(&script.world, flow);
	/* With the ports of a flow that is open, the socket is the last flow's. */
	int socket = script.world.flow[flow].is_open ? FAKE_FLOWS - 1 : flow;
	struct fake_flow *f = &script.world.flow[socket];
	struct tcp_flow *made;

	f->is_open = true;
	tcp_set_time(&script.world.tcp, script.world.now_us);
	if (tcp_accepted(&script.world.tcp, 100 + socket, &key, guest_mac, our_mac, 1)) {
		made = flow_numbered(flow);
		f->handle = made->link;
		f->index = flow_table_index(&script.world.tcp.flows, made);
	}
}

static void
crowd(int first, int last)
{
	if (first < 0 || last >= FAKE_FLOWS)
		fails("flows are 0 to %d", FAKE_FLOWS - 1);
	for (int i = first; i <= last; i++) {
		host_accepts(i);
		fake_turn(&script.world);
		script.world.n_taken_lines = script.world.n_lines;
		nothing_unsaid();
	}
}

static void
host_does(int flow, char **words, int n)
{
	struct fake_flow *f = &script.world.flow[flow];
	uint32_t events = 0;

	if (strcmp(words[0], "opened") == 0) {
		f->is_open = true;
		tcp_opened(&script.world.tcp, f->index, f->handle.generation, 100 + flow);
	} else if (strcmp(words[0], "connected") == 0) {
		events = EPOLLOUT;
	} else if (strcmp(words[0], "failed") == 0 && n > 1) {
		f->connect_error = error_named(words[1]);
		events = EPOLLOUT | EPOLLERR | EPOLLHUP;
	} else if (strcmp(words[0], "data") == 0 && n > 1) {
		f->n_sent += number(words[1], 0);
		events = EPOLLIN;
	} else if (strcmp(words[0], "eof") == 0) {
		f->has_eof = true;
		events = EPOLLIN | EPOLLRDHUP;
	} else if (strcmp(words[0], "reset") == 0 ||
	    (strcmp(words[0], "lost") == 0 && n > 1)) {
		f->read_error = f->write_error =
		    n > 1 ? error_named(words[1]) : -ECONNRESET;
		events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLERR | EPOLLHUP;
	} else if (strcmp(words[0], "breaks") == 0 && n > 1) {
		/* The next write finds it; no event tells. */
		f->write_error = error_named(words[1]);
	} else if (strcmp(words[0], "takes") == 0 && n > 1) {
		f->n_takes =
		    strcmp(words[1], "all") == 0 ? FAKE_TAKES_ALL : number(words[1], 0);
	} else if (strcmp(words[0], "writable") == 0) {
		events = EPOLLOUT;
	} else if (strcmp(words[0], "accepted") == 0) {
		host_accepts(flow);
	} else {
		fails("unknown: host %s", words[0]);
	}
	if (events)
		fake_host_event(&script.world, flow, events);
	fake_turn(&script.world);
}

static void
refused(int flow, const char *name)
{
	static const struct {
		const char *name;
		enum tcp_outcome outcome;
	} outcomes[] = {
		{ "refused", TCP_REFUSED },
		{ "host", TCP_HOST_UNREACHABLE },
		{ "net", TCP_NET_UNREACHABLE },
		{ "prohibited", TCP_PROHIBITED },
		{ "timeout", TCP_TIMED_OUT },
		{ "shortage", TCP_SHORTAGE },
		{ "ignored", TCP_IGNORED },
	};
	const struct fake_flow *f = &script.world.flow[flow];

	for (size_t i = 0; i < sizeof(outcomes) / sizeof(outcomes[0]); i++)
		if (strcmp(name, outcomes[i].name) == 0) {
			tcp_refused(&script.world.tcp, f->index, f->handle.generation,
			    outcomes[i].outcome);
			fake_turn(&script.world);
			return;
		}
	fails("unknown outcome %s", name);
}

/* The worker sleeps as long as the machine says. */
static void
time_passes(const char *amount, const char *unit)
{
	uint64_t end_us = script.world.now_us +
	    strtoull(amount, NULL, 10) * US_PER_MS * (*unit == 's' ? 1000 : 1);

	while (script.world.now_us < end_us) {
		uint64_t wait_us = (uint64_t)tcp_wait_ms(&script.world.tcp) * US_PER_MS;
		uint64_t left_us = end_us - script.world.now_us;

		if (wait_us < STEP_US)
			wait_us = STEP_US;
		script.world.now_us += wait_us < left_us ? wait_us : left_us;
		fake_turn(&script.world);
		check_world();
	}
}

static void
set(const char *name, const char *value)
{
	uint32_t n = number(value, 0);

	if (script.begun)
		fails("too late for a setting");
	if (strcmp(name, "mtu") == 0)
		script.config.mtu_bytes = (uint16_t)n;
	else if (strcmp(name, "frame") == 0)
		script.config.frame_data_max = n;
	else if (strcmp(name, "big") == 0)
		script.config.big_frame_data_max = n;
	else if (strcmp(name, "pool") == 0)
		script.config.pool_bytes = (size_t)n * 1024;
	else if (strcmp(name, "flows") == 0)
		script.config.n_flows_max = n;
	else if (strcmp(name, "ip6") == 0)
		script.is_ip6 = n;
	else
		fails("unknown setting %s", name);
}

static int
split(char *text, char **words)
{
	int n = 0;

	for (char *word = strtok(text, " \t\n"); word && n < WORDS_MAX;
	     word = strtok(NULL, " \t\n"))
		words[n++] = word;
	return n;
}

/* The next option with this name has the value. They are named in their order: the first
 * block of SACK is the latest. */
static bool
takes_option(char **of_call, int n_call, int *at, const char *name, const char *value)
{
	while (*at + 1 < n_call && strcmp(of_call[*at], name) != 0)
		*at += 2;
	*at += 2;
	return *at <= n_call && strcmp(of_call[*at - 1], value) == 0;
}

/* The next call of the machine is the one in the script. */
static void
expect(const char *wanted)
{
	char call[FAKE_LINE_LEN], text[LINE_MAX_LEN];
	char *of_call[WORDS_MAX], *words[WORDS_MAX];
	int n_call, n, n_fixed, at = 4;

	check_world();
	if (script.world.n_taken_lines == script.world.n_lines)
		fails("the machine does not do: %s", wanted);
	snprintf(call, sizeof(call), "%s",
	    script.world.lines[script.world.n_taken_lines]);
	snprintf(text, sizeof(text), "%s", wanted);
	n_call = split(call, of_call);
	n = split(text, words);
	/* "guest < FLAGS RANGE", then names and values. */
	n_fixed = n >= 4 && strncmp(words[0], "guest", 5) == 0 &&
		strcmp(words[2], "unreachable") != 0
	    ? 4
	    : n;
	for (int i = 0; i < n_fixed; i++)
		if (i >= n_call || strcmp(words[i], of_call[i]) != 0)
			fails("expected: %s\n  but got: %s", wanted,
			    script.world.lines[script.world.n_taken_lines]);
	if (n_fixed == n && n_fixed != 4 && n_call != n)
		fails("expected: %s\n  but got: %s", wanted,
		    script.world.lines[script.world.n_taken_lines]);
	for (int i = n_fixed; i + 1 < n; i += 2) {
		bool found = strcmp(words[i], "no") == 0
		    ? !value_of(of_call + 4, n_call - 4, words[i + 1])
		    : takes_option(of_call, n_call, &at, words[i], words[i + 1]);

		if (!found)
			fails("expected: %s\n  but got: %s", wanted,
			    script.world.lines[script.world.n_taken_lines]);
	}
	script.world.n_taken_lines++;
}

static void run_line(char *line);
static void run_open_lines(int flow);

static void
senders(int first, int last, uint32_t seq)
{
	check_flows(first, last);
	for (int i = first; i <= last; i++) {
		char line[LINE_MAX_LEN];

		if (seq == 1)
			run_open_lines(i);
		snprintf(line, sizeof(line), "guest:%d > P. %u:%u ack 1 win 502", i, seq,
		    seq + 1);
		run_line(line);
		skip_calls();
	}
}

/* The machine's calls are frames of flow 0 with data in sequence: returns their bytes. */
static uint32_t
take_frames(void)
{
	uint32_t n = 0;

	check_world();
	while (script.world.n_taken_lines < script.world.n_lines) {
		const char *line = script.world.lines[script.world.n_taken_lines];
		/* "guest:0 < FLAGS LEFT:RIGHT ..." */
		const char *colon = strchr(line + strlen("guest:"), ':');
		uint32_t left, right;

		if (strncmp(line, "guest:0 < ", 10) != 0 || !colon)
			break;
		left = number(strchr(line + 10, ' '), 0);
		right = number(colon + 1, 0);
		if (left == right)
			break;
		if (n > 0 && left != script.taken)
			fails("not in sequence: %s", line);
		n += right - left;
		script.taken = right;
		script.world.n_taken_lines++;
	}
	return n;
}

static void
guest_takes(uint32_t n_bytes)
{
	uint32_t n = take_frames();

	if (n != n_bytes)
		fails("the guest gets %u bytes", n);
}

static void
guest_drains(uint32_t n_bytes, const char *seq)
{
	uint32_t n, n_all = 0;

	while ((n = take_frames()) > 0) {
		char line[LINE_MAX_LEN];

		n_all += n;
		snprintf(line, sizeof(line), "guest > . %s ack taken win 502", seq);
		run_line(line);
	}
	if (n_all != n_bytes)
		fails("the guest gets %u bytes", n_all);
}

static void
expect_state(int flow, const char *name)
{
	static const char *const names[] = { "connect", "syn_rcvd", "syn_sent", "open",
		"time_wait", "dead" };
	const struct tcp_flow *found = flow_numbered(flow);
	const char *is = found ? names[found->state] : "none";

	if (strcmp(is, name) != 0)
		fails("the flow is in state %s", is);
}

static void
expect_big(int flow, const char *name)
{
	static const char *const names[] = { "never", "untried", "trying", "works" };
	const struct tcp_flow *found = flow_numbered(flow);
	const char *is = found ? names[found->big] : "none";

	if (strcmp(is, name) != 0)
		fails("big frames: %s", is);
}

/* The age and the round trip time are of the scripts' clock, which goes on in steps. */
static void
expect_listed(int flow, char **words, int n)
{
	static const char *const states[] = {
#define STATE(name) #name,
		IPC_TCP_STATES(STATE)
#undef STATE
	};
	const struct tcp_flow *found = flow_numbered(flow);
	struct ipc_connection entry;

	if (!found)
		fails("there is no flow");
	tcp_list_describe(&script.world.tcp, found, &entry);
	if (strcmp(states[entry.state], words[1]) != 0)
		fails("listed as %s", states[entry.state]);
	for (int i = 2; i + 1 < n; i += 2) {
		const struct {
			const char *name;
			uint64_t value;
		} members[] = {
			{ "recv", entry.recv_queue_bytes },
			{ "send", entry.send_queue_bytes },
			{ "in", entry.bytes_in },
			{ "out", entry.bytes_out },
			{ "again", entry.retransmitted_bytes },
			{ "age_s", entry.age_ms / 1000 },
			{ "rtt_known", entry.round_trip_us != 0 },
			{ "forward", entry.is_forward },
			{ "source_port", entry.source_port },
			{ "dest_port", entry.dest_port },
		};
		size_t k = 0;

		while (k < sizeof(members) / sizeof(members[0]) &&
		    strcmp(members[k].name, words[i]) != 0)
			k++;
		if (k == sizeof(members) / sizeof(members[0]))
			fails("unknown member %s", words[i]);
		if (members[k].value != (uint64_t)number(words[i + 1], 0))
			fails("%s is listed as %llu", words[i],
			    (unsigned long long)members[k].value);
	}
}

static void
expect_number(const char *const *names, const uint64_t *numbers, size_t n,
    const char *name, uint64_t wanted)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(names[i], name) == 0) {
			if (numbers[i] != wanted)
				fails("%s is %llu", name, (unsigned long long)numbers[i]);
			return;
		}
	fails("unknown counter %s", name);
}

static void
expect_counter(const char *name, uint64_t wanted)
{
	static const char *const names[] = {
#define X(name, text) #name,
		IPC_TCP_COUNTERS(X)
#undef X
	};

	expect_number(names, script.world.tcp.counters, TCP_N_COUNTERS, name, wanted);
}

static void
expect_ended(const char *name, uint64_t wanted)
{
	static const char *const names[] = {
#define X(name, text) #name,
		IPC_TCP_ENDS(X)
#undef X
	};

	expect_number(names, script.world.tcp.ends, TCP_N_ENDS, name, wanted);
}

/* "guest:1" is flow 1; makes every line's first word "guest:N" or "host:N". */
static int
take_flow(char *word)
{
	char *colon = strchr(word, ':');
	int flow = colon ? atoi(colon + 1) : 0;

	if (flow < 0 || flow >= FAKE_FLOWS)
		fails("flows are 0 to %d", FAKE_FLOWS - 1);
	if (colon)
		*colon = '\0';
	return flow;
}

static bool
is_call_of_host(const char *word)
{
	static const char *const calls[] = { "open", "<", "end", "keepalive", "close",
		"resets" };

	for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++)
		if (strcmp(word, calls[i]) == 0)
			return true;
	return false;
}

static void
run_line(char *line)
{
	char wanted[LINE_MAX_LEN] = "";
	char *words[WORDS_MAX];
	char *comment = strchr(line, '#');
	int n, flow, len;

	if (comment)
		*comment = '\0';
	n = split(line, words);
	if (n == 0)
		return;
	if (strcmp(words[0], "set") == 0 && n == 3) {
		set(words[1], words[2]);
		return;
	}
	begin();
	flow = take_flow(words[0]);
	len = snprintf(wanted, sizeof(wanted), "%s:%d", words[0], flow);
	for (int i = 1; i < n; i++)
		len +=
		    snprintf(wanted + len, sizeof(wanted) - (size_t)len, " %s", words[i]);
	if (strcmp(words[0], "guest") == 0 && n > 2 && strcmp(words[1], "<") == 0) {
		expect(wanted);
	} else if (strcmp(words[0], "guest") == 0 && n == 3 &&
	    strcmp(words[1], "takes") == 0) {
		guest_takes(number(words[2], 0));
	} else if (strcmp(words[0], "guest") == 0 && n == 4 &&
	    strcmp(words[1], "drains") == 0) {
		guest_drains(number(words[2], 0), words[3]);
	} else if (strcmp(words[0], "host") == 0 && n > 1 && is_call_of_host(words[1])) {
		/* "host resets": the machine resets the peer. */
		if (strcmp(words[1], "resets") == 0)
			snprintf(wanted, sizeof(wanted), "host:%d reset", flow);
		expect(wanted);
	} else if (strcmp(words[0], "state") == 0 && n == 2) {
		expect_state(flow, words[1]);
	} else if (strcmp(words[0], "big") == 0 && n == 2) {
		expect_big(flow, words[1]);
	} else if (strcmp(words[0], "listed") == 0 && n % 2 == 0) {
		expect_listed(flow, words, n);
	} else if (strcmp(words[0], "counter") == 0 && n == 3) {
		expect_counter(words[1], number(words[2], 0));
	} else if (strcmp(words[0], "ended") == 0 && n == 3) {
		expect_ended(words[1], number(words[2], 0));
	} else if (strcmp(words[0], "emit") == 0 && n == 3) {
		script.world.emit_error = error_named(words[1]);
		script.world.n_emit_errors = number(words[2], 0);
	} else {
		if (script.n_data == 0)
			nothing_unsaid();
		if (strcmp(words[0], "guest") == 0 && n > 3 && words[1][0] == '>')
			guest_sends(flow, words + 2, n - 2, words[1][1] == '>');
		else if (strcmp(words[0], "host") == 0 && n > 1)
			host_does(flow, words + 1, n - 1);
		else if (strcmp(words[0], "flood") == 0 && n == 3)
			flood(atoi(words[1]), atoi(words[2]));
		else if (strcmp(words[0], "crowd") == 0 && n == 3)
			crowd(atoi(words[1]), atoi(words[2]));
		else if (strcmp(words[0], "senders") == 0 && n == 4)
			senders(atoi(words[1]), atoi(words[2]), number(words[3], 0));
		else if (strcmp(words[0], "refused") == 0 && n == 2)
			refused(flow, words[1]);
		else if (strcmp(words[0], "tap") == 0) {
			tcp_tap_ready(&script.world.tcp);
			fake_turn(&script.world);
		} else if (strcmp(words[0], "awake") == 0 && n == 1) {
			script.world.is_awake = true;
		} else if (strcmp(words[0], "sleep") == 0 && n == 1) {
			script.world.is_awake = false;
			fake_turn(&script.world);
		} else if (words[0][0] == '+' && n == 2)
			time_passes(words[0] + 1, words[1]);
		else if (strcmp(words[0], "too") == 0 && n == 4) {
			struct flow_key key = fake_key(&script.world, 0);

			tcp_too_big(&script.world.tcp, &key,
			    script.world.flow[0].our_isn + number(words[2], 0),
			    number(words[3], 0));
			fake_turn(&script.world);
		} else if (strcmp(words[0], "unreachable") == 0 && n == 2) {
			struct flow_key key = fake_key(&script.world, flow);

			tcp_unreachable(&script.world.tcp, &key,
			    script.world.flow[flow].our_isn + number(words[1], 0));
			fake_turn(&script.world);
		} else
			fails("unknown line: %s", wanted);
	}
	check_world();
}

/* Most scripts begin with a connection that the guest has opened. */
static const struct {
	const char *who, *what;
} open_lines[] = {
	{ "guest", "> S 0 mss 1460 ws 7 sackok 1" },
	{ "host", "open" },
	{ "host", "opened" },
	{ "host", "connected" },
	{ "guest", "< S. 0:0 ack 1" },
	{ "guest", "> . 1 ack 1 win 502" },
};

static void
run_open_lines(int flow)
{
	for (size_t i = 0; i < sizeof(open_lines) / sizeof(open_lines[0]); i++) {
		char line[LINE_MAX_LEN];

		snprintf(line, sizeof(line), "%s:%d %s", open_lines[i].who, flow,
		    open_lines[i].what);
		run_line(line);
	}
}

/* Puts the number in the place of each "*". */
static void
put_number(const char *from, int number, char to[LINE_MAX_LEN])
{
	size_t n = 0;

	for (; *from != '\0'; from++)
		if (*from == '*')
			n += (size_t)snprintf(to + n, LINE_MAX_LEN - n, "%d", number);
		else if (n < LINE_MAX_LEN - 1)
			to[n++] = *from;
	to[n] = '\0';
}

static void
run_lines(FILE *file)
{
	char text[LINE_MAX_LEN / 2], line[LINE_MAX_LEN];
	long first = 0; /* of the lines to repeat */
	int first_number = 0, n_times = 0, number = 0, flow;

	while (fgets(text, sizeof(text), file)) {
		if (text[0] == '#')
			snprintf(line, sizeof(line), "%s", text);
		else
			put_number(text, number, line);
		script.line_number++;
		if (strcmp(line, "opened\n") == 0) {
			run_open_lines(0);
		} else if (sscanf(line, "opened:%d", &flow) == 1) {
			run_open_lines(flow);
		} else if (strncmp(line, "repeat ", 7) == 0) {
			n_times = atoi(line + 7);
			number = 1;
			first = ftell(file);
			first_number = script.line_number;
		} else if (strcmp(line, "again\n") == 0) {
			if (number == 0)
				fails("again without repeat");
			if (number++ == n_times) {
				number = 0;
				continue;
			}
			assert_int_equal(fseek(file, first, SEEK_SET), 0);
			script.line_number = first_number;
		} else {
			run_line(line);
		}
	}
	if (number != 0)
		fails("repeat without again");
}

static void
run_script(const char *path, const char *variant, uint32_t guest_isn, uint32_t our_isn)
{
	FILE *file = fopen(path, "re");

	assert_non_null(file);
	script.path = strrchr(path, '/') + 1;
	script.line_number = 0;
	script.variant = variant;
	script.guest_isn = guest_isn;
	script.our_isn = our_isn;
	script.begun = script.is_ip6 = false;
	script.n_data = 0;
	script.taken = 0;
	script.config = (struct tcp_config){
		.n_flows_max = 4096,
		.pool_bytes = 8 << 20,
		.mtu_bytes = 1500,
		.frame_data_max = 64240,
	};
	run_lines(file);
	fclose(file);
	nothing_unsaid();
	fake_end(&script.world);
	check_world();
}

/* The random numbers of the guest and of the machine. */
static uint64_t seed;

static void
test_script(void **state)
{
	const char *path = *state;
	char variant[64];

	snprintf(variant, sizeof(variant), "TCP_SEED=%#llx", (unsigned long long)seed);
	run_script(path, variant, (uint32_t)seed, (uint32_t)(seed >> 32));
	run_script(path, "below 2^31", 0x7fffff00, 0x7ffffe00);
	run_script(path, "below 2^32", 0xffffff00, 0xfffffe00);
}

static int
is_script(const struct dirent *entry)
{
	size_t len = strlen(entry->d_name);

	return len > 2 && strcmp(entry->d_name + len - 2, ".t") == 0;
}

int
main(int argc, char **argv)
{
	const char *dir = argc > 1 ? argv[1] : TCP_SCRIPTS_DIR;
	struct dirent **entries;
	int n = scandir(dir, &entries, is_script, alphasort);
	struct CMUnitTest *tests;
	int status;

	if (n <= 0) {
		fprintf(stderr, "%s: no scripts\n", dir);
		return 1;
	}
	if (flow_key_make_secret() == -1 || getentropy(&seed, sizeof(seed)) == -1)
		return 1;
	if (getenv("TCP_SEED"))
		seed = strtoull(getenv("TCP_SEED"), NULL, 0);
	tests = calloc((size_t)n, sizeof(*tests));
	for (int i = 0; i < n; i++) {
		char *path;

		if (asprintf(&path, "%s/%s", dir, entries[i]->d_name) == -1)
			return 1;
		tests[i] = (struct CMUnitTest){ .name = entries[i]->d_name,
			.test_func = test_script,
			.initial_state = path };
	}
	status = _cmocka_run_group_tests("tcp", tests, (size_t)n, NULL, NULL);
	for (int i = 0; i < n; i++) {
		free(tests[i].initial_state);
		free(entries[i]);
	}
	free(tests);
	free(entries);
	return status;
}
