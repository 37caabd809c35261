/* fuzz_changelog.c - any bytes as a change log: what is read encodes to the same bytes; with the first
 * checksum put right, too, so that what lies behind it is reached. */
#include "index/changelog.h"
#include "index/crc32c.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void read_all(struct slice log)
{
	struct change c;
	size_t used;

	while (log.len) {
		_cleanup_buf_ struct buf again = BUF_INIT(CHANGE_RECORD_MAX);

		if (change_decode(log, &c, &used, NULL) != CHANGE_READ)
			return;
		if (used > log.len || !change_encode(&c, &again, NULL)
			|| !slice_eq(buf_slice(&again), slice_take(log, used)))
			abort();
		log = slice_skip(log, used);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t *copy;
	uint32_t len, crc;

	read_all(slice_of(data, size));
	if (size < 8)
		return 0;
	len = (uint32_t)data[0] << 24 | (uint32_t)data[1] << 16 | (uint32_t)data[2] << 8 | data[3];
	if (len < 4 || len > size - 4)
		return 0;
	copy = malloc(size);
	memcpy(copy, data, size);
	crc = crc32c(0, slice_of(copy + 8, len - 4));
	for (int i = 0; i < 4; i++)
		copy[4 + i] = (uint8_t)(crc >> (24 - 8 * i));
	read_all(slice_of(copy, size));
	free(copy);
	return 0;
}
