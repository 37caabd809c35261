/* format.h - the snapshot's layout, shared by its writer and its reader and by nobody else. Integers
 * are the writer's own (a mark tells the byte order), every part starts at a multiple of 8, places are
 * offsets from the start of the file. What a part looks like stands in its own header (hosts4.h,
 * ranges4.h, tables6.h, rows.h, names.c). docs/decisions/0014-inside-a-snapshot.md says why. */
#pragma once

#include "base/siphash.h"
#include "index/value.h"

#define FORMAT_MAGIC "SEKISHO\n"
#define FORMAT_VERSION 2
#define FORMAT_ORDER 0x01020304u
#define FORMAT_SIZE_MAX ((size_t)1 << 40)
#define FORMAT_SETS_MAX 4096
#define FORMAT_VALUES_PER_KEY 16 /* entries of one key; lookups stop there */

struct file_head {
	char magic[8];
	uint32_t version, order;
	uint64_t size; /* of the whole file */
	uint32_t crc;  /* CRC32C of the whole file with these four bytes as zero */
	uint32_t set_count;
	uint64_t serial;
	uint8_t seed[16];
	uint64_t sets_at;   /* struct file_set[set_count] */
	uint64_t values_at; /* struct file_value[value_count] */
	uint64_t value_count;
	uint64_t text_at, text_size; /* what values and names of sets point into */
	uint64_t rows_at;	     /* struct row_node[row_count] (rows.h): what stands at keys */
	uint64_t row_count;
	uint64_t hosts4_at, ranges4_at, tables6_at, names_at; /* parts of all sets; 0: none */
};

struct file_value {
	uint32_t code, text_at, text_len; /* text_at: from the start of the text */
};

struct file_set {
	uint32_t name_at, name_len; /* in the text */
	uint64_t meta_at;
	uint32_t meta_len;
	uint32_t value_count; /* of the file's values from value_base on, this set's */
	uint64_t value_base;
	uint64_t entries;
};

/* Width of a column that holds numbers up to max. */
static inline uint8_t format_width(uint64_t max)
{
	return max <= UINT8_MAX ? 1 : max <= UINT16_MAX ? 2 : 4;
}
