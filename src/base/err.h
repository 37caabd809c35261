/* err.h - errors with words. What the world does wrong returns false and says what, where and what
 * to do; our own bugs and lack of memory abort. */
#pragma once

#include "base/attr.h"

#include <stdbool.h>

enum err_kind {
	ERR_NONE,
	ERR_SYNTAX,  /* the bytes are not what they must be */
	ERR_LIMIT,   /* too long, too many, too deep */
	ERR_MISSING, /* a file, a name, an entry is not there */
	ERR_REFUSED, /* understood, and not allowed */
	ERR_SYSTEM,  /* the operating system said no */
	ERR_CORRUPT, /* our own file is not as we wrote it */
};

struct err {
	enum err_kind kind;
	char text[480];
};

/* Sets the words; always returns false, so that failing is one line. err may be NULL. */
bool err_set(struct err *err, enum err_kind kind, const char *fmt, ...) ATTR_FORMAT(3, 4);
/* The same with ": " and strerror(errno) behind the words. */
bool err_errno(struct err *err, const char *fmt, ...) ATTR_FORMAT(2, 3);
/* Puts words before those already there; always returns false. */
bool err_prefix(struct err *err, const char *fmt, ...) ATTR_FORMAT(2, 3);
