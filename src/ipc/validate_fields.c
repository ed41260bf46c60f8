/* SPDX-License-Identifier: BSD-2-Clause */
/* Checks of fields that several rows share. */
#include "ipc/validate_fields.h"

#include <string.h>

int
ipc_refuse(const char **why, const char *text)
{
	*why = text;
	return -1;
}

bool
ipc_is_zero(const void *bytes, size_t n)
{
	const uint8_t *byte = bytes;

	for (size_t i = 0; i < n; i++)
		if (byte[i] != 0)
			return false;
	return true;
}

bool
ipc_is_flag(uint8_t value)
{
	return value <= 1;
}

bool
ipc_is_inaddr(const struct inaddr *addr)
{
	return ipc_is_flag(addr->is_ipv6) &&
	    (addr->is_ipv6 ||
		ipc_is_zero(addr->bytes + sizeof(in_addr_t),
		    sizeof(addr->bytes) - sizeof(in_addr_t)));
}

bool
ipc_is_text(const char *text, size_t size)
{
	size_t len = strnlen(text, size);

	return len < size && ipc_is_zero(text + len, size - len);
}
