/* site.c - follows listd's snapshot and change log. */
#include "dnsd/data/site.h"

#include "base/log.h"
#include "base/mem.h"
#include "dnsd/data/data.h"
#include "index/changelog.h"
#include "io/clock.h"
#include "io/file.h"
#include "io/task.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#define RETRY_MS 2000 /* without inotify's help: a folder not there yet, an event lost */
#define CHUNK ((size_t)256 * 1024)
#define PATH_SIZE 4096

/* One snapshot with its overlay: lives until the next one has taken over and workers have moved on. */
struct version {
	struct data data;   /* first */
	struct slice bytes; /* of the snapshot */
	struct overlay *overlay;
	bool grace_open; /* overlay_grace_start() without its end yet */
};

/* A snapshot on its way, opened and checked in a thread: ten million entries take a tenth of a second. */
struct opening {
	char path[PATH_SIZE];
	int64_t began_ms;
	struct version *made; /* NULL: see err */
	struct err err;
};

struct site {
	struct grace *grace;
	struct task *task;
	struct opening opening; /* the task's while it runs */
	char *folder;
	loop_fn *changed;
	void *ctx;
	int inotify, watched; /* watch descriptor; -1: none */
	struct loop_watch *watch;
	struct loop_timer *retry;
	struct version *version;
	int64_t loaded_s; /* when it was taken over */
	_Atomic uint64_t serial;
	struct stat seen; /* of the snapshot tried last, good or bad */
	/* the log */
	int log; /* -1: not there yet */
	off_t log_at;
	bool log_broken;
	char error[sizeof((struct err *)0)->text]; /* site_error() */
	uint64_t stop_behind; /* changes with greater serials are not taken yet */
	struct buf in;
	const struct site_watcher *watcher; /* NULL: nobody */
};

static void version_free(struct data *d)
{
	struct version *v = (struct version *)d;

	overlay_free(v->overlay);
	snapshot_close((struct snapshot *)v->data.index.snapshot);
	file_unload(v->bytes);
	free(v);
}

static void snapshot_path(const struct site *s, char dst[PATH_SIZE])
{
	snprintf(dst, PATH_SIZE, "%s/snapshot", s->folder);
}

static void log_path(const struct site *s, char dst[PATH_SIZE])
{
	snprintf(dst, PATH_SIZE, "%s/changes-%" PRIu64, s->folder,
		snapshot_serial(s->version->data.index.snapshot));
}

static void apply(struct site *s, const struct change *c)
{
	struct version *v = s->version;
	const struct value *value = c->op == CHANGE_ADD ? &c->value : NULL;
	size_t set;

	v->data.serial = c->serial;
	atomic_store_explicit(&s->serial, c->serial, memory_order_relaxed);
	if (!snapshot_set_find(v->data.index.snapshot, c->set, &set)) {
		log_event(LOG_WARN, "dnsd.change", "serial=%" PRIu64 " list=%s unknown=yes",
			c->serial, log_quote(c->set).s);
		return;
	}
	if (s->watcher && s->stop_behind == UINT64_MAX)
		s->watcher->before(s->watcher->ctx, c);
	if (c->is_name)
		overlay_put_name(v->overlay, set, &c->name, c->scope, value, c->expires_s);
	else
		overlay_put_prefix(v->overlay, set, &c->prefix, value, c->expires_s);
	if (s->watcher && s->stop_behind == UINT64_MAX)
		s->watcher->after(s->watcher->ctx, &v->data.index, set, c);
}

/* Takes whole records out of s->in. */
static void apply_whole(struct site *s)
{
	struct change c;
	struct err err;
	size_t used = 0, n;
	enum change_read got;

	while ((got = change_decode(slice_skip(buf_slice(&s->in), used), &c, &n, &err))
		== CHANGE_READ) {
		if (c.serial > s->stop_behind)
			break;
		apply(s, &c);
		used += n;
	}
	if (got == CHANGE_CORRUPT) {
		s->log_broken = true;
		slice_copy(slice_str(err.text), s->error, sizeof s->error);
		log_event(LOG_ERROR, "dnsd.changes", "serial=%" PRIu64 " offset=%jd error=%s",
			snapshot_serial(s->version->data.index.snapshot),
			(intmax_t)s->log_at + (intmax_t)used, log_quote(slice_str(err.text)).s);
	}
	s->log_at += (off_t)used;
}

