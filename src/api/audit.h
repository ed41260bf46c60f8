/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One log line for each request that changes something: who asked for what, and how it
 * ended. Nothing in it is a client's own text.
 */
#pragma once

struct api;
struct api_client;

/* Half of what the parent prints of a child, and no faster than twice what it then goes
 * on with, so that a flood of requests leaves room for other lines
 * (parent/supervise/children.c). How many lines were held back stands in the next one. */
#define API_AUDIT_BURST 32
#define API_AUDIT_INTERVAL_MS (10 * 60 * 1000)

__attribute__((format(printf, 3, 4))) void api_audit(struct api *api,
    const struct api_client *client, const char *format, ...);
