/* duration.c - spans of time and instants as text. */
#include "base/duration.h"
#include "base/attr.h"

#include <stdio.h>
#include <time.h>

#define DURATION_MAX_S ((int64_t)100 * 365 * 86400)

static const struct {
	char unit;
	int64_t seconds;
} units[] = {{'w', 604800}, {'d', 86400}, {'h', 3600}, {'m', 60}, {'s', 1}};

bool duration_parse(struct slice text, int64_t *ret_s)
{
	int64_t total = 0;

	if (text.len == 0)
		return false;
	while (text.len) {
		size_t n = 0, u = 0;
		uint64_t v;

		while (n < text.len && ascii_is_digit(text.ptr[n]))
			n++;
		if (!slice_u64(slice_take(text, n), (uint64_t)DURATION_MAX_S, &v))
			return false;
		text = slice_skip(text, n);
		if (text.len == 0) {
			u = ARRAY_LEN(units) - 1;
		} else {
			while (u < ARRAY_LEN(units) && units[u].unit != text.ptr[0])
				u++;
			if (u == ARRAY_LEN(units))
				return false;
			text = slice_skip(text, 1);
		}
		if ((int64_t)v > (DURATION_MAX_S - total) / units[u].seconds)
			return false;
		total += (int64_t)v * units[u].seconds;
	}
	*ret_s = total;
	return true;
}

struct duration_text duration_text(int64_t seconds)
{
	struct duration_text t = {"0s"};
	size_t n = 0;

	for (size_t u = 0; u < ARRAY_LEN(units) && seconds > 0; u++) {
		if (seconds < units[u].seconds)
			continue;
		n += (size_t)snprintf(t.s + n, sizeof t.s - n, "%lld%c",
			(long long)(seconds / units[u].seconds), units[u].unit);
		seconds %= units[u].seconds;
	}
	return t;
}

struct time_text time_text(int64_t unix_ms)
{
	struct time_text t = {"-"};
	time_t s = (time_t)(unix_ms / 1000);
	struct tm tm;

	if (gmtime_r(&s, &tm))
		strftime(t.s, sizeof t.s, "%Y-%m-%dT%H:%M:%SZ", &tm);
	return t;
}

bool time_parse(struct slice text, int64_t *ret_unix_ms)
{
	char s[32];
	struct tm tm = {0};
	const char *end;

	if (!slice_copy(text, s, sizeof s))
		return false;
	end = strptime(s, "%Y-%m-%dT%H:%M:%SZ", &tm);
	if (!end || *end)
		return false;
	*ret_unix_ms = (int64_t)timegm(&tm) * 1000;
	return true;
}
