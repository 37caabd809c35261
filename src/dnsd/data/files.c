/* files.c - rbldnsd's files and compiled snapshots: read, compiled in a thread of their own, swapped in. */
#include "dnsd/data/files.h"

#include "base/log.h"
#include "base/mem.h"
#include "dnsd/data/data.h"
#include "io/clock.h"
#include "io/crew.h"
#include "io/task.h"
#include "source/source.h"

#include <errno.h>
#include <inttypes.h>
#include <malloc.h>
#include <pthread.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <unistd.h>

#define DEFAULT_TTL_S 2100 /* rbldnsd's 35m */

/* What one compilation made. */
struct version {
	struct data data; /* first */
	struct buf bytes;
	size_t warnings;
	char warning[256]; /* the first */
};

struct source_file {
	char *path;
	struct stat seen; /* at the last attempt */
};

/* One "type:file,file"; shared by all zones that name it. */
struct source {
	char *text;
	const struct config_rbldnsd *how;
	enum dataset_type type;
	bool snapshot; /* of no type, then */
	struct source_file *files;
	size_t file_count;
	struct version *version; /* NULL: never read well */
	/* between the thread and the loop, one at a time */
	bool wanted;
	bool failed; /* the last attempt; read and written in the loop */
	uint64_t entries;
	int64_t loaded_s;
	int64_t load_ms; /* of the last attempt */
	char error[sizeof((struct err *)0)->text];
	struct version *made, *replaced;
	struct err err; /* why nothing was made */
	int64_t took_ms;
};

struct files {
	struct grace *grace;
	const struct config *config;
	struct source *sources;
	size_t source_count;
	/* which sources, in order: of each zone, of each list's rules, of the rules for all */
	size_t **zone_sources, **list_sources, *sources_for_all;
	loop_fn *changed;
	void *ctx;
	struct loop_timer *timer;
	struct loop_watch *watch;
	int done; /* eventfd: the thread has finished */
	pthread_t thread;
	bool running, again; /* again: a reload was asked for meanwhile */
};

static void version_free(struct data *d)
{
	struct version *v = (struct version *)d;

	snapshot_close((struct snapshot *)v->data.index.snapshot);
	buf_done(&v->bytes);
	free(v);
	malloc_trim(0);
}

static bool source_init(struct source *s, const char *text, struct err *err)
{
	struct source_spec spec;
	struct slice rest, name;

	if (!source_spec_parse(slice_str(text), &spec, err))
		return false;
	s->text = mem_str(text);
	s->type = spec.type;
	s->snapshot = spec.snapshot;
	for (rest = spec.files; slice_cut(&rest, ',', &name);) {
		s->files = mem_resize(s->files, (s->file_count + 1) * sizeof *s->files);
		s->files[s->file_count] =
			(struct source_file){.path = mem_str_len(name.ptr, name.len)};
		s->file_count++;
	}
	return true;
}

static bool source_find(struct files *f, const char *text, size_t *ret, struct err *err)
{
	for (*ret = 0; *ret < f->source_count; ++*ret)
		if (strcmp(f->sources[*ret].text, text) == 0)
			return true;
	f->sources = mem_resize(f->sources, (f->source_count + 1) * sizeof *f->sources);
	f->sources[f->source_count] = (struct source){.how = &f->config->dnsd.rbldnsd};
	return source_init(&f->sources[f->source_count++], text, err);
}

/* ---- compiling: in the thread, touches nothing but its own source ---- */

static bool same_file(const struct stat *a, const struct stat *b)
{
	return a->st_ino == b->st_ino && a->st_dev == b->st_dev && a->st_size == b->st_size
	       && a->st_mtim.tv_sec == b->st_mtim.tv_sec
	       && a->st_mtim.tv_nsec == b->st_mtim.tv_nsec;
}

/* All zero when it is not there. */
static struct stat look_at(const struct source_file *file)
{
	struct stat st;

	if (stat(file->path, &st) != 0)
		memset(&st, 0, sizeof st);
	return st;
}

static void log_warnings(const struct source *s, const struct source_warnings *w)
{
	struct slice rest = buf_slice(&w->text), line;

	while (slice_cut_line(&rest, &line))
		log_event(LOG_WARN, "dnsd.file", "%s", log_quote(line).s);
	if (w->count > DATASET_WARNINGS_MAX)
		log_event(LOG_WARN, "dnsd.file", "data=%s warnings=%zu shown=%d", s->text, w->count,
			DATASET_WARNINGS_MAX);
}

