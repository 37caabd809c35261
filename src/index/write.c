/* write.c - lays collected sets out as a snapshot. */
#include "base/mem.h"
#include "index/collect.h"
#include "index/crc32c.h"
#include "index/hosts4.h"
#include "index/layout.h"
#include "index/names.h"
#include "index/ranges4.h"
#include "index/tables6.h"

/* Sorts the tables of all sets and counts their entries; numbers the values of the file. */
static bool order_sets(struct builder *b, struct err *err)
{
	uint64_t values = 0;

	for (size_t i = 0; i < b->set_count; i++) {
		struct builder_set *s = b->sets[i];

		for (unsigned len = 0; len <= 32; len++) {
			b->doubles += s->ip4[len].count;
			order_table(&s->ip4[len], s->rule, b->parallel);
			s->entries += s->ip4[len].count;
		}
		for (unsigned len = 0; len <= 128; len++) {
			b->doubles += s->ip6[len].count;
			order_table(&s->ip6[len], s->rule, b->parallel);
			s->entries += s->ip6[len].count;
		}
		b->doubles -= s->entries; /* names are not counted yet */
		s->value_base = (uint32_t)values;
		values += s->value_count;
		if (values >= UINT32_MAX)
			return err_set(err, ERR_LIMIT, "more than 2^32 values in one snapshot");
	}
	return true;
}

static bool add_set(
	struct buf *to, const struct builder_set *s, struct file_set *f, struct err *err)
{
	if (s->meta.failed)
		return err_set(err, ERR_LIMIT, "set %s: its description is too long", s->name);
	f->meta_at = layout_add(to, s->meta.ptr, s->meta.len);
	f->meta_len = (uint32_t)s->meta.len;
	f->entries = s->entries;
	return true;
}

/* The parts of all sets. */
static bool add_parts(struct builder *b, struct buf *to, struct file_head *h, struct err *err)
{
	struct rows_writer rows = {0};
	bool ok = hosts4_write(b, &rows, to, &h->hosts4_at, err)
		  && ranges4_write(b, &rows, to, &h->ranges4_at, err)
		  && tables6_write(b, &rows, to, &h->tables6_at, err)
		  && names_write(b, &rows, to, &h->names_at, err);

	if (ok && rows.count >= UINT32_MAX)
		ok = err_set(err, ERR_LIMIT, "more than 2^32 different rows in one snapshot");
	h->rows_at = layout_add(to, rows.nodes, rows.count * sizeof *rows.nodes);
	h->row_count = rows.count;
	rows_done(&rows);
	return ok;
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

		sets[i].value_base = s->value_base;
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
	ok = order_sets(b, err) && add_parts(b, to, &h, err);
	for (size_t i = 0; ok && i < b->set_count; i++)
		ok = add_set(to, b->sets[i], &sets[i], err);
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
