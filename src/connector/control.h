/* SPDX-License-Identifier: BSD-2-Clause */
/* The parent's messages to the connector. */
#pragma once

#include "connector/connector.h"

/* Waits for the parent's orders, enters the jail, and reports that it is ready. Returns false
 * if the parent ends before that. Fatal on failure. */
bool connector_control_begin(struct connector *connector);

/* Handles the parent's messages that have come. Sets connector->ended at their end. */
void connector_control_receive(struct connector *connector);
