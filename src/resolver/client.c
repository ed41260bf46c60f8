/* SPDX-License-Identifier: BSD-2-Clause */
/* Reads questions from connections of the guest, and writes the answers. */
#include "resolver/client.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/bytes.h"
#include "base/deadline.h"
#include "resolver/resolver.h"

/* Ends the connection, and its question. */
static void
drop(struct resolver *resolver, struct client *client)
{
	if (client->state == CLIENT_ASKS)
		question_forget(resolver, client->question);
	close(take_fd(&client->fd));
	client->state = CLIENT_NONE;
}

static void
begin(struct resolver *resolver, struct client *client, enum client_state state,
    size_t n_wanted)
{
	client->state = state;
	client->n_done = 0;
	client->n_wanted = n_wanted;
	client->idle_ends_ms = resolver->now_ms + CLIENT_IDLE_MS;
}

/* A free place, or that of the connection that has waited longest for a question; NULL: all are
 * busy. */
static struct client *
find_place(struct resolver *resolver)
{
	struct client *oldest = NULL;

	for (size_t i = 0; i < CLIENTS_MAX; i++) {
		struct client *client = &resolver->clients[i];

		if (client->state == CLIENT_NONE)
			return client;
		if (client->state == CLIENT_READS &&
		    (!oldest || client->idle_ends_ms < oldest->idle_ends_ms))
			oldest = client;
	}
	if (oldest)
		drop(resolver, oldest);
	return oldest;
}

void
client_add(struct resolver *resolver, int adopt_fd)
{
	autofd int fd = adopt_fd;
	struct client *client = find_place(resolver);

	if (!client)
		return;
	client->fd = take_fd(&fd);
	begin(resolver, client, CLIENT_READS, MESSAGE_PREFIX_LEN);
}

short
client_events(const struct client *client)
{
	switch (client->state) {
	case CLIENT_READS:
		return POLLIN;
	case CLIENT_WRITES:
		return POLLOUT;
	default:
		/* poll(2) reports the end of the connection in any case. */
		return 0;
	}
}

/* The connection has sent a whole question. */
static void
ask(struct resolver *resolver, struct client *client)
{
	const struct asker asker = { .client = client };

	/* An answer may come at once, and change the state again. */
	client->state = CLIENT_ASKS;
	client->question = NULL;
	if (!question_add(resolver, &asker, client->bytes + MESSAGE_PREFIX_LEN,
		client->n_wanted - MESSAGE_PREFIX_LEN)) {
		client->state = CLIENT_READS;
		drop(resolver, client);
	}
}

/* Goes on once n_wanted bytes are there. */
static void
read_on(struct resolver *resolver, struct client *client)
{
	size_t len;

	if (client->n_wanted > MESSAGE_PREFIX_LEN) {
		ask(resolver, client);
		return;
	}
	len = load_be16(client->bytes);
	if (len < IPC_DNS_LEN_MIN || len > IPC_DNS_QUERY_MAX)
		drop(resolver, client);
	else
		client->n_wanted = MESSAGE_PREFIX_LEN + len;
}

static void
read_some(struct resolver *resolver, struct client *client)
{
	ssize_t n = recv(client->fd, client->bytes + client->n_done,
	    client->n_wanted - client->n_done, MSG_DONTWAIT);

	if (n == -1 && errno == EAGAIN)
		return;
	if (n <= 0) {
		drop(resolver, client);
		return;
	}
	client->n_done += (size_t)n;
	if (client->n_done == client->n_wanted)
		read_on(resolver, client);
}

static void
write_some(struct resolver *resolver, struct client *client)
{
	ssize_t n = send(client->fd, client->bytes + client->n_done,
	    client->n_wanted - client->n_done, MSG_DONTWAIT | MSG_NOSIGNAL);

	if (n == -1 && errno == EAGAIN)
		return;
	if (n == -1) {
		drop(resolver, client);
		return;
	}
	client->n_done += (size_t)n;
	if (client->n_done == client->n_wanted)
		begin(resolver, client, CLIENT_READS, MESSAGE_PREFIX_LEN);
}

void
client_answer(struct resolver *resolver, struct client *client, const uint8_t *bytes,
    size_t len)
{
	memmove(client->bytes + MESSAGE_PREFIX_LEN, bytes, len);
	store_be16(client->bytes, (uint16_t)len);
	begin(resolver, client, CLIENT_WRITES, MESSAGE_PREFIX_LEN + len);
	write_some(resolver, client);
}

void
client_serve(struct resolver *resolver, struct client *client, short revents)
{
	switch (client->state) {
	case CLIENT_NONE:
		break;
	case CLIENT_READS:
		read_some(resolver, client);
		break;
	case CLIENT_ASKS:
		if (revents & (POLLHUP | POLLERR))
			drop(resolver, client);
		break;
	case CLIENT_WRITES:
		write_some(resolver, client);
		break;
	}
}

uint64_t
client_tick(struct resolver *resolver)
{
	uint64_t due_ms = DEADLINE_NONE;

	for (size_t i = 0; i < CLIENTS_MAX; i++) {
		struct client *client = &resolver->clients[i];

		if (client->state != CLIENT_READS && client->state != CLIENT_WRITES)
			continue;
		if (resolver->now_ms >= client->idle_ends_ms)
			drop(resolver, client);
		else
			due_ms = deadline_earlier(due_ms, client->idle_ends_ms);
	}
	return due_ms;
}
