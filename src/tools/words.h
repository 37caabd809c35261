/* words.h - text from anywhere on a terminal: nothing in it can move the cursor, ring or reorder, and its
 * width is known. Set the locale (LC_CTYPE) before; what it cannot show becomes "?". */
#pragma once

#include "base/buf.h"

/* Adds the text with "?" for control characters, for what has no width of its own, and for bytes that are no
 * UTF-8. */
void words_add(struct buf *to, struct slice text);
/* Columns that words_add() takes. */
size_t words_width(struct slice text);
/* As words_add(), in exactly `width` columns: filled up with blanks (in front when `right`), or cut, with "~"
 * as the last sign. */
void words_fit(struct buf *to, struct slice text, size_t width, bool right);
