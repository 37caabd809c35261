/* rows.c - chains of entries, each stored once. */
#include "index/rows.h"
#include "base/attr.h"
#include "base/mem.h"

#define SLOTS_FIRST 256
#define FILL_BITS_MAX 12 /* wider numbers are rather checked one by one at open */

static size_t node_add(struct rows_writer *w, struct row_node node)
{
	if (w->count == w->cap) {
		w->cap = w->cap ? w->cap * 2 : 64;
		w->nodes = mem_resize(w->nodes, w->cap * sizeof *w->nodes);
	}
	w->nodes[w->count] = node;
	return w->count++;
}

void rows_begin(struct rows_writer *w)
{
	if (!w->count)
		node_add(w, (struct row_node){.expiry = ROW_SIDE});
	free(w->slots);
	w->slots = mem_new(SLOTS_FIRST, sizeof *w->slots);
	w->slot_count = SLOTS_FIRST;
	w->used = 0;
	w->base = w->count;
}

static size_t node_hash(const struct row_node *n, uint32_t expires)
{
	uint64_t h = ((uint64_t)n->value << 32 | n->parent) * 0x9e3779b97f4a7c15;

	h ^= ((uint64_t)expires << 32 | (uint64_t)n->set << 16 | n->len << 8 | n->expiry)
	     * 0xd6e8feb86659fd93;
	return (size_t)(h ^ h >> 29);
}

static uint32_t node_expires(const struct rows_writer *w, size_t i)
{
	return w->nodes[i].expiry == ROW_OWN ? w->nodes[i + 1].value : 0;
}

static void slots_grow(struct rows_writer *w)
{
	size_t mask = (w->slot_count *= 2) - 1, at;

	free(w->slots);
	w->slots = mem_new(w->slot_count, sizeof *w->slots);
	for (size_t i = w->base; i < w->count; i++) {
		if (w->nodes[i].expiry == ROW_SIDE)
			continue;
		at = node_hash(&w->nodes[i], node_expires(w, i)) & mask;
		while (w->slots[at])
			at = (at + 1) & mask;
		w->slots[at] = (uint32_t)i;
	}
}

/* The node that says this, there already or new. */
static uint32_t node_put(struct rows_writer *w, struct row_node n, uint32_t expires)
{
	size_t mask = w->slot_count - 1, at = node_hash(&n, expires) & mask, i;

	for (; (i = w->slots[at]); at = (at + 1) & mask) {
		const struct row_node *o = &w->nodes[i];

		if (o->value == n.value && o->parent == n.parent && o->set == n.set
			&& o->len == n.len && o->expiry == n.expiry
			&& node_expires(w, i) == expires)
			return (uint32_t)i;
	}
	i = node_add(w, n);
	if (n.expiry == ROW_OWN)
		node_add(w, (struct row_node){.value = expires, .expiry = ROW_SIDE});
	w->slots[at] = (uint32_t)i;
	if (++w->used * 2 > w->slot_count)
		slots_grow(w);
	return (uint32_t)i;
}

uint32_t rows_put(struct rows_writer *w, const struct merge_entry entries[], size_t n,
	uint32_t parent, uint32_t *ret_expires)
{
	size_t ending = 0;
	bool column;

	for (size_t i = 0; i < n; i++)
		ending += entries[i].expires != 0;
	column = ret_expires && ending == 1;
	if (ret_expires)
		*ret_expires = 0;
	while (n--) {
		const struct merge_entry *e = &entries[n];
		struct row_node node = {.value = e->value,
			.parent = parent,
			.set = e->set,
			.len = e->len,
			.expiry = !e->expires ? ROW_NEVER
				  : column    ? ROW_COLUMN
					      : ROW_OWN};

		if (node.expiry == ROW_COLUMN)
			*ret_expires = e->expires;
		parent = node_put(w, node, node.expiry == ROW_OWN ? e->expires : 0);
	}
	return parent;
}

uint8_t rows_end(struct rows_writer *w, size_t base)
{
	uint8_t bits = bits_of(w->count - 1 - base);

	if (bits <= FILL_BITS_MAX)
		while (w->count < base + ((size_t)1 << bits))
			node_add(w, (struct row_node){0});
	return bits;
}

void rows_done(struct rows_writer *w)
{
	free(w->nodes);
	free(w->slots);
	*w = (struct rows_writer){0};
}

/* Parents stand before their children, so a chain ends; it goes on as a reader expects it. */
static bool node_ok(const struct row_node nodes[], uint64_t i, uint64_t sets, uint64_t values)
{
	const struct row_node *n = &nodes[i], *p;

	if (n->value > values || n->set >= sets || n->parent >= i || n->expiry > ROW_OWN)
		return false;
	p = &nodes[n->parent];
	return !n->parent
	       || (p->expiry != ROW_SIDE
		       && (p->len < n->len || (p->len == n->len && p->set >= n->set)));
}

bool rows_ok(const struct row_node nodes[], uint64_t count, uint64_t sets, uint64_t values)
{
	if (count && nodes[0].expiry != ROW_SIDE)
		return false;
	for (uint64_t i = 1; i < count; i++) {
		if (!node_ok(nodes, i, sets, values))
			return false;
		if (nodes[i].expiry == ROW_OWN && (++i == count || nodes[i].expiry != ROW_SIDE))
			return false;
	}
	return true;
}

bool rows_cover(const struct row_node nodes[], uint64_t count, uint64_t first, uint64_t end)
{
	if (end > count)
		return false;
	for (; first < end; first++)
		if (nodes[first].expiry == ROW_SIDE)
			return false;
	return true;
}
