/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A peer that sends anything: the first byte picks the receiving role and its state,
 * each following datagram is a length byte pair and that many bytes, half of them with
 * a descriptor. Nothing may crash, and no descriptor may stay open.
 */
#include <assert.h>
#include <stdint.h>
#include <unistd.h>

#include "datagram.h"
#include "fuzz_ipc.h"
#include "ipc/channel.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const enum ipc_role peers[FUZZ_IPC_N_PEERS][2] = {
		{ IPC_ROLE_PARENT, IPC_ROLE_NETNS_HELPER },
		{ IPC_ROLE_PARENT, IPC_ROLE_SLIRP_WORKER },
		{ IPC_ROLE_NETNS_HELPER, IPC_ROLE_PARENT },
		{ IPC_ROLE_SLIRP_WORKER, IPC_ROLE_PARENT },
		{ IPC_ROLE_PARENT, IPC_ROLE_SPAWNER },
		{ IPC_ROLE_PARENT, IPC_ROLE_API },
		{ IPC_ROLE_API, IPC_ROLE_PARENT },
		{ IPC_ROLE_PARENT, IPC_ROLE_CONNECTOR },
		{ IPC_ROLE_CONNECTOR, IPC_ROLE_PARENT },
		{ IPC_ROLE_SLIRP_WORKER, IPC_ROLE_CONNECTOR },
		{ IPC_ROLE_CONNECTOR, IPC_ROLE_SLIRP_WORKER },
		{ IPC_ROLE_PARENT, IPC_ROLE_RESOLVER },
		{ IPC_ROLE_RESOLVER, IPC_ROLE_PARENT },
		{ IPC_ROLE_SLIRP_WORKER, IPC_ROLE_RESOLVER },
		{ IPC_ROLE_RESOLVER, IPC_ROLE_SLIRP_WORKER },
		{ IPC_ROLE_CONNECTOR, IPC_ROLE_RESOLVER },
		{ IPC_ROLE_RESOLVER, IPC_ROLE_CONNECTOR },
		{ IPC_ROLE_PARENT, IPC_ROLE_CGROUP_MOVER },
		{ IPC_ROLE_PARENT, IPC_ROLE_POLICY_READER },
		{ IPC_ROLE_POLICY_READER, IPC_ROLE_PARENT },
		{ IPC_ROLE_CGROUP_MOVER, IPC_ROLE_PARENT },
		/* The two that a client may have a hand in. */
		{ IPC_ROLE_SLIRP_WORKER, IPC_ROLE_API },
		{ IPC_ROLE_API, IPC_ROLE_SLIRP_WORKER },
	};
	size_t peer_index;
	struct ipc_channel channel;
	struct ipc_message msg;
	const char *why;
	int own_fd, peer_fd, probe_fd;

	if (size < 1 || ipc_channel_pair(&own_fd, &peer_fd) == -1)
		return 0;
	peer_index = (data[0] & FUZZ_IPC_PEER_MASK) % FUZZ_IPC_N_PEERS;
	ipc_channel_open(&channel, own_fd, peers[peer_index][0], peers[peer_index][1]);
	/* Most rows are only looked at after a greeting, whose hash no fuzzer guesses. */
	if (data[0] & FUZZ_IPC_GREETED) {
		struct ipc_channel peer;

		ipc_channel_open(&peer, peer_fd, channel.peer_role, channel.own_role);
		ipc_channel_greet(&peer);
		assert(ipc_channel_recv(&channel, &msg, &why) == IPC_OUTCOME_MESSAGE);
	}
	if (data[0] & FUZZ_IPC_RUNNING)
		ipc_channel_set_running(&channel);
	if (data[0] & FUZZ_IPC_AWAITING)
		for (int id = 0; id < IPC_MSG_N; id++)
			ipc_channel_await_reply(&channel, (enum ipc_message_id)id);
	data++;
	size--;
	while (datagram_send(peer_fd, peer_fd, &data, &size)) {
		if (ipc_channel_recv(&channel, &msg, &why) == IPC_OUTCOME_MESSAGE) {
			assert(ipc_descriptions[msg.id].n_fds == (msg.fd != -1));
			if (msg.fd != -1)
				close(msg.fd);
		} else {
			assert(msg.fd == -1);
		}
	}
	ipc_channel_close(&channel);
	close(peer_fd);
	/* The lowest free number is what it was: nothing was left open. */
	probe_fd = dup(STDERR_FILENO);
	assert(probe_fd == -1 || probe_fd <= own_fd);
	close(probe_fd);
	return 0;
}
