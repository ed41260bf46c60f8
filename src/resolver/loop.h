/* SPDX-License-Identifier: BSD-2-Clause */
/* The loop of the resolver. */
#pragma once

#include "resolver/resolver.h"

/* Serves until the parent closes the channel. */
void resolver_loop_run(struct resolver *resolver);
