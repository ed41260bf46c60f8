/* SPDX-License-Identifier: BSD-2-Clause */
/* Counters of the worker's TCP engine, and why its connections end: the one list of each for
 * the engine, statistics and manuals. */
#pragma once

/* clang-format off */
/* Counters of what the engine dropped, refused or repeated: name, meaning. */
#define IPC_TCP_COUNTERS(X) \
	X(bad_flags, "segments with no flags, or with flags that do not fit the connection") \
	X(bad_ack, "segments that acknowledge what was never sent, or long ago") \
	X(bad_reset, "resets whose numbers do not match the connection") \
	X(bad_fin, "segments with data behind the guest's FIN, or a FIN before its data") \
	X(bad_sack, "SACK blocks of bytes that are not under way") \
	X(icmp_ignored, "ICMP errors that quote no segment under way, or come too late") \
	X(outside_window, "segments outside the window, or beyond its end") \
	X(no_flow, "segments of no connection; resets among them get no answer") \
	X(challenges, "challenge acknowledgements") \
	X(answers_held_back, "resets and challenge acknowledgements over a limit, not sent") \
	X(syn_dropped, "SYNs over a limit of half-open connections") \
	X(flows_full, "connections dropped because the table of connections is full") \
	X(tuple_taken, "connections of forwards whose ports are in use") \
	X(mac_unknown, "connections of forwards to addresses that the guest does not have") \
	X(accepts_paused, "times that a forwarded port waited for room to accept") \
	X(gaps, "segments that came ahead of a gap") \
	X(gap_dropped, "segments ahead of a gap that could not be kept") \
	X(data_not_kept, "bytes dropped because buffers were used up") \
	X(retransmitted, "frames sent again") \
	X(timeouts, "retransmission timeouts") \
	X(fast_retransmits, "losses that acknowledgements showed") \
	X(tail_probes, "probes for a lost end of data") \
	X(window_probes, "probes of a closed window") \
	X(frames_lost, "frames that the kernel did not take") \
	X(starved, "reads put off because buffers were used up")

/* Why a connection ended: name, meaning. */
#define IPC_TCP_ENDS(X) \
	X(closed, "both ends have closed") \
	X(reset_by_guest, "the guest sent a reset") \
	X(reset_by_host, "the peer on the host's side reset the connection") \
	X(host_error, "the socket failed otherwise, for instance by a timeout") \
	X(refused, "the peer refused the guest's connection") \
	X(unreachable, "there was no way to the peer of the guest's connection") \
	X(prohibited, "the policy or the host forbade the guest's connection") \
	X(timed_out, "the peer of the guest's connection did not answer") \
	X(shortage, "no descriptor, memory or place was free for the guest's connection") \
	X(refused_by_guest, "the guest refused a forward's connection, or an ICMP error did") \
	X(no_answer, "the guest did not answer a SYN or SYN-ACK") \
	X(not_acknowledged, "the guest did not acknowledge data for too long") \
	X(idle, "the guest did not answer a keep-alive probe") \
	X(no_memory, "buffers were used up, and the connection had made no progress") \
	X(gave_way, "the connection was half-open for too long, and others wanted in") \
	X(shutdown, "the worker ended")
/* clang-format on */

enum ipc_tcp_counter {
#define X(name, meaning) IPC_TCP_COUNTER_##name,
	IPC_TCP_COUNTERS(X)
#undef X
	    IPC_TCP_COUNTER_N
};

enum ipc_tcp_end {
#define X(name, meaning) IPC_TCP_END_##name,
	IPC_TCP_ENDS(X)
#undef X
	    IPC_TCP_END_N
};
