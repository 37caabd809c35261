/* file.h - files read whole with a limit, mapped, and written so that a reader sees the old or the
 * new one, never a half, also after a power loss. */
#pragma once

#include "base/buf.h"
#include "base/err.h"

#include <sys/types.h>

bool file_read(const char *path, size_t limit, struct buf *ret, struct err *err);
/* Read-only mapping of the whole file. An empty file gives an empty slice. */
bool file_map(const char *path, struct slice *ret, struct err *err);
void file_unmap(struct slice mapped);
/* Temporary file beside path, fsync, rename, fsync of the folder. */
bool file_replace(const char *path, struct slice content, mode_t mode, struct err *err);
/* Writes all of it, through short writes and EINTR. */
bool file_write_all(int fd, struct slice content, struct err *err);
bool file_sync_folder_of(const char *path, struct err *err);
/* mkdir -p */
bool file_make_folder(const char *path, mode_t mode, struct err *err);
