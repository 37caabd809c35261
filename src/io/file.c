/* file.c - files read whole and replaced so that no reader ever sees a half. */
#include "io/file.h"
#include "base/mem.h"
#include "base/pause.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define CHUNK ((size_t)65536)
#define HUGE ((size_t)2 << 20) /* a page of those that MADV_HUGEPAGE asks for */
#define PIECE ((size_t)262144) /* what is read while others wait for the processor */

static int open_regular(const char *path, struct stat *ret, struct err *err)
{
	/* O_NONBLOCK: a FIFO put in the file's place must not hang us. */
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);

	if (fd < 0 || fstat(fd, ret) != 0) {
		err_errno(err, "cannot open %s", path);
	} else if (!S_ISREG(ret->st_mode)) {
		err_set(err, ERR_SYSTEM, "%s is not a regular file", path);
	} else {
		return fd;
	}
	if (fd >= 0)
		close(fd);
	return -1;
}

bool file_read(const char *path, size_t limit, struct buf *ret, struct err *err)
{
	struct stat st;
	int fd = open_regular(path, &st, err);
	struct buf b = BUF_INIT(limit + 1);
	ssize_t n = 1;

	if (fd < 0)
		return false;
	/* As large as it is now, in one piece; it may yet grow or shrink. */
	buf_room(&b, MIN((size_t)MAX(st.st_size, 0), limit));
	while (n > 0 && b.len <= limit) {
		size_t room = b.cap > b.len + 1 ? b.cap - b.len - 1 : CHUNK;

		room = MIN(room, limit + 1 - b.len);
		n = read(fd, buf_room(&b, room), room);
		if (n < 0 && errno == EINTR)
			n = 1;
		else if (n > 0)
			b.len += (size_t)n;
	}
	if (n < 0)
		err_errno(err, "cannot read %s", path);
	else if (b.len > limit)
		err_set(err, ERR_LIMIT, "%s is larger than %zu bytes", path, limit);
	close(fd);
	if (n < 0 || b.len > limit) {
		buf_done(&b);
		return false;
	}
	b.ptr[b.len] = '\0';
	b.limit = limit;
	buf_done(ret);
	*ret = b;
	return true;
}

/* Fills window from *have on; *have stays below its size only at the end of the file. */
static bool fill_window(
	int fd, const char *path, char *window, size_t size, size_t *have, struct err *err)
{
	while (*have < size) {
		ssize_t n = read(fd, window + *have, MIN(size - *have, PIECE));
		pause_here();
		if (n == 0)
			return true;
		if (n < 0 && errno != EINTR)
			return err_errno(err, "cannot read %s", path);
		*have += n > 0 ? (size_t)n : 0;
	}
	return true;
}

bool file_read_parts(const char *path, size_t window, file_part_fn *fn, void *ctx, struct err *err)
{
	struct stat st;
	int fd = open_regular(path, &st, err);
	char *bytes = fd < 0 ? NULL : mem_new(window, 1);
	size_t have = 0, used;
	bool ok = fd >= 0, last = false;

	while (ok && !last) {
		used = 0;
		ok = fill_window(fd, path, bytes, window, &have, err);
		last = have < window;
		ok = ok && fn(ctx, slice_of(bytes, have), last, &used, err);
		if (ok && !last && used == 0)
			ok = err_set(
				err, ERR_LIMIT, "%s: a part of %zu bytes has no end", path, window);
		have -= used;
		if (ok && have)
			memmove(bytes, bytes + used, have);
	}
	free(bytes);
	if (fd >= 0)
		close(fd);
	return ok;
}

