/* view.h - an opened snapshot: offsets resolved to pointers. For snapshot.c (opens, checks), lookup.c
 * (finds) and the files of the parts only. */
#pragma once

#include "index/format.h"
#include "index/hosts4.h"
#include "index/ranges4.h"
#include "index/snapshot.h"
#include "index/tables6.h"

struct set_view {
	struct slice name;
	struct set_meta meta;
	const struct file_value *values;
	uint32_t value_count;
	uint64_t entries;
};

struct snapshot {
	struct slice bytes;
	const struct file_head *head;
	const char *text;
	const struct file_value *values; /* of all sets */
	struct set_view *sets;
	bool *of_names; /* by set: its entries are names, not addresses */
	const struct row_node *nodes;
	uint64_t node_count;
	struct hosts4 hosts4;	 /* no words: none */
	struct ranges4 ranges4;	 /* no keys: none */
	struct tables6 *tables6; /* NULL: none */
	struct names *names;	 /* NULL: none */
};

/* count items of `size` bytes at `at`, or NULL when they are not all inside the file or not aligned. */
static inline const void *view_part(
	const struct snapshot *s, uint64_t at, uint64_t count, size_t size, size_t align)
{
	if (at > s->bytes.len || at % align || count > (s->bytes.len - at) / size)
		return NULL;
	return s->bytes.ptr + at;
}

static inline bool view_width_ok(uint8_t width)
{
	return width == 1 || width == 2 || width == 4;
}

/* Ascending from 0 to end. */
static inline bool view_dir_ok(const uint32_t *dir, size_t last, uint64_t end)
{
	if (dir[0] != 0 || dir[last] != end)
		return false;
	for (size_t i = 0; i < last; i++)
		if (dir[i] > dir[i + 1])
			return false;
	return true;
}

static inline uint32_t view_number(const void *column, size_t i, uint8_t width)
{
	const uint8_t *p = (const uint8_t *)column + i * width;
	uint16_t v16;
	uint32_t v32;

	if (width == 1)
		return *p;
	if (width == 2) {
		memcpy(&v16, p, 2);
		return v16;
	}
	memcpy(&v32, p, 4);
	return v32;
}

static inline uint64_t view_be64(const uint8_t *p)
{
	uint64_t v;

	memcpy(&v, p, 8);
	return be64toh(v);
}

/* What number `value` of all values answers: 0 is an exclusion, else 1 + its place in the file. */
static inline struct value view_text(const struct snapshot *s, uint32_t value)
{
	const struct file_value *v = &s->values[value - 1];

	return value ? (struct value){v->code, slice_of(s->text + v->text_at, v->text_len)}
		     : (struct value){0, SLICE_EMPTY};
}
