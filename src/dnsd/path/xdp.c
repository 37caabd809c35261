/* xdp.c - AF_XDP: frames in, answer, frames out; one thread for each queue. */
#include "dnsd/path/xdp.h"

#include "base/log.h"
#include "base/mem.h"
#include "dnsd/answer/limit.h"
#include "dnsd/path/frame.h"
#include "io/clock.h"
#include "io/socket.h"
#include "io/xsk.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <unistd.h>

#define BATCH 64

_Static_assert(FRAME_HEADERS_MAX + ANSWER_SIZE_UDP <= XSK_FRAME_OUT_MAX, "answers fit a frame");

/* A question under way: the frame that it came in, and the one that will go. */
struct question {
	struct slice bytes;
	struct frame frame;
	uint8_t *out;
};

struct queue {
	struct xsk *socket;
	int stop_fd; /* ends the thread's poll() */
	pthread_t thread;
	bool running;
	atomic_bool stop;
	_Atomic(struct served *) *served;
	const struct identity *identity;
	struct rrsig_cache *rrsigs; /* NULL: no zone is signed */
	struct limits *limits;
	struct grace_reader *reader;
	struct stats *stats;
	struct tap *tap;
	struct watch *watch;
	struct xsk_frame frames[BATCH];
	struct question questions[BATCH];
	struct answer_job jobs[BATCH];
};

struct xdp {
	struct xsk_filter **filters; /* one for each interface */
	size_t filter_count;
	struct queue **queues; /* of all of them */
	size_t queue_count;
	unsigned signatures_per_second;
	int stop_fd;
};

/* ---- opening ---- */

static size_t matches_of(const struct config_dnsd *c, struct xsk_match *matches, struct err *err)
{
	size_t n = 0;

	for (size_t i = 0; i < c->listen.count && n < XSK_MATCHES_MAX; i++) {
		struct socket_address a;
		if (!socket_address_parse(slice_str(c->listen.items[i]), &a, err))
			return 0;
		matches[n].to = socket_address_ip(&a, &matches[n].port);
		n += matches[n].to.family != 0;
	}
	if (n == 0)
		err_set(err, ERR_MISSING, "`listen` names no address to take questions for");
	return n;
}

static bool open_queue(struct xdp *x, const struct xsk_filter *f, unsigned number, struct err *err)
{
	struct queue *q = mem_new(1, sizeof *q);

	x->queues = mem_resize(x->queues, (x->queue_count + 1) * sizeof *x->queues);
	x->queues[x->queue_count++] = q;
	q->stop_fd = x->stop_fd;
	q->stats = aligned_alloc(64, sizeof *q->stats);
	if (!q->stats)
		abort();
	memset(q->stats, 0, sizeof *q->stats);
	if (x->signatures_per_second)
		q->rrsigs = rrsig_cache_new(x->signatures_per_second);
	q->socket = xsk_open(f, number, err);
	return q->socket != NULL;
}

static bool open_interface(struct xdp *x, const char *name, const struct xsk_match *matches,
	size_t match_count, struct err *err)
{
	struct xsk_filter *f = xsk_filter_attach(name, matches, match_count, err);

	if (!f)
		return err_prefix(err, "dnsd: xdp: %s: ", name);
	x->filters[x->filter_count++] = f;
	for (unsigned i = 0; i < xsk_filter_queues(f); i++)
		if (!open_queue(x, f, i, err))
			return err_prefix(err, "dnsd: xdp: %s: ", name);
	log_event(LOG_NOTE, "dnsd.xdp", "interface=%s queues=%u mode=%s zero_copy=%s", name,
		xsk_filter_queues(f), xsk_filter_in_driver(f) ? "driver" : "generic",
		xsk_zero_copy(x->queues[x->queue_count - 1]->socket) ? "yes" : "no");
	return true;
}

struct xdp *xdp_open(
	const struct config_dnsd *config, unsigned signatures_per_second, struct err *err)
{
	struct xdp *x = mem_new(1, sizeof *x);
	struct xsk_match matches[XSK_MATCHES_MAX];
	size_t match_count = 0;

	x->signatures_per_second = signatures_per_second;
	x->stop_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	x->filters = mem_new(config->xdp.count + 1, sizeof(struct xsk_filter *));
	if (config->xdp.count && (match_count = matches_of(config, matches, err)) == 0)
		return err_prefix(err, "dnsd: xdp: "), xdp_free(x);
	for (size_t i = 0; i < config->xdp.count; i++)
		if (!open_interface(x, config->xdp.items[i], matches, match_count, err))
			return xdp_free(x);
	return x;
}

size_t xdp_thread_count(const struct xdp *x)
{
	return x->queue_count;
}

const struct stats *xdp_stats(const struct xdp *x, size_t thread)
{
	return x->queues[thread]->stats;
}

size_t xdp_interface_count(const struct xdp *x)
{
	return x->filter_count;
}

struct xdp_interface xdp_interface(const struct xdp *x, size_t i)
{
	size_t queue = 0;

	for (size_t k = 0; k < i; k++)
		queue += xsk_filter_queues(x->filters[k]);
	return (struct xdp_interface){xsk_filter_queues(x->filters[i]),
		xsk_filter_in_driver(x->filters[i]), xsk_zero_copy(x->queues[queue]->socket)};
}

