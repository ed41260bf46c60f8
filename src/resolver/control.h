/* SPDX-License-Identifier: BSD-2-Clause */
/* The parent's messages to the resolver. */
#pragma once

#include "resolver/resolver.h"

/* Waits for the parent's orders, enters the jail, and reports that it is ready. Returns false
 * if the parent ends before that. Fatal on failure. */
bool resolver_control_begin(struct resolver *resolver);

/* Handles the parent's messages that have come. Sets resolver->ended at their end. */
void resolver_control_receive(struct resolver *resolver);
