/* SPDX-License-Identifier: BSD-2-Clause */
/* Runs a fuzz target over the files of its corpus, for compilers without libFuzzer. */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/auto.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* As in libFuzzer, for those targets that have something to set up. */
__attribute__((weak)) int LLVMFuzzerInitialize(int *argc, char ***argv);

/* Seeds are small; libFuzzer's own default limit for inputs is 4096 bytes. */
#define INPUT_MAX (1024 * 1024)

static int
replay(const char *directory, const char *name)
{
	autofree uint8_t *data = malloc(INPUT_MAX);
	char path[4096];
	FILE *file;
	size_t size;

	snprintf(path, sizeof(path), "%s/%s", directory, name);
	file = fopen(path, "rb");
	if (!file || !data) {
		perror(path);
		return -1;
	}
	size = fread(data, 1, INPUT_MAX, file);
	fclose(file);
	/* In a block of its own size, so that a sanitizer sees every byte too far. */
	autofree uint8_t *exact = malloc(size ? size : 1);
	if (!exact)
		return -1;
	memcpy(exact, data, size);
	LLVMFuzzerTestOneInput(exact, size);
	return 0;
}

int
main(int argc, char **argv)
{
	DIR *directory = argc == 2 ? opendir(argv[1]) : NULL;
	struct dirent *entry;
	int n = 0;

	if (!directory) {
		fprintf(stderr, "usage: %s CORPUS-DIRECTORY\n", argv[0]);
		return 1;
	}
	if (LLVMFuzzerInitialize)
		LLVMFuzzerInitialize(&argc, &argv);
	while ((entry = readdir(directory))) {
		if (entry->d_name[0] == '.')
			continue;
		if (replay(argv[1], entry->d_name) == -1)
			return 1;
		n++;
	}
	closedir(directory);
	printf("%d inputs\n", n);
	return n > 0 ? 0 : 1;
}
