/* server.c - connections in, answers out. libmicrohttpd polls by epoll; its descriptor is one watch in
 * our loop, so everything runs in one thread. A request that waits for listd or the DNS is suspended
 * there and resumed when its answer is complete. */
#include "webd/server.h"

#include "base/log.h"
#include "base/mem.h"
#include "io/clock.h"
#include "io/socket.h"
#include "webd/negotiate.h"

#include <errno.h>
#include <microhttpd.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#define CONNECTION_MEMORY ((size_t)32 * 1024) /* header and target of one request */
#define IDLE_S 15
#define SWEEP_MS 2000

/* One connection; it lives through several requests. */
struct client {
	struct client *next, *prev;
	int fd;
	bool waits;
	int64_t since_ms; /* of connecting or of the last answer */
	struct server *server;
};

/* One request as libmicrohttpd sees it. */
struct http {
	struct exchange *exchange;
	struct MHD_Connection *connection;
	struct http *next, *prev; /* of all that are suspended */
	struct buf target, body, forwarded_for;
	size_t body_left;
	bool begun, served, suspended;
};

struct server {
	struct webd *webd;
	int listener;
	uint16_t port;
	struct MHD_Daemon *mhd;
	struct loop_watch *watch;
	struct loop_timer *timer, *sweep;
	struct client *clients;
	struct http *suspended;
};

static void server_run(struct server *s)
{
	MHD_UNSIGNED_LONG_LONG wait_ms;

	MHD_run(s->mhd);
	if (MHD_get_timeout(s->mhd, &wait_ms) == MHD_YES)
		loop_timer_set(s->timer, (int64_t)MIN(wait_ms, (MHD_UNSIGNED_LONG_LONG)60000));
	else
		loop_timer_stop(s->timer);
}

static void server_ready(void *ctx, int fd, unsigned events)
{
	server_run(ctx);
}

static void server_timer(void *ctx)
{
	server_run(ctx);
}

/* libmicrohttpd's own timeout starts anew with each byte; this one does not. What waits for listd or
 * the DNS has its own deadlines. */
static void server_sweep(void *ctx)
{
	struct server *s = ctx;
	int64_t oldest_ms = clock_mono_ms() - s->webd->config->webd.request_timeout * 1000;

	for (struct client *c = s->clients; c; c = c->next)
		if (c->since_ms < oldest_ms && !c->waits)
			shutdown(c->fd, SHUT_RDWR);
	loop_timer_set(s->sweep, SWEEP_MS);
}

static void client_changed(void *ctx, struct MHD_Connection *connection, void **socket_ctx,
	enum MHD_ConnectionNotificationCode code)
{
	struct server *s = ctx;
	struct client *c = *socket_ctx;

	if (code == MHD_CONNECTION_NOTIFY_STARTED) {
		const union MHD_ConnectionInfo *info =
			MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);

		c = mem_new(1, sizeof *c);
		*c = (struct client){.next = s->clients,
			.fd = info ? info->connect_fd : -1,
			.since_ms = clock_mono_ms(),
			.server = s};
		if (s->clients)
			s->clients->prev = c;
		s->clients = c;
		*socket_ctx = c;
	} else if (c) {
		if (c->next)
			c->next->prev = c->prev;
		*(c->prev ? &c->prev->next : &s->clients) = c->next;
		free(c);
		*socket_ctx = NULL;
	}
}

static void client_touch(struct MHD_Connection *connection, bool waits)
{
	const union MHD_ConnectionInfo *info =
		MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
	struct client *c = info ? info->socket_context : NULL;

	if (c) {
		c->since_ms = clock_mono_ms();
		c->waits = waits;
	}
}

static struct slice header_of(struct MHD_Connection *connection, const char *name)
{
	return slice_str(MHD_lookup_connection_value(connection, MHD_HEADER_KIND, name));
}

static enum MHD_Result collect_forwarded(
	void *ctx, enum MHD_ValueKind kind, const char *name, const char *value)
{
	struct http *h = ctx;

	if (slice_eq_nocase(slice_str(name), SLICE("X-Forwarded-For")) && value) {
		if (h->forwarded_for.len)
			buf_add_char(&h->forwarded_for, ',');
		buf_add_str(&h->forwarded_for, value);
	}
	return MHD_YES;
}

