/* SPDX-License-Identifier: BSD-2-Clause */
/* Judges the open flows by a new policy. */
#pragma once

#include "connector/connector.h"

/* Flows in one turn of the loop. Each takes about a microsecond; the worker's questions come
 * between. */
#define JUDGE_FLOWS_MAX 512

/* A flow whose rule has thousands of names takes a thousand times as long. */
#define JUDGE_TURN_MS 2

/* Whether flows wait to be judged. */
bool judge_wants_a_turn(const struct connector *connector);

/* Judges some of the flows, and ends those that the policy denies. */
void judge_proceed(struct connector *connector);
