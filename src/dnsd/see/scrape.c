/* scrape.c - HTTP for the metrics. */
#include "dnsd/see/scrape.h"

#include "base/mem.h"
#include "io/socket.h"
#include "io/stream.h"

#include <unistd.h>

#define VISITORS_MAX 16
#define REQUEST_MAX 8193 /* one more than metrics_request_parse() waits for */
#define PATIENCE_MS 10000

struct scrape {
	struct loop *loop;
	void (*fill)(void *ctx, struct metrics *m);
	void *ctx;
	int fd;
	struct loop_watch *watch;
	struct visitor *visitors;
	size_t visitor_count;
};

struct visitor {
	struct scrape *scrape;
	struct visitor *next, **link;
	struct stream *stream;
	bool answered;
};

static void write_head(struct stream *to, const char *status, size_t len)
{
	struct buf b = BUF_INIT(512);

	buf_addf(&b,
		"HTTP/1.1 %s\r\nContent-Type: text/plain; version=0.0.4; charset=utf-8\r\n"
		"Content-Length: %zu\r\nConnection: close\r\n\r\n",
		status, len);
	stream_write(to, buf_slice(&b));
	buf_done(&b);
}

static void write_metrics(struct visitor *v, bool body)
{
	struct buf text = BUF_INIT(METRICS_TEXT_MAX);
	struct metrics *m = aligned_alloc(_Alignof(struct metrics), sizeof *m);

	if (!m)
		abort();
	memset(m, 0, sizeof *m);
	v->scrape->fill(v->scrape->ctx, m);
	metrics_text(m, &text);
	write_head(v->stream, text.failed ? "500 Too much" : "200 OK", text.len);
	if (body)
		stream_write(v->stream, buf_slice(&text));
	free(m->data);
	free(m);
	buf_done(&text);
}

static size_t input(void *ctx, struct slice bytes)
{
	struct visitor *v = ctx;
	enum metrics_request request = metrics_request_parse(bytes);

	if (v->answered)
		return bytes.len;
	if (request == METRICS_MORE)
		return 0;
	if (request == METRICS_GET || request == METRICS_HEAD)
		write_metrics(v, request == METRICS_GET);
	else
		write_head(v->stream,
			request == METRICS_BAD	       ? "400 Bad Request"
			: request == METRICS_NOT_FOUND ? "404 Not Found"
						       : "405 Method Not Allowed",
			0);
	v->answered = true;
	stream_finish(v->stream);
	return bytes.len;
}

static void closed(void *ctx, const char *why)
{
	struct visitor *v = ctx;

	(void)why;
	*v->link = v->next;
	if (v->next)
		v->next->link = v->link;
	v->scrape->visitor_count--;
	free(v);
}

static void accept_visitor(void *ctx, int fd, unsigned events)
{
	static const struct stream_handler handler = {.input = input, .closed = closed};
	struct scrape *s = ctx;
	struct socket_address peer;
	struct visitor *v;
	int visitor_fd = socket_accept(fd, &peer);

	(void)events;
	if (visitor_fd < 0)
		return;
	if (s->visitor_count == VISITORS_MAX) {
		close(visitor_fd);
		return;
	}
	v = mem_new(1, sizeof *v);
	v->scrape = s;
	v->next = s->visitors;
	v->link = &s->visitors;
	if (v->next)
		v->next->link = &v->next;
	s->visitors = v;
	s->visitor_count++;
	v->stream =
		stream_new(s->loop, visitor_fd, REQUEST_MAX, METRICS_TEXT_MAX + 1024, &handler, v);
	stream_deadline(v->stream, PATIENCE_MS);
}

struct scrape *scrape_new(struct loop *l, const char *address,
	void (*fill)(void *ctx, struct metrics *m), void *ctx, struct err *err)
{
	struct scrape *s = mem_new(1, sizeof *s);
	struct socket_address a;

	s->loop = l;
	s->fill = fill;
	s->ctx = ctx;
	s->fd = socket_address_parse(slice_str(address), &a, err) ? socket_listen(&a, err) : -1;
	if (s->fd < 0) {
		err_prefix(err, "dnsd: metrics: ");
		return scrape_free(s);
	}
	s->watch = loop_watch_new(l, s->fd, LOOP_READ, accept_visitor, s);
	return s;
}

struct scrape *scrape_free(struct scrape *s)
{
	if (!s)
		return NULL;
	loop_watch_free(s->watch);
	if (s->fd >= 0)
		close(s->fd);
	for (struct visitor *v = s->visitors; v; v = v->next)
		stream_abort(v->stream);
	loop_run_due(s->loop);
	free(s);
	return NULL;
}
