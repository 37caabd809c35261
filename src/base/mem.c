/* mem.c - allocation that cannot fail. */
#include "base/mem.h"

#include "base/attr.h"

#include <malloc.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define PAGE ((size_t)4096)
#define HUGE_PAGE ((size_t)2 << 20)
#define BIG (4 * HUGE_PAGE)

static void *must(void *p)
{
	if (!p) {
		fputs("out of memory\n", stderr);
		abort();
	}
	return p;
}

/* Whole pages of what is named; a wish that the system may not grant. */
static void advise(void *ptr, size_t size, int advice)
{
	uintptr_t from = ((uintptr_t)ptr + PAGE - 1) & ~(PAGE - 1);
	uintptr_t to = ((uintptr_t)ptr + size) & ~(PAGE - 1);

	if (to > from)
		(void)madvise((void *)from, to - from, advice);
}

void *mem_new(size_t count, size_t size)
{
	void *p = must(calloc(count ? count : 1, size ? size : 1));

	if (count * size >= BIG)
		advise(p, count * size, MADV_HUGEPAGE);
	return p;
}

/* A larger place for much: moved piece by piece, so that it is never there twice, and in huge pages,
 * as asking for small ones one by one costs more than filling them. */
static void *grow_big(void *ptr, size_t old, size_t size)
{
	size_t room = (size + HUGE_PAGE - 1) & ~(HUGE_PAGE - 1), n;
	char *from = ptr, *to = must(aligned_alloc(HUGE_PAGE, room));

	advise(to, room, MADV_HUGEPAGE);
	for (size_t at = 0; at < old; at += n) {
		n = MIN(old - at, HUGE_PAGE);
		memcpy(to + at, from + at, n);
		advise(from + at, n, MADV_DONTNEED);
	}
	free(ptr);
	return to;
}

void *mem_resize(void *ptr, size_t size)
{
	size_t old = ptr && size >= BIG ? malloc_usable_size(ptr) : 0;

	if (size >= BIG && size > old)
		return grow_big(ptr, old, size);
	return must(realloc(ptr, size ? size : 1));
}

char *mem_str(const char *s)
{
	return s ? must(strdup(s)) : NULL;
}

char *mem_str_len(const char *s, size_t len)
{
	char *copy = mem_new(len + 1, 1);

	if (len)
		memcpy(copy, s, len);
	return copy;
}
