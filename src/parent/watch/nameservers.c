/* SPDX-License-Identifier: BSD-2-Clause */
/* Parses the lines of resolv.conf that name a server or have options. */
#include "parent/watch/nameservers.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/inaddr.h"

/* A line for each IPv6 address of the host's interfaces, with the interface. Unlike
 * if_nametoindex(3) it needs no socket, which the parent's filter refuses. */
#define INTERFACES_PATH "/proc/self/net/if_inet6"

#define SERVER_KEY "nameserver"
#define OPTIONS_KEY "options"

/* glibc reads no more of a line. */
#define LINE_MAX_BYTES 512

#define BLANKS " \t"
#define ENDS_OF_WORDS BLANKS "\r\v\f"

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

static void
take_server(char *word, struct ipc_nameservers *nameservers)
{
	struct ipc_nameserver *server = &nameservers->servers[nameservers->n];
	char *interface = strchr(word, '%');

	if (interface)
		*interface++ = '\0';
	if (nameservers->n == IPC_NAMESERVERS_MAX || !inaddr_parse(word, &server->addr))
		return;
	nameservers->n++;
	if (interface && inaddr_is_link_local6(&server->addr))
		server->scope_id = find_interface(interface);
}

/* The number after the name and a colon, from 1 to max; false for another word. glibc takes a
 * greater number for the greatest, and waits for a second at least. */
static bool
take_number(const char *word, const char *name, uint8_t max, uint8_t *number)
{
	size_t len = strlen(name);
	unsigned long value;

	if (strncmp(word, name, len) != 0 || word[len] < '0' || word[len] > '9')
		return false;
	value = strtoul(word + len, NULL, 10);
	*number = value < 1 ? 1 : value > max ? max : (uint8_t)value;
	return true;
}

static void
take_option(const char *word, struct ipc_nameservers *nameservers)
{
	if (take_number(word, "timeout:", IPC_NAMESERVER_TIMEOUT_MAX_S,
		&nameservers->timeout_s) ||
	    take_number(word, "attempts:", IPC_NAMESERVER_ATTEMPTS_MAX,
		&nameservers->attempts))
		return;
	if (strcmp(word, "rotate") == 0)
		nameservers->rotate = 1;
}

static bool
has_keyword(const char *line, size_t len, const char *key)
{
	size_t key_len = strlen(key);

	return len > key_len && memcmp(line, key, key_len) == 0 &&
	    (line[key_len] == ' ' || line[key_len] == '\t');
}

bool
parent_nameservers_wants(const char *line, size_t len)
{
	return has_keyword(line, len, SERVER_KEY) || has_keyword(line, len, OPTIONS_KEY);
}

/* line ends with NUL, and has one of the keywords. */
static void
take_line(char *line, struct ipc_nameservers *nameservers)
{
	bool is_server = line[0] == SERVER_KEY[0];
	char *rest = NULL, *word;

	strtok_r(line, ENDS_OF_WORDS, &rest);
	if (is_server) {
		word = strtok_r(NULL, ENDS_OF_WORDS, &rest);
		if (word)
			take_server(word, nameservers);
		return;
	}
	while ((word = strtok_r(NULL, ENDS_OF_WORDS, &rest)))
		take_option(word, nameservers);
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
		char line[LINE_MAX_BYTES];
		size_t len = (size_t)(line_end - text);

		if (len >= sizeof(line))
			len = sizeof(line) - 1;
		memcpy(line, text, len);
		line[len] = '\0';
		text = line_end + 1;
		if (parent_nameservers_wants(line, len))
			take_line(line, nameservers);
	}
}
