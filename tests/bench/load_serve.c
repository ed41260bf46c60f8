/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * bench_load: the server on the internet's side. One thread, level-triggered epoll; a client
 * waits for each reply, so the kernel's buffers never fill and no reply is kept back.
 */
#include "load.h"

#include <err.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

/* Connections that come while the server looks elsewhere: what the kernel lets it have. */
#define BACKLOG 4096
/* Events at a time; the kernel keeps the rest. */
#define N_EVENTS 64
/* More than any request here. */
#define BUFFER_BYTES 2048

enum kind { KIND_LISTENER, KIND_CONNECTION, KIND_UDP };

/* An event's data: what the descriptor is, and its number. */
static uint64_t
event_data(enum kind kind, int fd)
{
	return (uint64_t)kind << 32 | (uint32_t)fd;
}

static void
watch(int epoll_fd, enum kind kind, int fd)
{
	struct epoll_event event = { .events = EPOLLIN,
		.data.u64 = event_data(kind, fd) };

	if (epoll_ctl(epoll_fd, EPOLL_CTL_ADD, fd, &event) != 0)
		err(1, "watch a socket");
}

/* The socket lives as long as the program. */
static int
bound_socket(struct sockaddr_in own, int type, int port_offset)
{
	const int on = 1;
	int fd = socket(AF_INET, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	own.sin_port = htons((uint16_t)(ntohs(own.sin_port) + port_offset));
	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) != 0 ||
	    bind(fd, (const struct sockaddr *)&own, sizeof(own)) != 0)
		err(1, "bind port %d", ntohs(own.sin_port));
	if (type == SOCK_STREAM && listen(fd, BACKLOG) != 0)
		err(1, "listen on port %d", ntohs(own.sin_port));
	return fd;
}

static void
accept_all(int epoll_fd, int listen_fd)
{
	const int on = 1;
	int fd;

	while ((fd = accept4(listen_fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK)) >= 0) {
		if (setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)) != 0)
			err(1, "set TCP_NODELAY");
		watch(epoll_fd, KIND_CONNECTION, fd);
	}
	if (errno != EAGAIN && errno != ECONNABORTED)
		err(1, "accept");
}

static void
answer_stream(int fd)
{
	char data[BUFFER_BYTES];
	ssize_t len = recv(fd, data, sizeof(data), 0);

	if (len > 0)
		len = send(fd, data, (size_t)len, MSG_NOSIGNAL);
	if (len <= 0)
		close(fd);
}

static void
answer_datagrams(int fd)
{
	char data[BUFFER_BYTES];
	struct sockaddr_in peer;
	socklen_t peer_len = sizeof(peer);
	ssize_t len;

	while ((len = recvfrom(fd, data, sizeof(data), 0, (struct sockaddr *)&peer,
		    &peer_len)) >= 0) {
		/* A lost reply is the client's to notice. */
		(void)!sendto(fd, data, (size_t)len, 0, (const struct sockaddr *)&peer,
		    peer_len);
		peer_len = sizeof(peer);
	}
}

void
load_serve(char *const argv[])
{
	const struct sockaddr_in own = load_address(argv[0], argv[1]);
	struct epoll_event events[N_EVENTS];
	int epoll_fd = epoll_create1(EPOLL_CLOEXEC);

	if (epoll_fd < 0)
		err(1, "make an epoll");
	watch(epoll_fd, KIND_UDP, bound_socket(own, SOCK_DGRAM, 0));
	/* The first one last: who finds it listening finds all of them. */
	for (int i = LOAD_N_TCP_PORTS - 1; i >= 0; i--)
		watch(epoll_fd, KIND_LISTENER, bound_socket(own, SOCK_STREAM, i));
	for (;;) {
		int n_events = epoll_wait(epoll_fd, events, N_EVENTS, -1);

		for (int i = 0; i < n_events; i++) {
			int fd = (int)(uint32_t)events[i].data.u64;

			switch ((enum kind)(events[i].data.u64 >> 32)) {
			case KIND_LISTENER:
				accept_all(epoll_fd, fd);
				break;
			case KIND_CONNECTION:
				answer_stream(fd);
				break;
			case KIND_UDP:
				answer_datagrams(fd);
				break;
			}
		}
	}
}
