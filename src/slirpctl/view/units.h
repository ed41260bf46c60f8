/* SPDX-License-Identifier: BSD-2-Clause */
/* Numbers with units, for people. */
#pragma once

#include <stdint.h>
#include <time.h>

/* "18446744073709551615" and the longest unit fit. */
#define UNITS_SIZE 40

/* "2026-11-21T23:04:59.000042+05:30" with its NUL, and a year of ten digits. */
#define UNITS_TIME_SIZE 40

/* All return buf, which holds UNITS_SIZE bytes. */

/* "999 B", "1.5 KiB", "12.0 MiB": binary units (IEC 80000-13). */
const char *units_bytes(uint64_t n, char *buf);

/* "5 s", "4 min 3 s", "2 h 13 min", "3 d 4 h": the two largest units. */
const char *units_duration(uint64_t ms, char *buf);

/* "999 us", "1.5 ms", "12.0 s". */
const char *units_microseconds(uint64_t us, char *buf);

/* Formats a time with its offset from UTC (RFC 3339), in the zone of $TZ. With
 * microseconds unless they are negative. Returns buf, which holds UNITS_TIME_SIZE bytes;
 * "-" if the time has no year of four digits. */
const char *units_time(time_t seconds, int microseconds, char *buf);
