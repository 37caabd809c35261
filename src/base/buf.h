/* buf.h - a growing byte buffer with a limit given at birth. Past the limit it stays failed and
 * holds what it held; check `failed` once, at the end. Out of memory aborts. */
#pragma once

#include "base/attr.h"
#include "base/slice.h"

struct buf {
	char *ptr; /* NULL until the first byte; always NUL-terminated after it */
	size_t len, cap, limit;
	bool failed;
};

#define BUF_INIT(max) ((struct buf){.limit = (max)})
#define _cleanup_buf_ ATTR_CLEANUP(buf_done)

void buf_done(struct buf *b);  /* frees; b is an empty buffer with the same limit after it */
void buf_reset(struct buf *b); /* empties, keeps the memory, clears `failed` */
void buf_add(struct buf *b, const void *bytes, size_t len);
void buf_add_slice(struct buf *b, struct slice s);
void buf_add_str(struct buf *b, const char *s);
void buf_add_char(struct buf *b, char c);
void buf_addf(struct buf *b, const char *fmt, ...) ATTR_FORMAT(2, 3);
/* Big-endian integers, as the network wants them. */
void buf_add_u8(struct buf *b, uint8_t v);
void buf_add_u16(struct buf *b, uint16_t v);
void buf_add_u32(struct buf *b, uint32_t v);
void buf_add_u64(struct buf *b, uint64_t v);
/* Drops the first n bytes (a protocol's consumed input). */
void buf_consume(struct buf *b, size_t n);
/* Room for at least n more bytes; NULL when that is over the limit. Follow with b->len += used. */
char *buf_room(struct buf *b, size_t n);
static inline struct slice buf_slice(const struct buf *b)
{
	return b->ptr ? slice_of(b->ptr, b->len) : SLICE_EMPTY;
}
static inline const char *buf_str(const struct buf *b)
{
	return b->ptr ? b->ptr : "";
}
