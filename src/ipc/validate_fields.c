/* SPDX-License-Identifier: BSD-2-Clause */
/* Checks of fields that several rows share. */
#include "ipc/validate_fields.h"

#include <string.h>

#include "base/dnsname.h"

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

	/* Each byte equals the one before it, and the first is zero. */
	return n == 0 || (byte[0] == 0 && memcmp(byte, byte + 1, n - 1) == 0);
}

int
ipc_check_zeros(const void *bytes, size_t n, const char *field, const char **why)
{
	return ipc_is_zero(bytes, n) ? 0 : ipc_refuse(why, field);
}

int
ipc_check_unused(const void *entries, size_t n, size_t n_max, size_t entry_size,
    const char **why)
{
	const uint8_t *bytes = entries;

	return ipc_check_zeros(bytes + n * entry_size, (n_max - n) * entry_size,
	    "entries after the last", why);
}

bool
ipc_is_flag(uint8_t value)
{
	return value <= 1;
}

bool
ipc_is_errno(uint32_t value)
{
	return value > 0 && value <= 4095;
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

bool
ipc_is_dnsname(const char name[IPC_POLICY_NAME_SIZE])
{
	return ipc_is_text(name, IPC_POLICY_NAME_SIZE) &&
	    dnsname_check(name, strlen(name)) == DNSNAME_OK;
}
