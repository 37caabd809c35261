/* fuzz_dnsd_copy.c - the file of a transferred zone with anything in it, under a checksum that is right: it is
 * refused, or becomes an index that can be opened. */
#include "base/attr.h"
#include "dns/wire.h"
#include "dnsd/copy/copy.h"
#include "dnsd/copy/copy_index.h"
#include "index/crc32c.h"
#include "index/snapshot.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define CHECK(x) ((x) ? (void)0 : abort())

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct domain zone = {.len = 4, .labels = 1, .wire = "\2bl"};
	static const uint8_t seed[16];
	_cleanup_buf_ struct buf bytes = BUF_INIT(1 << 20), snapshot = BUF_INIT(1 << 28);
	struct copy_index told;
	struct snapshot *s;
	struct builder *b;
	struct copy c;
	struct err err;

	buf_add(&bytes, data, size);
	buf_add_u32(&bytes, crc32c(0, slice_of(data, size)));
	if (bytes.failed || !copy_open(buf_slice(&bytes), &zone, &c, &err))
		return 0;
	b = builder_new(1, seed);
	copy_index(&c, b, &told);
	CHECK(builder_write(b, &snapshot, &err));
	builder_free(b);
	s = snapshot_open(buf_slice(&snapshot), &err);
	CHECK(s != NULL);
	snapshot_close(s);
	return 0;
}
