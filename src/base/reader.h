/* reader.h - bytes from the network: a position, an end, and an error that sticks. Read field after
 * field and check `bad` once, at the end. Integers are big-endian. */
#pragma once

#include "base/slice.h"

struct reader {
	const uint8_t *start, *at, *end;
	bool bad;
};

static inline struct reader reader_of(struct slice s)
{
	const uint8_t *p = (const uint8_t *)s.ptr;

	return (struct reader){p, p, p + s.len, false};
}

static inline size_t reader_left(const struct reader *r)
{
	return r->bad ? 0 : (size_t)(r->end - r->at);
}

/* n bytes, or NULL once bad. */
static inline const uint8_t *reader_bytes(struct reader *r, size_t n)
{
	const uint8_t *p = r->at;

	if (r->bad || n > (size_t)(r->end - r->at)) {
		r->bad = true;
		return NULL;
	}
	r->at += n;
	return p;
}

static inline struct slice reader_slice(struct reader *r, size_t n)
{
	const uint8_t *p = reader_bytes(r, n);

	return p ? slice_of(p, n) : SLICE_EMPTY;
}

static inline uint8_t reader_u8(struct reader *r)
{
	const uint8_t *p = reader_bytes(r, 1);

	return p ? p[0] : 0;
}

static inline uint16_t reader_u16(struct reader *r)
{
	const uint8_t *p = reader_bytes(r, 2);

	return p ? (uint16_t)(p[0] << 8 | p[1]) : 0;
}

static inline uint32_t reader_u32(struct reader *r)
{
	const uint8_t *p = reader_bytes(r, 4);

	return p ? (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3] : 0;
}

static inline uint64_t reader_u64(struct reader *r)
{
	uint64_t high = reader_u32(r);

	return high << 32 | reader_u32(r);
}
