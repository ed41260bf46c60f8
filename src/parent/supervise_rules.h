/* Forwards, as a part of supervision: those of the command line, and the copy of all. */
#pragma once

#include <stdbool.h>

struct supervisor;

/* Has the worker make the next forward of --publish, once it serves. */
void supervise_publish(struct supervisor *sv);

/* Whether all of --publish are there. */
bool supervise_is_published(const struct supervisor *sv);
