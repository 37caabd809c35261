/* pieces.c - the lines big lists are made of, an IPv4 address and nothing else, read side by side: each job
 * takes a piece of the text and notes its stretches, addresses or other lines; then everything is gone
 * through in the order of the file, so that nothing can tell it from reading line by line. */
#include "base/mem.h"
#include "dataset/parts.h"

#include <endian.h>

#define PIECE_BYTES ((size_t)128 * 1024)
#define SHORTEST_LINE 8 /* "1.2.3.4" and its end */
#define QUAD_LOOK 24	/* quad_at() looks at so many bytes */
#define HIGH_BITS 0x8080808080808080u

/* Lines that are all addresses, or that are anything else. */
struct stretch {
	struct slice text;
	uint32_t addresses; /* 0: other lines */
};

struct piece {
	struct slice text;   /* whole lines */
	const char *limit;   /* bytes may be looked at up to here */
	uint32_t *addresses; /* room for as many as text can hold */
	struct stretch *stretches;
	size_t count, cap;
};

struct pieces {
	struct piece *items;
	size_t count, cap;
};

static uint64_t load64(const char *p)
{
	uint64_t v;

	memcpy(&v, p, sizeof v);
	return le64toh(v);
}

/* A bit for each of eight characters that is no digit. */
static unsigned others_of_8(uint64_t chars)
{
	uint64_t v = chars ^ 0x3030303030303030u; /* digits become 0..9 */
	uint64_t marks = (((v & ~HIGH_BITS) + 0x7676767676767676u) | v) & HIGH_BITS;

	return (unsigned)((marks >> 7) * 0x0102040810204080u >> 56);
}

/* The number of 1 to 3 digits at p. *bad gets a bit when it is none of 0..255. */
static uint32_t octet_at(const char *p, unsigned len, unsigned *bad)
{
	uint32_t v;

	memcpy(&v, p, sizeof v);
	v = le32toh(v) ^ 0x30303030u;
	/* The last digit comes to stand in the highest byte, below it the tens, then the hundreds. */
	v <<= (32 - 8 * len) & 31;
	*bad |= len - 1 > 2 || __builtin_bswap32(v) > 0x020505;
	return v * 0x640a01u >> 24;
}

/* A line that is an address: its length with its end, or 0 when it is anything else. */
static unsigned quad_at(const char *p, uint32_t *ret)
{
	unsigned others = others_of_8(load64(p)) | others_of_8(load64(p + 8)) << 8, bad = 0;
	unsigned a, b, c, end;
	uint32_t address;

	a = (unsigned)__builtin_ctz(others | 1u << 16);
	others &= others - 1;
	b = (unsigned)__builtin_ctz(others | 1u << 16);
	others &= others - 1;
	c = (unsigned)__builtin_ctz(others | 1u << 16);
	others &= others - 1;
	end = (unsigned)__builtin_ctz(others | 1u << 16);
	address = octet_at(p, a, &bad) << 24;
	address |= octet_at(p + a + 1, b - a - 1, &bad) << 16;
	address |= octet_at(p + b + 1, c - b - 1, &bad) << 8;
	address |= octet_at(p + c + 1, end - c - 1, &bad);
	bad |= (unsigned)((p[a] ^ '.') | (p[b] ^ '.') | (p[c] ^ '.') | (p[end] ^ '\n'));
	*ret = address;
	return bad ? 0 : end + 1;
}

/* ---- in the jobs ---- */

static struct stretch *stretch_new(struct piece *p, const char *at)
{
	if (p->count == p->cap) {
		p->cap = p->cap ? p->cap * 2 : 16;
		p->stretches = mem_resize(p->stretches, p->cap * sizeof *p->stretches);
	}
	p->stretches[p->count] = (struct stretch){.text = slice_of(at, 0)};
	return &p->stretches[p->count++];
}

/* The line at `at`, when it is an address: its length with its end; else 0. */
static size_t address_line(const char *at, const char *end, const char *limit, uint32_t *ret)
{
	const char *newline;

	if (limit - at >= QUAD_LOOK)
		return quad_at(at, ret);
	newline = memchr(at, '\n', (size_t)(end - at));
	return entry_plain_quad(slice_of(at, (size_t)(newline - at)), ret)
		       ? (size_t)(newline - at) + 1
		       : 0;
}

static void piece_read(void *ctx, size_t job)
{
	struct piece *p = &((struct pieces *)ctx)->items[job];
	const char *at = p->text.ptr, *end = at + p->text.len;
	uint32_t *address = p->addresses;
	struct stretch *s = NULL;

	p->count = 0;
	while (at < end) {
		size_t n = address_line(at, end, p->limit, address), is_address = n > 0;

		if (!s || (s->addresses > 0) != is_address) {
			if (s)
				s->text.len = (size_t)(at - s->text.ptr);
			s = stretch_new(p, at);
		}
		s->addresses += (uint32_t)is_address;
		address += is_address;
		at = n ? at + n : (const char *)memchr(at, '\n', (size_t)(end - at)) + 1;
	}
	if (s)
		s->text.len = (size_t)(at - s->text.ptr);
}

/* ---- around them ---- */

static struct piece *piece_new(struct pieces *all)
{
	if (all->count == all->cap) {
		all->items = mem_resize(all->items, (all->cap + 1) * sizeof *all->items);
		all->items[all->cap++] = (struct piece){
			.addresses = mem_new(PIECE_BYTES / SHORTEST_LINE + 1, sizeof(uint32_t))};
	}
	return &all->items[all->count++];
}

/* Cuts text into pieces of whole lines; a line longer than a piece is nobody's. Returns what was cut. */
static size_t cut(struct pieces *all, struct slice text)
{
	const char *at = text.ptr, *end = at + text.len;

	all->count = 0;
	while (at < end) {
		size_t left = (size_t)(end - at);
		const char *last = memrchr(at, '\n', MIN(left, PIECE_BYTES));
		struct piece *p;

		if (!last)
			break;
		p = piece_new(all);
		p->text = slice_of(at, (size_t)(last + 1 - at));
		p->limit = end;
		at = last + 1;
	}
	return (size_t)(at - text.ptr);
}

static bool take_piece(struct dataset *d, const struct piece *p, struct err *err)
{
	const uint32_t *addresses = p->addresses;

	for (size_t i = 0; i < p->count; i++) {
		const struct stretch *s = &p->stretches[i];

		if (!s->addresses || !dataset_addresses(d, addresses, s->addresses)) {
			if (!dataset_lines(d, s->text, err))
				return false;
		}
		addresses += s->addresses;
	}
	return true;
}

bool pieces_take(struct dataset *d, struct slice text, size_t *ret_used, struct err *err)
{
	if (!d->pieces)
		d->pieces = mem_new(1, sizeof *d->pieces);
	*ret_used = cut(d->pieces, text);
	parallel_run(builder_parallel(d->builder), d->pieces->count, piece_read, d->pieces);
	for (size_t i = 0; i < d->pieces->count; i++)
		if (!take_piece(d, &d->pieces->items[i], err))
			return false;
	return true;
}

struct pieces *pieces_free(struct pieces *p)
{
	if (!p)
		return NULL;
	for (size_t i = 0; i < p->cap; i++) {
		free(p->items[i].addresses);
		free(p->items[i].stretches);
	}
	free(p->items);
	free(p);
	return NULL;
}
