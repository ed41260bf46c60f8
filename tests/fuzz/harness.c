/* SPDX-License-Identifier: BSD-2-Clause */
/* What fuzzers of a whole process have in common. */
#include "harness.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/log.h"

static void
no_log(enum log_level level, const char *text)
{
	(void)level;
	(void)text;
}

void
harness_silence(void)
{
	log_set_emit(no_log);
}

void
harness_begin(unsigned int n_files_max)
{
	const struct rlimit files = { .rlim_cur = n_files_max, .rlim_max = n_files_max };

	assert(setrlimit(RLIMIT_NOFILE, &files) == 0);
	harness_silence();
}

void
harness_check_descriptors(void)
{
	static int expected_fd = -1;
	autofd int free_fd = dup(STDIN_FILENO);

	if (expected_fd != -1 && free_fd != expected_fd) {
		fprintf(stderr, "descriptor %d is free, not %d\n", free_fd, expected_fd);
		abort();
	}
	expected_fd = free_fd;
}
