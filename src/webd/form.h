/* form.h - application/x-www-form-urlencoded, as it comes in a query string or a posted form, and
 * paths. Strict: a broken %, a NUL or bytes that are not UTF-8 refuse the whole. Pure. */
#pragma once

#include "base/buf.h"
#include "base/err.h"

#define FORM_FIELDS_MAX 16
#define FORM_BYTES_MAX 8192 /* of all names and values, decoded */

struct form_field {
	struct slice name, value;
};

struct form {
	struct buf text; /* names and values stand here */
	size_t count;
	struct form_field fields[FORM_FIELDS_MAX];
};

/* A form is usable only after true; form_done() is right in any case. A name that comes twice is
 * refused: two readers of one request must not disagree about it. */
bool form_parse(struct slice encoded, struct form *ret, struct err *err);
void form_done(struct form *f);
/* Empty when there is no such field. */
struct slice form_value(const struct form *f, const char *name);

/* Percent-decodes onto buf; '+' becomes a blank where `plus`. */
bool form_decode(struct slice encoded, bool plus, struct buf *buf, struct err *err);
/* Percent-encodes all but the unreserved characters of RFC 3986. */
void form_encode(struct slice text, struct buf *buf);
bool utf8_valid(struct slice s); /* RFC 3629; a NUL is not welcome either */
