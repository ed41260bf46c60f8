/* SPDX-License-Identifier: BSD-2-Clause */
/* How results are shown: for a person at a terminal, or for a program. */
#pragma once

#include <stdbool.h>

struct view {
	bool is_terminal;       /* show units that are easy to read */
	bool shows_all;         /* zeros and internal names too: --all */
	unsigned int n_columns; /* of the terminal; 0: lines have no limit */
};

/* Asks for the state of standard output now: a terminal may change its size. */
struct view view_of_stdout(bool shows_all);
