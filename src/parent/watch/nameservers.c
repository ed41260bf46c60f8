/* SPDX-License-Identifier: BSD-2-Clause */
/* Parses the lines of resolv.conf that name a server. */
#include "parent/watch/nameservers.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/inaddr.h"

/* A line for each IPv6 address of the host's interfaces, with the interface. Unlike
 * if_nametoindex(3) it needs no socket, which the parent's filter refuses. */
#define INTERFACES_PATH "/proc/self/net/if_inet6"

/* resolv.conf(5): the address and "%" with an interface. No longer word is read. */
#define WORD_MAX_BYTES 256

#define BLANKS " \t"

/* Fits a line of INTERFACES_PATH: the address, then in hexadecimal index, prefix length,
 * scope and flags, and last the name. */
#define LINE_SIZE 128

/* The index of an interface with an IPv6 address; 0: there is none of this name. */
static uint32_t
find_interface(const char *wanted)
{
	FILE *file = fopen(INTERFACES_PATH, "re");
	char line[LINE_SIZE];
	uint32_t found = 0;

	if (!file)
		return 0;
	while (found == 0 && fgets(line, sizeof(line), file)) {
		const char *name;

		line[strcspn(line, "\n")] = '\0';
		name = strrchr(line, ' ');
		if (name && strcmp(name + 1, wanted) == 0)
			found = (uint32_t)strtoul(line + strcspn(line, BLANKS), NULL, 16);
	}
	fclose(file);
	return found;
}

/* The first of its family is taken. */
static void
take_word(char *word, struct ipc_nameservers *nameservers)
{
	char *interface = strchr(word, '%');
	struct inaddr addr;

	if (interface)
		*interface++ = '\0';
	if (!inaddr_parse(word, &addr) || nameservers->has_addr[addr.is_ipv6])
		return;
	nameservers->has_addr[addr.is_ipv6] = 1;
	nameservers->addr[addr.is_ipv6] = addr;
	if (interface && inaddr_is_link_local6(&addr))
		nameservers->scope_id6 = find_interface(interface);
}

void
parent_nameservers_parse(const char *text, size_t text_len,
    struct ipc_nameservers *nameservers)
{
	const char *end = text + text_len;

	*nameservers = (struct ipc_nameservers){ 0 };
	while (text < end) {
		const char *newline = memchr(text, '\n', (size_t)(end - text));
		const char *line_end = newline ? newline : end;
		char line[WORD_MAX_BYTES * 2];
		size_t len = (size_t)(line_end - text);
		char *word;

		if (len >= sizeof(line))
			len = sizeof(line) - 1;
		memcpy(line, text, len);
		line[len] = '\0';
		text = line_end + 1;
		/* The keyword is the first word. */
		word = line + strcspn(line, BLANKS);
		word += strspn(word, BLANKS);
		word[strcspn(word, BLANKS "\r\v\f")] = '\0';
		take_word(word, nameservers);
	}
}
