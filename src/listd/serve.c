/* serve.c - listd as a process: socket, groups of requests, the sweep, the snapshots. */
#include "listd/serve.h"

#include "base/log.h"
#include "base/mem.h"
#include "io/clock.h"
#include "io/daemon.h"
#include "io/file.h"
#include "io/ipc.h"
#include "io/loop.h"
#include "io/sandbox.h"
#include "ledger/db.h"
#include "ledger/publish.h"
#include "listd/requests.h"

#include <errno.h>
#include <pwd.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#define GROUP_MAX 256 /* replies that wait for one commit */
#define GROUP_AGE_MS 20
#define TICK_MS 1000
#define SWEEP_MAX 500 /* listings or evidence ended at once, then others get their turn */
#define DAY_MS ((int64_t)24 * 3600 * 1000)

struct waiting {
	struct ipc_peer *peer;
	json_t *reply;
};

struct listd {
	const struct config *config;
	char *store_path;
	struct loop *loop;
	struct ipc_server *server;
	struct loop_timer *tick;
	struct loop_watch *snapshot_done;
	struct store *store;
	struct publish *publish;
	struct desk desk;
	struct waiting group[GROUP_MAX];
	size_t group_count;
	int64_t group_since_ms;
	int64_t snapshot_at_ms; /* monotonic; the latest start of one */
	bool behind;		/* the log could not be appended to */
};

/* ---- groups ---- */

static void append_changes(struct listd *d)
{
	struct err err;
	bool ok = publish_append(d->publish, &err);

	if (!ok && !d->behind)
		log_event(LOG_ERROR, "listd.publish", "error=%s", log_quote(slice_str(err.text)).s);
	if (ok && d->behind)
		log_event(LOG_NOTE, "listd.publish", "caught-up serial=%lld",
			(long long)publish_serial(d->publish));
	d->behind = !ok;
}

/* Commits, publishes, and only then answers. */
static void group_end(struct listd *d)
{
	struct err err = {0};
	bool had_changes = store_in_group(d->store) || store_broken(d->store);
	bool ok = !had_changes || store_commit(d->store, &err);

	if (!ok)
		log_event(LOG_ERROR, "listd.store", "lost=%zu error=%s", d->group_count,
			log_quote(slice_str(err.text)).s);
	else if (had_changes)
		append_changes(d);
	for (size_t i = 0; i < d->group_count; i++) {
		struct waiting *w = &d->group[i];

		ipc_reply(w->peer, ok ? w->reply : requests_lost(w->reply, &err));
		ipc_peer_release(w->peer);
	}
	d->group_count = 0;
	if (!ok)
		store_forget_fault(d->store);
}

static void snapshot_start(struct listd *d)
{
	struct err err;

	d->snapshot_at_ms = clock_mono_ms();
	if (!publish_snapshot_start(d->publish, &err))
		log_event(
			LOG_ERROR, "listd.snapshot", "error=%s", log_quote(slice_str(err.text)).s);
}

/* One that is under way may have begun before what its asker wants in it: then another follows. */
static void snapshot_if_wanted(struct listd *d)
{
	if (!d->desk.snapshot_wanted || publish_is_busy(d->publish))
		return;
	d->desk.snapshot_wanted = false;
	snapshot_start(d);
}

static void on_request(void *ctx, struct ipc_peer *peer, json_t *message)
{
	struct listd *d = ctx;
	struct asker asker = {
		.uid = ipc_peer_uid(peer), .role = role_parse(slice_str(ipc_peer_role(peer)))};
	json_t *reply;

	if (d->group_count == 0)
		d->group_since_ms = clock_mono_ms();
	d->desk.snapshot_serial = publish_snapshot_serial(d->publish);
	reply = requests_answer(&d->desk, &asker, message, clock_unix_ms());
	if (asker.role != ROLE_NONE)
		ipc_peer_set_role(peer, role_word(asker.role));
	d->group[d->group_count++] = (struct waiting){ipc_peer_hold(peer), reply};
	/* A group grows while more is waiting to be read, within bounds. */
	if (d->group_count == GROUP_MAX || store_broken(d->store)
		|| clock_mono_ms() - d->group_since_ms >= GROUP_AGE_MS)
		group_end(d);
}

