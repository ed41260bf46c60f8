/*
 * The life of the api, as a part of supervision: with --api-socket it is started with the
 * others, and started again when it has died. Packets and rules don't notice.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "ipc/messages.h"

struct supervisor;

struct api_life {
	int listen_fd;     /* owned; -1 without --api-socket, and nothing here acts */
	int worker_end_fd; /* owned; the worker's channel to it, until that serves */
	int fallback_userns_fd; /* owned; the guest's, for each start; -1 for none */
	bool is_ready;          /* it has said so */
	uint64_t ready_by_ms;   /* or it hangs; 0 for none that is being started */
	uint64_t started_at_ms; /* CLOCK_MONOTONIC, of the last start */
	uint64_t start_at_ms;   /* of the next one; 0 for none */
	uint32_t delay_ms;      /* before the next one */
	uint32_t n_restarts;    /* also the api's number towards the worker */
};

/* Starts the spawner and the first api. A failure ends the start. */
void supervise_api_begin(struct supervisor *sv, const int *program_fds);

/* The worker has all forwards of the command line, and can take its channel to the
 * api. */
void supervise_api_connect_worker(struct supervisor *sv);

/* The api, or the spawner, is gone while all was running; text says how. */
void supervise_api_lost(struct supervisor *sv, const char *text);
void supervise_api_spawner_lost(struct supervisor *sv, const char *text);

/* Milliseconds from now_ms until supervise_api_handle() must be called again, or -1. */
int supervise_api_timeout_ms(const struct supervisor *sv, uint64_t now_ms);

/* To be called when that time is over; harmless else. */
void supervise_api_handle(struct supervisor *sv, uint64_t now_ms);

/* Tells the api's sessions of something. */
void supervise_api_tell(struct supervisor *sv, enum ipc_event_kind kind);
