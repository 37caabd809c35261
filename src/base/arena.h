/* arena.h - one lifetime, one arena, one stated limit: a session, a request, a build. */
#pragma once

#include "base/slice.h"

struct arena;

struct arena *arena_new(size_t limit); /* refuses to hand out more than limit bytes in all */
/* Zeroed, aligned for any type; NULL only when over the limit (then arena_failed() stays true). */
void *arena_alloc(struct arena *a, size_t size);
/* A NUL-terminated copy that lives as long as the arena; on over-limit an empty slice. */
struct slice arena_copy(struct arena *a, struct slice s);
bool arena_failed(const struct arena *a);
void arena_reset(struct arena *a); /* everything handed out is gone; the limit is whole again */
struct arena *arena_free(struct arena *a); /* NULL is fine; returns NULL */
