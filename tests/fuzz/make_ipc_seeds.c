/*
 * Writes the seeds of fuzz_ipc: for each row of messages.h a right message, for each
 * receiver that there is, greeted and waiting for a reply.
 *
 * usage: make_ipc_seeds DIRECTORY
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fuzz_ipc.h"
#include "ipc/describe.h"
#include "ipc_samples.h"

static void
write_seed(const char *directory, enum ipc_message_id id, unsigned int peer)
{
	const struct ipc_description *row = &ipc_descriptions[id];
	const uint32_t header[] = { id, row->payload_size };
	size_t len = sizeof(header) + row->payload_size;
	/* The length's lowest bit says whether a descriptor goes with it. */
	size_t said_len = row->n_fds ? len | 1 : len & ~(size_t)1;
	union ipc_payload payload;
	char path[4096];
	FILE *file;

	switch (id) {
#define FILL(name, n_fds, when, meaning) \
	case IPC_MSG_##name: \
		ipc_sample_##name(&payload.name); \
		break;
		IPC_ALL_ROWS(FILL)
	default:
		abort();
	}
	snprintf(path, sizeof(path), "%s/%s-%u", directory, row->name, peer);
	file = fopen(path, "we");
	if (!file) {
		perror(path);
		exit(EXIT_FAILURE);
	}
	fputc((int)(peer | FUZZ_IPC_GREETED | FUZZ_IPC_RUNNING | FUZZ_IPC_AWAITING),
	    file);
	fputc((int)(said_len >> 8), file);
	fputc((int)(said_len & UINT8_MAX), file);
	fwrite(header, sizeof(header), 1, file);
	fwrite(&payload, row->payload_size, 1, file);
	if (fclose(file) != 0) {
		perror(path);
		exit(EXIT_FAILURE);
	}
}

int
main(int argc, char **argv)
{
	if (argc != 2) {
		fprintf(stderr, "usage: make_ipc_seeds DIRECTORY\n");
		return EXIT_FAILURE;
	}
	for (size_t id = 0; id < IPC_MSG_N; id++)
		for (unsigned int peer = 0; peer < FUZZ_IPC_N_PEERS; peer++)
			write_seed(argv[1], (enum ipc_message_id)id, peer);
	return EXIT_SUCCESS;
}
