/* fast.h - the plain question, answered in one pass over its bytes. For answer.c.
 *
 * Plain is what nearly all questions to a blocklist are: A or TXT, class IN, no EDNS options, a name below
 * a zone whose lists all answer at its top, an answer that fits. The bytes are those that answer_fully()
 * gives: tests hold the two side by side. Whoever adds something that a plain question's answer may depend
 * on makes the zone not plain (zone_is_plain() in served.c), or adds it here as well. */
#pragma once

#include "dnsd/answer.h"

/* As answer(); 0: not plain, nothing said, and `out` may hold anything. */
size_t fast_answer(const struct served *s, const struct answer_from *from, struct slice message,
	uint8_t *out, struct answer_note *ret_note);
