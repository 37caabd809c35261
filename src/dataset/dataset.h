/* dataset.h - rbldnsd's files as they are (rbldnsd(8)), text in, builder calls out. Lines rbldnsd would
 * warn of and skip are warned of and skipped here; what makes it refuse the file is an error. */
#pragma once

#include "base/buf.h"
#include "base/err.h"
#include "index/builder.h"

enum dataset_type {
	DATASET_IP4SET,
	DATASET_IP4TRIE,
	DATASET_IP4TSET,
	DATASET_IP6TRIE,
	DATASET_IP6TSET,
	DATASET_DNSET, /* also as "dnhash" */
	DATASET_GENERIC,
	DATASET_COMBINED,
	DATASET_ACL,	/* who may ask, by address; says nothing about names */
	DATASET_ACLKEY, /* who may ask, by a label of the question */
};

/* "zone:type:file,file" as on rbldnsd's command line, or "type:file,file" without a zone. */
struct dataset_spec {
	struct slice zone; /* empty without one */
	enum dataset_type type;
	struct slice files; /* cut it at ',' with slice_cut(); at least one, none empty */
};

bool dataset_spec_parse(
	struct slice text, bool with_zone, struct dataset_spec *ret, struct err *err);
const char *dataset_type_name(enum dataset_type t);
bool dataset_type_named(struct slice name, enum dataset_type *ret);

struct dataset_options {
	int64_t now_s;	/* a $TIMESTAMP in the future refuses the file */
	uint32_t ttl_s; /* of answers without $TTL: rbldnsd has 2100 (35m) */
	uint32_t ttl_min_s, ttl_max_s; /* bounds of those given; 0: none */
	bool host_bits; /* rbldnsd -e: 127.2.3.4/24 means 127.2.3.0/24 instead of a warning */
};

struct dataset;

/* One data set, made of one file or of several as if they were one; it adds its sets behind those the
 * builder has: one, or for `combined` a head (SET_NONE) and one for each $DATASET. name: of the sets. */
struct dataset *dataset_new(struct builder *b, enum dataset_type type, struct slice name,
	const struct dataset_options *options);
/* The next file. On false the builder holds half a data set: throw it away and keep the old data. */
bool dataset_file(struct dataset *d, struct slice file_name, struct slice text, int64_t changed_s,
	struct err *err);
/* The same with a file that comes in parts: begin, then parts until the last. *ret_used: how much of the
 * part was taken (whole lines); the rest comes again in front of what follows. A part that is not the last
 * must hold at least DATASET_PART_MIN bytes, or nothing may be taken. */
bool dataset_file_begin(
	struct dataset *d, struct slice file_name, int64_t changed_s, struct err *err);
bool dataset_file_part(
	struct dataset *d, struct slice part, bool last, size_t *ret_used, struct err *err);
#define DATASET_PART_MIN ((size_t)65536)
/* After the last file: fills in templates and what the sets know of themselves. */
bool dataset_finish(struct dataset *d, struct err *err);
struct dataset *dataset_free(struct dataset *d); /* NULL is fine; returns NULL */

#define DATASET_WARNINGS_MAX 20 /* lines kept; the rest is only counted */
/* "file:line: what" each on a line. */
struct slice dataset_warnings(const struct dataset *d);
size_t dataset_warning_count(const struct dataset *d);
