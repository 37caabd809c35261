/* dnsd.c - the DNS server as a whole: workers, TCP, what they answer from, and its changes. */
#include "dnsd/dnsd.h"

#include "base/log.h"
#include "base/mem.h"
#include "dnsd/control/control.h"
#include "dnsd/data/files.h"
#include "dnsd/answer/glue.h"
#include "dnsd/data/grace.h"
#include "dnsd/answer/identity.h"
#include "dnsd/answer/limit.h"
#include "dnsd/data/own_zones.h"
#include "dnsd/copy/primaries.h"
#include "dnsd/see/query_log.h"
#include "dnsd/data/rules.h"
#include "dnsd/see/scrape.h"
#include "dnsd/answer/served.h"
#include "dnsd/data/site.h"
#include "dnsd/path/steer.h"
#include "dnsd/path/tcp.h"
#include "dnsd/transfer/transfer.h"
#include "dnsd/path/worker.h"
#include "dnsd/path/xdp.h"
#include "dnsd/see/zone_stats.h"
#include "io/clock.h"
#include "io/daemon.h"
#include "io/file.h"
#include "io/random.h"
#include "io/sandbox.h"

#include <errno.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#define KEY_FILE_MAX 65536

#define TRANSPORTS METRICS_TRANSPORTS /* UDP, TCP, XDP */

struct dnsd {
	const struct config *config;
	struct loop *loop;
	struct grace *grace;
	struct site *site;
	struct files *files;
	struct rules *rules;
	struct own_zones *own;
	struct zone_key **keys; /* likewise, for its signed zones */
	_Atomic(struct served *) served;
	struct worker **workers;
	size_t worker_count;
	struct steer **steers;	       /* one for each address */
	struct query_log *log;	       /* NULL: none */
	struct stats_file *stats_file; /* NULL: none */
	struct loop_timer *stats_timer;
	struct stats since[TRANSPORTS]; /* what SIGUSR2 found: counters are told from there */
	struct xdp *xdp;
	struct taps *taps; /* NULL: no query log */
	struct watches *watches;
	struct tcp *tcp;
	struct scrape *scrape; /* NULL: no metrics */
	struct report report;
	struct control *control; /* NULL: nobody can ask */
	int64_t started_s;
	struct identity identity;
	struct limits_setup limits;
	struct secondaries secondaries;
	struct transfers *transfers;
	struct primaries *primaries; /* where zones are transferred from */
	struct sandbox_needs needs;
	char **read_paths;
	size_t read_path_count;
	char *write_paths[4]; /* NULL at the end */
};

/* ---- what is answered from ---- */

static void free_served(void *ctx)
{
	served_free(ctx);
}

static const struct zone_key *key_of(const struct dnsd *d, const struct domain *zone)
{
	for (size_t i = 0; i < d->config->dnsd.signed_count; i++)
		if (domain_eq(&d->config->dnsd.signed_zones[i].zone_name, zone))
			return d->keys[i];
	return NULL;
}

/* The pointer is swapped; what it pointed to goes once nobody reads it. */
static void rebuild(void *ctx)
{
	struct dnsd *d = ctx;
	struct served *s = served_new(), *old;

	rules_serve(d->rules, d->config, s);
	files_serve(d->files, s);
	primaries_serve(d->primaries, s);
	own_zones_serve(d->own, s, d->site);
	for (size_t i = 0; i < d->config->list_count; i++) {
		struct served_zone *z = served_zone(s, &d->config->lists[i].zone_name);
		z->key = key_of(d, &z->name);
	}
	for (size_t i = 0; i < d->config->dnsd.zone_count; i++) {
		struct served_zone *z = served_zone(s, &d->config->dnsd.zones[i].zone_name);
		z->stats = stats_file_zone(d->stats_file, i);
		z->key = key_of(d, &z->name);
		served_add_quota(z, d->config->dnsd.zones[i].quota_second,
			d->config->dnsd.zones[i].quota_day);
	}
	for (size_t i = 0; i < d->config->dnsd.primary_count; i++) {
		struct served_zone *z = served_zone(s, &d->config->dnsd.primaries[i].zone_name);
		z->key = key_of(d, &z->name);
	}
	own_zones_catalog(d->own, s, clock_unix_ms() / 1000);
	served_seal(s);
	glue_fill(s);
	old = atomic_exchange(&d->served, s);
	if (old)
		grace_defer(d->grace, free_served, old);
	transfers_serve(d->transfers, s, d->site ? site_index(d->site) : NULL);
}

