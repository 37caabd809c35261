/* write.c - lays collected sets out as a snapshot. */
#include "base/mem.h"
#include "index/collect.h"
#include "index/crc32c.h"
#include "index/layout.h"
#include "index/names.h"

#define DIR_FROM 8192 /* so many keys pay for a directory of 65537 places */

static uint64_t add_values(struct buf *to, const struct column_table *t, uint8_t width)
{
	uint64_t at;
	char *p;

	layout_pad(to);
	at = to->len;
	p = buf_room(to, t->count * width);
	if (!p)
		return at;
	for (size_t i = 0; i < t->count; i++)
		layout_number(p + i * width, layout_value(t->values[i]), width);
	to->len += t->count * width;
	return at;
}

/* IPv4 keys under a directory: their upper halves become places in it, their lower halves stay. */
static void add_directory(struct buf *to, const struct column_table *t, struct file_table *f)
{
	const uint32_t *keys = (const uint32_t *)t->keys;
	uint32_t *dir;
	char *p;
	size_t i = 0;

	layout_pad(to);
	f->dir_at = to->len;
	p = buf_room(to, FORMAT_DIR_SIZE * sizeof *dir);
	if (!p)
		return;
	dir = mem_new(FORMAT_DIR_SIZE, sizeof *dir);
	for (size_t h = 0; h < FORMAT_DIR_SIZE; h++) {
		while (i < t->count && keys[i] >> 16 < h)
			i++;
		dir[h] = (uint32_t)i;
	}
	memcpy(p, dir, FORMAT_DIR_SIZE * sizeof *dir);
	free(dir);
	to->len += FORMAT_DIR_SIZE * sizeof *dir;
	layout_pad(to);
	f->keys_at = to->len;
	p = buf_room(to, t->count * 2);
	if (!p)
		return;
	for (i = 0; i < t->count; i++) {
		uint16_t low = (uint16_t)keys[i];

		memcpy(p + i * 2, &low, 2);
	}
	to->len += t->count * 2;
}

static bool add_table(struct buf *to, struct builder_set *s, struct column_table *t, uint8_t len,
	struct file_table *ret, struct err *err)
{
	struct file_table f = {.len = len, .key_width = t->width};

	if (t->count >= UINT32_MAX)
		return err_set(err, ERR_LIMIT, "set %s: more than 2^32 entries of length %u",
			s->name, len);
	order_table(t, s->rule, s->owner->parallel);
	f.count = (uint32_t)t->count;
	if (t->width == 4 && len > 16 && t->count >= DIR_FROM) {
		f.key_width = 2;
		add_directory(to, t, &f);
	} else {
		f.keys_at = layout_add(to, t->keys, t->count * t->width);
	}
	f.value_width = format_width(s->value_count);
	if (t->values)
		f.values_at = add_values(to, t, f.value_width);
	if (t->expires)
		f.expires_at = layout_add(to, t->expires, t->count * sizeof *t->expires);
	s->entries += f.count;
	column_table_done(t);
	*ret = f;
	return true;
}

static bool add_set(struct buf *to, struct builder_set *s, struct file_set *f, struct err *err)
{
	struct file_table tables[33 + 129];
	size_t n = 0;

	for (int len = 32; len >= 0; len--)
		if (s->ip4[len].count
			&& !add_table(to, s, &s->ip4[len], (uint8_t)len, &tables[n++], err))
			return false;
	f->tables4 = (uint32_t)n;
	for (int len = 128; len >= 0; len--)
		if (s->ip6[len].count
			&& !add_table(to, s, &s->ip6[len], (uint8_t)len, &tables[n++], err))
			return false;
	f->tables6 = (uint32_t)n - f->tables4;
	f->tables_at = layout_add(to, tables, n * sizeof tables[0]);
	if (s->meta.failed)
		return err_set(err, ERR_LIMIT, "set %s: its description is too long", s->name);
	f->meta_at = layout_add(to, s->meta.ptr, s->meta.len);
	f->meta_len = (uint32_t)s->meta.len;
	return true;
}

/* Values and texts of all sets, behind their entries. */
static bool add_value_parts(struct builder *b, struct buf *to, struct file_head *h,
	struct file_set sets[], struct err *err)
{
	uint64_t text_size = 0, count = 0;

	layout_pad(to);
	h->values_at = to->len;
	for (size_t i = 0; i < b->set_count; i++) {
		struct builder_set *s = b->sets[i];

		sets[i].value_base = count;
		sets[i].value_count = (uint32_t)s->value_count;
		sets[i].name_at = (uint32_t)text_size;
		sets[i].name_len = (uint32_t)s->name_len;
		text_size += s->name_len;
		count += s->value_count;
		for (size_t v = 0; v < s->value_count; v++) {
			struct file_value f = {
				s->values[v].code, (uint32_t)text_size, s->values[v].text_len};

			buf_add(to, &f, sizeof f);
			text_size += f.text_len;
			if (text_size > UINT32_MAX)
				return err_set(err, ERR_LIMIT, "texts of more than 4 GiB");
		}
	}
	h->value_count = count;
	layout_pad(to);
	h->text_at = to->len;
	h->text_size = text_size;
	for (size_t i = 0; i < b->set_count; i++) {
		struct builder_set *s = b->sets[i];

		buf_add(to, s->name, s->name_len);
		for (size_t v = 0; v < s->value_count; v++)
			buf_add_slice(to, builder_value_at(s, (uint32_t)v).text);
	}
	return true;
}

bool builder_write(struct builder *b, struct buf *to, struct err *err)
{
	struct file_head h = {.magic = FORMAT_MAGIC,
		.version = FORMAT_VERSION,
		.order = FORMAT_ORDER,
		.serial = b->serial};
	struct file_set *sets;
	bool ok = true;

	if (b->set_count > FORMAT_SETS_MAX)
		return err_set(
			err, ERR_LIMIT, "more than %d sets in one snapshot", FORMAT_SETS_MAX);
	h.set_count = (uint32_t)b->set_count;
	memcpy(h.seed, b->seed, sizeof h.seed);
	sets = mem_new(b->set_count + 1, sizeof *sets);
	buf_add(to, &h, sizeof h);
	for (size_t i = 0; ok && i < b->set_count; i++)
		ok = add_set(to, b->sets[i], &sets[i], err);
	ok = ok && names_write(b, to, &h.names_at, err);
	for (size_t i = 0; i < b->set_count; i++)
		sets[i].entries = b->sets[i]->entries;
	ok = ok && add_value_parts(b, to, &h, sets, err);
	h.sets_at = layout_add(to, sets, b->set_count * sizeof *sets);
	layout_pad(to);
	free(sets);
	if (!ok)
		return false;
	if (to->failed)
		return err_set(err, ERR_LIMIT, "the snapshot is larger than %zu bytes", to->limit);
	h.size = to->len;
	memcpy(to->ptr, &h, sizeof h);
	h.crc = crc32c(0, buf_slice(to));
	memcpy(to->ptr, &h, sizeof h);
	return true;
}
