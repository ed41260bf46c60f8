/* SPDX-License-Identifier: BSD-2-Clause */
/* Reads the requests of clients, sends replies, and ends clients that exceed a limit. */
#include "api/client.h"

#include <assert.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "api/api.h"
#include "api/audit.h"
#include "api/policy/text.h"
#include "base/auto.h"

static bool
has_output(const struct api_client *client)
{
	return client->n_sent < client->out.len;
}

/* Puts the client at this place of the table. */
static void
put_at(struct api *api, struct api_client *client, uint32_t place)
{
	api->places[place] = client;
	client->place = place;
}

struct api_client *
api_client_add(struct api *api, int adopt_fd)
{
	struct api_client *client = api->places[api->n_clients];
	socklen_t peer_len = sizeof(client->peer);

	*client = (struct api_client){
		.state = API_CLIENT_READING,
		.place = api->n_clients,
		.fd = adopt_fd,
		.read_ms = api->now_ms,
		.since_ms = api->now_ms,
	};
	/* getsockopt(2) can't fail on a connected UNIX socket. If it did, the log would
	 * show pid 0. */
	(void)getsockopt(adopt_fd, SOL_SOCKET, SO_PEERCRED, &client->peer, &peer_len);
	api->n_clients++;
	api->counters.n_connections++;
	return client;
}

/* Drops a call that was not sent and whose client has gone. The log gets a line if the
 * request would have changed something. */
static void
cancel_call(struct api *api, struct api_client *client, const char *why)
{
	const struct api_verb *verb = client->request.verb;

	api_pending_cancel(client);
	if (verb->is_audited)
		api_audit(api, client, "%s: refused: %s", verb->name, why);
}

static struct api_client *
find_place_for_left(const struct api *api)
{
	for (uint32_t i = 0; i < API_LEFT_PLACES; i++)
		if (api->left[i].state == API_CLIENT_NONE)
			return &api->left[i];
	return NULL;
}

/* Moves the call to api->left, so that it goes on without its client. */
static void
leave_call(struct api *api, struct api_client *client)
{
	struct api_client *left = NULL;

	/* A request that changes something is still done. A query is dropped. */
	if (client->call.is_sent ||
	    (client->request.verb->is_audited && api->n_left < API_LEFT_MAX))
		left = find_place_for_left(api);
	/* A peer has API_IN_FLIGHT_MAX calls at most, so a sent call finds a place. */
	assert(left || !client->call.is_sent);
	if (!left) {
		cancel_call(api, client, "its client has hung up, and too many wait");
		return;
	}
	*left = (struct api_client){
		.state = API_CLIENT_CALLING,
		.fd = -1,
		.has_left = true,
		.peer = client->peer,
		.request = client->request,
		.call = client->call,
	};
	/* The copy owns the list now. */
	client->call.list = (struct api_out){ 0 };
	api_pending_replace(client, left);
	api->n_left++;
}

void
api_client_drop(struct api *api, struct api_client *client)
{
	if (client->fd != -1)
		close(take_fd(&client->fd));
	if (client->has_left) {
		api_out_free(&client->out);
		api_out_free(&client->call.list);
		client->state = API_CLIENT_NONE;
		api->n_left--;
		return;
	}
	if (client->state == API_CLIENT_CALLING)
		leave_call(api, client);
	if (client->is_session)
		api->n_sessions--;
	api_policy_text_leave(&api->policy.text, client);
	api_out_free(&client->out);
	api_out_free(&client->call.list);
	client->state = API_CLIENT_NONE;
	api->n_clients--;
	put_at(api, api->places[api->n_clients], client->place);
	put_at(api, client, api->n_clients);
}

static void receive(struct api *api, struct api_client *client);

/* Ends the connection after the reply of version 1. */
static void
end(struct api *api, struct api_client *client)
{
	/* Most clients have shut down their side by now. Such a client sends no more,
	 * and the connection can be closed. */
	if (!client->at_eof)
		receive(api, client);
	else
		api_client_drop(api, client);
	if (client->state == API_CLIENT_NONE)
		return;
	client->since_ms = api->now_ms;
	(void)shutdown(client->fd, SHUT_WR);
}

