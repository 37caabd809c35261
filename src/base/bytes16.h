/* bytes16.h - sixteen bytes at a time: GCC and Clang know how on any machine. */
#pragma once

#include <stdint.h>
#include <string.h>

typedef uint8_t bytes16 __attribute__((vector_size(16)));

static inline bytes16 load16(const uint8_t *p)
{
	bytes16 v;

	memcpy(&v, p, sizeof v);
	return v;
}

static inline void store16(uint8_t *p, bytes16 v)
{
	memcpy(p, &v, sizeof v);
}

/* A to Z become a to z. Of a name in wire form, too: no length of a label is a letter. */
static inline bytes16 lower16(bytes16 v)
{
	typedef int8_t signed16 __attribute__((vector_size(16)));

	/* Z becomes the largest signed number, A the one that is 25 less. */
	return v | ((bytes16)((signed16)(v + (127 - 'Z')) > 127 - 26) & 0x20);
}
