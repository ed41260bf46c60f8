/*
 * Writes the seeds of fuzz_ipc: for each row of messages.h a right message, for each
 * receiver that there is, greeted and waiting for a reply. And those of fuzz_api_replies.
 *
 * usage: make_ipc_seeds FUZZ_IPC FUZZ_API_REPLIES (directories)
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fuzz_ipc.h"
#include "ipc/describe.h"
#include "ipc_samples.h"

static FILE *
create(const char *directory, const char *name, unsigned int number)
{
	char path[4096];
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s-%u", directory, name, number);
	file = fopen(path, "we");
	if (!file) {
		perror(path);
		exit(EXIT_FAILURE);
	}
	return file;
}

static void
close_or_die(FILE *file)
{
	if (fclose(file) != 0) {
		perror("write a seed");
		exit(EXIT_FAILURE);
	}
}

/* A length of two bytes and the datagram. */
static void
write_datagram(FILE *file, enum ipc_message_id id)
{
	const struct ipc_description *row = &ipc_descriptions[id];
	const uint32_t header[] = { id, row->payload_size };
	size_t len = sizeof(header) + row->payload_size;
	/* The length's lowest bit says whether a descriptor goes with it. */
	size_t said_len = row->n_fds ? len | 1 : len & ~(size_t)1;
	union ipc_payload payload;

	switch (id) {
#define FILL(name, n_fds, when, meaning) \
	case IPC_MSG_##name: \
		ipc_sample_##name(&payload.name); \
		break;
		IPC_ALL_ROWS(FILL)
	default:
		abort();
	}
	fputc((int)(said_len >> 8), file);
	fputc((int)(said_len & UINT8_MAX), file);
	fwrite(header, sizeof(header), 1, file);
	fwrite(&payload, row->payload_size, 1, file);
}

static void
write_seed(const char *directory, enum ipc_message_id id, unsigned int peer)
{
	FILE *file = create(directory, ipc_descriptions[id].name, peer);

	fputc((int)(peer | FUZZ_IPC_GREETED | FUZZ_IPC_RUNNING | FUZZ_IPC_AWAITING),
	    file);
	write_datagram(file, id);
	close_or_die(file);
}

/* The answers that the clients of fuzz_api_replies wait for, in their order; the first n. */
static void
write_replies(const char *directory, unsigned int n)
{
	static const enum ipc_message_id answers[] = { IPC_MSG_hostfwd_added,
		IPC_MSG_hostfwd_removed, IPC_MSG_hostfwd_page, IPC_MSG_connections_page,
		IPC_MSG_worker_state };
	FILE *file = create(directory, "answers", n);

	for (unsigned int i = 0; i < n; i++)
		write_datagram(file, answers[i]);
	close_or_die(file);
}

int
main(int argc, char **argv)
{
	if (argc != 3) {
		fprintf(stderr, "usage: make_ipc_seeds FUZZ_IPC FUZZ_API_REPLIES\n");
		return EXIT_FAILURE;
	}
	for (size_t id = 0; id < IPC_MSG_N; id++)
		for (unsigned int peer = 0; peer < FUZZ_IPC_N_PEERS; peer++)
			write_seed(argv[1], (enum ipc_message_id)id, peer);
	for (unsigned int n = 1; n <= 5; n++)
		write_replies(argv[2], n);
	return EXIT_SUCCESS;
}