/* Sends as much of the output as the client's socket takes. */
static void
flush(struct api *api, struct api_client *client)
{
	struct api_out *out = &client->out;

	while (has_output(client)) {
		ssize_t n = send(client->fd, out->bytes + client->n_sent,
		    out->len - client->n_sent, MSG_NOSIGNAL | MSG_DONTWAIT);

		if (n == -1 && errno == EINTR)
			continue;
		if (n == -1 && errno == EAGAIN)
			break;
		if (n == -1) {
			api_client_drop(api, client);
			return;
		}
		client->n_sent += (size_t)n;
		client->wrote_ms = api->now_ms;
	}
	if (has_output(client)) {
		/* Move the rest to the front, so that events need memory for unread
		 * bytes only. */
		if (client->n_sent > out->len / 2) {
			out->len -= client->n_sent;
			memmove(out->bytes, out->bytes + client->n_sent, out->len);
			client->n_sent = 0;
		}
		return;
	}
	api_out_free(out);
	client->n_sent = 0;
	client->n_event_bytes = 0;
	if (client->state == API_CLIENT_LINGERING)
		end(api, client);
}

/* Removes n bytes from the beginning of the input. */
static void
consume(struct api_client *client, size_t n)
{
	client->in_len -= n;
	memmove(client->in, client->in + n, client->in_len);
	client->scan = (struct api_scan){ 0 };
}

static void
skip_line(struct api_client *client)
{
	const char *newline = memchr(client->in, '\n', client->in_len);

	consume(client, newline ? (size_t)(newline - client->in) + 1 : client->in_len);
	client->skips_line = !newline;
}

static void
skip_space(struct api_client *client)
{
	size_t n = 0;

	while (n < client->in_len && api_scan_is_space(client->in[n]))
		n++;
	if (n > 0)
		consume(client, n);
}

/* Refuses input that is not a request. A session goes on with the next line. */
static void
refuse_text(struct api *api, struct api_client *client, enum api_error_class class,
    const char *desc, const char *detail)
{
	struct api_error error;

	client->request = (struct api_request){ 0 };
	client->skips_line = client->is_session;
	api->counters.n_requests++;
	api_error_set(&error, class, desc, "%s", detail);
	api_client_refuse(api, client, &error);
}

static void
handle(struct api *api, struct api_client *client, size_t len)
{
	struct api_request *request = &client->request;
	struct api_error error;
	int result =
	    api_request_parse(request, client->in, len, client->is_session, &error);

	/* Only a session has more than one request. */
	consume(client, len);
	client->since_ms = 0;
	skip_space(client);
	if (result == 0 && !client->is_session && client->in_len > 0 &&
	    !request->verb->begins_session) {
		api_error_set(&error, API_ERROR_ParseError, "cannot parse JSON",
		    "something follows the object");
		result = -1;
	}
	api->counters.n_requests++;
	if (result == 0) {
		client->call = (struct api_call){ .since_ms = api->now_ms };
		request->verb->start(api, client);
		return;
	}
	if (request->verb && request->verb->is_audited)
		api_audit(api, client, "%s: refused: %s", request->verb->name,
		    error.detail);
	api_client_refuse(api, client, &error);
}

/* Returns false if the session's requests come too fast. The next one waits. */
static bool
may_ask(struct api *api, struct api_client *client)
{
	if (!client->is_session || ratelimit_allow(&client->rate, api->now_ms))
		return true;
	client->paused_until_ms = api->now_ms + API_SESSION_INTERVAL_MS;
	client->scan = (struct api_scan){ 0 };
	return false;
}

/* Returns the length of the value that the scanner found. In a session, a value that is
 * neither object nor array is taken up to the end of its line, since its own end is not
 * known. */
static size_t
whole_len(struct api_client *client)
{
	const char *newline;

	if (!client->is_session || client->in[0] == '{' || client->in[0] == '[')
		return client->scan.at;
	newline = memchr(client->in, '\n', client->in_len);
	client->skips_line = !newline;
	return newline ? (size_t)(newline - client->in) : client->in_len;
}

/* Takes the next request out of the input. Returns whether it made progress. */
static bool
take_request(struct api *api, struct api_client *client)
{
	const char *why = NULL;

	if (client->skips_line)
		skip_line(client);
	if (client->is_session) {
		skip_space(client);
		if (client->in_len == 0) {
			client->since_ms = 0;
			if (client->at_eof)
				api_client_drop(api, client);
			return false;
		}
	}
	switch (api_scan_next(&client->scan, client->in, client->in_len, &why)) {
	case API_SCAN_COMPLETE:
		if (client->scan.at == API_REQUEST_SIZE)
			break;
		if (!may_ask(api, client))
			return false;
		handle(api, client, whole_len(client));
		return true;
	case API_SCAN_BAD:
		/* The bad byte may be the newline that is looked for next. */
		consume(client, client->scan.at - 1);
		refuse_text(api, client, API_ERROR_ParseError, "cannot parse JSON", why);
		return true;
	case API_SCAN_MORE:
		if (client->in_len == API_REQUEST_SIZE)
			break;
		if (!client->at_eof)
			return false;
		consume(client, client->in_len);
		refuse_text(api, client, API_ERROR_ParseError, "cannot parse JSON",
		    "the connection ended before the request did");
		return true;
	}
	refuse_text(api, client, API_ERROR_TooLarge, "too large message",
	    "a request is shorter than 4096 bytes");
	return true;
}

