/* ranges4.c - IPv4 prefixes as a step function over the addresses. */
#include "index/ranges4.h"
#include "base/attr.h"
#include "base/mem.h"
#include "index/layout.h"
#include "index/view.h"

#define DIR_FROM 8192 /* so many places pay for a directory */
#define DIR_SIZE 65537

/* ---- writing ---- */

struct step {
	uint32_t start, row;
};

struct sweep {
	struct step *steps;
	size_t count, cap;
	struct open_prefix {
		uint64_t end; /* first address behind it */
		uint32_t row;
	} open[33]; /* prefixes that cover the place reached, widest first */
	size_t depth;
};

/* From `start` on the row is another one. Of several words about one place the last counts. */
static void step_add(struct sweep *s, uint64_t start, uint32_t row)
{
	if (start > UINT32_MAX)
		return;
	if (s->count && s->steps[s->count - 1].start == start)
		s->count--;
	if (s->count && s->steps[s->count - 1].row == row)
		return;
	if (s->count == s->cap) {
		s->cap = s->cap ? s->cap * 2 : 64;
		s->steps = mem_resize(s->steps, s->cap * sizeof *s->steps);
	}
	s->steps[s->count++] = (struct step){(uint32_t)start, row};
}

/* Leaves all prefixes that end at or before `place`. */
static void sweep_to(struct sweep *s, uint64_t place)
{
	while (s->depth && s->open[s->depth - 1].end <= place) {
		uint64_t end = s->open[--s->depth].end;

		step_add(s, end, s->depth ? s->open[s->depth - 1].row : 0);
	}
}

static void sweep(struct sweep *s, struct merge *m, struct rows_writer *w)
{
	struct merge_key key;

	step_add(s, 0, 0);
	while (merge_next(m, &key)) {
		uint64_t start = key.high >> 6;
		unsigned len = key.high & 63;
		uint32_t parent;

		sweep_to(s, start);
		parent = s->depth ? s->open[s->depth - 1].row : 0;
		s->open[s->depth++] = (struct open_prefix){start + ((uint64_t)1 << (32 - len)),
			rows_put(w, m->entries, m->entry_count, parent, NULL)};
		step_add(s, start, s->open[s->depth - 1].row);
	}
	sweep_to(s, (uint64_t)1 << 32);
}

static void put_directory(const struct sweep *s, struct file_ranges4 *f, struct buf *to)
{
	uint32_t *dir = mem_new(DIR_SIZE, sizeof *dir);
	size_t i = 0;

	for (uint32_t h = 0; h < DIR_SIZE; h++) {
		while (i < s->count && s->steps[i].start >> 16 < h)
			i++;
		dir[h] = (uint32_t)i;
	}
	f->dir_at = layout_add(to, dir, DIR_SIZE * sizeof *dir);
	free(dir);
}

static void put_steps(const struct sweep *s, struct file_ranges4 *f, struct buf *to)
{
	size_t cells = (s->count * f->row_bits + 7) / 8 + BITS_PAD, width = 4;
	char *p;

	f->count = (uint32_t)s->count;
	if (s->count >= DIR_FROM) {
		put_directory(s, f, to);
		width = 2;
	}
	layout_pad(to);
	f->keys_at = to->len;
	p = buf_room(to, s->count * width);
	if (!p)
		return;
	for (size_t i = 0; i < s->count; i++)
		layout_number(p + i * width, s->steps[i].start, (uint8_t)width);
	to->len += s->count * width;
	layout_pad(to);
	f->cells_at = to->len;
	p = buf_room(to, cells);
	if (!p)
		return;
	memset(p, 0, cells);
	for (size_t i = 0; i < s->count; i++)
		if (s->steps[i].row)
			bits_put((uint8_t *)p, i * f->row_bits, f->row_bits,
				s->steps[i].row - f->row_base);
	to->len += cells;
}

bool ranges4_write(
	struct builder *b, struct rows_writer *w, struct buf *to, uint64_t *ret_at, struct err *err)
{
	struct file_ranges4 f = {0};
	struct merge m = {0};
	struct sweep s = {0};