/* rbldnsd tells it of these types, where a second value for the same key is lost. */
static void log_doubles(const struct source *s, uint64_t count)
{
	if (count && !s->snapshot
		&& (s->type == DATASET_IP4TRIE || s->type == DATASET_IP6TRIE
			|| s->type == DATASET_ACL))
		log_event(LOG_WARN, "dnsd.file",
			"data=%s duplicated entry for %" PRIu64 " keys: the first of each counts",
			s->text, count);
}

static uint64_t entries_of(const struct version *v)
{
	uint64_t entries = 0;

	for (size_t i = 0; i < snapshot_set_count(v->data.index.snapshot); i++)
		entries += snapshot_set_entries(v->data.index.snapshot, i);
	return entries;
}

/* Words where a file was replaced by something else altogether; one that was emptied has no bad lines. */
static bool nothing_was_read(const struct source *s, const struct version *v,
	const struct source_warnings *w, struct err *err)
{
	struct slice rest = buf_slice(&w->text), first = SLICE_EMPTY;

	if (!s->version || !w->count || entries_of(v))
		return false;
	slice_cut_line(&rest, &first);
	err_set(err, ERR_CORRUPT, "no line of it could be read: %.*s", SLICE_FMT(first));
	return true;
}

static void note_first(struct version *v, struct slice warnings)
{
	struct slice line;

	if (slice_cut_line(&warnings, &line))
		slice_copy(slice_take(line, sizeof v->warning - 1), v->warning, sizeof v->warning);
}

static struct version *version_build(struct source *s, const struct parallel *help, struct err *err)
{
	const struct config_rbldnsd *r = s->how;
	struct source_options options = {
		.dataset = {.now_s = clock_unix_ms() / 1000,
			.ttl_s = r->ttl_s ? r->ttl_s : DEFAULT_TTL_S,
			.ttl_min_s = r->ttl_min_s,
			.ttl_max_s = r->ttl_max_s,
			.host_bits = r->host_bits},
		.no_gunzip = r->no_gunzip,
		.serial = 1,
		.help = help,
	};
	struct source_warnings warnings;
	struct version *v = mem_new(1, sizeof *v);
	bool ok;

	data_init(&v->data, version_free);
	/* Looked at before reading: what changes while we read is seen as a change the next time. */
	for (size_t i = 0; i < s->file_count; i++)
		s->files[i].seen = look_at(&s->files[i]);
	ok = source_read(s->text, &options, &v->bytes, &warnings, err);
	log_warnings(s, &warnings);
	v->warnings = warnings.count;
	note_first(v, buf_slice(&warnings.text));
	log_doubles(s, warnings.doubles);
	if (ok)
		v->data.index.snapshot = snapshot_open(buf_slice(&v->bytes), err);
	ok = v->data.index.snapshot && !nothing_was_read(s, v, &warnings, err);
	buf_done(&warnings.text);
	if (!ok) {
		data_drop(v);
		return NULL;
	}
	return v;
}

static void source_compile(struct source *s, const struct parallel *help)
{
	int64_t began_ms = clock_mono_ms();

	s->err = (struct err){0};
	s->made = version_build(s, help, &s->err);
	s->took_ms = clock_mono_ms() - began_ms;
	malloc_trim(0); /* the builder's memory: several times what stays */
	if (!s->made) {
		log_event(LOG_ERROR, "dnsd.data", "data=%s kept=%s error=%s", s->text,
			s->version ? "old" : "none", log_quote(slice_str(s->err.text)).s);
		return;
	}
	log_event(LOG_INFO, "dnsd.data", "data=%s entries=%" PRIu64 " bytes=%zu ms=%" PRId64,
		s->text, entries_of(s->made), s->made->bytes.len, s->took_ms);
}

static void *compile_wanted(void *ctx)
{
	struct files *f = ctx;
	struct crew *crew;
	uint64_t one = 1;

	task_step_back(); /* the crew with us */
	crew = crew_new();
	for (size_t i = 0; i < f->source_count; i++)
		if (f->sources[i].wanted)
			source_compile(&f->sources[i], crew_parallel(crew));
	crew_free(crew);
	if (write(f->done, &one, sizeof one) != sizeof one)
		abort();
	return NULL;
}

/* ---- in the loop ---- */

