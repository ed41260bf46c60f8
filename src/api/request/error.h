/* SPDX-License-Identifier: BSD-2-Clause */
/* An error of a request, in three forms: a class, a short text and a detail. */
#pragma once

#include <stddef.h>

/* clang-format off */
/* Stable words for programs: name, meaning. */
#define API_ERROR_CLASSES(CLASS) \
	CLASS(ParseError, "the request is not a JSON object") \
	CLASS(BadRequest, "the object is no request") \
	CLASS(UnknownCommand, "there is no such command, or not in this kind of connection") \
	CLASS(TooLarge, "the request is too long") \
	CLASS(BadArgument, "an argument is missing, of the wrong type or out of range") \
	CLASS(NotFound, "there is nothing with this id") \
	CLASS(AddressInUse, "the host's port is in use") \
	CLASS(PermissionDenied, "the host's port needs a privilege") \
	CLASS(AddressNotAvailable, "the host does not have the address") \
	CLASS(TableFull, "there is no room for another forward") \
	CLASS(NotSupported, "this network can't do it") \
	CLASS(Busy, "not now; the same request may succeed later") \
	CLASS(BadPolicy, "the policy has a fault; the detail has line and column") \
	CLASS(Conflict, "there is another policy, or no policy_begin, before this request") \
	CLASS(Locked, "the command line allows no change that opens something") \
	CLASS(Internal, "the system failed in a way that the detail tells")

enum api_error_class {
#define API_ERROR_ENUM(name, meaning) API_ERROR_##name,
	API_ERROR_CLASSES(API_ERROR_ENUM)
#undef API_ERROR_ENUM
	API_ERROR_N,
};
/* clang-format on */

/* "add_hostfwd: slirp_add_hostfwd failed" and similar, enough for the longest name. */
#define API_ERROR_DESC_SIZE 128
/* The error of a policy (POLICY_ERROR_SIZE), or one or two sentences with an address in them. */
#define API_ERROR_DETAIL_SIZE 400

struct api_error {
	enum api_error_class class;
	char desc
	    [API_ERROR_DESC_SIZE]; /* what slirp4netns says, without "bad request: " */
	char detail[API_ERROR_DETAIL_SIZE]; /* the cause, for people */
};

/* The word of a class. */
const char *api_error_class_str(enum api_error_class class);

/* Fills in an error; the detail is formatted. Text that is too long is cut off. */
__attribute__((format(printf, 4, 5))) void api_error_set(struct api_error *error,
    enum api_error_class class, const char *desc, const char *detail_format, ...);