static void end_grace(void *ctx)
{
	struct version *v = ctx;

	overlay_grace_end(v->overlay);
	v->grace_open = false;
}

/* Reads on from the last whole record. A torn end is read again next time: it may have been mended. */
static void follow_log(struct site *s)
{
	off_t before = s->log_at, at;
	char path[PATH_SIZE];
	ssize_t n;

	if (!s->version || s->log_broken)
		return;
	if (s->log < 0) {
		log_path(s, path);
		s->log = open(path, O_RDONLY | O_CLOEXEC);
	}
	if (s->log < 0)
		return;
	do {
		at = s->log_at;
		buf_reset(&s->in);
		n = pread(s->log, buf_room(&s->in, CHUNK), CHUNK, at);
		if (n <= 0)
			break;
		s->in.len = (size_t)n;
		pthread_mutex_lock(&s->version->data.changing);
		apply_whole(s);
		pthread_mutex_unlock(&s->version->data.changing);
	} while (s->log_at > at && !s->log_broken);
	if (s->log_at > before && s->watcher && s->stop_behind == UINT64_MAX)
		s->watcher->done(s->watcher->ctx, s->version->data.serial);
	/* One at a time: an end that was deferred before a later start would free too early. */
	if (s->log_at > before && !s->version->grace_open) {
		s->version->grace_open = true;
		overlay_grace_start(s->version->overlay);
		grace_defer(s->grace, end_grace, s->version);
	}
}

static struct version *version_open(const char *path, struct err *err)
{
	struct version *v = mem_new(1, sizeof *v);

	if (!file_load(path, &v->bytes, err)) {
		free(v);
		return NULL;
	}
	v->data.index.snapshot = snapshot_open(v->bytes, err);
	if (!v->data.index.snapshot) {
		file_unload(v->bytes);
		free(v);
		return NULL;
	}
	v->overlay = overlay_new(v->data.index.snapshot);
	v->data.index.overlay = v->overlay;
	v->data.serial = snapshot_serial(v->data.index.snapshot);
	data_init(&v->data, version_free);
	return v;
}

static void open_in_thread(void *ctx)
{
	struct opening *o = &((struct site *)ctx)->opening;

	o->made = version_open(o->path, &o->err);
}

/* Takes over what was opened. */
static void take(struct site *s)
{
	struct version *old = s->version, *v = s->opening.made;
	uint64_t entries = 0;

	s->opening.made = NULL;
	if (!v) {
		log_event(LOG_ERROR, "dnsd.snapshot", "kept=%s error=%s", old ? "old" : "none",
			log_quote(slice_str(s->opening.err.text)).s);
		slice_copy(slice_str(s->opening.err.text), s->error, sizeof s->error);
		return;
	}
	follow_log(s); /* the old one to its end */
	if (s->log >= 0)
		close(s->log);
	s->log = -1;
	s->log_at = 0;
	s->log_broken = false;
	s->error[0] = '\0';
	s->version = v;
	s->loaded_s = clock_unix_ms() / 1000;
	/* Before anyone sees it: a listing made since must not be away for a moment. Who watches sees the new
	 * one as the old one was, and after it what has changed since. */
	s->stop_behind = s->watcher ? atomic_load(&s->serial) : UINT64_MAX;
	atomic_store(&s->serial, snapshot_serial(v->data.index.snapshot));
	follow_log(s);
	s->stop_behind = UINT64_MAX;
	for (size_t i = 0; i < snapshot_set_count(v->data.index.snapshot); i++)
		entries += snapshot_set_entries(v->data.index.snapshot, i);
	s->changed(s->ctx);
	if (s->watcher)
		follow_log(s);
	if (old)
		grace_defer(s->grace, data_drop, old);
	log_event(LOG_INFO, "dnsd.snapshot",
		"serial=%" PRIu64 " entries=%" PRIu64 " changes=%zu ms=%" PRId64,
		snapshot_serial(v->data.index.snapshot), entries, overlay_count(v->overlay),
		clock_mono_ms() - s->opening.began_ms);
}

