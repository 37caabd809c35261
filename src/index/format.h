/* format.h - the snapshot's layout, shared by its writer and its reader and by nobody else. Integers
 * are the writer's own (a mark tells the byte order), every part starts at a multiple of 8, places are
 * offsets from the start of the file. docs/decisions/0014-inside-a-snapshot.md says why. */
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
	uint64_t names_at;	     /* the names of all sets (names.c); 0: none */
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
	uint64_t
		tables_at; /* struct file_table: IPv4 from long to short prefixes, then IPv6 likewise */
	uint32_t tables4, tables6;
	uint64_t entries;
};

/* The prefixes of one length, ascending; equal keys stand together, exclusions first.
 * Values: 0 an exclusion, else 1 + the number of the value in its set. */
struct file_table {
	uint64_t keys_at;
	uint64_t
		dir_at; /* of u32[65537]: keys of upper half h stand at dir[h]..dir[h+1]; 0: none */
	uint64_t values_at;  /* 0: every entry has value 1 */
	uint64_t expires_at; /* of u32, 0 never; 0: no entry expires */
	uint32_t count;
	uint8_t len;
	uint8_t key_width; /* 2: lower half of an IPv4 address, with dir; 4; 8; 16 (two u64, high first) */
	uint8_t value_width; /* 1, 2, 4 */
	uint8_t unused;
};

#define FORMAT_DIR_SIZE 65537

static inline uint64_t format_name_hash(const uint8_t seed[16], const uint8_t *wire, size_t len)
{
	return siphash(seed, slice_of(wire, len));
}

/* Width of a column that holds numbers up to max. */
static inline uint8_t format_width(uint64_t max)
{
	return max <= UINT8_MAX ? 1 : max <= UINT16_MAX ? 2 : 4;
}
