/* SPDX-License-Identifier: BSD-2-Clause */
/* Parses destinations: classes, networks, and names. */
#include "model/policy/dest.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/dnsname.h"
#include "base/punycode.h"

#define DIGITS "0123456789"

/* A prefix has at most three digits: 128. */
#define PREFIX_DIGITS_MAX 3

/* The whole of "ADDR/LEN" is longer than ADDR by this. */
#define CIDR_TEXT_SIZE (INET6_ADDRSTRLEN + 1 + PREFIX_DIGITS_MAX)

static bool
refuse_name(struct policy_scan *scan, const char *reason)
{
	return policy_scan_refuse(scan, &scan->token, "%s: %s",
	    policy_token_show(&scan->token).text, reason);
}

/* The parts of a URL, and of an address that is cut short. */
static const char *
reason_of_byte(const char *name)
{
	const char *colon = strchr(name, ':');

	if (strspn(name, DIGITS "./") == strlen(name))
		return "an IPv4 network has four numbers before the /";
	if (strchr(name, '/') != NULL)
		return "write the host alone, without https:// and path";
	if (colon != NULL && colon[1] != '\0' &&
	    strspn(colon + 1, DIGITS) == strlen(colon + 1))
		return "the port is before the host, as in tcp 443 to pypi.org";
	return "a name has letters, digits, - and _ in its labels";
}

/* Refuses a name with a byte that no name has; helps with names of other scripts. */
static bool
refuse_byte(struct policy_scan *scan, const char *name, size_t len)
{
	char hint[DNSNAME_LEN_MAX + 1];
	char reason[sizeof(hint) + 32];

	if (!punycode_of_name(hint, sizeof(hint), name, len))
		return refuse_name(scan, reason_of_byte(name));
	snprintf(reason, sizeof(reason), "write it as %s", hint);
	return refuse_name(scan, reason);
}

/* The part of a name that is a name itself. */
static bool
check_labels(struct policy_scan *scan, const char *name, size_t len)
{
	switch (dnsname_check(name, len)) {
	case DNSNAME_OK:
		return true;
	case DNSNAME_EMPTY_LABEL:
		return refuse_name(scan, "a label is empty");
	case DNSNAME_LONG_LABEL:
		return refuse_name(scan, "a label has more than 63 bytes");
	case DNSNAME_TOO_LONG:
		return refuse_name(scan, "a name has at most 253 bytes");
	case DNSNAME_IS_NUMBER:
		return refuse_name(scan,
		    "neither an address, nor a name: the last label is a number");
	case DNSNAME_BAD_BYTE:
		break;
	}
	return refuse_byte(scan, name, len);
}

/* "*.a.b" and the mistakes beside it. */
static bool
parse_name(struct policy_scan *scan, const char *text, size_t len,
    struct policy_dest *dest)
{
	struct ipc_policy_name *name = &dest->name;
	char folded[POLICY_LINE_MAX + 1];
	const char *at = folded;

	memcpy(folded, text, len);
	folded[len] = '\0';
	dnsname_fold(folded, len);
	if (len > 1 && folded[len - 1] == '.')
		folded[--len] = '\0';
	if (folded[0] == '.' && dnsname_check(folded + 1, len - 1) == DNSNAME_OK)
		return policy_scan_refuse(scan, &scan->token,
		    "\".%s\": write %s, *.%s for both", folded + 1, folded + 1,
		    folded + 1);
	name->is_wildcard = strncmp(folded, "*.", 2) == 0;
	if (name->is_wildcard) {
		at += 2;
		len -= 2;
	}
	if (memchr(at, '*', len) != NULL)
		return refuse_name(scan, "* is the first label or none");
	if (!check_labels(scan, at, len))
		return false;
	if (name->is_wildcard && memchr(at, '.', len) == NULL)
		return refuse_name(scan, "a wildcard needs two labels behind it");
	memcpy(name->text, at, len);
	dest->type = POLICY_DEST_NAME;
	return true;
}

static void
format_prefix(char text[CIDR_TEXT_SIZE], const struct inaddr *addr, unsigned int len)
{
	char addr_text[INET6_ADDRSTRLEN];

	snprintf(text, CIDR_TEXT_SIZE, "%s/%u", inaddr_format(addr, addr_text), len);
}

