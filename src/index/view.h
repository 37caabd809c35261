/* view.h - an opened snapshot: offsets resolved to pointers. For snapshot.c (opens, checks) and
 * lookup.c (finds) only. */
#pragma once

#include "index/format.h"
#include "index/snapshot.h"

struct table_view {
	const void *keys;
	const uint32_t *dir;	 /* NULL: none */
	const void *values;	 /* NULL: all 1 */
	const uint32_t *expires; /* NULL: none expires */
	uint32_t count;
	uint8_t len, key_width, value_width;
};

struct names_view {
	const uint32_t *dir; /* NULL: no names */
	const uint8_t *heap;
	uint32_t count;
	uint8_t bits, value_width, labels_max;
	bool has_expires;
};

struct set_view {
	struct slice name;
	struct set_meta meta;
	struct table_view *tables4, *tables6;
	uint32_t count4, count6;
	struct names_view names;
	const struct file_value *values;
	uint32_t value_count;
	uint64_t entries;
};

struct snapshot {
	struct slice bytes;
	const struct file_head *head;
	const char *text;
	struct set_view *sets;
};

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

/* One record of the names' heap. */
struct name_view {
	uint8_t fingerprint, scope, len;
	uint32_t value, expires;
	const uint8_t *wire;
};

static inline size_t view_name_head(const struct names_view *n)
{
	return 3u + n->value_width + (n->has_expires ? 4u : 0u);
}

/* The record at p, which must hold a whole one; returns the place behind it. */
static inline const uint8_t *view_name(
	const struct names_view *n, const uint8_t *p, struct name_view *ret)
{
	ret->fingerprint = p[0];
	ret->scope = p[1];
	ret->len = p[2];
	p += 3;
	ret->value = view_number(p, 0, n->value_width);
	p += n->value_width;
	ret->expires = 0;
	if (n->has_expires) {
		memcpy(&ret->expires, p, 4);
		p += 4;
	}
	ret->wire = p;
	return p + ret->len;
}
