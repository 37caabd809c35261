/* publish.c - keeps snapshot and change log in step with the store. */
#include "ledger/publish.h"

#include "base/mem.h"
#include "index/snapshot.h"
#include "io/file.h"
#include "io/task.h"
#include "ledger/publish_private.h"

#include <dirent.h>
#include <errno.h>
#include <pthread.h>
#include <sys/eventfd.h>
#include <unistd.h>

#define OLD_LOG_STAYS_MS 10000
#define APPEND_BYTES_MAX ((size_t)1 << 20) /* of one write */
#define CHANGES_KEPT 100000		   /* behind the snapshot, for those who come late */
#define CHANGES_DROPPED_AT_ONCE 2000

struct publish {
	struct ledger *ledger;
	char *folder, *store_path, *snapshot_path, *temporary_path;
	int64_t snapshot_serial;
	int64_t appended; /* serial of the last change that the log holds */
	struct change_log log, old_log;
	int64_t old_log_until_ms;
	/* the thread */
	pthread_t thread;
	int done_fd;
	bool busy;
	int64_t built_serial; /* written by the thread, read after it was joined */
	bool built_ok;
	struct err built_err;
};

static char *path_in(const char *folder, const char *name)
{
	char path[PUBLISH_PATH_MAX];

	snprintf(path, sizeof path, "%s/%s", folder, name);
	return mem_str(path);
}

/* ---- appending ---- */

struct appending {
	struct publish *p;
	struct buf records;
	int64_t last;
	struct err *err;
	bool failed;
};

static bool append_flush(struct appending *a, struct change_log *log)
{
	return a->records.len == 0 || change_log_append(log, buf_slice(&a->records), a->err);
}

static bool append_one(void *ctx, const struct store_change *c)
{
	struct appending *a = ctx;

	if (!published_change(a->p->ledger, c, &a->records, a->err)) {
		a->failed = true;
		return false;
	}
	a->last = c->serial;
	return a->records.len
	       < APPEND_BYTES_MAX; /* enough for one write: more comes in the next round */
}

bool publish_append(struct publish *p, struct err *err)
{
	struct err ignored;
	bool ok = true;

	for (int64_t from = -1; ok && from != p->appended;) {
		struct appending a = {.p = p,
			.records = BUF_INIT(4 * APPEND_BYTES_MAX),
			.last = p->appended,
			.err = err};

		from = p->appended;
		ok = store_change_each(ledger_store(p->ledger), from, append_one, &a, err)
		     && !a.failed && append_flush(&a, &p->log);
		if (ok) {
			p->appended = a.last;
			a.err = &ignored;
			if (p->old_log.fd >= 0 && !append_flush(&a, &p->old_log))
				change_log_close(&p->old_log); /* a courtesy only */
		}
		buf_done(&a.records);
	}
	return ok;
}

/* ---- a new snapshot in place ---- */

static void old_log_drop(struct publish *p)
{
	change_log_close(&p->old_log);
	if (p->old_log.path[0] != '\0')
		(void)unlink(p->old_log.path);
	p->old_log.path[0] = '\0';
}

/* The log first, with what changed since; then the snapshot, in one step. */
static bool put_in_place(struct publish *p, int64_t serial, int64_t now_ms, struct err *err)
{
	struct change_log fresh, before;
	int64_t appended;

	if (serial == p->snapshot_serial && p->log.fd >= 0) {
		/* Nothing changed but the configuration: the log that there is fits the new one too. */
		if (rename(p->temporary_path, p->snapshot_path) != 0)
			return err_errno(err, "cannot put %s in place", p->snapshot_path);
		return file_sync_folder_of(p->snapshot_path, err);
	}
	if (p->log.fd >= 0 && !publish_append(p, err))
		return false;
	old_log_drop(p);
	if (!change_log_create(&fresh, p->folder, serial, err))
		return false;
	before = p->log;
	appended = p->appended;
	p->log = fresh;
	p->appended = serial;
	if (!publish_append(p, err) || fsync(p->log.fd) != 0
		|| !file_sync_folder_of(p->log.path, err)
		|| rename(p->temporary_path, p->snapshot_path) != 0) {
		if (err->kind == ERR_NONE)
			err_errno(err, "cannot put %s in place", p->snapshot_path);
		(void)unlink(fresh.path);
		change_log_close(&p->log);
		p->log = before;
		p->appended = appended;
		return false;
	}
	p->old_log = before;
	p->old_log_until_ms = now_ms + OLD_LOG_STAYS_MS;
	p->snapshot_serial = serial;
	return file_sync_folder_of(p->snapshot_path, err);
}

static void *build_in_thread(void *ctx)
{
	struct publish *p = ctx;
	struct store *reader = store_open_reader(p->store_path, &p->built_err);
	uint64_t one = 1;

	task_step_back(); /* requests come first */
	p->built_ok = reader
		      && published_write(reader, p->ledger, p->temporary_path, &p->built_serial,
			      &p->built_err);
	store_close(reader);
	if (write(p->done_fd, &one, sizeof one) != (ssize_t)sizeof one)
		p->built_ok = false;
	return NULL;
}

bool publish_snapshot_start(struct publish *p, struct err *err)
{
	int rc;

	if (p->busy)
		return true;
	p->built_err = (struct err){0};
	rc = pthread_create(&p->thread, NULL, build_in_thread, p);
	if (rc != 0)
		return err_set(
			err, ERR_SYSTEM, "cannot start the snapshot's thread (error %d)", rc);
	p->busy = true;
	return true;
}

