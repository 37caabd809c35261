/* serve.c - the trap as a whole: what it opens, what it gives up, its doors, its end. */
#include "base/log.h"
#include "base/mem.h"
#include "io/daemon.h"
#include "io/sandbox.h"
#include "mail/charset.h"
#include "trapd/internal.h"
#include "trapd/secret.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#define STOP_WITHIN_MS 5000
#define ACCEPTS_PER_EVENT 64
#define OTHER_FILES 64 /* besides sessions: doors, listd, the log, what libraries open */
#define NO_FILES_PAUSE_MS 200

static bool doors_open(struct trapd *t, struct err *err)
{
	const struct strings *listen = &t->config->trapd.listen;

	t->doors = mem_new(listen->count + 1, sizeof *t->doors);
	for (size_t i = 0; i < listen->count; i++) {
		struct door *door = &t->doors[i];
		struct socket_address address;

		*door = (struct door){.trapd = t, .fd = -1};
		if (!socket_address_parse(slice_str(listen->items[i]), &address, err))
			return err_prefix(err, "trapd: listen: ");
		door->lmtp = address.storage.ss_family == AF_UNIX;
		door->fd = socket_listen(&address, err);
		if (door->fd < 0)
			return false;
		t->door_count++;
	}
	return true;
}

/* Each session is an open file; ask the system for as many as the configuration wants. */
static void allow_sessions(struct trapd *t)
{
	struct rlimit limit;
	rlim_t want = (rlim_t)t->config->trapd.max_sessions + OTHER_FILES;

	t->max_connections = (size_t)t->config->trapd.max_sessions;
	if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur >= want)
		return;
	limit.rlim_cur = limit.rlim_max == RLIM_INFINITY ? want : MIN(want, limit.rlim_max);
	if (setrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur < want) {
		t->max_connections = limit.rlim_cur > 2 * OTHER_FILES ? limit.rlim_cur - OTHER_FILES
								      : OTHER_FILES;
		log_event(LOG_WARN, "trap.limit", "limit=open-files sessions=%zu wanted=%ld",
			t->max_connections, t->config->trapd.max_sessions);
	}
}

static struct tls_server *tls_open(const struct config_trapd *c, struct err *err)
{
	if (c->tls_certificate[0] || c->tls_key[0])
		return tls_server_new(c->tls_certificate, c->tls_key, err);
	return tls_server_selfsigned(c->host_name, err);
}

struct trapd *trapd_open(const struct config *config, struct err *err)
{
	struct trapd *t = mem_new(1, sizeof *t);
	uint8_t key[16];

	t->config = config;
	t->psl = psl_latest(
		NULL); /* the distribution's file where it is newer than the library's list */
	if (!secret_load(config->trapd.secret_file, key, err)
		|| !observer_init(&t->observer, &config->trapd, key, t->psl, err)
		|| !doors_open(t, err) || !(t->tls = tls_open(&config->trapd, err)))
		return trapd_free(t);
	allow_sessions(t);
	charset_prepare(); /* opens files that the sandbox will forbid */
	daemon_notify_open();
	t->peers = peers_new((unsigned)config->trapd.max_sessions_per_ip);
	return t;
}

struct trapd *trapd_free(struct trapd *t)
{
	if (!t)
		return NULL;
	for (size_t i = 0; i < t->door_count; i++)
		if (t->doors[i].fd >= 0)
			close(t->doors[i].fd);
	free(t->doors);
	tls_server_free(t->tls);
	peers_free(t->peers);
	observer_done(&t->observer);
	psl_free(t->psl);
	free(t);
	return NULL;
}

bool trapd_enter_sandbox(struct trapd *t, struct err *err)
{
	/* connects: to listd again, should it start anew. */
	struct sandbox_needs needs = {.user = t->config->trapd.user, .connects = true};

	return sandbox_enter(&needs, err);
}