static void on_idle(void *ctx)
{
	struct listd *d = ctx;

	group_end(d);
	snapshot_if_wanted(d);
}

/* ---- what time brings ---- */

static bool sweep(struct listd *d, int *ret_expired, int *ret_pruned, struct err *err)
{
	int64_t now_ms = clock_unix_ms();

	return store_begin(d->store, err)
	       && ledger_expire(d->desk.ledger, now_ms, SWEEP_MAX, ret_expired, err)
	       && store_evidence_prune(d->store,
		       now_ms - (int64_t)d->config->listd.keep_evidence * DAY_MS, SWEEP_MAX,
		       ret_pruned, err)
	       && store_commit(d->store, err);
}

static void on_tick(void *ctx)
{
	struct listd *d = ctx;
	int expired = 0, pruned = 0;
	struct err err;

	group_end(d);
	if (!sweep(d, &expired, &pruned, &err)) {
		log_event(LOG_ERROR, "listd.sweep", "error=%s", log_quote(slice_str(err.text)).s);
		store_rollback(d->store);
		store_forget_fault(d->store);
		expired = pruned = 0;
	}
	if (expired || pruned)
		log_event(
			LOG_INFO, "listd.sweep", "expired=%d evidence-dropped=%d", expired, pruned);
	if (expired || d->behind)
		append_changes(d);
	if (!publish_tidy(d->publish, clock_unix_ms(), &err)) {
		log_event(LOG_ERROR, "listd.tidy", "error=%s", log_quote(slice_str(err.text)).s);
		store_rollback(d->store);
		store_forget_fault(d->store);
	}
	if (publish_serial(d->publish) > publish_snapshot_serial(d->publish)
		&& clock_mono_ms() - d->snapshot_at_ms
			   >= (int64_t)d->config->listd.snapshot_interval * 1000)
		snapshot_start(d);
	loop_timer_set(d->tick, expired == SWEEP_MAX || pruned == SWEEP_MAX ? 0 : TICK_MS);
}

static void on_snapshot_done(void *ctx, int fd, unsigned events)
{
	struct listd *d = ctx;
	struct err err = {0};

	(void)fd;
	(void)events;
	group_end(d);
	if (publish_snapshot_finish(d->publish, clock_unix_ms(), &err))
		log_event(LOG_INFO, "listd.snapshot", "serial=%lld took_ms=%lld",
			(long long)publish_snapshot_serial(d->publish),
			(long long)(clock_mono_ms() - d->snapshot_at_ms));
	else
		log_event(
			LOG_ERROR, "listd.snapshot", "error=%s", log_quote(slice_str(err.text)).s);
	snapshot_if_wanted(d);
}

static void on_stop(void *ctx)
{
	struct listd *d = ctx;

	loop_stop(d->loop);
}

/* ---- start and end ---- */

static bool folder_make(const char *path, mode_t mode, const struct config *c, struct err *err)
{
	struct passwd *pw = *c->listd.user && geteuid() == 0 ? getpwnam(c->listd.user) : NULL;
	struct stat st;

	if (stat(path, &st) == 0 && S_ISDIR(st.st_mode) && !pw)
		return true;
	if (!file_make_folder(path, mode, err))
		return false;
	(void)chmod(path, mode); /* others pass through it: the umask is for the files inside */
	if (pw && chown(path, pw->pw_uid, pw->pw_gid) != 0)
		return err_errno(err, "cannot give %s to user %s", path, c->listd.user);
	return true;
}

struct listd *listd_prepare(const struct config *config, struct err *err)
{
	static const struct ipc_server_handler handler = {.request = on_request, .idle = on_idle};
	struct listd *d;
	struct buf path = BUF_INIT(4096);

