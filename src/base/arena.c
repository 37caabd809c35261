/* arena.c - memory with one lifetime and one limit. */
#include "base/arena.h"
#include "base/attr.h"
#include "base/mem.h"

#include <stdalign.h>
#include <stdlib.h>

#define CHUNK_SIZE ((size_t)16384)

struct chunk {
	struct chunk *next;
	size_t used, size;
	alignas(max_align_t) char bytes[];
};

struct arena {
	struct chunk *chunks;
	size_t used, limit;
	bool failed;
};

struct arena *arena_new(size_t limit)
{
	struct arena *a = mem_new(1, sizeof *a);

	a->limit = limit;
	return a;
}

void *arena_alloc(struct arena *a, size_t size)
{
	size_t align = alignof(max_align_t), need;
	struct chunk *c = a->chunks;
	void *p;

	if (size > a->limit || (need = (size + align - 1) / align * align) > a->limit - a->used) {
		a->failed = true;
		return NULL;
	}
	if (!c || c->size - c->used < need) {
		size_t room = MAX(need, CHUNK_SIZE - sizeof *c);

		c = mem_new(1, sizeof *c + room);
		c->size = room;
		c->next = a->chunks;
		a->chunks = c;
	}
	p = c->bytes + c->used;
	c->used += need;
	a->used += need;
	return p;
}

struct slice arena_copy(struct arena *a, struct slice s)
{
	char *p = arena_alloc(a, s.len + 1);

	if (!p)
		return SLICE_EMPTY;
	if (s.len)
		memcpy(p, s.ptr, s.len);
	return slice_of(p, s.len);
}

bool arena_failed(const struct arena *a)
{
	return a->failed;
}

void arena_reset(struct arena *a)
{
	for (struct chunk *c = a->chunks, *next; c; c = next) {
		next = c->next;
		free(c);
	}
	a->chunks = NULL;
	a->used = 0;
	a->failed = false;
}

struct arena *arena_free(struct arena *a)
{
	if (a) {
		arena_reset(a);
		free(a);
	}
	return NULL;
}
