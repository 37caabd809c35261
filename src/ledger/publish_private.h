/* publish_private.h - shared by the files that publish. */
#pragma once

#include "base/buf.h"
#include "ledger/publish.h"

#define PUBLISH_PATH_MAX 4096

/* All lists as one snapshot's bytes, at the serial that the connection sees now. */
bool published_build(struct store *s, const struct ledger *l, struct buf *ret, int64_t *ret_serial,
	struct err *err);
/* The same in a temporary file, synced. */
bool published_write(struct store *s, const struct ledger *l, const char *path, int64_t *ret_serial,
	struct err *err);
/* A change as a record of the log; adds nothing for a list or kind that is not in the configuration. */
bool published_change(
	const struct ledger *l, const struct store_change *c, struct buf *to, struct err *err);

/* One log file. */
struct change_log {
	int fd;	      /* -1: none */
	int64_t base; /* serial of its snapshot */
	int64_t size; /* bytes that are whole records */
	char path[PUBLISH_PATH_MAX];
};

/* Reads the log of this snapshot: *ret_last is the serial of its last whole record (the snapshot's when
 * there is none). A torn end is cut. False when it is not there or damaged. */
bool change_log_open(struct change_log *log, const char *folder, int64_t base, int64_t *ret_last,
	struct err *err);
bool change_log_create(struct change_log *log, const char *folder, int64_t base, struct err *err);
/* Whole or not at all. */
bool change_log_append(struct change_log *log, struct slice records, struct err *err);
void change_log_close(struct change_log *log);
