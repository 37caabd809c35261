/* reason.h - why something was listed, renewed, refused or ended: a code with its numbers, or the words
 * of a person. No sentences: those are made where people read them, in their language. Pure.
 *
 * Stored as text, fields parted by tabs: "threshold\tweight=3\twindow_s=86400...". A tab cannot occur in
 * what people write (controls are refused in messages), so text without one is somebody's words: that
 * is what a row from before there were codes holds. */
#pragma once

#include "base/slice.h"

#define REASON_TEXT_MAX 255

enum reason_code {
	REASON_WORDS = 0, /* text: as it was written, nothing is known of it */
	REASON_BY_HAND,	  /* text: an operator's own words */
	REASON_FEED,	  /* feed */
	REASON_THRESHOLD, /* evidence listed it: weight, window_s, traps, threshold, lifetime_s, relist */
	REASON_MORE_EVIDENCE, /* it lasts longer: lifetime_s from now */
	REASON_EXPIRED,
	REASON_ASKED, /* removed on request: host, whose forward and reverse DNS match; may be "" */
	/* what is never listed */
	REASON_TOO_WIDE, /* widest: the shortest prefix length there may be */
	REASON_SPECIAL_RANGE,
	REASON_RESERVED_NAME, /* entry: the name set aside */
	REASON_PROTECTED,     /* entry: what the configuration protects */
	REASON_PUBLIC_SUFFIX,
};

/* What a code has no use for is 0 and "". */
struct reason {
	enum reason_code code;
	int64_t weight, window_s, traps, threshold, lifetime_s, relist, widest; /* none below 0 */
	char text[REASON_TEXT_MAX + 1]; /* of a person; or feed, host, entry */
};

/* text is cut where it is longer, at a whole character, and at a NUL. */
struct reason reason_of(enum reason_code code, struct slice text);

const char *reason_word(enum reason_code code); /* "by-hand" ... */
/* The nth number of the code, with its name; false after the last. */
bool reason_number(const struct reason *r, size_t n, const char **ret_name, int64_t *ret);
/* What its text is called: "text", "feed", "host", "entry"; NULL: this code has none. */
const char *reason_text_name(enum reason_code code);

struct reason_stored {
	char s[512];
} reason_store(const struct reason *r);
/* Reads what reason_store() made. Anything else becomes REASON_WORDS, its controls blanks. */
struct reason reason_load(struct slice stored);
