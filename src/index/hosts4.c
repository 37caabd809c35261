/* hosts4.c - many single IPv4 addresses: a bitmap over the /24s that says where each one's last octets
 * stand, a byte for each host. */
#include "index/hosts4.h"
#include "base/attr.h"
#include "base/mem.h"
#include "base/pause.h"
#include "index/layout.h"
#include "index/view.h"

#define DATA_PAD 16 /* before and behind: readers load whole words */

/* ---- writing ---- */

struct hosts {
	uint32_t *keys;	   /* ascending, each once */
	uint32_t *rows;	   /* NULL: all the first */
	uint32_t *expires; /* NULL: none */
	size_t count;
};

/* The rows of one set's table take the place of its values. Almost all are one entry: what row its value
 * has is looked up by value. */
static void rows_of_table(struct builder *b, size_t set, struct rows_writer *w, struct hosts *h)
{
	struct column_table *t = &b->sets[set]->ip4[32];
	const uint32_t *keys = (const uint32_t *)t->keys;
	size_t values = b->sets[set]->value_count, n = 0, end;
	uint32_t *cached = mem_new((values + 1) * 2, sizeof *cached);

	for (size_t i = 0; i < t->count; i = end, n++) {
		struct merge_entry same[FORMAT_VALUES_PER_KEY];
		uint32_t value = t->values ? t->values[i] : 0, expires, *known;

		for (end = i + 1; end < t->count && keys[end] == keys[i];)
			end++;
		for (size_t k = i; k < end; k++)
			same[k - i] = (struct merge_entry){
				.value = merge_value(b->sets[set], t->values ? t->values[k] : 0),
				.expires = t->expires ? t->expires[k] : 0,
				.set = (uint16_t)set,
				.len = 32};
		known = &cached[2 * (value == BUILDER_EXCLUDED ? values : value)
				+ (same[0].expires != 0)];
		expires = same[0].expires;
		if (end - i > 1 || !*known) {
			uint32_t row = rows_put(w, same, end - i, 0, &expires);

			if (end - i == 1)
				*known = row;
			h->rows[n] = row;
		} else {
			h->rows[n] = *known;
		}
		h->keys[n] = keys[i];
		if (h->expires)
			h->expires[n] = expires;
	}
	h->count = n;
	free(cached);
}

/* One set alone: its columns are used as they are. */
static struct hosts hosts_of_one(struct builder *b, size_t set, struct rows_writer *w)
{
	struct column_table *t = &b->sets[set]->ip4[32];
	struct hosts h = {(uint32_t *)t->keys, t->values, t->expires, t->count};

	if (!h.rows && !h.expires) {
		struct merge_entry e = {
			.value = merge_value(b->sets[set], 0), .set = (uint16_t)set, .len = 32};

		rows_put(w, &e, 1, 0, NULL);
	} else {
		if (!h.rows)
			h.rows = mem_new(t->count, sizeof *h.rows);
		rows_of_table(b, set, w, &h);
	}
	t->keys = NULL;
	t->values = t->expires = NULL;
	column_table_done(t);
	return h;
}

static struct hosts hosts_of_many(
	struct builder *b, struct rows_writer *w, size_t total, bool expires)
{
	struct hosts h = {.keys = mem_new(total, sizeof *h.keys),
		.rows = mem_new(total, sizeof *h.rows),
		.expires = expires ? mem_new(total, sizeof *h.expires) : NULL};
	struct merge m = {0};
	struct merge_key key;

	for (size_t i = 0; i < b->set_count; i++)
		merge_add(&m, b, i, 32, &b->sets[i]->ip4[32]);
	for (; merge_next(&m, &key); h.count++) {
		h.keys[h.count] = (uint32_t)(key.high >> 6);
		h.rows[h.count] = rows_put(
			w, m.entries, m.entry_count, 0, expires ? &h.expires[h.count] : NULL);
	}
	merge_done(&m);
	return h;
}