/* The mapping's whole size, or an error: shorter, it would be another file than the one that was asked for. */
static bool fill_mapping(int fd, const char *path, char *to, size_t size, struct err *err)
{
	for (size_t at = 0, part; at < size; at += part) {
		size_t have = 0;

		/* Memory first, then what belongs there: page by page while reading takes twice as long.
		 * Linux before 5.14 does just that. */
		part = MIN(size - at, HUGE);
		(void)madvise(to + at, part, MADV_POPULATE_WRITE);
		pause_here();
		if (!fill_window(fd, path, to + at, part, &have, err))
			return false;
		if (have < part)
			return err_set(
				err, ERR_CORRUPT, "%s became shorter while it was read", path);
	}
	return true;
}

bool file_load(const char *path, struct slice *ret, struct err *err)
{
	struct stat st;
	int fd = open_regular(path, &st, err);
	size_t size = fd < 0 ? 0 : (size_t)st.st_size;
	void *p;
	bool ok;

	if (fd < 0)
		return false;
	if (size == 0) {
		close(fd);
		*ret = SLICE_EMPTY;
		return true;
	}
	p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (p == MAP_FAILED) {
		close(fd);
		return err_errno(err, "no memory for %s", path);
	}
	(void)madvise(p, size, MADV_HUGEPAGE); /* fewer pages: faster to read, to ask and to free */
	ok = fill_mapping(fd, path, p, size, err);
	close(fd);
	if (!ok || mprotect(p, size, PROT_READ) != 0) {
		if (ok)
			err_errno(err, "cannot protect %s", path);
		munmap(p, size);
		return false;
	}
	*ret = slice_of(p, size);
	return true;
}

void file_unload(struct slice loaded)
{
	if (loaded.len)
		munmap((void *)loaded.ptr, loaded.len);
}

bool file_write_all(int fd, struct slice content, struct err *err)
{
	while (content.len) {
		ssize_t n = write(fd, content.ptr, content.len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return err_errno(err, "cannot write");
		content = slice_skip(content, (size_t)n);
	}
	return true;
}

bool file_sync_folder_of(const char *path, struct err *err)
{
	char folder[4096];
	const char *slash = strrchr(path, '/');
	bool ok;
	int fd;

	if (!slash)
		snprintf(folder, sizeof folder, ".");
	else
		snprintf(folder, sizeof folder, "%.*s", slash == path ? 1 : (int)(slash - path),
			path);
	fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return err_errno(err, "cannot open folder %s", folder);
	ok = fsync(fd) == 0;
	if (!ok)
		err_errno(err, "cannot sync folder %s", folder);
	close(fd);
	return ok;
}

bool file_replace(const char *path, struct slice content, mode_t mode, struct err *err)
{
	char temporary[4096];
	int fd;

	if (snprintf(temporary, sizeof temporary, "%s.XXXXXX", path) >= (int)sizeof temporary)
		return err_set(err, ERR_LIMIT, "%s: path too long", path);
	fd = mkostemp(temporary, O_CLOEXEC);
	if (fd < 0)
		return err_errno(err, "cannot make a file beside %s", path);
	if (!file_write_all(fd, content, err)) {
		err_prefix(err, "%s: ", temporary);
		close(fd);
		goto fail;
	}
	if (fchmod(fd, mode) != 0 || fsync(fd) != 0) {
		err_errno(err, "cannot finish %s", temporary);
		close(fd);
		goto fail;
	}
	if (close(fd) != 0 || rename(temporary, path) != 0) {
		err_errno(err, "cannot put %s in place", path);
		goto fail;
	}
	return file_sync_folder_of(path, err);
fail:
	unlink(temporary);
	return false;
}

bool file_make_folder(const char *path, mode_t mode, struct err *err)
{
	char part[4096];
	size_t n = strlen(path);

	if (n == 0 || n >= sizeof part)
		return err_set(err, ERR_LIMIT, "folder name '%.80s' is empty or too long", path);
	for (size_t i = 1; i <= n; i++) {
		if (path[i] != '/' && path[i] != '\0')
			continue;
		slice_copy(slice_of(path, i), part, sizeof part);
		if (mkdir(part, mode) != 0 && errno != EEXIST)
			return err_errno(err, "cannot make folder %s", part);
	}
	return true;
}
