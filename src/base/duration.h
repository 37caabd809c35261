/* duration.h - spans of time as people write them ("90s", "1d12h", "2w") and instants (RFC 3339). */
#pragma once

#include "base/slice.h"

/* A number with s, m, h, d or w, or several of them; a bare number is seconds. At most 100 years. */
bool duration_parse(struct slice text, int64_t *ret_s);
struct duration_text {
	char s[32];
} duration_text(int64_t seconds); /* "1d12h"; "0s" */
struct time_text {
	char s[32];
} time_text(int64_t unix_ms); /* "2026-11-24T03:25:00Z" */
/* The same form back; false when it is none. */
bool time_parse(struct slice text, int64_t *ret_unix_ms);
