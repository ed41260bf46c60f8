/* SPDX-License-Identifier: BSD-2-Clause */
/* Handlers of the messages that the api receives in service, each in the file of its
 * subject. */
#pragma once

#include "api/api.h"
#include "ipc/dispatch.h"

#define API_DECLARE_HANDLER(...) IPC_DECLARE_HANDLER(api, struct api, __VA_ARGS__)
IPC_ROWS_PARENT_TO_API(API_DECLARE_HANDLER)
IPC_ROWS_POLICY(API_DECLARE_HANDLER)
IPC_ROWS_CONNECTOR_TO_API(API_DECLARE_HANDLER)
IPC_ROWS_SLIRP_WORKER_TO_API(API_DECLARE_HANDLER)
#undef API_DECLARE_HANDLER
