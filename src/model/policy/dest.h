/* SPDX-License-Identifier: BSD-2-Clause */
/* Destinations of rules: one word of a policy's text, and sets of them. */
#pragma once

#include "model/policy/scan.h"

/* A list of one's own for each group of servers that anybody has. */
#define POLICY_SETS_MAX 256

enum policy_dest_type {
	POLICY_DEST_CLASS,
	POLICY_DEST_PREFIX,
	POLICY_DEST_NAME,
};

struct policy_dest {
	enum policy_dest_type type;
	uint32_t class_bit;
	struct ipc_policy_prefix prefix; /* its rule is 0 */
	struct ipc_policy_name name;     /* the same */
};

/* Reads the present token of scan, which stays. Returns false with the error set. Not for
 * "@SET". */
bool policy_dest_parse(struct policy_scan *scan, struct policy_dest *dest);

/* A chain of destinations of one set ends at this. */
#define POLICY_CHAIN_END UINT16_MAX

struct policy_set {
	char name[IPC_POLICY_LABEL_SIZE];
	uint32_t classes;
	uint16_t first_prefix, last_prefix; /* in sets->prefixes, or POLICY_CHAIN_END */
	uint16_t first_name, last_name;
};

/* The sets of one text. `rule` of a prefix or name is the next one of its set. */
struct policy_sets {
	uint32_t n;
	uint32_t n_prefixes;
	uint32_t n_names;
	struct policy_set sets[POLICY_SETS_MAX];
	struct ipc_policy_prefix prefixes[IPC_POLICY_PREFIXES_MAX];
	struct ipc_policy_name names[IPC_POLICY_NAMES_MAX];
};

/* Reads the rest of a line "set NAME = DEST, ...": the present token is NAME. Returns false with
 * the error set. */
bool policy_sets_read(struct policy_sets *sets, struct policy_scan *scan);

/* Finds the set of the present token "@NAME". Returns NULL with the error set if there is none,
 * or it is empty. */
const struct policy_set *policy_sets_find(const struct policy_sets *sets,
    struct policy_scan *scan);

/* Whether the present token is a word for a label or a set. */
bool policy_scan_is_label(const struct policy_scan *scan, size_t len);
