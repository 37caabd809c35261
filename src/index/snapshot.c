/* snapshot.c - opens a snapshot: one checksum over every byte, then every offset and every number that
 * a lookup will follow. */
#include "index/snapshot.h"
#include "base/mem.h"
#include "base/pause.h"
#include "index/crc32c.h"
#include "index/names.h"
#include "index/view.h"

#define PIECE ((size_t)1 << 20) /* summed up without a pause */

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
	for (struct slice rest = slice_skip(bytes, at + 4); rest.len;
		rest = slice_skip(rest, PIECE)) {
		crc = crc32c(crc, slice_take(rest, PIECE));
		pause_here();
	}
	return crc == stored;
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

static bool open_set(
	struct snapshot *s, const struct file_set *f, struct set_view *v, struct err *err)
{
	const struct file_head *h = s->head;
	const char *meta = view_part(s, f->meta_at, f->meta_len, 1, 1);

	if (f->name_at > h->text_size || f->name_len > h->text_size - f->name_at || !meta
		|| f->value_base > h->value_count
		|| f->value_count > h->value_count - f->value_base)
		return corrupt(err, "a set lies outside the file");
	v->name = slice_of(s->text + f->name_at, f->name_len);
	if (!meta_decode(slice_of(meta, f->meta_len), &v->meta, err))
		return false;
	v->values = s->values + f->value_base;
	v->value_count = f->value_count;
	v->entries = f->entries;
	return true;
}

/* The parts of all sets, which trust the rows. */
static bool open_tables(struct snapshot *s, struct err *err)
{
	const struct file_head *h = s->head;

	s->nodes = view_part(s, h->rows_at, h->row_count, sizeof *s->nodes, 8);
	s->node_count = h->row_count;
	if (!s->nodes || !rows_ok(s->nodes, s->node_count, h->set_count, h->value_count))
		return corrupt(err, "the table of rows is damaged");
	if (h->hosts4_at && !hosts4_open(s, h->hosts4_at, &s->hosts4))
		return corrupt(err, "the table of IPv4 addresses is damaged");
	if (h->ranges4_at && !ranges4_open(s, h->ranges4_at, &s->ranges4))
		return corrupt(err, "the table of IPv4 prefixes is damaged");
	if (h->tables6_at && !(s->tables6 = tables6_open(s, h->tables6_at)))
		return corrupt(err, "the tables of IPv6 prefixes are damaged");
	if (h->names_at && !(s->names = names_open(s, h->names_at)))
		return corrupt(err, "the table of names is damaged");
	return true;
}

static bool open_parts(struct snapshot *s, struct err *err)
{
	const struct file_head *h = s->head;
	const struct file_set *sets = view_part(s, h->sets_at, h->set_count, sizeof *sets, 8);

	s->values = view_part(s, h->values_at, h->value_count, sizeof *s->values, 4);
	s->text = view_part(s, h->text_at, h->text_size, 1, 1);
	if (h->set_count > FORMAT_SETS_MAX || !sets || !s->values || !s->text)
		return corrupt(err, "its parts lie outside the file");
	for (uint64_t i = 0; i < h->value_count; i++)
		if (s->values[i].text_at > h->text_size
			|| s->values[i].text_len > h->text_size - s->values[i].text_at
			|| s->values[i].text_len > VALUE_TEMPLATE_MAX)
			return corrupt(err, "a text lies outside the file");
	s->sets = mem_new(h->set_count + 1, sizeof *s->sets);
	s->of_names = mem_new(h->set_count + 1, sizeof *s->of_names);
	for (size_t i = 0; i < h->set_count; i++) {
		if (!open_set(s, &sets[i], &s->sets[i], err))
			return false;
		s->of_names[i] = set_holds_names(s->sets[i].meta.kind);
	}
	return open_tables(s, err);
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
	free(s->sets);
	free(s->of_names);
	tables6_close(s->tables6);
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
