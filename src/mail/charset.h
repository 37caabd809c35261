/* charset.h - text in any charset that mail uses, to valid UTF-8. */
#pragma once

#include "base/buf.h"

/* Appends `in` as valid UTF-8. Only charsets of our own table are used (a stranger does not choose
 * which converter gets loaded); under an unknown name, bytes above 0x7f that are not UTF-8 become
 * U+FFFD. "" and "us-ascii" take UTF-8 as it is, and else windows-1252, as mail programs do. */
void charset_to_utf8(struct slice charset, struct slice in, struct buf *out);
/* Opens every converter now. Call before a sandbox forbids files: glibc loads them as libraries.
 * Without it they are opened at first use. Not for use by several threads at once. */
void charset_prepare(void);
/* True when s is valid UTF-8 (no surrogates, no overlong forms). */
bool utf8_is_valid(struct slice s);
/* Appends one code point; U+FFFD for what is none. */
void utf8_add(struct buf *out, uint32_t code_point);
