/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A client's bytes, up to the message for the worker: the first byte picks version 1 or a
 * session, the second how many bytes come at a time.
 */
#include <assert.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "api/request/request.h"
#include "api/request/forward.h"
#include "api/request/scan.h"
#include "ipc/validate.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static enum api_scan_outcome
scan(const char *text, size_t len, size_t step, size_t *at)
{
	struct api_scan state = { 0 };
	enum api_scan_outcome outcome = API_SCAN_MORE;
	const char *why = NULL;

	for (size_t n = 0; n < len && outcome == API_SCAN_MORE;) {
		n = len - n < step ? len : n + step;
		outcome = api_scan_next(&state, text, n, &why);
		assert(state.at <= n && state.depth <= API_DEPTH_MAX);
	}
	assert(outcome != API_SCAN_BAD || (why && state.at > 0));
	*at = state.at;
	return outcome;
}

static void
check_error(const struct api_error *error)
{
	assert(error->class < API_ERROR_N);
	assert(error->desc[0] && memchr(error->desc, '\0', sizeof(error->desc)));
	assert(error->detail[0] && memchr(error->detail, '\0', sizeof(error->detail)));
}

/* The api refuses the others that the message cannot have (api_start_policy_check()). */
static void
check_flow(const struct api_args *args)
{
	struct ipc_check_flow flow = args->flow;
	const char *why;

	flow.addr = args->addr.addr;
	if ((flow.proto == IPC_POLICY_PROTO_icmp) == (flow.port == 0) &&
	    args->addr.is_given != (flow.name[0] != '\0'))
		assert(ipc_validate_check_flow(&flow, &why) == 0);
}

/* What passes for a right request makes right messages. */
static void
check_request(const struct api_request *request)
{
	struct ipc_add_forward add = { .forward = api_forward_of(&request->args) };
	char text[API_FORWARD_SIZE];
	const char *why;

	assert(request->id_len <= sizeof(request->id));
	if (strcmp(request->verb->name, "add_hostfwd") == 0) {
		assert(ipc_validate_add_forward(&add, &why) == 0);
		assert(strlen(api_forward_str(&add.forward, text)) < sizeof(text));
	}
	if (strcmp(request->verb->name, "policy_check") == 0)
		check_flow(&request->args);
	if (strcmp(request->verb->name, "remove_hostfwd") == 0)
		assert(request->args.id > 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct api_request request;
	struct api_error error;
	const char *text = (const char *)data + 2;
	enum api_scan_outcome whole, in_steps;
	size_t whole_at, steps_at;

	if (size < 2)
		return 0;
	size -= 2;
	api_request_init();
	whole = scan(text, size, SIZE_MAX / 2, &whole_at);
	in_steps = scan(text, size, data[1] + 1U, &steps_at);
	/* Only what is neither object nor array depends on how it comes. */
	if (whole_at > 0 && whole_at == steps_at)
		assert(whole == in_steps);
	if (whole != API_SCAN_COMPLETE)
		return 0;
	if (api_request_parse(&request, text, whole_at, data[0] & 1, &error) == -1)
		check_error(&error);
	else
		check_request(&request);
	return 0;
}
