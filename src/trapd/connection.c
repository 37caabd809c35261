/* connection.c - one client: PROXY header, SMTP session, TLS, the clock, and the end of it all. */
#include "base/log.h"
#include "base/mem.h"
#include "io/clock.h"
#include "smtp/proxy.h"
#include "trapd/internal.h"

#include <stdlib.h>

#define IN_MAX ((size_t)64 * 1024)
#define OUT_MAX ((size_t)256 * 1024)
#define LAST_WORDS_MS 10000 /* for a client that does not take our last reply */
#define MAX_ERRORS 20
#define MAX_JUNK 100
#define MAX_MAILS 1000

struct connection {
	struct connection *next, **link;
	struct trapd *trapd;
	struct stream *stream;
	struct smtp_session *session; /* NULL until the PROXY header, if one is due, was read */
	struct loop_timer *timer;
	struct ip ip; /* of the client; family 0: a Unix socket */
	uint16_t port;
	bool lmtp, counted, closing;
	struct delivery *delivery; /* a mail that waits for listd */
	unsigned mails;
	size_t held;	 /* as counted in trapd.held */
	const char *why; /* the session's own word for its end */
};

static bool prefixes_contain(const struct prefixes *p, const struct ip *ip)
{
	for (size_t i = 0; i < p->count; i++)
		if (prefix_contains(&p->items[i], ip))
			return true;
	return false;
}

static enum smtp_rcpt recipient(void *ctx, const struct smtp_path *to)
{
	struct connection *c = ctx;

	return observer_recipient(&c->trapd->observer, to);
}

static void session_begin(struct connection *c)
{
	const struct config_trapd *config = &c->trapd->config->trapd;
	struct smtp_settings settings = {
		.host_name = config->host_name,
		.lmtp = c->lmtp,
		.starttls = c->trapd->tls != NULL,
		.max_size = (size_t)config->max_size,
		.max_recipients = (unsigned)config->max_recipients,
		.max_errors = MAX_ERRORS,
		.max_junk = MAX_JUNK,
		.max_mails = MAX_MAILS,
		.greet_delay_ms = c->lmtp ? 0 : config->greet_delay_ms,
		.command_ms = (int64_t)config->timeout * 1000,
		.data_ms = (int64_t)config->timeout * 4000,
		.recipient = recipient,
		.ctx = c,
	};

	stream_deadline(c->stream, 0);
	c->session = smtp_session_new(&settings, clock_mono_ms());
}

/* Clients are counted by address, but for our own: relays, balancers and this machine. */
static bool is_counted(const struct connection *c)
{
	static const struct prefix loopback4 = {{4, {127}}, 8}, loopback6 = {{6, {[15] = 1}}, 128};
	const struct config_trapd *config = &c->trapd->config->trapd;

	return c->ip.family && !prefix_contains(&loopback4, &c->ip)
	       && !prefix_contains(&loopback6, &c->ip) && !prefixes_contain(&config->relays, &c->ip)
	       && !prefixes_contain(&config->proxies, &c->ip);
}

/* False: this client has enough sessions; it was told. */
static bool client_enter(struct connection *c)
{
	if (!is_counted(c))
		return true;
	c->counted = peers_enter(c->trapd->peers, &c->ip);
	if (c->counted)
		return true;
	log_event(LOG_NOTE, "trap.limit", "peer=%s limit=max-sessions-per-ip", ip_text(&c->ip).s);
	stream_write(c->stream, SLICE("421 4.7.0 Too many connections from your address\r\n"));
	stream_finish(c->stream);
	stream_deadline(c->stream, LAST_WORDS_MS);
	return false;
}

static void send_out(struct connection *c, struct buf *out)
{
	stream_write(c->stream, buf_slice(out));
	buf_reset(out);
}

static void hang_up(struct connection *c, const char *why)
{
	c->why = why;
	if (c->delivery) /* its answer will not be heard */
		delivery_forget_client(c->delivery);
	c->delivery = NULL;
	loop_timer_stop(c->timer);
	stream_finish(c->stream);
	stream_deadline(c->stream, LAST_WORDS_MS);
}

static void set_timer(struct connection *c)
{
	int64_t deadline = smtp_session_deadline(c->session), now = clock_mono_ms();

	if (deadline == INT64_MAX)
		loop_timer_stop(c->timer);
	else
		loop_timer_set(c->timer, deadline > now ? deadline - now : 0);
}

/* Many clients with a big mail each must not fill the memory: whoever brings the sum over the limit goes. */
static void count_held(struct connection *c, struct buf *out)
{
	struct trapd *t = c->trapd;
	size_t held = smtp_session_held(c->session);

	t->held += held - c->held;
	if (held > c->held && t->held > (size_t)t->config->trapd.max_memory) {
		log_event(LOG_WARN, "trap.limit", "peer=%s limit=max-memory",
			c->ip.family ? ip_text(&c->ip).s : "local");
		smtp_session_end(c->session, "4.3.1", "too much mail at once", "limit", out);
		t->held -= held;
		held = smtp_session_held(c->session);
		t->held += held;
	}
	c->held = held;
}