static void take_made(struct files *f)
{
	bool any = false;

	for (size_t i = 0; i < f->source_count; i++) {
		struct source *s = &f->sources[i];
		if (s->wanted) {
			s->failed = !s->made;
			s->load_ms = s->took_ms;
			slice_copy(
				slice_str(s->failed ? s->err.text : ""), s->error, sizeof s->error);
		}
		s->wanted = false;
		if (!s->made)
			continue;
		s->entries = entries_of(s->made);
		s->loaded_s = clock_unix_ms() / 1000;
		s->replaced = s->version;
		s->version = s->made;
		s->made = NULL;
		any = true;
	}
	if (any && f->changed)
		f->changed(f->ctx);
	for (size_t i = 0; i < f->source_count; i++) {
		struct source *s = &f->sources[i];
		if (s->replaced)
			grace_defer(f->grace, data_drop, s->replaced);
		s->replaced = NULL;
	}
}

static void start_thread(struct files *f)
{
	sigset_t all, old;

	f->again = false;
	sigfillset(&all); /* signals are for the loop */
	pthread_sigmask(SIG_SETMASK, &all, &old);
	errno = pthread_create(&f->thread, NULL, compile_wanted, f);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	f->running = errno == 0;
	if (!f->running)
		log_event(LOG_ERROR, "dnsd.thread", "error=%s",
			log_quote(slice_str(strerror(errno))).s);
}

static bool want_changed(struct files *f)
{
	bool any = false;

	for (size_t i = 0; i < f->source_count; i++) {
		struct source *s = &f->sources[i];
		for (size_t k = 0; k < s->file_count && !s->wanted; k++) {
			struct stat now = look_at(&s->files[k]);
			s->wanted = !same_file(&now, &s->files[k].seen);
		}
		any = any || s->wanted;
	}
	return any;
}

/* An interval of 0 (rbldnsd's -c 0): only SIGHUP makes us look. */
static void set_timer(struct files *f)
{
	if (f->config->dnsd.check_interval)
		loop_timer_set(f->timer, f->config->dnsd.check_interval * 1000);
}

static void check(void *ctx)
{
	struct files *f = ctx;

	if (!f->running && want_changed(f))
		start_thread(f);
	set_timer(f);
}

static void finished(void *ctx, int fd, unsigned events)
{
	struct files *f = ctx;
	uint64_t n;

	(void)events;
	if (read(fd, &n, sizeof n) != sizeof n)
		return;
	pthread_join(f->thread, NULL);
	f->running = false;
	take_made(f);
	if (f->again)
		files_reload(f);
}

/* ---- for dnsd.c ---- */

/* Which sources the "type:file,file" of `data` are; made where they are new. */
static size_t *sources_of(
	struct files *f, const struct strings *data, bool rules_only, struct err *err)
{
	size_t *which = mem_new(data->count + 1, sizeof *which);

	for (size_t i = 0; i < data->count; i++) {
		const struct source *s;

		if (!source_find(f, data->items[i], &which[i], err))
			goto bad;
		s = &f->sources[which[i]];
		if (rules_only
			&& (s->snapshot || (s->type != DATASET_ACL && s->type != DATASET_ACLKEY))) {
			err_set(err, ERR_SYNTAX, "only acl and aclkey say who may ask");
			goto bad;
		}
		continue;
	bad:
		err_prefix(err, "\"%s\": ", data->items[i]);
		free(which);
		return NULL;
	}
	return which;
}

static bool find_sources(struct files *f, struct err *err)
{
	const struct config *c = f->config;

	f->zone_sources = mem_new(c->dnsd.zone_count + 1, sizeof *f->zone_sources);
	f->list_sources = mem_new(c->list_count + 1, sizeof *f->list_sources);
	for (size_t i = 0; i < c->dnsd.zone_count; i++) {
		const struct config_zone *z = &c->dnsd.zones[i];
		f->zone_sources[i] = sources_of(f, &z->data, false, err);
		if (!f->zone_sources[i])
			return err_prefix(err, "dnsd: zone \"%s\": data ", z->name);
	}
	for (size_t i = 0; i < c->list_count; i++) {
		f->list_sources[i] = sources_of(f, &c->lists[i].access, true, err);
		if (!f->list_sources[i])
			return err_prefix(err, "list \"%s\": access ", c->lists[i].name);
	}
	f->sources_for_all = sources_of(f, &c->dnsd.access, true, err);
	return f->sources_for_all || err_prefix(err, "dnsd: access ");
}

struct files *files_new(
	struct loop *l, struct grace *g, const struct config *config, struct err *err)
{
	struct files *f = mem_new(1, sizeof *f);

	f->grace = g;
	f->config = config;
	f->timer = loop_timer_new(l, check, f);
	f->done = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	f->watch = f->done >= 0 ? loop_watch_new(l, f->done, LOOP_READ, finished, f) : NULL;
	return find_sources(f, err) ? f : files_free(f);
}

