/* mo.h - a compiled message catalogue (GNU gettext's .mo), read in place. gettext(3) itself knows one
 * language per process or thread; the portal answers each request in its own. */
#pragma once

#include "base/err.h"
#include "base/slice.h"

struct mo;

/* Checks every offset once, so that look-ups can trust them. Borrows `file` for its whole life. */
struct mo *mo_new(struct slice file, struct err *err);
struct mo *mo_free(struct mo *mo); /* NULL is fine; returns NULL */

/* The translation, or msgid itself: without a catalogue (NULL), without an entry, when empty. */
const char *mo_text(const struct mo *mo, const char *msgid);
/* The form for n. Of plural rules two are known: "nplurals=1" (Japanese), and else the English one. */
const char *mo_plural(const struct mo *mo, const char *one, const char *many, long n);
