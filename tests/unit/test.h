/* test.h - what every unit test includes: cmocka with its own needs, and input copied to a heap block
 * of exact size, so that one byte read past the end is seen by ASan. */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/slice.h"

#include <stdlib.h>

static inline struct slice exact(const char *s, size_t len)
{
	char *copy = malloc(len ? len : 1);

	if (len)
		memcpy(copy, s, len);
	return slice_of(copy, len);
}

static inline void exact_free(struct slice s)
{
	free((void *)s.ptr);
}
