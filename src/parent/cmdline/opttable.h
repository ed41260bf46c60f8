/* SPDX-License-Identifier: BSD-2-Clause */
/* The table of options: a row has all that parsing and the help text need of an option. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "parent/cmdline/options.h"
#include "parent/cmdline/optvalue.h"

/* The default of --cidr6, as an address; slirp4netns has this network only. */
#define OPTTABLE_PREFIX6 "fd00::"

/* The default of --cidr. */
#define OPTTABLE_NETWORK "10.0.2.0/24"

/* Letters that end the parsing. */
#define OPTTABLE_LETTER_HELP 'h'
#define OPTTABLE_LETTER_VERSION 'v'

/* Sections of the help text, as in slirpd(1). A deprecated option is in none. */
enum option_group {
	GROUP_NONE,
	GROUP_GUEST,
	GROUP_NETWORK,
	GROUP_POLICY,
	GROUP_FORWARDS,
	GROUP_LIFE,
	GROUP_CONFINEMENT,
	GROUP_LOG,
	GROUP_HELP,
	N_GROUPS,
};

struct option_spec {
	const char *name;
	const char *value_name;  /* NULL: takes no value */
	const char *description; /* NULL: not in the help text */
	const char *replaced_by; /* NULL unless deprecated */

	/* For an option with a value: checks and keeps it. Returns false if it is
	 * wrong. */
	bool (*take)(struct optvalue_parse *parse, const char *value);
	/* The field in struct options, of an option without a value or of a function for several
	 * options. */
	size_t offset;
	bool flag_value; /* the new value of that field, for an option without a value */

	enum option_group group;
	char letter; /* NUL: has a long form only */
	enum {
		USE_ALWAYS,
		/* --allow-out would make the short form --a of --api-socket ambiguous. */
		USE_OF_SLIRPD, /* not if called as slirp4netns */
		USE_OF_RUN, /* goes with `slirpd run` only, which slirp4netns does not have */
		USE_NOT_OF_RUN, /* names a guest, which is the command of `slirpd run` */
	} use;
};

/* OPTVALUE_N_OPTIONS rows. */
extern const struct option_spec opttable[];

/* The row of this name of len bytes, which must be in the table. */
const struct option_spec *opttable_find(const char *name, size_t len);

/* Whether the program has the option if it is called so. */
bool opttable_is_known(const char *program_name, const struct option_spec *spec);
