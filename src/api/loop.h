/* The api's service, in its jail: from ready to the end. */
#pragma once

#include "api/api.h"

/* Serves until the parent has closed the channel. */
void api_loop_run(struct api *api);