static void refuse(int fd, const struct socket_address *peer, const char *limit)
{
	static const char words[] = "421 4.3.2 Too many connections, try again later\r\n";
	ssize_t n = send(fd, words, sizeof words - 1, MSG_NOSIGNAL | MSG_DONTWAIT);

	log_event(LOG_NOTE, "trap.limit", "peer=%s limit=%s told=%s", socket_address_text(peer).s,
		limit, n > 0 ? "yes" : "no");
	close(fd);
}

static void knock(void *ctx, int listener, unsigned events)
{
	struct door *door = ctx;
	struct trapd *t = door->trapd;
	struct socket_address peer;

	for (int i = 0; i < ACCEPTS_PER_EVENT; i++) {
		int fd = socket_accept(listener, &peer);

		if (fd < 0
			&& (errno == EMFILE || errno == ENFILE || errno == ENOBUFS
				|| errno == ENOMEM)) {
			/* The caller stays in the queue and would wake us at once, for nothing. */
			loop_watch_set(door->watch, 0);
			loop_timer_set(t->door_timer, NO_FILES_PAUSE_MS);
		}
		if (fd < 0)
			return;
		if (t->connection_count >= t->max_connections)
			refuse(fd, &peer, "max-sessions");
		else
			connection_open(t, fd, &peer, door->lmtp);
	}
}

static void reopen_doors(void *ctx)
{
	struct trapd *t = ctx;

	for (size_t i = 0; i < t->door_count && !t->stopping; i++)
		loop_watch_set(t->doors[i].watch, LOOP_READ);
}

void trapd_idle(struct trapd *t)
{
	loop_stop(t->loop);
}

static void out_of_patience(void *ctx)
{
	struct trapd *t = ctx;

	log_event(LOG_NOTE, "trap.stop", "sessions=%zu left=cut", t->connection_count);
	connection_abort_all(t); /* the last one to close calls trapd_idle() */
}

static void stop(void *ctx)
{
	struct trapd *t = ctx;

	if (t->stopping)
		return;
	t->stopping = true;
	for (size_t i = 0; i < t->door_count; i++)
		t->doors[i].watch = loop_watch_free(t->doors[i].watch);
	if (!t->connection_count) {
		loop_stop(t->loop);
		return;
	}
	loop_timer_set(t->stop_timer, STOP_WITHIN_MS);
	connection_shutdown_all(t);
}

static void hang_up_signal(void *ctx)
{
	log_event(LOG_NOTE, "trap.reload",
		"taken=no words=\"restart sekisho-trapd to use a new configuration or "
		"certificate\"");
}

void trapd_serve(struct trapd *t)
{
	t->loop = loop_new();
	t->listd = ipc_client_new(t->loop, t->config->socket_path, "trapd");
	t->stop_timer = loop_timer_new(t->loop, out_of_patience, t);
	t->door_timer = loop_timer_new(t->loop, reopen_doors, t);
	loop_on_signal(t->loop, SIGHUP, hang_up_signal, t);
	loop_on_signal(t->loop, SIGTERM, stop, t);
	loop_on_signal(t->loop, SIGINT, stop, t);
	for (size_t i = 0; i < t->door_count; i++) {
		struct socket_address address;

		t->doors[i].watch =
			loop_watch_new(t->loop, t->doors[i].fd, LOOP_READ, knock, &t->doors[i]);
		if (socket_local(t->doors[i].fd, &address))
			log_event(LOG_NOTE, "trap.listen", "address=%s protocol=%s",
				socket_address_text(&address).s,
				t->doors[i].lmtp ? "lmtp" : "smtp");
	}
	daemon_ready();
	loop_run(t->loop);
	for (size_t i = 0; i < t->door_count; i++)
		t->doors[i].watch = loop_watch_free(t->doors[i].watch);
	loop_timer_free(t->stop_timer);
	loop_timer_free(t->door_timer);
	t->listd = ipc_client_free(t->listd);
	delivery_free_all(t);
	t->loop = loop_free(t->loop);
}
