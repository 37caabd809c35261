/* negotiate.h - what the client would like to read: language (Accept-Language) and form (Accept),
 * by the quality values of RFC 9110, 12.4.2 to 12.5.4. Pure. */
#pragma once

#include "base/slice.h"

#define NEGOTIATE_HEADER_MAX 1024 /* what stands behind it is not looked at */
#define NEGOTIATE_RANGES_MAX 32

/* Index into tags ("en", "ja"; lower case), 0 when nothing fits: the lookup of RFC 4647, 3.4, on the
 * primary subtag. Of equal quality the range that stands first wins. */
size_t negotiate_language(struct slice accept_language, const char *const *tags, size_t count);

/* True when application/json is wanted more than text/html. */
bool negotiate_json(struct slice accept);
