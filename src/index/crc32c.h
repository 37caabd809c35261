/* crc32c.h - the checksum of snapshots and change records (Castagnoli polynomial, as in RFC 9260). */
#pragma once

#include "base/slice.h"

/* Continues from `crc`: 0 at the start, then what the call before returned. */
uint32_t crc32c(uint32_t crc, struct slice bytes);
uint32_t crc32c_portable(
	uint32_t crc, struct slice bytes); /* the same without the processor's help */