/* ---- its state in numbers ---- */

static void gather_stats(const struct dnsd *d, struct stats ret[TRANSPORTS])
{
	memset(ret, 0, TRANSPORTS * sizeof *ret);
	for (size_t i = 0; i < d->worker_count; i++)
		stats_add(&ret[0], worker_stats(d->workers[i]));
	tcp_stats_add(&ret[1], d->tcp);
	for (size_t i = 0; i < xdp_thread_count(d->xdp); i++)
		stats_add(&ret[2], xdp_stats(d->xdp, i));
}

static const char *const transport_names[TRANSPORTS] = {"udp", "tcp", "xdp"};

static size_t transport_count(const struct dnsd *d)
{
	return xdp_thread_count(d->xdp) ? TRANSPORTS : TRANSPORTS - 1;
}

static void fill_snapshot(const struct dnsd *d, struct metrics *m)
{
	const struct index *ix = d->site ? site_index(d->site) : NULL;

	if (!ix)
		return;
	m->has_snapshot = true;
	m->serial = atomic_load(site_serial(d->site));
	m->snapshot_serial = snapshot_serial(ix->snapshot);
	m->snapshot_loaded_s = site_loaded_s(d->site);
	m->overlay_entries = ix->overlay ? overlay_count(ix->overlay) : 0;
	for (size_t i = 0; i < snapshot_set_count(ix->snapshot); i++)
		m->snapshot_entries += snapshot_set_entries(ix->snapshot, i);
}

static void fill_metrics(void *ctx, struct metrics *m)
{
	const struct dnsd *d = ctx;

	m->started_s = d->started_s;
	m->transport_count = transport_count(d);
	memcpy(m->transports, transport_names, sizeof transport_names);
	gather_stats(d, m->stats);
	m->zones = served_zone_count(d->served);
	m->query_log_lost = taps_lost(d->taps);
	m->xdp_lost = xdp_lost(d->xdp);
	fill_snapshot(d, m);
	m->data_count = files_state_count(d->files);
	m->data = mem_new(m->data_count + 1, sizeof *m->data);
	for (size_t i = 0; i < m->data_count; i++) {
		struct files_state f = files_state(d->files, i);
		m->data[i] =
			(struct metrics_data){f.name, f.loaded, f.failed, f.entries, f.loaded_s};
	}
}

/* ---- opening ---- */

static struct zone_key *read_key(const char *path, const struct domain *zone, struct err *err)
{
	_cleanup_buf_ struct buf pem = BUF_INIT(0);
	struct zone_key *k;

	if (!file_read(path, KEY_FILE_MAX, &pem, err))
		return NULL;
	k = zone_key_new(buf_slice(&pem), zone, err);
	if (!k)
		err_prefix(err, "%s: ", path);
	return k;
}

static bool read_published_keys(
	struct zone_key *signer, const struct config_signed *z, struct err *err)
{
	for (size_t i = 0; i < z->publish.count; i++) {
		struct zone_key *k = read_key(z->publish.items[i], &z->zone_name, err);
		if (!k)
			return false;
		if (zone_key_publish(signer, k))
			continue;
		zone_key_free(k);
		return err_set(err, ERR_SYNTAX, "publish: %s is a key it has already",
			z->publish.items[i]);
	}
	return true;
}

static bool read_keys(struct dnsd *d, struct err *err)
{
	const struct config_dnsd *c = &d->config->dnsd;

	d->keys = mem_new(c->signed_count + 1, sizeof(struct zone_key *));
	for (size_t i = 0; i < c->signed_count; i++) {
		const struct config_signed *z = &c->signed_zones[i];

		d->keys[i] = read_key(z->key, &z->zone_name, err);
		if (!d->keys[i] || !read_published_keys(d->keys[i], z, err))
			return err_prefix(err, "dnsd: dnssec \"%s\": ", z->name);
	}
	return true;
}

static unsigned signatures_per_second(const struct config_dnsd *c)
{
	return c->signed_count ? (unsigned)c->dnssec_signatures : 0;
}

static size_t worker_target(const struct config_dnsd *c)
{
	long n = c->workers ? c->workers : sysconf(_SC_NPROCESSORS_ONLN);

	return n > 0 ? (size_t)n : 1;
}

