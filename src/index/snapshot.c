/* snapshot.c - opens a snapshot: one checksum over every byte, then every offset and every number that
 * a lookup will follow. */
#include "index/snapshot.h"
#include "base/mem.h"
#include "index/crc32c.h"
#include "index/names.h"
#include "index/view.h"

static bool corrupt(struct err *err, const char *what)
{
	return err_set(
		err, ERR_CORRUPT, "snapshot: %s; it is refused, the one before it stays", what);
}

static bool check_crc(struct slice bytes)
{
	static const char zeros[4];
	const size_t at = offsetof(struct file_head, crc);
	uint32_t stored, crc;

	memcpy(&stored, bytes.ptr + at, 4);
	crc = crc32c(0, slice_take(bytes, at));
	crc = crc32c(crc, slice_of(zeros, 4));
	return crc32c(crc, slice_skip(bytes, at + 4)) == stored;
}

static bool check_head(struct snapshot *s, struct err *err)
{
	const struct file_head *h = s->head;

	if (memcmp(h->magic, FORMAT_MAGIC, sizeof h->magic) != 0)
		return corrupt(err, "these are no bytes of a snapshot");
	if (h->order != FORMAT_ORDER)
		return corrupt(err, "it was written on a machine of another byte order");
	if (h->version != FORMAT_VERSION)
		return err_set(err, ERR_CORRUPT,
			"snapshot: version %u, this program reads version %d", h->version,
			FORMAT_VERSION);
	if (h->size != s->bytes.len)
		return err_set(err, ERR_CORRUPT,
			"snapshot: %zu bytes of %llu, it is cut short or grown", s->bytes.len,
			(unsigned long long)h->size);
	if (!check_crc(s->bytes))
		return corrupt(err, "its checksum does not match its bytes");
	return true;
}

/* Values 0..value_count, or none at all. */
static bool check_values(const void *column, size_t count, uint8_t width, uint32_t value_count)
{
	for (size_t i = 0; i < count; i++)
		if (view_number(column, i, width) > value_count)
			return false;
	return true;
}

static bool open_table(const struct snapshot *s, const struct set_view *set,
	const struct file_table *f, unsigned bits, struct table_view *ret)
{
	struct table_view v = {.count = f->count,
		.len = f->len,
		.key_width = f->key_width,
		.value_width = f->value_width};
	bool wide = f->key_width == (f->len > 64 ? 16 : 8);

	if (f->len > bits || !view_width_ok(f->value_width))
		return false;
	if (bits == 32 ? f->key_width != (f->dir_at ? 2 : 4) || (f->dir_at && f->len <= 16)
		       : !wide || f->dir_at)
		return false;
	v.keys = view_part(s, f->keys_at, f->count, f->key_width, MIN(f->key_width, 8));
	if (!v.keys)
		return false;
	if (f->dir_at) {
		v.dir = view_part(s, f->dir_at, FORMAT_DIR_SIZE, 4, 4);
		if (!v.dir || !view_dir_ok(v.dir, FORMAT_DIR_SIZE - 1, f->count))
			return false;
	}
	if (f->values_at) {
		v.values = view_part(s, f->values_at, f->count, f->value_width, f->value_width);
		if (!v.values
			|| !check_values(v.values, f->count, f->value_width, set->value_count))
			return false;
	} else if (f->count && !set->value_count) {
		return false;
	}
	if (f->expires_at && !(v.expires = view_part(s, f->expires_at, f->count, 4, 4)))
		return false;
	*ret = v;
	return true;
}

static bool open_set(
	struct snapshot *s, const struct file_set *f, struct set_view *v, struct err *err)
{
	const struct file_head *h = s->head;
	const struct file_table *tables;
	const char *meta = view_part(s, f->meta_at, f->meta_len, 1, 1);
	uint64_t count = (uint64_t)f->tables4 + f->tables6;

