/* path.h - what stands behind MAIL FROM: and RCPT TO: (RFC 5321, 4.1.2): a mailbox, then parameters.
 * Read as forgivingly as the mail servers of the world do, since what sends spam is often sloppy:
 * blanks after the colon and missing angle brackets pass, a source route is dropped. */
#pragma once

#include "base/slice.h"

struct smtp_path {
	struct slice
		address; /* local@domain as written, without brackets and route; empty: the null path */
	struct slice local;  /* quotes still on */
	struct slice domain; /* empty: none was given; "[192.0.2.1]" for a literal */
};

/* Cuts one path off the front of *rest; views into it. False (nothing changed) when there is none. */
bool smtp_path_cut(struct slice *rest, struct smtp_path *ret);
/* Cuts one "KEYWORD" or "KEYWORD=value" off *rest. False when only blanks are left. */
bool smtp_parameter_cut(struct slice *rest, struct slice *ret_keyword, struct slice *ret_value);
/* Well-formed UTF-8 without surrogates and overlong forms (RFC 3629). */
bool smtp_is_utf8(struct slice s);
