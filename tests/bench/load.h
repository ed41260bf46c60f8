/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * bench_load: the clients and servers of the benchmark where iperf3 has none. One load, one
 * function; each prints one number, and ends the program with a line where it can't.
 */
#pragma once

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* One request and one reply of the measurements that count them: a small packet either way. */
#define LOAD_MESSAGE_BYTES 64
/* The server listens on as many TCP ports from the given one. A client that closes keeps its
 * own port from the same server port for a minute (TIME_WAIT), inside and outside of the
 * subject, and there are some 28,000: with these, some 450,000 connections a minute. */
#define LOAD_N_TCP_PORTS 16
/* A reply that takes this long is none. On this network milliseconds are long. */
#define LOAD_REPLY_TIMEOUT_MS 5000

/* Between two datagrams of load_gap(): short beside the gaps that are looked for, and long enough that
 * it leaves the machine to others. */
#define LOAD_GAP_PAUSE_US 200

/* When the work is over; *began_ns is when it started. Both from clock_now_ns(). */
struct load_span {
	int64_t began_ns;
	int64_t end_ns;
};

struct load_span load_span_of_seconds(double seconds);
bool load_span_is_over(const struct load_span *span);
/* n_events by the second since the span began, until now. */
double load_span_rate(const struct load_span *span, uint64_t n_events);

/* "ADDRESS" and "PORT" in text as an IPv4 address. */
struct sockaddr_in load_address(const char *address, const char *port);
double load_number(const char *text);
/* A TCP or UDP socket that is connected and has the timeout; the caller closes it. The first
 * gives -1 with errno where it can't connect, the second ends the program. */
int load_try_connect(const struct sockaddr_in *peer, int type);
int load_connect(const struct sockaddr_in *peer, int type);
/* Writes or reads all of it, or ends the program. */
void load_write_all(int fd, const void *data, size_t len);
void load_read_all(int fd, void *data, size_t len);
/* Runs count() in that many processes at once, each with its number from 0. Gives the sum of
 * what they return. */
uint64_t load_by_clients(int n_clients, uint64_t (*count)(const void *ctx, int client),
    const void *ctx);
/* What was printed is seen now; then waits for end-of-file on standard input. */
void load_wait_for_the_end(void);

/* Until it is killed: TCP echo on all those ports, UDP echo on the first. argv: ADDRESS PORT */
void load_serve(char *const argv[]);
/* TCP request and response on one connection. argv: ADDRESS PORT SECONDS; a second */
void load_rr(char *const argv[]);
/* Connect, request, reply, close, by that many clients at once.
 * argv: ADDRESS PORT SECONDS CLIENTS; a second */
void load_one_shot(char *const argv[]);
/* Opens connections and holds them until end-of-file on standard input.
 * argv: ADDRESS PORT CONNECTIONS SECONDS; how many there are when all are, or time is out */
void load_hold(char *const argv[]);
/* UDP request and response. argv: ADDRESS PORT SECONDS; a second */
void load_echo(char *const argv[]);
/* The same every LOAD_GAP_PAUSE_US. argv: ADDRESS PORT SECONDS; the longest wait for a reply in ms */
void load_gap(char *const argv[]);
/* Until it is killed: a name server whose every name has an address. argv: ADDRESS PORT */
void load_serve_names(char *const argv[]);
/* Asks for names, each another one, by that many clients at once.
 * argv: ADDRESS PORT SECONDS CLIENTS; a second */
void load_names(char *const argv[]);
/* Datagrams as fast as they can be sent. argv: ADDRESS PORT BYTES SECONDS; sent a second */
void load_flood(char *const argv[]);
/* Takes such a flood, until end-of-file on standard input.
 * argv: ADDRESS PORT SECONDS; "ready", then Gbit/s of payload */
void load_sink(char *const argv[]);
/* Waits for a datagram, and answers with such a flood.
 * argv: ADDRESS PORT BYTES SECONDS; "ready", then sent a second */
void load_pour(char *const argv[]);
/* Asks for that flood, and takes it. argv: ADDRESS PORT SECONDS; Gbit/s of payload */
void load_draw(char *const argv[]);
/* UDP request and response, each from a new port. argv: ADDRESS PORT REQUESTS; a second */
void load_fresh(char *const argv[]);
/* Requests to a control socket, each on its own connection, from that many clients at once; at
 * most RATE a second together, or as fast as they are answered if it is 0.
 * argv: PATH REQUEST SECONDS RATE CLIENTS; a second */
void load_api(char *const argv[]);
