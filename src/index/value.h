/* value.h - what an entry answers: a code and a text template; and one place where templates become
 * text, by rbldnsd's rules. */
#pragma once

#include "base/slice.h"

#define VALUE_TEXT_MAX                                                                             \
	254 /* longest text of an answer: what rbldnsd gives out of a DNS string's 255 */
#define VALUE_TEMPLATE_MAX 8192 /* longest template, after its $0..$9 and $= were filled in */

struct value {
	uint32_t code; /* the A record, host order: 0x7f000002 */
	struct slice
		text; /* template: $ becomes what was asked, $$ a dollar; empty: no TXT record */
};

/* How an entry that covers the question looks from outside. Slices live as long as the snapshot, or
 * for an overlay's entry until the reader's next quiet point (see overlay.h). */
struct hit {
	struct value value;
	int64_t expires_s; /* unix seconds; 0: never */
	uint16_t set;	   /* whose entry it is: number in the snapshot */
	uint8_t len;	   /* prefix length, or labels of the entry's name */
	uint8_t scope;	   /* names: enum scope, as the entry was added; addresses: 4 or 6 */
	bool excluded;	   /* the entry says "not this one" */
};

/* Which names an entry for "x" means. */
enum scope {
	SCOPE_SELF = 1,	 /* "x" */
	SCOPE_BELOW = 2, /* "*.x" */
	SCOPE_BOTH = 3,	 /* ".x" */
};

/* Fills a template: returns the length, at most VALUE_TEXT_MAX; what is longer is cut there.
 * `asked` is the address as text or, for names, the entry's name (not what lies below it). */
size_t value_expand(struct slice text, struct slice asked, char dst[VALUE_TEXT_MAX]);
