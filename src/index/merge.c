/* merge.c - a heap of cursors over sorted tables. */
#include "index/merge.h"
#include "base/mem.h"

static void cursor_read_key(struct merge_cursor *c)
{
	const struct column_table *t = c->table;
	uint32_t v4;

	if (t->width == 4) {
		memcpy(&v4, t->keys + c->at * 4, 4);
		c->key.high = (uint64_t)v4 << 6 | c->len;
		return;
	}
	memcpy(&c->key, t->keys + c->at * t->width, t->width);
}

static bool key_eq(const struct merge_key *a, const struct merge_key *b)
{
	return a->high == b->high && a->low == b->low;
}

static bool cursor_before(const struct merge_cursor *a, const struct merge_cursor *b)
{
	if (a->key.high != b->key.high)
		return a->key.high < b->key.high;
	if (a->key.low != b->key.low)
		return a->key.low < b->key.low;
	return a->set < b->set;
}

/* Sinks c from the top to its place. */
static void heap_sink(struct merge *m, struct merge_cursor c)
{
	size_t i = 0, child;

	while ((child = 2 * i + 1) < m->count) {
		if (child + 1 < m->count && cursor_before(&m->heap[child + 1], &m->heap[child]))
			child++;
		if (!cursor_before(&m->heap[child], &c))
			break;
		m->heap[i] = m->heap[child];
		i = child;
	}
	m->heap[i] = c;
}

void merge_add(struct merge *m, struct builder *b, size_t set, unsigned len, struct column_table *t)
{
	struct merge_cursor c = {
		.table = t, .owner = b->sets[set], .set = (uint16_t)set, .len = (uint8_t)len};
	size_t i = m->count;

	if (!t->count)
		return;
	if (m->count == m->cap) {
		m->cap = m->cap ? m->cap * 2 : 16;
		m->heap = mem_resize(m->heap, m->cap * sizeof *m->heap);
	}
	cursor_read_key(&c);
	m->count++;
	for (; i && cursor_before(&c, &m->heap[(i - 1) / 2]); i = (i - 1) / 2)
		m->heap[i] = m->heap[(i - 1) / 2];
	m->heap[i] = c;
}

static void entry_add(struct merge *m, const struct merge_cursor *c)
{
	const struct column_table *t = c->table;

	if (m->entry_count == m->entry_cap) {
		m->entry_cap = m->entry_cap ? m->entry_cap * 2 : 64;
		m->entries = mem_resize(m->entries, m->entry_cap * sizeof *m->entries);
	}
	m->entries[m->entry_count++] = (struct merge_entry){
		.value = merge_value(c->owner, t->values ? t->values[c->at] : 0),
		.expires = t->expires ? t->expires[c->at] : 0,
		.set = c->set,
		.len = c->len,
	};
}

bool merge_next(struct merge *m, struct merge_key *ret)
{
	if (!m->count)
		return false;
	*ret = m->heap[0].key;
	m->entry_count = 0;
	while (m->count && key_eq(&m->heap[0].key, ret)) {
		struct merge_cursor c = m->heap[0];

		entry_add(m, &c);
		if (++c.at < c.table->count) {
			cursor_read_key(&c);
		} else {
			column_table_done(c.table);
			c = m->heap[--m->count];
		}
		if (m->count)
			heap_sink(m, c);
	}
	return true;
}

void merge_done(struct merge *m)
{
	free(m->heap);
	free(m->entries);
	*m = (struct merge){0};
}
