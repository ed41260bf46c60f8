/* SPDX-License-Identifier: BSD-2-Clause */
/* One log line for each request that changes something: the client, the request and its
 * outcome. The line holds no text of the client. */
#pragma once

struct api;
struct api_client;

/* Burst: half of what the parent prints of a child. Interval: twice the parent's
 * (parent/supervise/spawn.c). A flood of requests then leaves room for other lines.
 * The next line tells how many were held back. */
#define API_AUDIT_BURST 32
#define API_AUDIT_INTERVAL_MS (10 * 60 * 1000)

__attribute__((format(printf, 3, 4))) void api_audit(struct api *api,
    const struct api_client *client, const char *format, ...);