/* Takes all complete requests, one after the other. */
static void
advance(struct api *api, struct api_client *client)
{
	while (client->state == API_CLIENT_READING && !has_output(client) &&
	    !client->paused_until_ms && take_request(api, client))
		continue;
}

static void
receive(struct api *api, struct api_client *client)
{
	ssize_t n = recv(client->fd, client->in + client->in_len,
	    sizeof(client->in) - client->in_len, MSG_DONTWAIT);

	if (n == -1) {
		if (errno != EAGAIN && errno != EINTR)
			api_client_drop(api, client);
		return;
	}
	client->read_ms = api->now_ms;
	client->at_eof = n == 0;
	if (client->state == API_CLIENT_LINGERING) {
		if (client->at_eof && !has_output(client))
			api_client_drop(api, client);
		return;
	}
	client->in_len += (size_t)n;
	if (client->since_ms == 0)
		client->since_ms = api->now_ms;
}

short
api_client_wants(const struct api_client *client)
{
	short events = has_output(client) ? POLLOUT : 0;

	if (client->at_eof || client->state == API_CLIENT_CALLING)
		return events;
	/* Do not read from a client that does not read its replies. */
	if (client->state == API_CLIENT_LINGERING ||
	    (!events && !client->paused_until_ms && client->in_len < sizeof(client->in)))
		events |= POLLIN;
	return events;
}

void
api_client_serve(struct api *api, struct api_client *client, short revents)
{
	short wanted = api_client_wants(client);

	/* The client has closed the socket or shut down both directions. Nobody waits
	 * for the answer. */
	if (client->state == API_CLIENT_CALLING && (revents & (POLLHUP | POLLERR))) {
		api_client_drop(api, client);
		return;
	}
	/* Let send(2) or recv(2) report the error. */
	if (revents & (POLLHUP | POLLERR))
		revents |= wanted;
	if (revents & wanted & POLLIN)
		receive(api, client);
	if (client->state != API_CLIENT_NONE && revents & wanted & POLLOUT)
		flush(api, client);
}

void
api_client_begin(struct api *api, struct api_client *client)
{
	receive(api, client);
	advance(api, client);
}

/* Returns when the client runs out of time in its present state. */
static uint64_t
deadline(const struct api_client *client)
{
	if (has_output(client))
		return client->wrote_ms + API_WRITE_TIME_MS;
	switch (client->state) {
	case API_CLIENT_READING:
		return client->since_ms ? client->since_ms + API_REQUEST_TIME_MS
					: DEADLINE_NONE;
	case API_CLIENT_LINGERING:
		return deadline_earlier(client->read_ms > client->since_ms
			       ? client->read_ms
			       : client->since_ms,
			   client->since_ms + API_LINGER_MAX_MS - API_LINGER_IDLE_MS) +
		    API_LINGER_IDLE_MS;
	case API_CLIENT_CALLING:
		return client->call.since_ms + API_CALL_TIME_MS;
	case API_CLIENT_NONE:
		break;
	}
	return DEADLINE_NONE;
}

void
api_client_refuse_call(struct api *api, struct api_client *client, const char *why)
{
	const struct api_verb *verb = client->request.verb;
	bool is_sent = client->call.is_sent;
	char desc[API_ERROR_DESC_SIZE];
	struct api_error busy;

	if (is_sent)
		leave_call(api, client);
	else
		api_pending_cancel(client);
	snprintf(desc, sizeof(desc), "%s: no answer", verb->name);
	api_error_set(&busy, API_ERROR_Busy, desc, "%s%s", why,
	    !verb->is_audited ? ""
		: is_sent     ? "; it may still be done"
			      : "; nothing was done");
	if (verb->is_audited)
		api_audit(api, client, "%s: refused: %s", verb->name, busy.detail);
	api_client_refuse(api, client, &busy);
}

/* The time limit of a call without a client. A sent call has none: its answer will
 * come. */
