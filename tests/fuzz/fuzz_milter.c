/* fuzz_milter.c - an MTA gone mad: no packet crashes the session, and what goes back is whole packets. */
#include "base/reader.h"
#include "mta/milter.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_packets(const struct buf *out)
{
	struct reader r = reader_of(buf_slice(out));

	while (reader_left(&r) > 0)
		if (!reader_bytes(&r, reader_u32(&r)))
			abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_buf_ struct buf out = BUF_INIT((size_t)1 << 20);
	struct slice rest = slice_of(data, size);
	struct milter m;
	size_t used;

	milter_init(&m, size % 2 ? "X-Sekisho" : NULL);
	for (;;) {
		enum milter_event e = milter_read(&m, rest, &used, &out, NULL);

		if (e == MILTER_MORE || e == MILTER_BAD || e == MILTER_QUIT)
			break;
		if (used < 5 || used > rest.len)
			abort();
		if (e == MILTER_RCPT)
			milter_reply(&out, slice_str(m.recipient));
		if (e == MILTER_END) {
			milter_delete_old_headers(&m, &out);
			milter_add_header(&m, &out, SLICE("X"), slice_str(m.sender));
			milter_continue(&out);
		}
		rest = slice_skip(rest, used);
	}
	check_packets(&out);
	return 0;
}
