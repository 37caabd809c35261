/* fast.h - the answer to a plain question, written in one go. For answer.c.
 *
 * The bytes are those that answer_fully() gives: tests hold the two side by side. */
#pragma once

#include "dnsd/answer/plain.h"

/* As answer(), after plain_look(); 0: more than is done here, nothing said, and `out` may hold
 * anything. */
size_t fast_answer(const struct plain *p, uint8_t *out, struct answer_note *ret_note);