	if (f->name_at > h->text_size || f->name_len > h->text_size - f->name_at || !meta
		|| f->value_base > h->value_count
		|| f->value_count > h->value_count - f->value_base)
		return corrupt(err, "a set lies outside the file");
	v->name = slice_of(s->text + f->name_at, f->name_len);
	if (!meta_decode(slice_of(meta, f->meta_len), &v->meta, err))
		return false;
	v->values = (const struct file_value *)(s->bytes.ptr + h->values_at) + f->value_base;
	v->value_count = f->value_count;
	v->entries = f->entries;
	tables = view_part(s, f->tables_at, count, sizeof *tables, 8);
	if (f->tables4 > 33 || f->tables6 > 129 || !tables)
		return corrupt(err, "a set's tables lie outside the file");
	v->tables4 = mem_new(count + 1, sizeof *v->tables4);
	v->tables6 = v->tables4 + f->tables4;
	v->count4 = f->tables4;
	v->count6 = f->tables6;
	for (size_t i = 0; i < count; i++) {
		if (!open_table(s, v, &tables[i], i < f->tables4 ? 32 : 128, &v->tables4[i]))
			return corrupt(err, "a table of prefixes is damaged");
		/* Long prefixes first, each length once: lookups give the most specific first. */
		if (i && i != f->tables4 && tables[i].len >= tables[i - 1].len)
			return corrupt(err, "tables of prefixes are out of order");
	}
	return true;
}

static bool open_parts(struct snapshot *s, struct err *err)
{
	const struct file_head *h = s->head;
	const struct file_set *sets = view_part(s, h->sets_at, h->set_count, sizeof *sets, 8);
	const struct file_value *values =
		view_part(s, h->values_at, h->value_count, sizeof *values, 4);

	s->text = view_part(s, h->text_at, h->text_size, 1, 1);
	if (h->set_count > FORMAT_SETS_MAX || !sets || !values || !s->text)
		return corrupt(err, "its parts lie outside the file");
	for (uint64_t i = 0; i < h->value_count; i++)
		if (values[i].text_at > h->text_size
			|| values[i].text_len > h->text_size - values[i].text_at
			|| values[i].text_len > VALUE_TEMPLATE_MAX)
			return corrupt(err, "a text lies outside the file");
	s->sets = mem_new(h->set_count + 1, sizeof *s->sets);
	for (size_t i = 0; i < h->set_count; i++)
		if (!open_set(s, &sets[i], &s->sets[i], err))
			return false;
	if (h->names_at && !(s->names = names_open(s, h->names_at)))
		return corrupt(err, "the table of names is damaged");
	return true;
}

struct snapshot *snapshot_open(struct slice bytes, struct err *err)
{
	struct snapshot *s;

	if (bytes.len < sizeof(struct file_head)) {
		corrupt(err, "it is shorter than its head");
		return NULL;
	}
	s = mem_new(1, sizeof *s);
	s->bytes = bytes;
	s->head = (const struct file_head *)bytes.ptr;
	if (check_head(s, err) && open_parts(s, err))
		return s;
	return snapshot_close(s);
}

struct snapshot *snapshot_close(struct snapshot *s)
{
	if (!s)
		return NULL;
	for (size_t i = 0; s->sets && i < s->head->set_count; i++)
		free(s->sets[i].tables4);
	free(s->sets);
	names_close(s->names);
	free(s);
	return NULL;
}

const uint8_t *snapshot_seed(const struct snapshot *s)
{
	return s->head->seed;
}

uint64_t snapshot_serial(const struct snapshot *s)
{
	return s->head->serial;
}

size_t snapshot_set_count(const struct snapshot *s)
{
	return s->head->set_count;
}

struct slice snapshot_set_name(const struct snapshot *s, size_t set)
{
	return s->sets[set].name;
}

const struct set_meta *snapshot_set_meta(const struct snapshot *s, size_t set)
{
	return &s->sets[set].meta;
}

bool snapshot_set_find(const struct snapshot *s, struct slice name, size_t *ret_set)
{
	for (size_t i = 0; i < s->head->set_count; i++) {
		if (slice_eq(s->sets[i].name, name)) {
			*ret_set = i;
			return true;
		}
	}
	return false;
}

uint64_t snapshot_set_entries(const struct snapshot *s, size_t set)
{
	return s->sets[set].entries;
}
