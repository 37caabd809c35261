/* mo.c - reads a .mo file: a header, two tables of (length, offset), sorted by the original text
 * (GNU gettext manual, "The Format of GNU MO Files"). */
#include "webd/mo.h"

#include "base/buf.h"
#include "base/mem.h"

#define MO_MAGIC 0x950412deu
#define MO_MAGIC_SWAPPED 0xde120495u
#define MO_TEXTS_MAX 100000u
#define MO_KEY_MAX 4096

struct mo_entry {
	struct slice original, translated; /* each has a NUL behind it */
};

struct mo {
	size_t count;
	bool one_form; /* nplurals=1 */
	struct mo_entry *entries;
};

struct mo_file {
	struct slice bytes;
	bool swapped;
};

/* Unaligned and in either byte order; offsets were checked by the caller. */
static uint32_t file_u32(const struct mo_file *f, size_t at)
{
	uint32_t v;

	memcpy(&v, f->bytes.ptr + at, sizeof v);
	return f->swapped ? __builtin_bswap32(v) : v;
}

static bool file_text(const struct mo_file *f, size_t table, uint32_t i, struct slice *ret)
{
	uint32_t len = file_u32(f, table + (size_t)i * 8);
	uint32_t at = file_u32(f, table + (size_t)i * 8 + 4);

	if (at >= f->bytes.len || len >= f->bytes.len - at
		|| f->bytes.ptr[(size_t)at + len] != '\0')
		return false;
	*ret = slice_of(f->bytes.ptr + at, len);
	return true;
}

static int text_compare(struct slice a, struct slice b)
{
	size_t n = MIN(a.len, b.len);
	int order = n ? memcmp(a.ptr, b.ptr, n) : 0;

	if (order)
		return order;
	return a.len < b.len ? -1 : a.len > b.len;
}

static const struct mo_entry *mo_find(const struct mo *mo, struct slice key)
{
	size_t low = 0, high = mo->count;

	while (low < high) {
		size_t mid = low + (high - low) / 2;
		int order = text_compare(key, mo->entries[mid].original);

		if (order == 0)
			return mo->entries[mid].translated.len ? &mo->entries[mid] : NULL;
		if (order < 0)
			high = mid;
		else
			low = mid + 1;
	}
	return NULL;
}

static bool mo_read(struct mo *mo, const struct mo_file *f, struct err *err)
{
	uint32_t count = file_u32(f, 8), originals = file_u32(f, 12),
		 translations = file_u32(f, 16);
	size_t len = f->bytes.len;

	if (count > MO_TEXTS_MAX || originals > len || translations > len
		|| (size_t)count * 8 > len - originals || (size_t)count * 8 > len - translations)
		return err_set(
			err, ERR_SYNTAX, "a message catalogue whose tables lie outside of it");
	mo->entries = mem_new(count ? count : 1, sizeof *mo->entries);
	for (uint32_t i = 0; i < count; i++) {
		struct mo_entry *e = &mo->entries[i];

		if (!file_text(f, originals, i, &e->original)
			|| !file_text(f, translations, i, &e->translated))
			return err_set(err, ERR_SYNTAX,
				"message %u of the catalogue lies outside of it or lacks its final "
				"NUL",
				i);
		if (i && text_compare(mo->entries[i - 1].original, e->original) >= 0)
			return err_set(
				err, ERR_SYNTAX, "message %u of the catalogue is out of order", i);
		mo->count = i + 1;
	}
	return true;
}

struct mo *mo_new(struct slice file, struct err *err)
{
	struct mo_file f = {.bytes = file};
	const struct mo_entry *header;
	struct mo *mo;
	uint32_t magic;

	if (file.len < 28) {
		err_set(err, ERR_SYNTAX, "a message catalogue shorter than its header");
		return NULL;
	}
	magic = file_u32(&f, 0);
	f.swapped = magic == MO_MAGIC_SWAPPED;
	if ((magic != MO_MAGIC && !f.swapped) || file_u32(&f, 4) >> 16 > 1) {
		err_set(err, ERR_SYNTAX,
			"no message catalogue of a known version (make it with msgfmt)");
		return NULL;
	}
	mo = mem_new(1, sizeof *mo);
	if (!mo_read(mo, &f, err))
		return mo_free(mo);
	header = mo_find(mo, SLICE_EMPTY);
	mo->one_form = header
		       && slice_find_nocase(header->translated, SLICE("nplurals=1;"))
				  < header->translated.len;
	return mo;
}

struct mo *mo_free(struct mo *mo)
{
	if (mo) {
		free(mo->entries);
		free(mo);
	}
	return NULL;
}

const char *mo_text(const struct mo *mo, const char *msgid)
{
	const struct mo_entry *e;

	/* The empty msgid is the catalogue's header, never a text. */
	if (!mo || !msgid[0])
		return msgid;
	e = mo_find(mo, slice_str(msgid));
	return e ? e->translated.ptr : msgid;
}

const char *mo_plural(const struct mo *mo, const char *one, const char *many, long n)
{
	_cleanup_buf_ struct buf key = BUF_INIT(MO_KEY_MAX);
	const char *otherwise = n == 1 ? one : many;
	const struct mo_entry *e;
	struct slice forms, form;

	if (!mo)
		return otherwise;
	buf_add(&key, one, strlen(one) + 1);
	buf_add_str(&key, many);
	e = key.failed ? NULL : mo_find(mo, buf_slice(&key));
	if (!e)
		return otherwise;
	forms = e->translated;
	slice_cut(&forms, '\0', &form);
	if (mo->one_form || n == 1 || !forms.len)
		return form.ptr;
	return forms.ptr;
}
