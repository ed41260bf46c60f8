/* SPDX-License-Identifier: BSD-2-Clause */
/* The loop of the connector. */
#pragma once

#include "connector/connector.h"

/* Serves until the parent closes its channel. */
void connector_loop_run(struct connector *connector);
