/* SPDX-License-Identifier: BSD-2-Clause */
/* The api's requests to the connector. */
#pragma once

#include "connector/connector.h"

/* Receives and answers the api's requests that have come, up to a limit; none during a change of
 * the forwards. */
void connector_api_receive(struct connector *connector);
