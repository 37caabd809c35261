/* record.c - DNS records as the text of a value. */
#include "index/record.h"
#include "base/reader.h"

void record_add(struct buf *to, const struct record *r)
{
	buf_add_u16(to, r->type);
	buf_add_u32(to, r->ttl_s);
	buf_add_u16(to, (uint16_t)r->rdata.len);
	buf_add_slice(to, r->rdata);
}

bool record_next(struct slice *rest, struct record *ret)
{
	struct reader r = reader_of(*rest);
	struct record record = {.type = reader_u16(&r), .ttl_s = reader_u32(&r)};

	record.rdata = reader_slice(&r, reader_u16(&r));
	if (r.bad)
		return false;
	*rest = slice_of(r.at, reader_left(&r));
	*ret = record;
	return true;
}