static bool same_file(const struct stat *a, const struct stat *b)
{
	return a->st_ino == b->st_ino && a->st_dev == b->st_dev && a->st_size == b->st_size
	       && a->st_mtim.tv_sec == b->st_mtim.tv_sec
	       && a->st_mtim.tv_nsec == b->st_mtim.tv_nsec;
}

/* True: there is a snapshot not tried yet. */
static bool find_new(struct site *s)
{
	struct opening *o = &s->opening;
	struct stat st;

	snapshot_path(s, o->path);
	if (stat(o->path, &st) != 0 || same_file(&st, &s->seen))
		return false;
	s->seen = st;
	o->began_ms = clock_mono_ms();
	return true;
}

static void opened(void *ctx)
{
	struct site *s = ctx;

	take(s);
	site_check(s); /* meanwhile there may be another one */
}

void site_check(struct site *s)
{
	/* The old log to its end first: the new snapshot may be bad. */
	follow_log(s);
	if (task_running(s->task) || !find_new(s))
		return;
	if (!task_start(s->task)) { /* rather late answers than none from the new one */
		open_in_thread(s);
		take(s);
	}
}

void site_load(struct site *s)
{
	if (!find_new(s))
		return;
	open_in_thread(s);
	take(s);
}

static void watch_folder(struct site *s)
{
	if (s->watched < 0)
		s->watched = inotify_add_watch(s->inotify, s->folder,
			IN_MODIFY | IN_CREATE | IN_MOVED_TO | IN_CLOSE_WRITE | IN_ONLYDIR);
}

static void something_happened(void *ctx, int fd, unsigned events)
{
	struct site *s = ctx;
	_Alignas(struct inotify_event) char scrap[16384];
	ssize_t n;

	(void)events;
	while ((n = read(fd, scrap, sizeof scrap)) > 0)
		for (ssize_t at = 0; at < n;) {
			const struct inotify_event *e = (const struct inotify_event *)(scrap + at);
			if (e->mask & IN_IGNORED) /* the folder itself is gone */
				s->watched = -1;
			at += (ssize_t)(sizeof *e + e->len);
		}
	/* What happened matters less than what is there now. */
	site_check(s);
}

static void look_again(void *ctx)
{
	struct site *s = ctx;

	watch_folder(s);
	site_check(s);
	loop_timer_set(s->retry, RETRY_MS);
}

struct site *site_new(
	struct loop *l, struct grace *g, const char *publish_dir, loop_fn *changed, void *ctx)
{
	struct site *s = mem_new(1, sizeof *s);

	s->grace = g;
	s->folder = mem_str(publish_dir);
	s->changed = changed;
	s->ctx = ctx;
	s->log = s->watched = -1;
	s->in = BUF_INIT(CHUNK);
	s->stop_behind = UINT64_MAX;
	s->inotify = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
	if (s->inotify >= 0)
		s->watch = loop_watch_new(l, s->inotify, LOOP_READ, something_happened, s);
	s->retry = loop_timer_new(l, look_again, s);
	s->task = task_new(l, open_in_thread, opened, s);
	watch_folder(s);
	loop_timer_set(s->retry, RETRY_MS);
	return s;
}

struct site *site_free(struct site *s)
{
	if (!s)
		return NULL;
	task_free(s->task);
	data_drop(s->opening.made);
	loop_watch_free(s->watch);
	loop_timer_free(s->retry);
	if (s->inotify >= 0)
		close(s->inotify);
	if (s->log >= 0)
		close(s->log);
	data_drop(s->version);
	buf_done(&s->in);
	free(s->folder);
	free(s);
	return NULL;
}

void site_watch(struct site *s, const struct site_watcher *w)
{
	s->watcher = w;
}

const struct index *site_index(const struct site *s)
{
	return s->version ? &s->version->data.index : NULL;
}

int64_t site_loaded_s(const struct site *s)
{
	return s->loaded_s;
}

const char *site_error(const struct site *s)
{
	return s->error;
}

const _Atomic uint64_t *site_serial(const struct site *s)
{
	return &s->serial;
}
