/* SPDX-License-Identifier: BSD-2-Clause */
/* What the policy of a daemon has denied, as a list and as rules that would allow it. */
#pragma once

#include "slirpctl/cmdline.h"

enum outcome policy_denied(const struct cmdline *cmdline);
enum outcome policy_suggest(const struct cmdline *cmdline);
