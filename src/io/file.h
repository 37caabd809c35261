/* file.h - files read whole, and written so that a reader sees the old or the
 * new one, never a half, also after a power loss. */
#pragma once

#include "base/buf.h"
#include "base/err.h"

#include <sys/types.h>

bool file_read(const char *path, size_t limit, struct buf *ret, struct err *err);
/* Reads a file of any size through a window of `window` bytes: fn is given what is there and says how much
 * of it it took; the rest comes again in front of what follows. `last`: the file ends with this part. fn
 * that takes nothing of a full window, or false from it, ends the reading with an error. */
typedef bool file_part_fn(
	void *ctx, struct slice part, bool last, size_t *ret_used, struct err *err);
bool file_read_parts(const char *path, size_t window, file_part_fn *fn, void *ctx, struct err *err);
/* The whole file in read-only pages of our own, for large ones that stay. Not mapped from the file: who cuts
 * that one in place would kill us with SIGBUS. An empty file gives an empty slice. */
bool file_load(const char *path, struct slice *ret, struct err *err);
void file_unload(struct slice loaded);
/* Temporary file beside path, fsync, rename, fsync of the folder. */
bool file_replace(const char *path, struct slice content, mode_t mode, struct err *err);
/* Writes all of it, through short writes and EINTR. */
bool file_write_all(int fd, struct slice content, struct err *err);
bool file_sync_folder_of(const char *path, struct err *err);
/* mkdir -p */
bool file_make_folder(const char *path, mode_t mode, struct err *err);
