/* SPDX-License-Identifier: BSD-2-Clause */
/* Asks the terminal for its size. */
#include "slirpctl/view/view.h"

#include <sys/ioctl.h>
#include <unistd.h>

/* A terminal that does not know its size, as a serial line. */
#define N_COLUMNS_DEFAULT 80

struct view
view_of_stdout(bool shows_all)
{
	struct view view = { .shows_all = shows_all };
	struct winsize size;

	if (!isatty(STDOUT_FILENO))
		return view;
	view.is_terminal = true;
	view.n_columns = N_COLUMNS_DEFAULT;
	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0)
		view.n_columns = size.ws_col;
	return view;
}