/* What the session wants done, after bytes, time or an answer. */
static void pump(struct connection *c, struct buf *out)
{
	struct smtp_event e;

	while (smtp_session_next_event(c->session, &e)) {
		send_out(c, out);
		if (e.kind == SMTP_EVENT_MAIL) {
			c->mails++;
			c->delivery = delivery_start(c->trapd, c, e.mail, &c->ip, c->port);
			smtp_session_drop_content(c->session);
		} else if (e.kind == SMTP_EVENT_STARTTLS) {
			stream_start_tls(c->stream, c->trapd->tls);
			smtp_session_tls(c->session, clock_mono_ms());
		} else if (e.kind == SMTP_EVENT_CLOSE) {
			hang_up(c, e.why);
			return;
		}
	}
	count_held(c, out);
	send_out(c, out);
	if (smtp_session_next_event(c->session, &e)) { /* over the limit */
		hang_up(c, e.why);
		return;
	}
	stream_pause(c->stream, !smtp_session_wants_input(c->session));
	set_timer(c);
}

static void timer(void *ctx)
{
	struct connection *c = ctx;
	_cleanup_buf_ struct buf out = BUF_INIT(OUT_MAX);

	smtp_session_tick(c->session, clock_mono_ms(), &out);
	pump(c, &out);
}

/* Bytes of the PROXY header; then the client is who it says. */
static size_t read_proxy(struct connection *c, struct slice bytes)
{
	struct proxy_header h;
	struct err err;

	switch (proxy_parse(bytes, &h, &err)) {
	case PROXY_MORE:
		return 0;
	case PROXY_BAD:
		log_event(LOG_WARN, "trap.proxy", "peer=%s error=%s", ip_text(&c->ip).s,
			log_quote(slice_str(err.text)).s);
		stream_abort(c->stream);
		return bytes.len;
	case PROXY_DONE:
		break;
	}
	if (!h.local) {
		c->ip = h.source;
		c->port = h.source_port;
	}
	if (client_enter(c)) {
		session_begin(c);
		set_timer(c);
	}
	return h.size;
}

static size_t input(void *ctx, struct slice bytes)
{
	struct connection *c = ctx;
	_cleanup_buf_ struct buf out = BUF_INIT(OUT_MAX);

	if (!c->session)
		return read_proxy(c, bytes);
	smtp_session_feed(c->session, bytes, clock_mono_ms(), &out);
	pump(c, &out);
	return bytes.len;
}

static void closed(void *ctx, const char *why)
{
	struct connection *c = ctx;
	struct trapd *t = c->trapd;

	log_event(LOG_DEBUG, "trap.close", "peer=%s mails=%u why=%s",
		c->ip.family ? ip_text(&c->ip).s : "local", c->mails, c->why ? c->why : why);
	if (c->delivery)
		delivery_forget_client(c->delivery);
	if (c->counted)
		peers_leave(t->peers, &c->ip);
	if (c->next)
		c->next->link = c->link;
	*c->link = c->next;
	t->connection_count--;
	t->held -= c->held;
	smtp_session_free(c->session);
	loop_timer_free(c->timer);
	free(c);
	if (t->stopping && !t->connection_count)
		trapd_idle(t);
}

static const struct stream_handler handler = {input, closed};

void connection_open(struct trapd *t, int fd, const struct socket_address *peer, bool lmtp)
{
	struct connection *c = mem_new(1, sizeof *c);

	*c = (struct connection){
		.trapd = t, .lmtp = lmtp, .next = t->connections, .link = &t->connections};
	if (c->next)
		c->next->link = &c->next;
	t->connections = c;
	t->connection_count++;
	c->ip = socket_address_ip(peer, &c->port);
	c->timer = loop_timer_new(t->loop, timer, c);
	c->stream = stream_new(t->loop, fd, IN_MAX, OUT_MAX, &handler, c);
	if (c->ip.family && prefixes_contain(&t->config->trapd.proxies, &c->ip)) {
		stream_deadline(c->stream, (int64_t)t->config->trapd.timeout * 1000);
		return;
	}
	if (client_enter(c)) {
		session_begin(c);
		set_timer(c);
	}
}

void connection_shutdown(struct connection *c)
{
	_cleanup_buf_ struct buf out = BUF_INIT(OUT_MAX);

	c->closing = true;
	if (c->delivery)
		return;
	if (!c->session) {
		stream_abort(c->stream);
		return;
	}
	smtp_session_end(c->session, "4.3.2", "going down", "shutdown", &out);
	pump(c, &out);
}

void connection_shutdown_all(struct trapd *t)
{
	for (struct connection *c = t->connections, *next; c; c = next) {
		next = c->next;
		connection_shutdown(c);
	}
}

void connection_abort_all(struct trapd *t)
{
	for (struct connection *c = t->connections; c; c = c->next)
		stream_abort(c->stream);
}

void connection_answer(struct connection *c, bool accepted, const char *uid)
{
	_cleanup_buf_ struct buf out = BUF_INIT(OUT_MAX);

	c->delivery = NULL;
	smtp_session_answer(c->session, accepted ? SMTP_ACCEPTED : SMTP_TEMPFAIL,
		slice_take(slice_str(uid), 12), clock_mono_ms(), &out);
	pump(c, &out);
	if (c->closing)
		connection_shutdown(c);
}
