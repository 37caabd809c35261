/* publish.h - what dnsd reads: in the publish folder a `snapshot` of all lists (index/snapshot.h) and
 * `changes-S`, the log of what changed since (index/changelog.h), S being the snapshot's serial.
 *
 * The store is the truth; what is published can always be made again from it. A change is appended
 * right after its group was committed. A new snapshot is written by a thread of its own from one state
 * of the store, while changes go on; then its log is made with what changed meanwhile, then `snapshot`
 * is renamed into place. For a while the old log gets every change too, so a reader that is still busy
 * with the old pair misses nothing. A set has its list's name. Names are listed with all below them. */
#pragma once

#include "ledger/ledger.h"

struct publish;

/* The folder must exist. Compares store and folder and mends: a torn end of the log is cut, missing
 * changes are appended, and where that does not do, a new snapshot is written before this returns.
 * store_path: for the thread's own connection. All is borrowed. */
struct publish *publish_open(struct ledger *l, const char *folder, const char *store_path,
	int64_t now_ms, struct err *err);
/* Waits for a snapshot under way and throws it away. */
struct publish *publish_close(struct publish *p);

/* Appends what was committed since the last call. False: the disk refused; call again later, nothing
 * is lost. */
bool publish_append(struct publish *p, struct err *err);
/* Starts the thread; true also when one is under way. */
bool publish_snapshot_start(struct publish *p, struct err *err);
/* Becomes readable when the thread is done: call publish_snapshot_finish() then. */
int publish_fd(const struct publish *p);
bool publish_snapshot_finish(struct publish *p, int64_t now_ms, struct err *err);
bool publish_is_busy(const struct publish *p);
/* Drops the old log once its readers had time to move on, and changes nobody needs any more. */
bool publish_tidy(struct publish *p, int64_t now_ms, struct err *err);

int64_t publish_snapshot_serial(const struct publish *p);
int64_t publish_serial(const struct publish *p); /* of the last change in the log */