	*ret_at = 0;
	for (size_t i = 0; i < b->set_count; i++)
		for (unsigned len = 0; len <= 32; len++)
			merge_add(&m, b, i, len, &b->sets[i]->ip4[len]);
	if (!m.count)
		return true;
	rows_begin(w);
	sweep(&s, &m, w);
	merge_done(&m);
	if (s.count >= UINT32_MAX) {
		free(s.steps);
		return err_set(err, ERR_LIMIT, "more than 2^31 IPv4 prefixes");
	}
	f.row_base = (uint32_t)(w->base - 1);
	f.row_bits = rows_end(w, f.row_base);
	put_steps(&s, &f, to);
	free(s.steps);
	*ret_at = layout_add(to, &f, sizeof f);
	return true;
}

/* ---- opening ---- */

uint32_t ranges4_row(const struct ranges4 *r, uint32_t i)
{
	uint32_t row = (uint32_t)bits_get(r->cells, (uint64_t)i * r->row_bits, r->row_bits);

	return row ? r->row_base + row : 0;
}

uint32_t ranges4_start(const struct ranges4 *r, uint32_t i)
{
	uint32_t lo = 0, n = DIR_SIZE - 1;

	if (!r->dir)
		return ((const uint32_t *)r->keys)[i];
	while (n > 1) { /* the last upper half whose places begin at or before i */
		uint32_t half = n / 2;

		if (r->dir[lo + half] <= i)
			lo += half;
		n -= half;
	}
	return lo << 16 | ((const uint16_t *)r->keys)[i];
}

/* Ascending from the first address on. */
static bool starts_ok(const struct ranges4 *r)
{
	const uint32_t *whole = r->keys;
	const uint16_t *lower = r->keys;

	if (!r->count)
		return false;
	if (!r->dir) {
		for (uint32_t i = 1; i < r->count; i++)
			if (whole[i - 1] >= whole[i])
				return false;
		return whole[0] == 0;
	}
	if (!view_dir_ok(r->dir, DIR_SIZE - 1, r->count) || !r->dir[1] || lower[0])
		return false;
	for (uint32_t h = 0; h < DIR_SIZE - 1; h++)
		for (uint32_t i = r->dir[h] + 1; i < r->dir[h + 1]; i++)
			if (lower[i - 1] >= lower[i])
				return false;
	return true;
}

bool ranges4_open(const struct snapshot *s, uint64_t at, struct ranges4 *ret)
{
	const struct file_ranges4 *f = view_part(s, at, 1, sizeof *f, 8);
	struct ranges4 r;
	bool covered;

	if (!f || f->row_bits > 32)
		return false;
	r = (struct ranges4){
		.keys = view_part(s, f->keys_at, f->count, f->dir_at ? 2 : 4, 8),
		.cells = view_part(s, f->cells_at,
			((uint64_t)f->count * f->row_bits + 7) / 8 + BITS_PAD, 1, 8),
		.count = f->count,
		.row_base = f->row_base,
		.row_bits = f->row_bits,
	};
	if (f->dir_at && !(r.dir = view_part(s, f->dir_at, DIR_SIZE, 4, 8)))
		return false;
	if (!r.keys || !r.cells || !starts_ok(&r))
		return false;
	covered = rows_cover(s->nodes, s->node_count, (uint64_t)r.row_base + 1,
		r.row_base + ((uint64_t)1 << r.row_bits));
	for (uint32_t i = 0; !covered && i < r.count; i++) {
		uint64_t row = bits_get(r.cells, (uint64_t)i * r.row_bits, r.row_bits);

		if (row && !rows_has(s->nodes, s->node_count, r.row_base + row))
			return false;
	}
	*ret = r;
	return true;
}

/* ---- asking ---- */

uint32_t ranges4_place(const struct ranges4 *r, uint32_t address)
{
	uint32_t lo = 0, n = r->count, half, i;

	/* The first place behind the address; without branches, as the way through is never the same. */
	if (r->dir) {
		const uint16_t *keys = r->keys;

		lo = r->dir[address >> 16];
		n = r->dir[(address >> 16) + 1] - lo;
		for (; n > 1; n -= half) {
			half = n / 2;
			lo += keys[lo + half - 1] <= (uint16_t)address ? half : 0;
		}
		i = lo + (n && keys[lo] <= (uint16_t)address);
	} else {
		const uint32_t *keys = r->keys;

		for (; n > 1; n -= half) {
			half = n / 2;
			lo += keys[lo + half - 1] <= address ? half : 0;
		}
		i = lo + (keys[lo] <= address);
	}
	return i - 1;
}

uint32_t ranges4_find(const struct ranges4 *r, uint32_t address)
{
	return ranges4_row(r, ranges4_place(r, address));
}
