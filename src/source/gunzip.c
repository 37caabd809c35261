/* gunzip.c - gzip'd data files, through zlib. */
#include "source/gunzip.h"

#include <zlib.h>

#define CHUNK 65536
#define GZIP_ONLY 16 /* added to the window's bits: zlib(3), inflateInit2 */

bool gunzip_is(struct slice bytes)
{
	return slice_starts(bytes, SLICE("\x1f\x8b"));
}

/* One call of inflate(): Z_OK while there is more to do, Z_STREAM_END at the end of all members. */
static int step(z_stream *z, struct slice *in, struct buf *out)
{
	char chunk[CHUNK];
	size_t given = MIN(in->len, (size_t)1 << 30);
	int rc;

	z->next_in = (Bytef *)in->ptr;
	z->avail_in = (uInt)given;
	z->next_out = (Bytef *)chunk;
	z->avail_out = sizeof chunk;
	rc = inflate(z, Z_NO_FLUSH);
	buf_add(out, chunk, sizeof chunk - z->avail_out);
	*in = slice_skip(*in, given - z->avail_in);
	if (rc == Z_STREAM_END && in->len)
		return inflateReset(z);
	if (rc == Z_OK && given == 0 && z->avail_out)
		return Z_BUF_ERROR; /* cut short */
	return rc;
}

bool gunzip(struct slice bytes, size_t limit, struct buf *ret, struct err *err)
{
	struct buf out = BUF_INIT(limit);
	z_stream z = {0};
	int rc = inflateInit2(&z, MAX_WBITS + GZIP_ONLY);

	while (rc == Z_OK && !out.failed)
		rc = step(&z, &bytes, &out);
	inflateEnd(&z);
	if (out.failed)
		err_set(err, ERR_LIMIT, "unpacks to more than %zu bytes", limit);
	else if (rc != Z_STREAM_END)
		err_set(err, ERR_CORRUPT, "is damaged or cut short: gzip says '%s'", zError(rc));
	if (out.failed || rc != Z_STREAM_END) {
		buf_done(&out);
		return false;
	}
	buf_done(ret);
	*ret = out;
	return true;
}
