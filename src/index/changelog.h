/* changelog.h - the change log beside a snapshot: publish/changes-<snapshot serial>. listd appends,
 * dnsd follows. A record: u32 length of what follows it, u32 CRC32C of the body, body; integers
 * big-endian, so a half-written end is told apart from damage. */
#pragma once

#include "base/buf.h"
#include "base/domain.h"
#include "base/err.h"
#include "base/ip.h"
#include "index/value.h"

#define CHANGE_RECORD_MAX 16384 /* bytes of one record with its head */
#define CHANGE_SET_MAX 255

enum change_op { CHANGE_ADD = 1, CHANGE_REMOVE = 2 };

struct change {
	uint64_t serial; /* grows from record to record */
	enum change_op op;
	struct slice set; /* name of the set */
	bool is_name;
	struct prefix prefix; /* unless is_name */
	struct domain name;   /* if is_name */
	enum scope scope;
	struct value value; /* CHANGE_ADD */
	int64_t expires_s;  /* CHANGE_ADD; 0: never */
};

/* False when a field is too long; nothing is added then. */
bool change_encode(const struct change *c, struct buf *to, struct err *err);

enum change_read {
	CHANGE_READ, /* *ret is filled, slices point into the input; *ret_used bytes were taken */
	CHANGE_MORE, /* the record is not whole yet: come again when the file has grown */
	CHANGE_CORRUPT, /* stop here: words in err */
};
enum change_read change_decode(
	struct slice in, struct change *ret, size_t *ret_used, struct err *err);
