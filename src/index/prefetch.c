/* prefetch.c - asks the memory for what a question will look at, before anyone waits for it: a server that
 * has many questions at hand waits once for all of them. Changes nothing and reads what index_find() reads. */
#include "index/index.h"
#include "index/names.h"
#include "index/view.h"

#define TABLES6_MOST 4 /* the long lengths; more are not worth it */

static const uint8_t *hosts4_at(const struct hosts4 *h, uint32_t address)
{
	uint32_t i = (address >> HOSTS_SHIFT) - h->first;

	return i < h->count ? h->words + (size_t)i * HOSTS_WORD : NULL;
}

static void prefetch6(const struct snapshot *s, const struct asked *q, bool behind)
{
	const uint64_t high = view_be64(q->ip6), low = view_be64(q->ip6 + 8);

	for (size_t i = 0; s->tables6 && i < s->tables6->count && i < TABLES6_MOST; i++)
		tables6_prefetch(s->tables6, i, high, low, behind);
}

void index_prefetch(const struct index *ix, const struct asked *q, struct index_way *way)
{
	const struct snapshot *s = ix->snapshot;
	const uint8_t *word = q->is_ip4 ? hosts4_at(&s->hosts4, q->ip4) : NULL;

	if (word) {
		__builtin_prefetch(word);
		__builtin_prefetch(word + HOSTS_WORD - 1);
	}
	if (q->is_ip4 && s->ranges4.dir)
		__builtin_prefetch(&s->ranges4.dir[q->ip4 >> 16]);
	if (q->is_ip6)
		prefetch6(s, q, false);
	if (q->labels && s->names) {
		names_way(s->names, q->name, q->name_len, q->labels, way);
		if (way->ready)
			names_prefetch(s->names, way);
	}
}

void index_prefetch_behind(
	const struct index *ix, const struct asked *q, const struct index_way *way)
{
	const struct snapshot *s = ix->snapshot;
	const uint8_t *word = q->is_ip4 ? hosts4_at(&s->hosts4, q->ip4) : NULL;
	uint32_t start;

	if (word) {
		memcpy(&start, word + 8, sizeof start);
		__builtin_prefetch(s->hosts4.data + start);
		__builtin_prefetch(s->hosts4.data + start + 64);
	}
	if (q->is_ip4 && s->ranges4.dir) {
		const uint32_t *dir = &s->ranges4.dir[q->ip4 >> 16];
		__builtin_prefetch((const uint16_t *)s->ranges4.keys + (dir[0] + dir[1]) / 2);
	}
	if (q->is_ip6)
		prefetch6(s, q, true);
	if (way->ready)
		names_prefetch_behind(s->names, way);
}
