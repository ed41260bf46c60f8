/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Ends a service whose loop does not go on: one that spins, or that a signal has stopped. Each
 * service answers a ping in a turn of its loop. Its end is handled as any other.
 *
 * Pings are counted, not the time. A machine that sleeps, or a parent that was stopped, sends
 * none, and finds no service late that had no time to answer.
 */
#pragma once

#include "parent/supervise/supervisor.h"

/* The service begins: the first pings are due after an interval. */
void watchdog_begin(struct supervisor *sv);

/* The time when watchdog_handle() must be called again; DEADLINE_NONE: never. */
uint64_t watchdog_due_ms(const struct supervisor *sv);

/* Sends pings if it is time, and ends the services that have left too many without an answer.
 * Call it after the messages of the children have been received. */
void watchdog_handle(struct supervisor *sv, uint64_t now_ms);
