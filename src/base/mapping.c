/* SPDX-License-Identifier: BSD-2-Clause */
/* Memory for large tables, of which only the used pages are resident. */
#include "base/mapping.h"

#include <sys/mman.h>

void *
mapping_new(size_t len)
{
	/* MAP_NORESERVE: a kernel that counts promised memory does not count this. */
	void *mapping = mmap(NULL, len, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (mapping == MAP_FAILED)
		return NULL;
	/* A huge page would make 2 MiB resident for one byte. A kernel without huge pages
	 * refuses this. */
	madvise(mapping, len, MADV_NOHUGEPAGE);
	return mapping;
}
