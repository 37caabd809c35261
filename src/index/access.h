/* access.h - the values of SET_ACCESS and SET_KEYS sets: what those who ask may. */
#pragma once

#include "index/value.h"

/* Of several that apply the last in this order wins. */
enum access_action {
	ACCESS_PASS,   /* as if there were no rule */
	ACCESS_ALWAYS, /* everything is listed, with the value's own code and text */
	ACCESS_EMPTY,  /* nothing is listed; SOA, NS and whole records are there */
	ACCESS_REFUSE,
	ACCESS_IGNORE, /* no reply at all */
};

/* Every action but ACCESS_ALWAYS is a value with its number as code and this text, which no template has. */
#define ACCESS_TEXT slice_of("", 1)

static inline bool access_is_action(struct slice text)
{
	return text.len == 1 && text.ptr[0] == '\0';
}

static inline enum access_action access_of(const struct value *v)
{
	if (!access_is_action(v->text))
		return ACCESS_ALWAYS;
	return v->code <= ACCESS_IGNORE ? (enum access_action)v->code : ACCESS_REFUSE;
}