/* Each worker has one address, so that it can wait in recvmmsg() itself: an idle one costs nothing. */
static bool open_sockets(struct dnsd *d, struct err *err)
{
	const struct config_dnsd *c = &d->config->dnsd;
	size_t each = worker_target(c);

	d->workers = mem_new(each * c->listen.count + 1, sizeof(struct worker *));
	for (size_t i = 0; i < c->listen.count; i++) {
		struct socket_address a;
		if (!socket_address_parse(slice_str(c->listen.items[i]), &a, err))
			return err_prefix(err, "dnsd: listen: ");
		if (!tcp_listen(d->tcp, &a, err))
			return err_prefix(err, "dnsd: listen: ");
		for (size_t k = 0; k < each; k++) {
			struct worker *w = worker_new(&a, signatures_per_second(c), err);
			if (!w)
				return err_prefix(err, "dnsd: listen: ");
			worker_watch(w, watches_get(d->watches, d->worker_count));
			d->workers[d->worker_count++] = w;
		}
	}
	d->steers = mem_new(c->listen.count + 1, sizeof(struct steer *));
	for (size_t i = 0; i < c->listen.count; i++)
		d->steers[i] = steer_new(d->loop, d->workers + i * each, each);
	return true;
}

/* The folder of a path, or the nearest one above it that is there. */
static char *existing_folder(const char *path)
{
	char *s = mem_str(path);
	struct stat st;

	while (s[0] && (stat(s, &st) != 0 || !S_ISDIR(st.st_mode))) {
		char *slash = strrchr(s, '/');
		if (!slash) {
			free(s);
			return mem_str(".");
		}
		slash[slash == s && slash[1]] = '\0';
	}
	return s;
}

/* Where the path is and, when it is a symbolic link, where it leads now: Landlock looks at the latter. */
static void add_read_path(struct dnsd *d, const char *path)
{
	char *real = realpath(path, NULL);

	d->read_paths[d->read_path_count++] = existing_folder(path);
	if (real)
		d->read_paths[d->read_path_count++] = existing_folder(real);
	free(real);
}

static void collect_read_paths(struct dnsd *d)
{
	d->read_paths = mem_new(2 * (files_count(d->files) + 1) + 1, sizeof(char *));
	if (d->site)
		add_read_path(d, d->config->publish_dir);
	for (size_t i = 0; i < files_count(d->files); i++)
		add_read_path(d, files_path(d->files, i));
}

/* Folders of the two files that rbldnsd writes, and of copies of transferred zones; nothing else is written. */
static void collect_write_paths(struct dnsd *d)
{
	const struct config_rbldnsd *r = &d->config->dnsd.rbldnsd;
	size_t n = 0;

	if (d->config->dnsd.primary_count)
		d->write_paths[n++] = existing_folder(d->config->zones_dir);
	if (r->stats_file)
		d->write_paths[n++] = existing_folder(r->stats_file);
	if (r->log_file && strcmp(r->log_file, "-") != 0)
		d->write_paths[n++] = existing_folder(r->log_file);
}

/* One thread answers some 100,000 questions a second; with few sessions more only get in the way of
 * closing the right one. */
static size_t tcp_target(const struct config_dnsd *c)
{
	return MIN(worker_target(c), 1 + (size_t)c->tcp_sessions / 256);
}

/* Answers matter more than that somebody can ask about them. rbldnsd's users know nothing of it, and may run
 * several at once. */
static void open_control(struct dnsd *d)
{
	struct err err;

	d->report = (struct report){.config = d->config,
		.served = &d->served,
		.site = d->site,
		.files = d->files,
		.transfers = d->transfers,
		.primaries = d->primaries,
		.workers = d->workers,
		.workers_each = worker_target(&d->config->dnsd),
		.tcp = d->tcp,
		.xdp = d->xdp,
		.taps = d->taps,
		.started_ms = d->started_s * 1000};
	if (d->config->dnsd.rbldnsd.on)
		return;
	d->control = control_new(d->loop, &d->report, d->watches, &err);
	if (!d->control)
		log_event(LOG_WARN, "dnsd.control", "served=no error=%s",
			log_quote(slice_str(err.text)).s);
}

struct dnsd *dnsd_open(const struct config *config, struct err *err)
{
	struct dnsd *d = mem_new(1, sizeof *d);
	size_t tcp_threads = tcp_target(&config->dnsd);
	size_t readers = worker_target(&config->dnsd) * config->dnsd.listen.count + tcp_threads;
	uint8_t random[16];