static void source_done(struct source *s)
{
	for (size_t i = 0; i < s->file_count; i++)
		free(s->files[i].path);
	free(s->files);
	free(s->text);
	data_drop(s->version);
	data_drop(s->made);
}

struct files *files_free(struct files *f)
{
	if (!f)
		return NULL;
	if (f->running)
		pthread_join(f->thread, NULL);
	for (size_t i = 0; i < f->source_count; i++)
		source_done(&f->sources[i]);
	free(f->sources);
	for (size_t i = 0; i < f->config->dnsd.zone_count; i++)
		free(f->zone_sources[i]);
	for (size_t i = 0; i < f->config->list_count; i++)
		free(f->list_sources[i]);
	free(f->zone_sources);
	free(f->list_sources);
	free(f->sources_for_all);
	loop_timer_free(f->timer);
	loop_watch_free(f->watch);
	if (f->done >= 0)
		close(f->done);
	free(f);
	return NULL;
}

size_t files_count(const struct files *f)
{
	size_t n = 0;

	for (size_t i = 0; i < f->source_count; i++)
		n += f->sources[i].file_count;
	return n;
}

const char *files_path(const struct files *f, size_t i)
{
	const struct source *s = f->sources;

	for (; i >= s->file_count; s++)
		i -= s->file_count;
	return s->files[i].path;
}

void files_load(struct files *f)
{
	struct crew *crew = crew_new();

	for (size_t i = 0; i < f->source_count; i++) {
		f->sources[i].wanted = true;
		source_compile(&f->sources[i], crew_parallel(crew));
	}
	crew_free(crew);
	take_made(f);
}

bool files_complete(const struct files *f)
{
	for (size_t i = 0; i < f->source_count; i++)
		if (!f->sources[i].version)
			return false;
	return true;
}

void files_watch(struct files *f, loop_fn *changed, void *ctx)
{
	f->changed = changed;
	f->ctx = ctx;
	set_timer(f);
}

void files_reload(struct files *f)
{
	f->again = f->running;
	if (f->running)
		return;
	for (size_t i = 0; i < f->source_count; i++)
		f->sources[i].wanted = true;
	if (f->source_count)
		start_thread(f);
}

/* One zone's part of it. Without rules that could be read nobody may ask: the zone is broken then. */
static void serve_sources(
	const struct files *f, const size_t *which, size_t count, struct served_zone *z)
{
	for (size_t k = 0; k < count; k++) {
		const struct source *s = &f->sources[which[k]];
		if (!s->version) {
			z->broken = true;
			continue;
		}
		served_add_sets(z, &s->version->data.index, 0,
			snapshot_set_count(s->version->data.index.snapshot), DEFAULT_TTL_S);
	}
}

void files_serve(const struct files *f, struct served *to)
{
	const struct config *c = f->config;
	bool broken = false;

	for (size_t k = 0; k < c->dnsd.access.count; k++) {
		const struct source *s = &f->sources[f->sources_for_all[k]];
		if (s->version)
			served_add_rule(to, &s->version->data.index, DEFAULT_TTL_S);
		else
			broken = true;
	}
	for (size_t i = 0; i < c->dnsd.zone_count; i++) {
		struct served_zone *z = served_zone(to, &c->dnsd.zones[i].zone_name);
		z->broken = z->broken || broken;
		z->adds_ns = c->dnsd.rbldnsd.adds_ns;
		serve_sources(f, f->zone_sources[i], c->dnsd.zones[i].data.count, z);
	}
	for (size_t i = 0; i < c->list_count; i++) {
		struct served_zone *z = served_zone(to, &c->lists[i].zone_name);
		z->broken = z->broken || broken;
		serve_sources(f, f->list_sources[i], c->lists[i].access.count, z);
	}
}

size_t files_state_count(const struct files *f)
{
	return f->source_count;
}

struct files_state files_state(const struct files *f, size_t i)
{
	const struct source *s = &f->sources[i];

	return (struct files_state){.name = s->text,
		.loaded = s->version != NULL,
		.failed = s->failed,
		.error = s->error,
		.warnings = s->version ? s->version->warnings : 0,
		.warning = s->version ? s->version->warning : "",
		.entries = s->entries,
		.bytes = s->version ? s->version->bytes.len : 0,
		.loaded_s = s->loaded_s,
		.load_ms = s->load_ms};
}

const char *files_name_of(const struct files *f, const struct index *ix)
{
	for (size_t i = 0; i < f->source_count; i++)
		if (f->sources[i].version && &f->sources[i].version->data.index == ix)
			return f->sources[i].text;
	return NULL;
}

const size_t *files_of_zone(const struct files *f, size_t zone)
{
	return f->zone_sources[zone];
}
