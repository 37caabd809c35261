/* language.h - one language of the portal: its catalogue, its templates, and sentences made from
 * them. English is the language of the source and has no catalogue. */
#pragma once

#include "webd/mo.h"
#include "webd/template.h"

#include <jansson.h>

struct language {
	const char *tag;  /* "ja", as in lang="" and Accept-Language */
	const char *name; /* what its readers call it */
	struct mo *mo;	  /* NULL: English */
	struct template_set *templates;
};

/* Marks a text for xgettext where it stands in a table; language_text() translates it later. */
#define N_(text) (text)
#define N2_(one, many) (one), (many) /* singular and plural */

const char *language_text(const struct language *l, const char *msgid);
/* A sentence as a JSON string: msgid with each {{name}} replaced. fmt and what follows are those of
 * json_pack() and make the object of values; NULL: none. */
json_t *say(const struct language *l, const char *msgid, const char *fmt, ...);

/* The same with the values in an object, which stays the caller's. */
json_t *say_values(const struct language *l, const char *msgid, json_t *values);

/* {"seconds": n, "words": "1 day 12 hours"}: the two largest units. */
json_t *say_span_words(const struct language *l, int64_t seconds); /* the words alone */
json_t *say_span(const struct language *l, int64_t seconds);
/* "2026-11-24 03:25 UTC" */
json_t *say_time(const struct language *l, int64_t unix_ms);
/* "3 days ago", "in 2 hours", "just now": the largest unit. */
json_t *say_ago(const struct language *l, int64_t unix_ms, int64_t now_ms);