	d->config = config;
	d->loop = loop_new();
	d->xdp = xdp_open(&config->dnsd, signatures_per_second(&config->dnsd), err);
	if (!d->xdp)
		return dnsd_free(d);
	d->grace = grace_new(d->loop, readers + xdp_thread_count(d->xdp));
	random_bytes(random, sizeof random);
	limits_setup_init(&d->limits, config, random);
	d->taps = taps_new(&config->dnsd, readers + xdp_thread_count(d->xdp));
	d->watches = watches_new(readers + xdp_thread_count(d->xdp));
	if (!secondaries_init(&d->secondaries, &config->dnsd, err))
		return dnsd_free(d);
	d->transfers = transfers_new(d->loop, config, &d->secondaries, &d->served, err);
	if (!d->transfers)
		return dnsd_free(d);
	d->primaries = primaries_new(d->loop, d->grace, config, &d->secondaries, err);
	if (!d->primaries)
		return dnsd_free(d);
	d->tcp = tcp_new(&(struct tcp_options){.served = &d->served,
		.identity = &d->identity,
		.limits = &d->limits,
		.transfers = transfers_tcp(d->transfers),
		.threads = tcp_threads,
		.taps = d->taps,
		.watches = d->watches,
		.first_tap = readers - tcp_threads,
		.sessions_max = (size_t)config->dnsd.tcp_sessions,
		.signatures_per_second = signatures_per_second(&config->dnsd),
		.idle_ms = config->dnsd.tcp_idle * 1000});
	if (config->list_count) {
		d->site = site_new(d->loop, d->grace, config->publish_dir, rebuild, d);
		site_watch(d->site, transfers_watcher(d->transfers));
	}
	d->files = files_new(d->loop, d->grace, config, err);
	if (!d->files || !identity_init(&d->identity, &config->dnsd, random, err)
		|| !read_keys(d, err) || !open_sockets(d, err))
		return dnsd_free(d);
	d->identity.secondaries = &d->secondaries;
	d->identity.notified = primaries_notified(d->primaries);
	d->started_s = clock_unix_ms() / 1000;
	if (config->dnsd.metrics[0]) {
		d->scrape = scrape_new(d->loop, config->dnsd.metrics, fill_metrics, d, err);
		if (!d->scrape)
			return dnsd_free(d);
	}
	d->own = own_zones_new(config);
	open_control(d);
	d->stats_file = stats_file_new(&config->dnsd);
	d->rules = rules_new(config);
	collect_read_paths(d);
	collect_write_paths(d);
	daemon_notify_open();
	return d;
}

bool dnsd_enter_sandbox(struct dnsd *d, struct err *err)
{
	d->needs.user = d->config->dnsd.user;
	d->needs.connects = d->config->dnsd.primary_count > 0;
	d->needs.connects_locally = d->taps != NULL;
	d->needs.read_paths = (const char *const *)d->read_paths;
	d->needs.write_paths = (const char *const *)d->write_paths;
	return sandbox_enter(&d->needs, err);
}

/* ---- serving ---- */

static void log_stats(void *ctx)
{
	const struct dnsd *d = ctx;
	struct stats now[TRANSPORTS];

	gather_stats(d, now);
	for (size_t i = 0; i < transport_count(d); i++) {
		stats_subtract(&now[i], &d->since[i]);
		stats_log(transport_names[i], &now[i]);
	}
}

static void write_stats(struct dnsd *d)
{
	struct stats now[TRANSPORTS];

	if (!d->stats_file)
		return;
	gather_stats(d, now);
	for (size_t i = 0; i < TRANSPORTS; i++)
		stats_subtract(&now[i], &d->since[i]);
	for (size_t i = 1; i < TRANSPORTS; i++)
		stats_add(&now[0], &now[i]);
	stats_file_write(d->stats_file, clock_unix_ms() / 1000, &now[0]);
}

static void write_stats_regularly(void *ctx)
{
	struct dnsd *d = ctx;

	write_stats(d);
	if (d->log)
		query_log_flush(d->log);
	loop_timer_set(d->stats_timer, d->config->dnsd.check_interval * 1000);
}

static void tell_stats(void *ctx)
{
	struct dnsd *d = ctx;

	log_stats(d);
	stats_file_log(d->stats_file);
	write_stats(d);
}

static void reset_stats(void *ctx)
{
	struct dnsd *d = ctx;

	tell_stats(d);
	gather_stats(d, d->since);
	stats_file_reset(d->stats_file);
	stats_file_mark(d->stats_file, clock_unix_ms() / 1000);
}

static void reload(void *ctx)
{
	struct dnsd *d = ctx;
	struct err err;

	if (d->log && !query_log_reopen(d->log, &err))
		log_event(LOG_WARN, "dnsd.log", "kept=old error=%s",
			log_quote(slice_str(err.text)).s);
	files_reload(d->files);
	if (d->site)
		site_check(d->site);
}