/* The hosts of one word, `n` from `from` on. Returns the bytes used. */
static size_t put_word(const struct hosts *h, size_t from, size_t n, const struct file_hosts4 *f,
	uint8_t *word, uint8_t *data, size_t at)
{
	const unsigned cell_bits = f->row_bits + (f->expires ? 32u : 0u);
	const uint32_t *keys = h->keys + from;
	size_t cells = (n * cell_bits + 7) / 8;
	uint8_t counts[64];
	uint64_t bits = 0;
	unsigned groups = 0;
	uint32_t start = (uint32_t)(at + cells);

	memset(data + at, 0, cells);
	for (size_t i = 0, k; i < n; i = k, groups++) {
		for (k = i + 1; k < n && keys[k] >> 8 == keys[i] >> 8;)
			k++;
		bits |= (uint64_t)1 << (keys[i] >> 8 & 63);
		counts[groups] = (uint8_t)(k - i - 1);
	}
	memcpy(data + start, counts, groups);
	for (size_t i = 0; i < n; i++)
		data[start + groups + i] = (uint8_t)keys[i];
	for (size_t i = 0; cell_bits && i < n; i++) {
		uint64_t bit = (uint64_t)start * 8 - (i + 1) * cell_bits;
		uint64_t cell = h->rows ? h->rows[from + i] - f->row_base : 0;

		if (f->expires)
			cell |= (uint64_t)h->expires[from + i] << f->row_bits;
		bits_put(data, bit, cell_bits, cell);
	}
	bits = htole64(bits);
	memcpy(word, &bits, 8);
	memcpy(word + 8, &start, 4);
	return cells + groups + n;
}

static bool put_hosts(const struct hosts *h, struct file_hosts4 *f, struct buf *to, struct err *err)
{
	const unsigned cell_bits = f->row_bits + (f->expires ? 32u : 0u);
	/* An octet and a count for each, a cell, and each word's cells rounded up. */
	size_t most = 2 * DATA_PAD + h->count * 2 + h->count * cell_bits / 8 + f->words;
	uint8_t *words, *data;
	size_t size = DATA_PAD, n;

	layout_pad(to);
	f->words_at = to->len;
	words = (uint8_t *)buf_room(to, (size_t)f->words * HOSTS_WORD + 8 + most);
	if (!words)
		return true; /* the buf knows */
	memset(words, 0, (size_t)f->words * HOSTS_WORD + 8);
	f->data_at = f->words_at + ((size_t)f->words * HOSTS_WORD + 7) / 8 * 8;
	data = words + (f->data_at - f->words_at);
	memset(data, 0, DATA_PAD);
	for (size_t i = 0; i < h->count; i += n) {
		uint32_t word = h->keys[i] >> HOSTS_SHIFT;

		for (n = 1; i + n < h->count && h->keys[i + n] >> HOSTS_SHIFT == word;)
			n++;
		size += put_word(
			h, i, n, f, words + (size_t)(word - f->first) * HOSTS_WORD, data, size);
		if (size > UINT32_MAX)
			return err_set(err, ERR_LIMIT, "IPv4 addresses of more than 4 GiB");
	}
	memset(data + size, 0, DATA_PAD);
	f->data_size = size + DATA_PAD;
	to->len = f->data_at + f->data_size;
	return true;
}

/* How many hosts there are, how many words they need, and whether some expire. */
static size_t count_hosts(struct builder *b, uint32_t *ret_first, uint32_t *ret_words,
	bool *ret_expires, size_t *ret_sets)
{
	uint32_t first = UINT32_MAX, last = 0;
	size_t total = 0;

	*ret_expires = false;
	*ret_sets = 0;
	for (size_t i = 0; i < b->set_count; i++) {
		const struct column_table *t = &b->sets[i]->ip4[32];
		const uint32_t *keys = (const uint32_t *)t->keys;

		if (!t->count)
			continue;
		total += t->count;
		++*ret_sets;
		first = MIN(first, keys[0] >> HOSTS_SHIFT);
		last = MAX(last, keys[t->count - 1] >> HOSTS_SHIFT);
		*ret_expires = *ret_expires || t->expires;
	}
	*ret_first = first;
	*ret_words = total ? last - first + 1 : 0;
	return total;
}

bool hosts4_write(
	struct builder *b, struct rows_writer *w, struct buf *to, uint64_t *ret_at, struct err *err)
{
	struct file_hosts4 f = {0};
	struct hosts h = {0};
	bool expires, ok;
	size_t sets, total = count_hosts(b, &f.first, &f.words, &expires, &sets);

	*ret_at = 0;
	/* As prefixes a host takes some 6 bytes, with a row of its own 24 more. */
	if ((uint64_t)f.words * HOSTS_WORD > total * (expires ? 24 : 4) || !total)
		return true;
	rows_begin(w);
	for (size_t i = 0; sets == 1 && i < b->set_count; i++)
		if (b->sets[i]->ip4[32].count)
			h = hosts_of_one(b, i, w);
	if (sets > 1)
		h = hosts_of_many(b, w, total, expires);
	f.row_base = (uint32_t)w->base;
	f.row_bits = rows_end(w, w->base);
	f.expires = h.expires != NULL;
	ok = put_hosts(&h, &f, to, err);
	*ret_at = layout_add(to, &f, sizeof f);
	free(h.keys);
	free(h.rows);
	free(h.expires);
	return ok;
}