static void http_fill_request(struct http *h, const char *method)
{
	struct request *r = &h->exchange->request;
	const union MHD_ConnectionInfo *info =
		MHD_get_connection_info(h->connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
	struct socket_address peer = {0};
	struct ip ip = {0};
	uint16_t port;

	r->method = strcmp(method, "GET") == 0 || strcmp(method, "HEAD") == 0 ? METHOD_GET
		    : strcmp(method, "POST") == 0			      ? METHOD_POST
									      : METHOD_OTHER;
	r->accept = header_of(h->connection, MHD_HTTP_HEADER_ACCEPT);
	r->accept_language = header_of(h->connection, MHD_HTTP_HEADER_ACCEPT_LANGUAGE);
	r->content_type = header_of(h->connection, MHD_HTTP_HEADER_CONTENT_TYPE);
	r->origin = header_of(h->connection, MHD_HTTP_HEADER_ORIGIN);
	r->referer = header_of(h->connection, MHD_HTTP_HEADER_REFERER);
	r->json = negotiate_json(r->accept);
	r->host = header_of(h->connection, MHD_HTTP_HEADER_HOST);
	r->fetch_site = header_of(h->connection, "Sec-Fetch-Site");
	MHD_get_connection_values(h->connection, MHD_HEADER_KIND, collect_forwarded, h);
	if (info && info->client_addr && info->client_addr->sa_family != AF_UNIX) {
		peer.len = info->client_addr->sa_family == AF_INET6 ? sizeof(struct sockaddr_in6)
								    : sizeof(struct sockaddr_in);
		memcpy(&peer.storage, info->client_addr, peer.len);
		ip = socket_address_ip(&peer, &port);
	}
	r->client = request_client(&ip,
		h->forwarded_for.failed ? SLICE_EMPTY : buf_slice(&h->forwarded_for),
		&h->exchange->webd->config->webd.trusted_proxies);
}

static const struct {
	const char *name, *value;
} security_headers[] = {
	{"Content-Security-Policy", "default-src 'none'; style-src 'self'; img-src 'self'; "
				    "form-action 'self'; base-uri 'none'; "
				    "frame-ancestors 'none'"},
	{"X-Content-Type-Options", "nosniff"},
	{"Referrer-Policy", "same-origin"},
	{"Cross-Origin-Opener-Policy", "same-origin"},
	{"Cross-Origin-Resource-Policy", "same-origin"},
	{"Permissions-Policy", "interest-cohort=()"},
	{"Vary", "Accept, Accept-Language"},
};

static void header_add(struct MHD_Response *r, const char *name, const char *format, long number)
{
	char value[64];

	snprintf(value, sizeof value, format, number);
	MHD_add_response_header(r, name, value);
}

static enum MHD_Result http_send(struct http *h)
{
	struct answer *a = &h->exchange->answer;
	struct MHD_Response *r;
	enum MHD_Result rc;

	r = MHD_create_response_from_buffer(
		a->body.len, (void *)buf_str(&a->body), MHD_RESPMEM_MUST_COPY);
	if (!r)
		return MHD_NO;
	MHD_add_response_header(r, "Content-Type", a->type);
	for (size_t i = 0; i < ARRAY_LEN(security_headers); i++)
		MHD_add_response_header(r, security_headers[i].name, security_headers[i].value);
	if (a->max_age_s)
		header_add(r, "Cache-Control", "public, max-age=%ld", a->max_age_s);
	else
		MHD_add_response_header(r, "Cache-Control", "no-store");
	if (a->retry_after_s)
		header_add(r, "Retry-After", "%ld", a->retry_after_s);
	if (a->allow)
		MHD_add_response_header(r, "Allow", a->allow);
	rc = MHD_queue_response(h->connection, a->status, r);
	MHD_destroy_response(r);
	return rc;
}

static void http_done(struct exchange *x)
{
	struct http *h = x->http;

	if (!h || !h->suspended)
		return;
	h->suspended = false;
	if (h->next)
		h->next->prev = h->prev;
	*(h->prev ? &h->prev->next : &x->webd->server->suspended) = h->next;
	client_touch(h->connection, false);
	MHD_resume_connection(h->connection);
	/* Not from in here: we may have been called by what the answer frees. */
	loop_timer_set(x->webd->server->timer, 0);
}

static void http_suspend(struct http *h)
{
	struct server *s = h->exchange->webd->server;

	h->suspended = true;
	h->prev = NULL;
	h->next = s->suspended;
	if (s->suspended)
		s->suspended->prev = h;
	s->suspended = h;
	client_touch(h->connection, true);
	MHD_suspend_connection(h->connection);
}

static enum MHD_Result http_refuse(struct http *h, unsigned status)
{
	h->served = true;
	pages_refuse(h->exchange, status);
	return http_send(h);
}

/* Header complete. Sizes are told in advance, or the request is refused unread. */
static enum MHD_Result http_begin(struct http *h, const char *method)
{
	struct slice length = header_of(h->connection, MHD_HTTP_HEADER_CONTENT_LENGTH);
	uint64_t size = 0;

	h->begun = true;
	http_fill_request(h, method);
	h->exchange->answer.body.limit = ANSWER_BODY_MAX;
	if (header_of(h->connection, MHD_HTTP_HEADER_TRANSFER_ENCODING).len)
		return http_refuse(h, 411);
	if (h->exchange->request.method == METHOD_OTHER) {
		h->exchange->answer.allow = "GET, HEAD, POST";
		return http_refuse(h, 405);
	}
	if (h->target.failed)
		return http_refuse(h, 414);
	if (length.len && (!slice_u64(length, REQUEST_BODY_MAX, &size)))
		return http_refuse(h, 413);
	return MHD_YES;
}

static enum MHD_Result http_request(void *ctx, struct MHD_Connection *connection, const char *url,
	const char *method, const char *version, const char *body, size_t *body_size,
	void **request_ctx)
{
	struct http *h = *request_ctx;

	if (!h)
		return MHD_NO;
	if (!h->begun) {
		h->connection = connection;
		return http_begin(h, method);
	}
	if (*body_size) {
		buf_add(&h->body, body, *body_size);
		*body_size = 0;
		return h->body.failed ? MHD_NO : MHD_YES;
	}
	if (!h->served) {
		h->served = true;
		h->exchange->request.body = buf_slice(&h->body);
		pages_serve(h->exchange, buf_slice(&h->target));
		if (!h->exchange->answered) {
			http_suspend(h);
			return MHD_YES;
		}
	}
	return h->exchange->answered ? http_send(h) : MHD_YES;
}

/* The target as it came, before libmicrohttpd decodes it in its own way. */
static void *http_new(void *ctx, const char *target, struct MHD_Connection *connection)
{
	struct server *s = ctx;
	struct http *h = mem_new(1, sizeof *h);

	h->target = BUF_INIT(REQUEST_TARGET_MAX);
	h->body = BUF_INIT(REQUEST_BODY_MAX);
	h->forwarded_for = BUF_INIT(4096);
	buf_add_str(&h->target, target);
	h->exchange = exchange_new(s->webd);
	h->exchange->http = h;
	h->exchange->done = http_done;
	return h;
}

static void http_free(void *ctx, struct MHD_Connection *connection, void **request_ctx,
	enum MHD_RequestTerminationCode code)
{
	struct http *h = *request_ctx;
	struct exchange *x;

	client_touch(connection, false);
	if (!h)
		return;
	x = h->exchange;
	if (x->answered)
		log_event(LOG_INFO, "web.answer", "client=%s status=%u target=%s",
			ip_text(&x->request.client).s, x->answer.status,
			log_quote(buf_slice(&h->target)).s);
	x->http = NULL;
	x->answered = true; /* nobody is there to hear */
	exchange_stop_waiting(x);
	exchange_release(x);
	buf_done(&h->target);
	buf_done(&h->body);
	buf_done(&h->forwarded_for);
	free(h);
	*request_ctx = NULL;
}

static size_t leave_escaped(void *ctx, struct MHD_Connection *connection, char *text)
{
	return strlen(text);
}

static bool server_listen(struct server *s, struct err *err)
{
	const char *listen = s->webd->config->webd.listen;
	struct socket_address at, got;

	if (!socket_address_parse(slice_str(listen), &at, err))
		return err_prefix(err, "webd: listen: ");
	s->listener = socket_listen(&at, err);
	if (s->listener < 0)
		return err_prefix(err, "webd: ");
	if (socket_local(s->listener, &got))
		socket_address_ip(&got, &s->port);
	return true;
}

struct server *server_open(struct webd *w, struct err *err)
{
	struct server *s = mem_new(1, sizeof *s);
	const struct config_webd *c = &w->config->webd;
	const union MHD_DaemonInfo *info;

	s->webd = w;
	s->listener = -1;
	if (!server_listen(s, err))
		return server_free(s);
	s->timer = loop_timer_new(w->loop, server_timer, s);
	s->sweep = loop_timer_new(w->loop, server_sweep, s);
	s->mhd = MHD_start_daemon(MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME, 0, NULL, NULL,
		http_request, s, MHD_OPTION_LISTEN_SOCKET, s->listener, MHD_OPTION_URI_LOG_CALLBACK,
		http_new, s, MHD_OPTION_NOTIFY_COMPLETED, http_free, s,
		MHD_OPTION_NOTIFY_CONNECTION, client_changed, s, MHD_OPTION_UNESCAPE_CALLBACK,
		leave_escaped, NULL, MHD_OPTION_CONNECTION_LIMIT, (unsigned)c->max_connections,
		MHD_OPTION_PER_IP_CONNECTION_LIMIT, (unsigned)c->max_per_ip,
		MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)IDLE_S, MHD_OPTION_CONNECTION_MEMORY_LIMIT,
		CONNECTION_MEMORY, MHD_OPTION_END);
	info = s->mhd ? MHD_get_daemon_info(s->mhd, MHD_DAEMON_INFO_EPOLL_FD) : NULL;
	if (!info) {
		err_set(err, ERR_SYSTEM,
			"webd: libmicrohttpd does not start (epoll, file descriptors?)");
		return server_free(s);
	}
	s->watch = loop_watch_new(w->loop, info->epoll_fd, LOOP_READ, server_ready, s);
	loop_timer_set(s->timer, 0);
	server_sweep(s);
	return s;
}

struct server *server_free(struct server *s)
{
	if (!s)
		return NULL;
	while (s->suspended) {
		struct http *h = s->suspended;

		h->exchange->answer.status = 503;
		h->exchange->answer.type = "text/plain";
		exchange_finish(h->exchange);
	}
	if (s->mhd) {
		MHD_run(s->mhd);
		MHD_stop_daemon(s->mhd); /* closes the listener, too */
	} else if (s->listener >= 0) {
		close(s->listener);
	}
	loop_watch_free(s->watch);
	loop_timer_free(s->timer);
	loop_timer_free(s->sweep);
	free(s);
	return NULL;
}

uint16_t server_port(const struct server *s)
{
	return s->port;
}