static bool
set_prefix(struct policy_scan *scan, struct policy_dest *dest, const struct inaddr *addr,
    unsigned int len)
{
	struct inaddr network = *addr;
	char given[CIDR_TEXT_SIZE], wanted[CIDR_TEXT_SIZE];

	inaddr_clear_after(&network, len);
	if (!inaddr_is_equal(&network, addr)) {
		format_prefix(given, addr, len);
		format_prefix(wanted, &network, len);
		return policy_scan_refuse(scan, &scan->token,
		    "%s has bits behind the prefix; the network is %s", given, wanted);
	}
	dest->type = POLICY_DEST_PREFIX;
	dest->prefix.addr = network;
	dest->prefix.len = (uint8_t)len;
	return true;
}

/* Sets *is_prefix if the word has the form of an address or a network. */
static bool
parse_prefix(struct policy_scan *scan, const char *text, size_t len,
    struct policy_dest *dest, bool *is_prefix)
{
	char copy[CIDR_TEXT_SIZE] = "";
	struct inaddr addr;
	char *slash;
	size_t n_digits;

	*is_prefix = false;
	if (len >= sizeof(copy))
		return true;
	memcpy(copy, text, len);
	slash = strchr(copy, '/');
	if (slash != NULL)
		*slash++ = '\0';
	if (!inaddr_parse(copy, &addr))
		return true;
	*is_prefix = true;
	if (slash == NULL)
		return set_prefix(scan, dest, &addr, inaddr_n_bits(&addr));
	n_digits = strspn(slash, DIGITS);
	if (n_digits == 0 || n_digits > PREFIX_DIGITS_MAX || slash[n_digits] != '\0' ||
	    (n_digits > 1 && slash[0] == '0') ||
	    strtoul(slash, NULL, 10) > inaddr_n_bits(&addr))
		return policy_scan_refuse(scan, &scan->token,
		    "%s: the prefix is not in 0-%u", policy_token_show(&scan->token).text,
		    inaddr_n_bits(&addr));
	return set_prefix(scan, dest, &addr, (unsigned int)strtoul(slash, NULL, 10));
}

bool
policy_dest_parse(struct policy_scan *scan, struct policy_dest *dest)
{
	const char *text = scan->token.text;
	size_t len = scan->token.len;
	bool is_prefix;
	int class;

	*dest = (struct policy_dest){ .type = POLICY_DEST_CLASS };
	if (scan->token.type != POLICY_TOKEN_WORD)
		return policy_scan_refuse(scan, &scan->token,
		    "a destination is missing before %s",
		    policy_token_show(&scan->token).text);
	class = policy_word_find(policy_class_words, text, len);
	if (class != -1) {
		dest->class_bit = 1U << class;
		return true;
	}
	/* Brackets as in --allow-out. */
	if (len > 2 && text[0] == '[' && memchr(text, ']', len) == text + len - 1) {
		text++;
		len -= 2;
	}
	if (!parse_prefix(scan, text, len, dest, &is_prefix))
		return false;
	return is_prefix || parse_name(scan, text, len, dest);
}

bool
policy_scan_is_label(const struct policy_scan *scan, size_t len)
{
	char text[IPC_POLICY_LABEL_SIZE] = "";

	if (scan->token.type != POLICY_TOKEN_WORD || len == 0 || len >= sizeof(text))
		return false;
	memcpy(text, scan->token.text, len);
	return strspn(text, DNSNAME_BYTES ".") == len;
}

/* Returns the index, or sets->n. */
static uint32_t
find(const struct policy_sets *sets, const char *name, size_t len)
{
	uint32_t i = 0;

	while (i < sets->n &&
	    (strlen(sets->sets[i].name) != len ||
		memcmp(sets->sets[i].name, name, len) != 0))
		i++;
	return i;
}

static struct policy_set *
find_or_add(struct policy_sets *sets, struct policy_scan *scan)
{
	const struct policy_token *token = &scan->token;
	struct policy_set *set;
	uint32_t at;

	if (!policy_scan_is_label(scan, token->len)) {
		policy_scan_refuse(scan, token,
		    "%s is not a name of a set: at most %d of a-z 0-9 - _ .",
		    policy_token_show(token).text, IPC_POLICY_LABEL_SIZE - 1);
		return NULL;
	}
	at = find(sets, token->text, token->len);
	if (at < sets->n)
		return &sets->sets[at];
	if (sets->n == POLICY_SETS_MAX) {
		policy_scan_refuse(scan, token, "more than %d sets", POLICY_SETS_MAX);
		return NULL;
	}
	set = &sets->sets[sets->n++];
	*set = (struct policy_set){
		.first_prefix = POLICY_CHAIN_END,
		.last_prefix = POLICY_CHAIN_END,
		.first_name = POLICY_CHAIN_END,
		.last_name = POLICY_CHAIN_END,
	};
	memcpy(set->name, token->text, token->len);
	return set;
}