static uint64_t
tick_left(struct api *api, struct api_client *left)
{
	uint64_t due_ms = left->call.since_ms + API_CALL_TIME_MS;

	if (left->call.is_sent)
		return DEADLINE_NONE;
	if (due_ms > api->now_ms)
		return due_ms;
	cancel_call(api, left, "no answer in time");
	api_client_drop(api, left);
	return DEADLINE_NONE;
}

uint64_t
api_client_tick(struct api *api, struct api_client *client)
{
	if (client->has_left)
		return tick_left(api, client);
	if (client->paused_until_ms && client->paused_until_ms <= api->now_ms)
		client->paused_until_ms = 0;
	advance(api, client);
	if (client->state == API_CLIENT_NONE)
		return DEADLINE_NONE;
	if (deadline(client) <= api->now_ms) {
		if (!has_output(client) && client->state == API_CLIENT_READING) {
			consume(client, client->in_len);
			refuse_text(api, client, API_ERROR_ParseError,
			    "cannot parse JSON", "the request did not end in time");
		} else if (!has_output(client) && client->state == API_CLIENT_CALLING) {
			api_client_refuse_call(api, client, "there is no answer in time");
		} else {
			api->counters.n_slow += has_output(client);
			api_client_drop(api, client);
		}
	}
	return client->paused_until_ms
	    ? deadline_earlier(client->paused_until_ms, deadline(client))
	    : deadline(client);
}

struct api_out *
api_client_reply_begin(struct api_client *client)
{
	static const char begin[] = "{\"return\":";

	client->reply_at = client->out.len;
	api_out_raw(&client->out, begin, sizeof(begin) - 1);
	return &client->out;
}

static void
write_error(struct api_client *client, const struct api_error *error)
{
	struct api_out *out = &client->out;
	char desc[sizeof("bad request: ") + API_ERROR_DESC_SIZE];

	snprintf(desc, sizeof(desc), "bad request: %s", error->desc);
	client->reply_at = out->len;
	api_out_raw(out, "{", 1);
	api_out_open(out, "error", '{');
	api_out_string(out, "desc", desc);
	api_out_string(out, "class", api_error_class_str(error->class));
	api_out_string(out, "detail", error->detail);
	api_out_close(out, '}');
}

static void
write_end(struct api_client *client)
{
	struct api_out *out = &client->out;

	if (client->is_session && client->request.id_len)
		api_out_json(out, "id", client->request.id, client->request.id_len);
	api_out_close(out, '}');
	if (client->is_session)
		api_out_raw(out, "\n", 1);
}

void
api_client_reply_end(struct api *api, struct api_client *client)
{
	bool was_empty = client->reply_at == client->n_sent;

	write_end(client);
	if (client->out.failed) {
		struct api_error busy;

		api_error_set(&busy, API_ERROR_Busy, "reply too long",
		    "other replies that nobody reads take all the memory");
		client->out.failed = false;
		client->out.len = client->reply_at;
		write_error(client, &busy);
		write_end(client);
	}
	api_out_free(&client->call.list);
	client->state = client->is_session ? API_CLIENT_READING : API_CLIENT_LINGERING;
	client->since_ms = 0;
	/* A client of version 1 sends one request. The rest is read and dropped. */
	if (!client->is_session)
		client->in_len = 0;
	if (client->fd == -1 || client->out.failed) {
		api_client_drop(api, client);
		return;
	}
	if (was_empty)
		client->wrote_ms = api->now_ms;
	flush(api, client);
}

void
api_client_refuse(struct api *api, struct api_client *client,
    const struct api_error *error)
{
	api->counters.n_errors++;
	write_error(client, error);
	api_client_reply_end(api, client);
}

void
api_client_notify(struct api *api, struct api_client *client, const char *line,
    size_t len)
{
	if (!has_output(client))
		client->wrote_ms = api->now_ms;
	client->n_event_bytes += len;
	api_out_raw(&client->out, line, len);
	if (client->n_event_bytes > API_EVENTS_MAX_BYTES || client->out.failed) {
		api->counters.n_slow++;
		api_client_drop(api, client);
		return;
	}
	flush(api, client);
}

int
api_client_make_session(struct api *api, struct api_client *client)
{
	if (client->is_session)
		return 0;
	if (api->n_sessions == API_SESSIONS_MAX)
		return -1;
	api->n_sessions++;
	client->is_session = true;
	client->rate = (struct ratelimit){
		.burst = API_SESSION_BURST,
		.interval_ms = API_SESSION_INTERVAL_MS,
	};
	return 0;
}
