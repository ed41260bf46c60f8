/* SPDX-License-Identifier: BSD-2-Clause */
/* Writes a policy as text. */
#include "model/policy/print.h"

#include <stdio.h>
#include <string.h>

#include "base/siphash.h"

/* A destination that begins behind this column goes to a new line. The longest, a name of 253
 * bytes with "*.", keeps the line far below POLICY_LINE_MAX. */
#define COLUMN_MAX 80

struct printer {
	policy_put_fn *put;
	void *ctx;
	size_t column;
	bool is_one_line;
};

static void
put(struct printer *printer, const char *text)
{
	size_t len = strlen(text);

	printer->put(printer->ctx, text, len);
	printer->column += len;
}

static void
end_line(struct printer *printer)
{
	put(printer, "\n");
	printer->column = 0;
}

uint32_t
policy_first_prefix(const struct policy *policy, uint32_t rule)
{
	uint32_t low = 0, high = policy->n_prefixes;

	while (low < high) {
		uint32_t middle = low + (high - low) / 2;

		if (policy->prefixes[middle].rule < rule)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

uint32_t
policy_first_name(const struct policy *policy, uint32_t rule)
{
	uint32_t low = 0, high = policy->n_names;

	while (low < high) {
		uint32_t middle = low + (high - low) / 2;

		if (policy->names[middle].rule < rule)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static void
put_dest(struct printer *printer, const char *text, bool *is_first)
{
	put(printer, *is_first ? " " : ",");
	if (!*is_first && printer->column > COLUMN_MAX && !printer->is_one_line) {
		put(printer, " \\\n    ");
		printer->column = 4;
	} else if (!*is_first)
		put(printer, " ");
	put(printer, text);
	*is_first = false;
}

static void
put_prefix(struct printer *printer, const struct ipc_policy_prefix *prefix,
    bool *is_first)
{
	char addr[INET6_ADDRSTRLEN], text[INET6_ADDRSTRLEN + 8];

	inaddr_format(&prefix->addr, addr);
	if (prefix->len == inaddr_n_bits(&prefix->addr))
		snprintf(text, sizeof(text), "%s", addr);
	else
		snprintf(text, sizeof(text), "%s/%u", addr, prefix->len);
	put_dest(printer, text, is_first);
}

static void
put_dests(struct printer *printer, const struct policy *policy, uint32_t rule)
{
	char text[IPC_POLICY_NAME_SIZE + 2];
	bool is_first = true;

	for (int class = 0; policy_class_words[class] != NULL; class ++) {
		if (policy->rules[rule].classes & 1U << class)
			put_dest(printer, policy_class_words[class], &is_first);
	}
	for (uint32_t i = policy_first_prefix(policy, rule);
	     i < policy->n_prefixes && policy->prefixes[i].rule == rule; i++)
		put_prefix(printer, &policy->prefixes[i], &is_first);
	for (uint32_t i = policy_first_name(policy, rule);
	     i < policy->n_names && policy->names[i].rule == rule; i++) {
		snprintf(text, sizeof(text), "%s%s",
		    policy->names[i].is_wildcard ? "*." : "", policy->names[i].text);
		put_dest(printer, text, &is_first);
	}
}

static void
put_what(struct printer *printer, const struct ipc_policy_rule *rule)
{
	char text[16];

	if (rule->proto != IPC_POLICY_PROTO_any) {
		put(printer, " ");
		put(printer, policy_proto_words[rule->proto]);
	}
	for (int i = 0; i < rule->n_ports; i++) {
		const struct ipc_policy_ports *ports = &rule->ports[i];

		put(printer, i == 0 ? " " : ",");
		if (ports->first == ports->last)
			snprintf(text, sizeof(text), "%u", ports->first);
		else
			snprintf(text, sizeof(text), "%u-%u", ports->first, ports->last);
		put(printer, text);
	}
}

static void
print_rule(struct printer *printer, const struct policy *policy, uint32_t rule)
{
	const struct ipc_policy_rule *row = &policy->rules[rule];

	put(printer, policy_action_words[row->action]);
	put_what(printer, row);
	put(printer, " to");
	put_dests(printer, policy, rule);
	if (row->options & IPC_POLICY_OPTION_PRIVATE)
		put(printer, " private");
}

static void
print_labelled(struct printer *printer, const struct policy *policy, uint32_t rule)
{
	if (policy->rules[rule].label[0] != '\0') {
		put(printer, policy->rules[rule].label);
		put(printer, ": ");
	}
	print_rule(printer, policy, rule);
}

void
policy_print_rule(const struct policy *policy, uint32_t rule, policy_put_fn *put_text,
    void *ctx)
{
	struct printer printer = { .put = put_text, .ctx = ctx };

	print_labelled(&printer, policy, rule);
	end_line(&printer);
}

void
policy_print_one_line(const struct policy *policy, uint32_t rule, policy_put_fn *put_text,
    void *ctx)
{
	struct printer printer = { .put = put_text, .ctx = ctx, .is_one_line = true };

	print_labelled(&printer, policy, rule);
}

static void
add_to_hash(void *ctx, const char *text, size_t len)
{
	siphash_add(ctx, text, len);
}

/* The key of hashes is not secret: who writes a policy may choose its hashes. */
static const uint64_t nothing[2];

uint64_t
policy_print_key(const struct policy *policy, uint32_t rule)
{
	struct siphash hash;
	struct printer printer = { .put = add_to_hash, .ctx = &hash };

	siphash_begin(&hash, nothing);
	print_rule(&printer, policy, rule);
	end_line(&printer);
	return siphash_end(&hash);
}

static void
put_setting(struct printer *printer, const char *name, const char *const *words,
    uint8_t value, uint8_t normal)
{
	if (value == normal)
		return;
	put(printer, name);
	put(printer, " ");
	put(printer, words[value]);
	end_line(printer);
}

static void
put_dns_types(struct printer *printer, uint32_t types)
{
	bool is_first = true;

	put(printer, "dns-types");
	for (int i = 0; policy_dns_type_words[i] != NULL; i++) {
		if (types & 1U << i)
			put_dest(printer, policy_dns_type_words[i], &is_first);
	}
	end_line(printer);
}

static void
put_settings(struct printer *printer, const struct ipc_policy_settings *settings)
{
	const struct ipc_policy_settings normal = policy_settings_default();
	uint8_t dns = settings->dns;

	put_setting(printer, "default", policy_action_words, settings->default_action,
	    normal.default_action);
	put_setting(printer, "mode", policy_mode_words, settings->mode, normal.mode);
	put_setting(printer, "refuse", policy_refusal_words, settings->refusal,
	    normal.refusal);
	put_setting(printer, "established", policy_established_words,
	    settings->established, normal.established);
	if (dns != IPC_POLICY_DNS_unset) {
		put(printer, "dns ");
		put(printer, policy_dns_words[dns]);
		if (settings->is_dns_exclusive)
			put(printer, " exclusive");
		end_line(printer);
	}
	put_setting(printer, "dns-refusal", policy_dns_refusal_words,
	    settings->dns_refusal, normal.dns_refusal);
	if (settings->dns_types != normal.dns_types)
		put_dns_types(printer, settings->dns_types);
}

void
policy_print_settings(const struct policy *policy, policy_put_fn *put_text, void *ctx)
{
	struct printer printer = { .put = put_text, .ctx = ctx };

	put_settings(&printer, &policy->settings);
}

void
policy_print(const struct policy *policy, policy_put_fn *put_text, void *ctx)
{
	struct printer printer = { .put = put_text, .ctx = ctx };

	put(&printer, "policy 1");
	end_line(&printer);
	put_settings(&printer, &policy->settings);
	for (uint32_t rule = 0; rule < policy->n_rules; rule++)
		policy_print_rule(policy, rule, put_text, ctx);
}

uint64_t
policy_print_hash(const struct policy *policy)
{
	struct siphash hash;

	siphash_begin(&hash, nothing);
	policy_print(policy, add_to_hash, &hash);
	return siphash_end(&hash);
}