static bool
add_prefix(struct policy_sets *sets, struct policy_set *set, struct policy_scan *scan,
    const struct ipc_policy_prefix *prefix)
{
	uint16_t at = (uint16_t)sets->n_prefixes;

	if (sets->n_prefixes == IPC_POLICY_PREFIXES_MAX)
		return policy_scan_refuse(scan, &scan->token,
		    "more than %d addresses in sets", IPC_POLICY_PREFIXES_MAX);
	sets->prefixes[sets->n_prefixes++] = *prefix;
	sets->prefixes[at].rule = POLICY_CHAIN_END;
	if (set->last_prefix == POLICY_CHAIN_END)
		set->first_prefix = at;
	else
		sets->prefixes[set->last_prefix].rule = at;
	set->last_prefix = at;
	return true;
}

static bool
add_name(struct policy_sets *sets, struct policy_set *set, struct policy_scan *scan,
    const struct ipc_policy_name *name)
{
	uint16_t at = (uint16_t)sets->n_names;

	if (sets->n_names == IPC_POLICY_NAMES_MAX)
		return policy_scan_refuse(scan, &scan->token,
		    "more than %d names in sets", IPC_POLICY_NAMES_MAX);
	sets->names[sets->n_names++] = *name;
	sets->names[at].rule = POLICY_CHAIN_END;
	if (set->last_name == POLICY_CHAIN_END)
		set->first_name = at;
	else
		sets->names[set->last_name].rule = at;
	set->last_name = at;
	return true;
}

static bool
read_dest(struct policy_sets *sets, struct policy_set *set, struct policy_scan *scan)
{
	struct policy_dest dest;

	if (scan->token.type == POLICY_TOKEN_WORD && scan->token.text[0] == '@')
		return policy_scan_refuse(scan, &scan->token,
		    "a set does not contain another set");
	if (!policy_dest_parse(scan, &dest))
		return false;
	set->classes |= dest.class_bit;
	if ((dest.type == POLICY_DEST_PREFIX &&
		!add_prefix(sets, set, scan, &dest.prefix)) ||
	    (dest.type == POLICY_DEST_NAME && !add_name(sets, set, scan, &dest.name)))
		return false;
	policy_scan_next(scan);
	return true;
}

bool
policy_sets_read(struct policy_sets *sets, struct policy_scan *scan)
{
	struct policy_set *set = find_or_add(sets, scan);

	if (set == NULL)
		return false;
	policy_scan_next(scan);
	if (scan->token.type != POLICY_TOKEN_EQUALS)
		return policy_scan_refuse(scan, &scan->token, "expected =, not %s",
		    policy_token_show(&scan->token).text);
	policy_scan_next(scan);
	/* An empty set is an error at its use. */
	while (scan->token.type < POLICY_TOKEN_LINE_END) {
		if (!read_dest(sets, set, scan))
			return false;
		if (scan->token.type >= POLICY_TOKEN_LINE_END)
			break;
		if (scan->token.type != POLICY_TOKEN_COMMA)
			return policy_scan_refuse(scan, &scan->token,
			    "expected a comma, not %s",
			    policy_token_show(&scan->token).text);
		policy_scan_next(scan);
		if (scan->token.type >= POLICY_TOKEN_LINE_END)
			return policy_scan_refuse(scan, &scan->token,
			    "a destination is missing before %s",
			    policy_token_show(&scan->token).text);
	}
	return true;
}

const struct policy_set *
policy_sets_find(const struct policy_sets *sets, struct policy_scan *scan)
{
	const struct policy_token *token = &scan->token;
	struct policy_shown shown = policy_token_show(token);
	uint32_t at = find(sets, token->text + 1, token->len - 1);
	const struct policy_set *set = &sets->sets[at];

	/* Without its quotes. */
	shown.text[strlen(shown.text) - 1] = '\0';
	if (at == sets->n) {
		policy_scan_refuse(scan, token, "set %s is not defined", shown.text + 1);
		return NULL;
	}
	if (set->classes == 0 && set->first_prefix == POLICY_CHAIN_END &&
	    set->first_name == POLICY_CHAIN_END) {
		policy_scan_refuse(scan, token, "set %s is empty", shown.text + 1);
		return NULL;
	}
	return set;
}
