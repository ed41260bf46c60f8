/* SPDX-License-Identifier: BSD-2-Clause */
/* A policy as rows, and the words of its language. Pure: nothing in this folder allocates,
 * reads a file or looks at the system. slirpd-policy(5) has the language. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ipc/msg_policy.h"

/* The error of a text. "NAME:LINE:COLUMN: " and the reason. */
#define POLICY_ERROR_SIZE 400

/* "api:123" */
#define POLICY_WHERE_SIZE (IPC_POLICY_SOURCE_SIZE + 16)

/* The rows of a rule in prefixes and names ascend with the rule's index. */
struct policy {
	struct ipc_policy_settings settings;
	uint32_t n_rules;
	uint32_t n_prefixes;
	uint32_t n_names;
	struct ipc_policy_rule rules[IPC_POLICY_RULES_MAX];
	struct ipc_policy_prefix prefixes[IPC_POLICY_PREFIXES_MAX];
	struct ipc_policy_name names[IPC_POLICY_NAMES_MAX];
	char sources[IPC_POLICY_N_SOURCES][IPC_POLICY_SOURCE_SIZE]; /* "": not in use */
};

/* A policy with these denies all. */
struct ipc_policy_settings policy_settings_default(void);

/* Empties the policy: no rule, and the default of each setting. */
void policy_init(struct policy *policy);

/* Returns the text of a profile, or NULL. */
const char *policy_profile_find(const char *name);

/* Writes the name of a file for errors: the path, or its last part if the path is long. */
void policy_source_name(char name[IPC_POLICY_SOURCE_SIZE], const char *path);

/* Whether queries for names that no rule lists go upstream. */
bool policy_dns_is_any(const struct policy *policy);

/* Writes "SOURCE:LINE" of a rule. Returns buf. */
const char *policy_where(const struct policy *policy, uint32_t rule,
    char buf[POLICY_WHERE_SIZE]);

/* Adds a row that its check in ipc/validate_policy.c has accepted. Returns false with *why set
 * to a static text if the table is full, or the row belongs to no rule or to one before the last
 * row's. */
bool policy_add_rule(struct policy *policy, const struct ipc_policy_rule *rule,
    const char **why);
bool policy_add_prefix(struct policy *policy, const struct ipc_policy_prefix *prefix,
    const char **why);
bool policy_add_name(struct policy *policy, const struct ipc_policy_name *name,
    const char **why);

/* Whether the rows fit together, when all have come: each rule has a destination, and only rules
 * with names have an option for names. Returns false with *why set. */
bool policy_is_whole(const struct policy *policy, const char **why);

/* The words of an enum of ipc/msg_policy.h, by number; the list ends in NULL. */
extern const char *const policy_class_words[];
extern const char *const policy_action_words[];
extern const char *const policy_proto_words[];
extern const char *const policy_mode_words[];
extern const char *const policy_refusal_words[];
extern const char *const policy_established_words[];
extern const char *const policy_dns_words[];
extern const char *const policy_dns_refusal_words[];
extern const char *const policy_dns_type_words[];

/* Returns the number of the word with these len bytes, or -1. */
int policy_word_find(const char *const words[], const char *text, size_t len);
