/* layout.h - how the parts of a snapshot are put behind each other: for the files that write them. */
#pragma once

#include "base/buf.h"
#include "index/collect.h"

static inline void layout_pad(struct buf *to)
{
	static const char zeros[8];

	buf_add(to, zeros, (8 - to->len % 8) % 8);
}

/* Returns where the bytes stand: a multiple of 8. */
static inline uint64_t layout_add(struct buf *to, const void *bytes, size_t len)
{
	uint64_t at;

	layout_pad(to);
	at = to->len;
	buf_add(to, bytes, len);
	return at;
}

/* A value as it stands in the file: 0 an exclusion, else 1 + id. */
static inline uint32_t layout_value(uint32_t id)
{
	return id == BUILDER_EXCLUDED ? 0 : id + 1;
}

static inline void layout_number(char *to, uint32_t v, uint8_t width)
{
	uint8_t v8 = (uint8_t)v;
	uint16_t v16 = (uint16_t)v;

	memcpy(to,
		width == 1   ? (const void *)&v8
		: width == 2 ? (const void *)&v16
			     : (const void *)&v,
		width);
}
