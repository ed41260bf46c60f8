/* The children, as a part of supervision: what they say, how they die, and how they are
 * ended. What their messages ask for is done in the file whose matter it is. */
#pragma once

#include "parent/spawn.h"

struct supervisor;

/* Receives what the child has sent. The rest of a flood waits for the next turn. */
void supervise_receive(struct supervisor *sv, struct child *child);

/* Looks after children that have ended. */
void supervise_reap(struct supervisor *sv);

/* Closes the child's channel and kills it; it is reaped like one that died by itself. */
void supervise_kill(struct child *child);

/* Ends all children: first by the end of their channels, then by force. */
void supervise_end_children(struct supervisor *sv);