	if (db_engine_of(config->listd.store) == DB_POSTGRESQL) {
		err_set(err, ERR_REFUSED,
			"listd: store: PostgreSQL is not ready in this version; give a file");
		return NULL;
	}
	d = mem_new(1, sizeof *d);
	d->config = config;
	d->desk.config = config;
	d->desk.roles = roles_find(config, config->listd.user);
	d->loop = loop_new();
	if (*config->listd.store)
		buf_add_str(&path, config->listd.store);
	else
		buf_addf(&path, "%s/sekisho.db", config->state_dir);
	d->store_path = mem_str(buf_str(&path));
	buf_done(&path);
	daemon_notify_open();
	signal(SIGXFSZ, SIG_IGN); /* a limit on files is answered like a full disk */
	/* The folder of what strangers' programs read is open to read; the store is not. */
	umask(027);
	if (folder_make(config->state_dir, 0755, config, err)
		&& folder_make(config->publish_dir, 0755, config, err)
		&& folder_make(config->run_dir, 0755, config, err)) {
		d->server = ipc_server_new(d->loop, config->socket_path, 0666, &handler, d, err);
	}
	return d->server ? d : listd_free(d);
}

bool listd_enter_sandbox(struct listd *d, struct err *err)
{
	char *folder = mem_str(d->store_path), *slash = strrchr(folder, '/');
	const char *write_paths[] = {d->config->state_dir, folder, NULL};
	const char *read_paths[] = {"/usr/share/publicsuffix", NULL};
	struct sandbox_needs needs = {.user = d->config->listd.user, .write_paths = write_paths};
	bool ok;

	if (slash)
		*slash = '\0';
	if (!slash || folder[0] == '\0')
		write_paths[1] = NULL;
	if (access(read_paths[0], R_OK) == 0)
		needs.read_paths = read_paths;
	ok = sandbox_enter(&needs, err);
	free(folder);
	return ok;
}

static bool open_books(struct listd *d, struct err *err)
{
	int64_t now_ms = clock_unix_ms();

	d->store = store_open(d->store_path, err);
	if (!d->store)
		return false;
	d->desk.ledger = ledger_open(d->config, d->store, now_ms, err);
	if (!d->desk.ledger)
		return false;
	d->publish =
		publish_open(d->desk.ledger, d->config->publish_dir, d->store_path, now_ms, err);
	return d->publish != NULL;
}

bool listd_serve(struct listd *d, struct err *err)
{
	if (!open_books(d, err))
		return false;
	d->snapshot_done =
		loop_watch_new(d->loop, publish_fd(d->publish), LOOP_READ, on_snapshot_done, d);
	d->tick = loop_timer_new(d->loop, on_tick, d);
	loop_timer_set(d->tick, TICK_MS);
	loop_on_signal(d->loop, SIGTERM, on_stop, d);
	loop_on_signal(d->loop, SIGINT, on_stop, d);
	snapshot_start(d); /* codes, texts and lists may be other ones than at the last run */
	daemon_ready();
	log_event(LOG_NOTE, "listd.ready", "socket=%s store=%s lists=%zu serial=%lld",
		d->config->socket_path, d->store_path, ledger_list_count(d->desk.ledger),
		(long long)publish_serial(d->publish));
	loop_run(d->loop);
	group_end(d);
	log_event(LOG_NOTE, "listd.stop", "serial=%lld", (long long)publish_serial(d->publish));
	return true;
}

struct listd *listd_free(struct listd *d)
{
	if (!d)
		return NULL;
	ipc_server_free(d->server);
	loop_watch_free(d->snapshot_done);
	loop_timer_free(d->tick);
	publish_close(d->publish);
	ledger_free(d->desk.ledger);
	store_close(d->store);
	loop_free(d->loop);
	free(d->store_path);
	free(d);
	return NULL;
}