static void thread_join(struct publish *p)
{
	uint64_t count;

	pthread_join(p->thread, NULL);
	p->busy = false;
	while (read(p->done_fd, &count, sizeof count) > 0)
		continue;
}

bool publish_snapshot_finish(struct publish *p, int64_t now_ms, struct err *err)
{
	if (!p->busy)
		return true;
	thread_join(p);
	if (!p->built_ok) {
		*err = p->built_err;
		return false;
	}
	err->kind = ERR_NONE;
	return put_in_place(p, p->built_serial, now_ms, err);
}

int publish_fd(const struct publish *p)
{
	return p->done_fd;
}

bool publish_is_busy(const struct publish *p)
{
	return p->busy;
}

int64_t publish_snapshot_serial(const struct publish *p)
{
	return p->snapshot_serial;
}

int64_t publish_serial(const struct publish *p)
{
	return p->appended;
}

/* ---- at start ---- */

static bool snapshot_read_serial(const struct publish *p, int64_t *ret, struct err *err)
{
	struct snapshot *s;
	struct slice bytes;

	if (!file_load(p->snapshot_path, &bytes, err))
		return false;
	s = snapshot_open(bytes, err);
	if (s)
		*ret = (int64_t)snapshot_serial(s);
	else
		err_prefix(err, "%s: ", p->snapshot_path);
	snapshot_close(s);
	file_unload(bytes);
	return s != NULL;
}

/* What is published goes on as it is, if the store still knows all that came after it. */
static bool continue_published(struct publish *p, struct err *err)
{
	struct store *store = ledger_store(p->ledger);
	int64_t base, last, serial, oldest;

	if (!snapshot_read_serial(p, &base, err)
		|| !change_log_open(&p->log, p->folder, base, &last, err)
		|| !store_serial(store, &serial, err) || !store_change_oldest(store, &oldest, err))
		return false;
	if (last > serial) {
		/* The store is an older copy of itself. Serials must not come twice. */
		if (store_begin(store, err) && store_serial_raise(store, last + 1, err))
			(void)store_commit(store, err);
		return err_set(err, ERR_CORRUPT,
			"the store ends at serial %lld, the published log at %lld",
			(long long)serial, (long long)last);
	}
	if (last < serial && (oldest == 0 || oldest > last + 1))
		return err_set(err, ERR_MISSING,
			"changes after serial %lld are no longer in the store", (long long)last);
	p->snapshot_serial = base;
	p->appended = last;
	return publish_append(p, err);
}

static bool publish_afresh(struct publish *p, int64_t now_ms, struct err *err)
{
	int64_t serial;

	change_log_close(&p->log);
	p->snapshot_serial = -1;
	err->kind = ERR_NONE;
	return published_write(ledger_store(p->ledger), p->ledger, p->temporary_path, &serial, err)
	       && put_in_place(p, serial, now_ms, err);
}

/* Logs of snapshots that are no more, and what a crash left half written. */
static void remove_strays(const struct publish *p)
{
	DIR *dir = opendir(p->folder);
	struct dirent *entry;

	while (dir && (entry = readdir(dir))) {
		struct slice name = slice_str(entry->d_name);
		char path[PUBLISH_PATH_MAX];

		if (!slice_starts(name, SLICE("changes-"))
			&& !slice_starts(name, SLICE("snapshot.")))
			continue;
		if (snprintf(path, sizeof path, "%s/%s", p->folder, entry->d_name)
				< (int)sizeof path
			&& !slice_eq(slice_str(path), slice_str(p->log.path)))
			(void)unlink(path);
	}
	if (dir)
		closedir(dir);
}

struct publish *publish_open(struct ledger *l, const char *folder, const char *store_path,
	int64_t now_ms, struct err *err)
{
	struct publish *p = mem_new(1, sizeof *p);

	*p = (struct publish){
		.ledger = l, .folder = mem_str(folder), .store_path = mem_str(store_path)};
	p->snapshot_path = path_in(folder, "snapshot");
	p->temporary_path = path_in(folder, "snapshot.new");
	p->log.fd = p->old_log.fd = -1;
	p->done_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (p->done_fd < 0)
		err_errno(err, "eventfd");
	else if (continue_published(p, err) || publish_afresh(p, now_ms, err)) {
		remove_strays(p);
		return p;
	}
	return publish_close(p);
}

struct publish *publish_close(struct publish *p)
{
	if (!p)
		return NULL;
	if (p->busy) {
		thread_join(p);
		(void)unlink(p->temporary_path);
	}
	change_log_close(&p->log);
	change_log_close(&p->old_log);
	if (p->done_fd >= 0)
		close(p->done_fd);
	free(p->folder);
	free(p->store_path);
	free(p->snapshot_path);
	free(p->temporary_path);
	free(p);
	return NULL;
}

bool publish_tidy(struct publish *p, int64_t now_ms, struct err *err)
{
	struct store *store = ledger_store(p->ledger);

	if (now_ms >= p->old_log_until_ms)
		old_log_drop(p);
	if (p->snapshot_serial <= CHANGES_KEPT)
		return true;
	return store_begin(store, err)
	       && store_change_prune(
		       store, p->snapshot_serial - CHANGES_KEPT, CHANGES_DROPPED_AT_ONCE, err)
	       && store_commit(store, err);
}
