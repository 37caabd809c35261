/* gate.c - opens the doors and lets mail servers in. */
#include "gated/gate.h"

#include "base/log.h"
#include "base/mem.h"
#include "gated/door.h"
#include "io/daemon.h"
#include "io/sandbox.h"
#include "io/socket.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define DOORS_MAX 32
/* A mail server holds one connection for each of its SMTP sessions, rarely over a few hundred. */
#define SESSIONS_MAX 4000
#define ACCEPTS_AT_ONCE 64

struct door {
	struct gate *gate;
	int fd;
	struct loop_watch *watch;
	void (*accept)(struct door_house *h, int fd);
};

struct gate {
	const struct config *config;
	struct door_house house;
	struct door doors[DOORS_MAX];
	size_t door_count;
};

void session_begin(struct session *s, struct door_house *h, void (*free_fn)(struct session *s))
{
	s->house = h;
	s->free = free_fn;
	LIST_INSERT_HEAD(&h->sessions, s, link);
	h->session_count++;
}

void session_end(struct session *s)
{
	LIST_REMOVE(s, link);
	s->house->session_count--;
	s->judgement = judgement_free(s->judgement);
	s->free(s);
}

void verdict_log(const char *door, const struct ip *client, const struct verdict *v,
	int64_t took_ms, struct slice helo, struct slice sender, struct slice recipient)
{
	log_event(LOG_INFO, "gate.verdict",
		"door=%s client=%s action=%s score=%ld lists=\"%s\" asked=%u silent=%u ms=%lld "
		"helo=%s from=%s to=%s",
		door, ip_text(client).s, verdict_action_text(v->action), v->score, v->lists,
		v->asked, v->silent, (long long)took_ms, log_quote(helo).s, log_quote(sender).s,
		log_quote(recipient).s);
}

static void door_readable(void *ctx, int fd, unsigned events)
{
	struct door *d = ctx;
	struct socket_address peer;

	for (int i = 0; i < ACCEPTS_AT_ONCE; i++) {
		int c = socket_accept(fd, &peer);

		if (c < 0)
			return;
		if (d->gate->house.session_count >= SESSIONS_MAX) {
			/* The mail server goes on without us, as it is told to (default_action). */
			log_event(LOG_WARN, "gate.full", "sessions=%d", SESSIONS_MAX);
			close(c);
			continue;
		}
		d->accept(&d->gate->house, c);
	}
}

static bool door_open(struct gate *g, const char *address,
	void (*accept_fn)(struct door_house *h, int fd), struct err *err)
{
	struct door *d = &g->doors[g->door_count];
	struct socket_address a;

	if (g->door_count == DOORS_MAX)
		return err_set(err, ERR_LIMIT, "gated: more than %d doors", DOORS_MAX);
	if (!socket_address_parse(slice_str(address), &a, err))
		return err_prefix(err, "gated: ");
	d->fd = socket_listen(&a, err);
	if (d->fd < 0)
		return err_prefix(err, "gated: ");
	/* The mail server is another user; its folder says who may come near. */
	if (strncmp(address, "unix:", 5) == 0 && chmod(address + 5, 0666) != 0) {
		close(d->fd);
		return err_errno(err, "gated: cannot let the mail server use %s", address + 5);
	}
	d->gate = g;
	d->accept = accept_fn;
	d->watch = loop_watch_new(g->house.loop, d->fd, LOOP_READ, door_readable, d);
	g->door_count++;
	return true;
}

/* RFC 5322, 3.6.8: printable, no colon, no blank. */
static bool header_is_good(const char *name)
{
	for (const char *p = name; *p; p++)
		if (*p <= ' ' || *p > '~' || *p == ':')
			return false;
	return name[0] && strlen(name) <= 76;
}

static bool gate_open_all(struct gate *g, struct err *err)
{
	const struct config_gated *c = &g->config->gated;

	if (!header_is_good(c->header))
		return err_set(err, ERR_SYNTAX,
			"gated: header \"%s\" is no name of a header line: write one like "
			"\"X-Sekisho\"",
			c->header);
	if (c->milter.count + c->policy.count == 0)
		return err_set(err, ERR_MISSING,
			"gated: no door is open: set gated { policy = {\"127.0.0.1:2501\"} } or "
			"milter");
	g->house.judge = judge_new(g->house.loop, c, err);
	if (!g->house.judge)
		return false;
	for (size_t i = 0; i < c->milter.count; i++)
		if (!door_open(g, c->milter.items[i], milter_door_accept, err))
			return false;
	for (size_t i = 0; i < c->policy.count; i++)
		if (!door_open(g, c->policy.items[i], policy_door_accept, err))
			return false;
	return true;
}

struct gate *gate_open(const struct config *config, struct err *err)
{
	struct gate *g = mem_new(1, sizeof *g);

	g->config = config;
	g->house.config = &config->gated;
	g->house.loop = loop_new();
	LIST_INIT(&g->house.sessions);
	daemon_notify_open();
	return gate_open_all(g, err) ? g : gate_free(g);
}

bool gate_enter_sandbox(struct gate *g, struct err *err)
{
	const struct sandbox_needs needs = {.user = g->config->gated.user, .connects = true};

	return sandbox_enter(&needs, err);
}

static void gate_stop(void *ctx)
{
	loop_stop(ctx);
}

void gate_serve(struct gate *g)
{
	loop_on_signal(g->house.loop, SIGTERM, gate_stop, g->house.loop);
	loop_on_signal(g->house.loop, SIGINT, gate_stop, g->house.loop);
	log_event(LOG_NOTE, "gate.start", "doors=%zu lists=%zu version=" SEKISHO_VERSION,
		g->door_count, g->config->gated.list_count);
	daemon_ready();
	loop_run(g->house.loop);
	log_event(LOG_NOTE, "gate.stop", "sessions=%zu", g->house.session_count);
}

struct gate *gate_free(struct gate *g)
{
	struct session *s, *next;

	if (!g)
		return NULL;
	for (size_t i = 0; i < g->door_count; i++) {
		loop_watch_free(g->doors[i].watch);
		close(g->doors[i].fd);
	}
	/* A mail server goes on without us. */
	for (s = LIST_FIRST(&g->house.sessions); s; s = next) {
		next = LIST_NEXT(s, link);
		stream_abort(s->stream);
	}
	while (!LIST_EMPTY(&g->house.sessions))
		loop_run_due(g->house.loop);
	judge_free(g->house.judge);
	loop_free(g->house.loop);
	free(g);
	return NULL;
}
