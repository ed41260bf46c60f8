/* SPDX-License-Identifier: BSD-2-Clause */
/* Memory for large tables, of which only the used pages are resident. */
#pragma once

#include <stddef.h>

/* Returns len bytes of zeros, page-aligned, or NULL with errno set. Released with
 * munmap(2). */
void *mapping_new(size_t len);