static void stop(void *ctx)
{
	struct dnsd *d = ctx;

	loop_stop(d->loop);
}

/* What rbldnsd writes: a log of questions, and counters at every look for changed files. */
static bool start_writing(struct dnsd *d, struct err *err)
{
	const struct config_rbldnsd *r = &d->config->dnsd.rbldnsd;

	if (r->log_file) {
		d->log = query_log_new(r->log_file, r->log_at_once, err);
		if (!d->log)
			return err_prefix(err, "log of questions: ");
	}
	for (size_t i = 0; d->log && i < d->worker_count; i++)
		worker_log(d->workers[i], d->log);
	tcp_log(d->tcp, d->log);
	stats_file_mark(d->stats_file, clock_unix_ms() / 1000);
	if ((d->log || d->stats_file) && d->config->dnsd.check_interval) {
		d->stats_timer = loop_timer_new(d->loop, write_stats_regularly, d);
		loop_timer_set(d->stats_timer, d->config->dnsd.check_interval * 1000);
	}
	return true;
}

bool dnsd_serve(struct dnsd *d, struct err *err)
{
	/* First: reading much data takes seconds, and a SIGHUP in them must not end us. */
	loop_on_signal(d->loop, SIGTERM, stop, d);
	loop_on_signal(d->loop, SIGINT, stop, d);
	loop_on_signal(d->loop, SIGHUP, reload, d);
	loop_on_signal(d->loop, SIGUSR1, tell_stats, d);
	loop_on_signal(d->loop, SIGUSR2, reset_stats, d);
	files_load(d->files);
	if (d->config->dnsd.rbldnsd.all_or_nothing && !files_complete(d->files))
		return err_set(err, ERR_CORRUPT,
			"not all data could be read (-q starts with what there is)");
	primaries_load(d->primaries);
	rebuild(d);
	if (d->site)
		site_load(d->site);
	files_watch(d->files, rebuild, d);
	primaries_start(d->primaries, rebuild, d);
	if (!taps_start(d->taps, err) || !start_writing(d, err))
		return false;
	for (size_t i = 0; i < d->worker_count; i++)
		if (!worker_start(d->workers[i], &d->served, &d->identity, &d->limits,
			    grace_reader(d->grace, i), taps_get(d->taps, i), err))
			return false;
	if (!tcp_start(d->tcp, d->grace, d->worker_count, err)
		|| !xdp_start(d->xdp, &d->served, &d->identity, &d->limits, d->grace, d->taps,
			d->watches, d->worker_count + tcp_target(&d->config->dnsd), err))
		return false;
	log_event(LOG_NOTE, "dnsd.ready", "zones=%zu workers=%zu", served_zone_count(d->served),
		d->worker_count);
	daemon_ready();
	loop_run(d->loop);
	tell_stats(d);
	stats_file_mark(d->stats_file, clock_unix_ms() / 1000);
	return true;
}

struct dnsd *dnsd_free(struct dnsd *d)
{
	if (!d)
		return NULL;
	control_free(d->control);
	scrape_free(d->scrape);
	for (size_t i = 0; d->steers && i < d->config->dnsd.listen.count; i++)
		steer_free(d->steers[i]);
	free(d->steers);
	for (size_t i = 0; i < d->worker_count; i++)
		worker_free(d->workers[i]);
	free(d->workers);
	xdp_free(d->xdp);
	tcp_free(d->tcp);
	taps_free(d->taps);
	watches_free(d->watches);
	limits_setup_done(&d->limits);
	transfers_free(d->transfers);
	primaries_free(d->primaries);
	secondaries_done(&d->secondaries);
	grace_free(d->grace);
	served_free(d->served);
	files_free(d->files);
	rules_free(d->rules);
	site_free(d->site);
	own_zones_free(d->own);
	for (size_t i = 0; d->keys && i < d->config->dnsd.signed_count; i++)
		zone_key_free(d->keys[i]);
	free(d->keys);
	for (size_t i = 0; i < d->read_path_count; i++)
		free(d->read_paths[i]);
	free(d->read_paths);
	for (size_t i = 0; d->write_paths[i]; i++)
		free(d->write_paths[i]);
	loop_timer_free(d->stats_timer);
	query_log_free(d->log);
	stats_file_free(d->stats_file);
	loop_free(d->loop);
	free(d);
	return NULL;
}
