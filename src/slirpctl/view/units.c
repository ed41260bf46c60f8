/* SPDX-License-Identifier: BSD-2-Clause */
/* Formats numbers with units. */
#include "slirpctl/view/units.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"

#define SECONDS_PER_MINUTE UINT64_C(60)
#define SECONDS_PER_HOUR (60 * SECONDS_PER_MINUTE)
#define MINUTES_PER_HOUR 60
#define SECONDS_PER_DAY (24 * SECONDS_PER_HOUR)

/* RFC 3339, 5.6: date-fullyear is 4DIGIT. struct tm counts from 1900. */
#define YEAR_BASE 1900
#define YEAR_MAX 9999

#define KIB 1024
#define US_PER_MS 1000

const char *
units_bytes(uint64_t n, char *buf)
{
	static const char *const names[] = { "KiB", "MiB", "GiB", "TiB", "PiB", "EiB" };
	double value = (double)n / KIB;
	size_t i = 0;

	if (n < KIB) {
		snprintf(buf, UNITS_SIZE, "%" PRIu64 " B", n);
		return buf;
	}
	/* 1023.95 would be rounded to "1024.0". */
	while (value >= KIB - 0.05 && i + 1 < sizeof(names) / sizeof(names[0])) {
		value /= KIB;
		i++;
	}
	snprintf(buf, UNITS_SIZE, "%.1f %s", value, names[i]);
	return buf;
}

const char *
units_duration(uint64_t ms, char *buf)
{
	uint64_t s = ms / CLOCK_MS_PER_S;

	if (s < SECONDS_PER_MINUTE)
		snprintf(buf, UNITS_SIZE, "%" PRIu64 " s", s);
	else if (s < SECONDS_PER_HOUR)
		snprintf(buf, UNITS_SIZE, "%" PRIu64 " min %" PRIu64 " s",
		    s / SECONDS_PER_MINUTE, s % SECONDS_PER_MINUTE);
	else if (s < SECONDS_PER_DAY)
		snprintf(buf, UNITS_SIZE, "%" PRIu64 " h %" PRIu64 " min",
		    s / SECONDS_PER_HOUR, s % SECONDS_PER_HOUR / SECONDS_PER_MINUTE);
	else
		snprintf(buf, UNITS_SIZE, "%" PRIu64 " d %" PRIu64 " h",
		    s / SECONDS_PER_DAY, s % SECONDS_PER_DAY / SECONDS_PER_HOUR);
	return buf;
}

const char *
units_microseconds(uint64_t us, char *buf)
{
	if (us < US_PER_MS)
		snprintf(buf, UNITS_SIZE, "%" PRIu64 " us", us);
	/* 999.95 would be rounded to "1000.0". */
	else if ((double)us < 999.95 * US_PER_MS)
		snprintf(buf, UNITS_SIZE, "%.1f ms", (double)us / US_PER_MS);
	else
		snprintf(buf, UNITS_SIZE, "%.1f s",
		    (double)us / US_PER_MS / CLOCK_MS_PER_S);
	return buf;
}

const char *
units_time(time_t seconds, int microseconds, char *buf)
{
	char fraction[sizeof(".000000")] = "";
	char date[UNITS_TIME_SIZE];
	long offset_min;
	struct tm tm;

	/* localtime_r(3) fails if the year does not fit an int. */
	if (localtime_r(&seconds, &tm) == NULL || tm.tm_year < -YEAR_BASE ||
	    tm.tm_year > YEAR_MAX - YEAR_BASE ||
	    strftime(date, sizeof(date), "%Y-%m-%dT%H:%M:%S", &tm) == 0) {
		snprintf(buf, UNITS_TIME_SIZE, "-");
		return buf;
	}
	if (microseconds >= 0 && microseconds < 1000000)
		snprintf(fraction, sizeof(fraction), ".%06d", microseconds);
	offset_min = tm.tm_gmtoff / (long)SECONDS_PER_MINUTE;
	if (tm.tm_gmtoff == 0)
		snprintf(buf, UNITS_TIME_SIZE, "%.19s%sZ", date, fraction);
	else
		snprintf(buf, UNITS_TIME_SIZE, "%.19s%s%c%02d:%02d", date, fraction,
		    offset_min < 0 ? '-' : '+',
		    (int)(labs(offset_min) / MINUTES_PER_HOUR % 100),
		    (int)(labs(offset_min) % MINUTES_PER_HOUR));
	return buf;
}