uint64_t xdp_lost(const struct xdp *x)
{
	uint64_t n = 0;

	for (size_t i = 0; i < x->queue_count; i++)
		n += xsk_drops(x->queues[i]->socket).no_room;
	return n;
}

/* ---- answering ---- */

/* The questions among the frames, each with room for its answer. */
static unsigned take_questions(struct queue *q, unsigned count)
{
	unsigned n = 0;

	for (unsigned i = 0; i < count; i++) {
		struct question *to = &q->questions[n];
		struct answer_job *j = &q->jobs[n];
		to->bytes = slice_of(q->frames[i].ptr, q->frames[i].len);
		if (!frame_parse(to->bytes, &to->frame))
			continue;
		to->out = xsk_room(q->socket);
		if (!to->out) { /* the interface does not keep up */
			stats_count(q->stats, to->frame.payload.len, 0, &(struct answer_note){0});
			stats_bump(&q->stats->send_errors, 1);
			continue;
		}
		j->message = to->frame.payload;
		j->peer = ip_unmap(to->frame.from);
		j->out = to->out + to->frame.headers;
		n++;
	}
	return n;
}

static void queue_answers(struct queue *q, unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		struct question *to = &q->questions[i];
		struct answer_job *j = &q->jobs[i];
		stats_count(q->stats, j->message.len, j->ret_size, &j->ret_note);
		if (!j->ret_note.key_at) /* a secret */
			tap_note(q->tap, ANSWER_UDP, &j->peer, to->frame.port, j->message,
				slice_of(j->out, j->ret_size));
		if (j->ret_size == 0)
			xsk_give_room_back(q->socket, to->out);
		else
			xsk_queue(q->socket, to->out,
				(uint32_t)frame_answer(
					&to->frame, to->bytes, to->out, j->ret_size));
	}
}

/* Somebody watches. When the frames came, nobody noted. */
static __attribute__((noinline)) void show(struct queue *q, unsigned n)
{
	for (unsigned i = 0; i < n; i++) {
		const struct answer_job *j = &q->jobs[i];
		if (watch_turn(q->watch))
			watch_take(q->watch, ANSWER_UDP, &j->peer, j->message, j->ret_size,
				&j->ret_note, 0);
	}
}

static void answer_batch(struct queue *q, unsigned count)
{
	struct answer_from from = {.transport = ANSWER_UDP,
		.now_s = clock_unix_ms() / 1000,
		.identity = q->identity,
		.rrsigs = q->rrsigs,
		.limits = q->limits};
	unsigned n = take_questions(q, count);

	grace_enter(q->reader);
	answer_many(atomic_load_explicit(q->served, memory_order_seq_cst), &from, q->jobs, n);
	grace_leave(q->reader);
	queue_answers(q, n);
	if (watch_on(q->watch))
		show(q, n);
}

/* Sleeps only when nothing waits, so that no call is made for it under load. */
static void *run(void *ctx)
{
	struct queue *q = ctx;
	struct pollfd wait[] = {
		{.fd = xsk_fd(q->socket), .events = POLLIN}, {.fd = q->stop_fd, .events = POLLIN}};

	while (!atomic_load_explicit(&q->stop, memory_order_relaxed)) {
		unsigned n = xsk_receive(q->socket, q->frames, BATCH);
		if (n == 0) {
			poll(wait, 2, -1);
			continue;
		}
		answer_batch(q, n);
		xsk_give_back(q->socket, q->frames, n);
		xsk_send(q->socket);
	}
	return NULL;
}

bool xdp_start(struct xdp *x, _Atomic(struct served *) *served, const struct identity *identity,
	const struct limits_setup *limits, struct grace *g, struct taps *taps,
	struct watches *watches, size_t first, struct err *err)
{
	sigset_t all, old;
	int rc = 0;

	sigfillset(&all); /* signals are for the loop */
	pthread_sigmask(SIG_SETMASK, &all, &old);
	for (size_t i = 0; i < x->queue_count && rc == 0; i++) {
		struct queue *q = x->queues[i];
		q->served = served;
		q->identity = identity;
		q->limits = limits_new(limits);
		q->reader = grace_reader(g, first + i);
		q->tap = taps_get(taps, first + i);
		q->watch = watches_get(watches, first + i);
		rc = pthread_create(&q->thread, NULL, run, q);
		q->running = rc == 0;
	}
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	errno = rc;
	return rc == 0 ? true : err_errno(err, "cannot start a thread");
}

static void free_queue(struct queue *q)
{
	if (q->running)
		pthread_join(q->thread, NULL);
	xsk_close(q->socket);
	rrsig_cache_free(q->rrsigs);
	limits_free(q->limits);
	free(q->stats);
	free(q);
}

struct xdp *xdp_free(struct xdp *x)
{
	const uint64_t one = 1;

	if (!x)
		return NULL;
	for (size_t i = 0; i < x->queue_count; i++)
		atomic_store(&x->queues[i]->stop, true);
	if (write(x->stop_fd, &one, sizeof one) != sizeof one && x->queue_count)
		abort();
	for (size_t i = 0; i < x->queue_count; i++)
		free_queue(x->queues[i]);
	free(x->queues);
	for (size_t i = 0; i < x->filter_count; i++)
		xsk_filter_detach(x->filters[i]);
	free(x->filters);
	close(x->stop_fd);
	free(x);
	return NULL;
}
