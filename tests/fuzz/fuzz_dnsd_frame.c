/* fuzz_dnsd_frame.c - any bytes as a frame: what is found lies inside, and the answer to it is one that can
 * be answered in turn, back to where the first one was for. */
#include "dnsd/path/frame.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define CHECK(x) ((x) ? (void)0 : abort())

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice in = slice_of(data, size);
	struct frame f, back;
	uint8_t *out, *again;
	size_t n;

	if (!frame_parse(in, &f))
		return 0;
	CHECK(f.headers <= FRAME_HEADERS_MAX && f.headers + f.payload.len <= size);
	CHECK((const uint8_t *)f.payload.ptr == data + f.headers);
	n = f.headers + f.payload.len;
	out = malloc(n);
	again = malloc(n);
	memcpy(out + f.headers, f.payload.ptr, f.payload.len);
	CHECK(frame_answer(&f, in, out, f.payload.len) == n);
	if (frame_parse(slice_of(out, n), &back)) { /* not when it was for a group, or for port 0 */
		CHECK(back.headers == f.headers && slice_eq(back.payload, f.payload));
		memcpy(again + f.headers, f.payload.ptr, f.payload.len);
		CHECK(frame_answer(&back, slice_of(out, n), again, f.payload.len) == n);
		CHECK(memcmp(again, data, 12) == 0);
	}
	free(out);
	free(again);
	return 0;
}
