/* change_log.c - one log file: opened and mended, appended to, whole records only. */
#include "index/changelog.h"
#include "io/file.h"
#include "ledger/publish_private.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

static bool log_path(struct change_log *log, const char *folder, int64_t base, struct err *err)
{
	int n;

	*log = (struct change_log){.fd = -1, .base = base};
	n = snprintf(log->path, sizeof log->path, "%s/changes-%lld", folder, (long long)base);
	return n < (int)sizeof log->path || err_set(err, ERR_LIMIT, "%s: path too long", folder);
}

/* The bytes that are whole records, and the last serial in them. */
static bool log_scan(struct slice bytes, int64_t *ret_size, int64_t *ret_last, struct err *err)
{
	struct slice rest = bytes;
	struct change c;
	size_t used;

	while (rest.len > 0) {
		switch (change_decode(rest, &c, &used, err)) {
		case CHANGE_READ:
			if ((int64_t)c.serial <= *ret_last)
				return err_set(err, ERR_CORRUPT, "its serials do not grow");
			*ret_last = (int64_t)c.serial;
			rest = slice_skip(rest, used);
			continue;
		case CHANGE_MORE: /* written half when something died: the store has it whole */
			*ret_size = (int64_t)(bytes.len - rest.len);
			return true;
		case CHANGE_CORRUPT:
			return false;
		}
	}
	*ret_size = (int64_t)bytes.len;
	return true;
}

bool change_log_open(struct change_log *log, const char *folder, int64_t base, int64_t *ret_last,
	struct err *err)
{
	struct slice bytes;
	int64_t last = base, size = 0;
	bool ok;

	if (!log_path(log, folder, base, err) || !file_load(log->path, &bytes, err))
		return false;
	ok = log_scan(bytes, &size, &last, err);
	file_unload(bytes);
	if (!ok)
		return err_prefix(err, "%s: ", log->path);
	log->fd = open(log->path, O_WRONLY | O_APPEND | O_CLOEXEC);
	if (log->fd < 0 || ftruncate(log->fd, size) != 0) {
		err_errno(err, "cannot open %s", log->path);
		change_log_close(log);
		return false;
	}
	log->size = size;
	*ret_last = last;
	return true;
}

bool change_log_create(struct change_log *log, const char *folder, int64_t base, struct err *err)
{
	if (!log_path(log, folder, base, err))
		return false;
	log->fd = open(log->path, O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0644);
	if (log->fd < 0)
		return err_errno(err, "cannot make %s", log->path);
	if (fchmod(log->fd, 0644) == 0)
		return true;
	err_errno(err, "cannot set the mode of %s", log->path);
	change_log_close(log);
	return false;
}

bool change_log_append(struct change_log *log, struct slice records, struct err *err)
{
	struct err ignored;

	if (file_write_all(log->fd, records, err)) {
		log->size += (int64_t)records.len;
		return true;
	}
	err_prefix(err, "%s: ", log->path);
	if (ftruncate(log->fd, log->size) != 0)
		err_errno(&ignored, "cannot cut");
	return false;
}

void change_log_close(struct change_log *log)
{
	if (log->fd >= 0)
		close(log->fd);
	log->fd = -1;
}