/* ---- opening ---- */

static bool word_ok(const struct snapshot *s, const struct hosts4 *h, struct hosts4_word w,
	uint64_t data_size, bool check_rows)
{
	unsigned groups = (unsigned)__builtin_popcountll(w.bits), hosts;

	if (!w.bits)
		return true;
	if (w.start < DATA_PAD || w.start + (uint64_t)groups > data_size - DATA_PAD)
		return false;
	hosts = groups + bits_byte_sum(h->data + w.start, groups);
	if (w.start + (uint64_t)groups + hosts > data_size - DATA_PAD
		|| (uint64_t)hosts * h->cell_bits > (w.start - DATA_PAD) * (uint64_t)8)
		return false;
	for (unsigned i = 0; check_rows && i < hosts; i++)
		if (!rows_has(s->nodes, s->node_count,
			    h->row_base
				    + bits_get(h->data, hosts4_cell_at(h, h->data + w.start, i),
					    h->row_bits)))
			return false;
	return true;
}

bool hosts4_open(const struct snapshot *s, uint64_t at, struct hosts4 *ret)
{
	const struct file_hosts4 *f = view_part(s, at, 1, sizeof *f, 8);
	struct hosts4 h;
	bool check_rows;

	if (!f || f->row_bits > 32 || f->expires > 1 || f->data_size < 2 * DATA_PAD)
		return false;
	h = (struct hosts4)
	{
		.words = view_part(s, f->words_at, f->words, HOSTS_WORD, 8),
		.data = view_part(s, f->data_at, f->data_size, 1, 8), .first = f->first,
		.count = f->words, .row_base = f->row_base, .row_bits = f->row_bits,
		.cell_bits = (uint8_t)(f->row_bits + (f->expires ? 32 : 0)), .expires = f->expires,
#if defined(__x86_64__)
		.popcnt = __builtin_cpu_supports("popcnt"),
#endif
	};
	if (!h.words || !h.data || h.count > 1u << (32 - HOSTS_SHIFT)
		|| h.first > (1u << (32 - HOSTS_SHIFT)) - h.count)
		return false;
	check_rows = !rows_cover(
		s->nodes, s->node_count, h.row_base, h.row_base + ((uint64_t)1 << h.row_bits));
	if (check_rows && !h.row_bits)
		return false;
	for (uint32_t i = 0; i < h.count; i++) {
		if (!word_ok(s, &h, hosts4_word(&h, i), f->data_size, check_rows))
			return false;
		pause_every(1024, i);
	}
	*ret = h;
	return true;
}

/* ---- asking ---- */

#if defined(__x86_64__)
__attribute__((target("popcnt"))) static uint32_t find_popcnt(
	const struct hosts4 *h, struct hosts4_word w, uint32_t address, uint32_t *ret_expires)
{
	return hosts4_look(h, w, address, ret_expires);
}
#endif

uint32_t hosts4_find_in(
	const struct hosts4 *h, struct hosts4_word w, uint32_t address, uint32_t *ret_expires)
{
#if defined(__x86_64__)
	if (h->popcnt)
		return find_popcnt(h, w, address, ret_expires);
#endif
	return hosts4_look(h, w, address, ret_expires);
}

void hosts4_walk_from(const struct hosts4 *h, uint32_t address, struct hosts4_walk *ret)
{
	uint32_t word = address >> HOSTS_SHIFT;

	*ret = (struct hosts4_walk){.word = word > h->first ? MIN(word - h->first, h->count) : 0};
}

bool hosts4_next(const struct hosts4 *h, struct hosts4_walk *w)
{
	while (!w->left) {
		if (w->bits) {
			w->left = *w->counts++ + 1u;
		} else if (w->word < h->count) {
			struct hosts4_word next = hosts4_word(h, w->word++);

			w->bits = next.bits;
			w->start = h->data + next.start;
			w->counts = w->start;
			w->lows = w->start + __builtin_popcountll(next.bits);
			w->index = 0;
		} else {
			return false;
		}
	}
	w->address = (h->first + w->word - 1) << HOSTS_SHIFT
		     | (uint32_t)__builtin_ctzll(w->bits) << 8 | *w->lows++;
	w->expires = 0;
	w->row = hosts4_cell(h, w->start, w->index++, &w->expires);
	if (!--w->left)
		w->bits &= w->bits - 1;
	return true;
}
