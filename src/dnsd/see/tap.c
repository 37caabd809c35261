/* tap.c - the query log: rings, and the thread that writes what is in them. */
#include "dnsd/see/tap.h"

#include "base/log.h"
#include "base/mem.h"
#include "dns/dnstap.h"
#include "io/clock.h"
#include "io/random.h"
#include "io/socket.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <unistd.h>

#define RING_SIZE ((size_t)1 << 19) /* a power of two, some thousand samples */
#define EVENT_MAX DNSTAP_FRAME_MAX(2 * DNS_MESSAGE_MAX, 256, 64)
#define OUT_MAX RING_SIZE
#define LOOK_MS 100	 /* between looks at rings that were empty */
#define RETRY_MS 1000	 /* between tries to connect */
#define PATIENCE_MS 5000 /* for the reader's part of the protocol */
#define FAREWELL_MS 500	 /* for what is left at the end */

_Static_assert(EVENT_MAX < RING_SIZE, "any event fits an empty ring");

struct taps {
	char *path;
	struct slice identity;
	uint32_t every;
	struct tap **taps;
	size_t count;
	int stop_fd;
	pthread_t thread;
	bool running;
	/* the thread's own */
	int fd;	   /* -1: not connected */
	bool said; /* that it cannot connect */
	struct buf out;
};

/* ---- the side of those who answer ---- */

/* xorshift; evenly from 1 to 2 * every - 1, so that nobody can aim between the samples. */
static uint32_t next_distance(struct tap *t)
{
	t->random ^= t->random << 13;
	t->random ^= t->random >> 7;
	t->random ^= t->random << 17;
	return 1 + (uint32_t)(t->random % (2 * (uint64_t)t->taps->every - 1));
}

static void ring_put(struct tap *t, struct slice s)
{
	uint64_t at = atomic_load_explicit(&t->written, memory_order_relaxed);
	size_t begin = at & (RING_SIZE - 1), first = MIN(s.len, RING_SIZE - begin);

	if (s.len > RING_SIZE - (at - atomic_load_explicit(&t->read, memory_order_acquire))) {
		atomic_fetch_add_explicit(&t->lost, 1, memory_order_relaxed);
		return;
	}
	memcpy(t->ring + begin, s.ptr, first);
	memcpy(t->ring, s.ptr + first, s.len - first);
	atomic_store_explicit(&t->written, at + s.len, memory_order_release);
}

void tap_take(struct tap *t, enum answer_transport transport, const struct ip *peer, uint16_t port,
	struct slice query, struct slice response)
{
	const struct dnstap_event e = {.identity = t->taps->identity,
		.version = SLICE("sekisho " SEKISHO_VERSION),
		.peer = *peer,
		.port = port,
		.tcp = transport == ANSWER_TCP,
		.time_ns = clock_unix_ms() * 1000000,
		.query = query,
		.response = response};

	t->left = next_distance(t);
	buf_reset(&t->event);
	dnstap_write(&t->event, &e);
	if (!t->event.failed)
		ring_put(t, buf_slice(&t->event));
}

/* ---- the side that writes ---- */

/* Moves whole events to t->out; false: there were none. */
static bool collect(struct taps *t)
{
	size_t before = t->out.len;

	for (size_t i = 0; i < t->count; i++) {
		struct tap *tap = t->taps[i];
		uint64_t at = atomic_load_explicit(&tap->read, memory_order_relaxed);
		size_t len =
			(size_t)(atomic_load_explicit(&tap->written, memory_order_acquire) - at);
		size_t begin = at & (RING_SIZE - 1), first = MIN(len, RING_SIZE - begin);
		if (len == 0 || len > OUT_MAX - t->out.len)
			continue;
		buf_add(&t->out, tap->ring + begin, first);
		buf_add(&t->out, tap->ring, len - first);
		atomic_store_explicit(&tap->read, at + len, memory_order_release);
	}
	return t->out.len > before;
}

/* False: the time is over, or we are to stop. */
static bool wait_for(const struct taps *t, int fd, short events, int64_t ms)
{
	struct pollfd p[] = {{.fd = t->stop_fd, .events = POLLIN}, {.fd = fd, .events = events}};

	return poll(p, 2, (int)ms) > 0 && !p[0].revents;
}

static void disconnect(struct taps *t, const char *why)
{
	if (why)
		log_event(LOG_WARN, "dnsd.dnstap", "socket=%s state=lost reason=\"%s\"",
			log_quote(slice_str(t->path)).s, why);
	if (t->fd >= 0)
		close(t->fd);
	t->fd = -1;
	buf_reset(&t->out); /* may begin in the middle of an event */
}

/* Until all of t->out is sent. False: not within the time, stopped, or the reader is gone. */
static bool send_out(struct taps *t, int64_t ms)
{
	int64_t deadline = clock_mono_ms() + ms;

	while (t->out.len) {
		ssize_t n = send(t->fd, t->out.ptr, t->out.len, MSG_NOSIGNAL | MSG_DONTWAIT);
		if (n > 0)
			buf_consume(&t->out, (size_t)n);
		else if (errno != EAGAIN && errno != EINTR)
			return false;
		else if (clock_mono_ms() >= deadline
			 || !wait_for(t, t->fd, POLLOUT, deadline - clock_mono_ms()))
			return false;
	}
	return true;
}

/* Waits for that control frame and nothing else. */
static bool expect(struct taps *t, enum dnstap_control wanted, int64_t ms)
{
	uint8_t bytes[8 + DNSTAP_CONTROL_MAX];
	int64_t deadline = clock_mono_ms() + ms;
	enum dnstap_control got;
	size_t len = 0;

	for (;;) {
		int rc = dnstap_read_control(slice_of(bytes, len), &got);
		if (rc != 0)
			return rc > 0 && (size_t)rc == len && got == wanted;
		if (!wait_for(t, t->fd, POLLIN, MAX(deadline - clock_mono_ms(), 0)))
			return false;
		ssize_t n = recv(t->fd, bytes + len, sizeof bytes - len, MSG_DONTWAIT);
		if (n <= 0)
			return false;
		len += (size_t)n;
	}
}

static bool connect_reader(struct taps *t)
{
	struct buf address = BUF_INIT(256);
	struct socket_address a;
	struct err err = {.text = ""};
	bool ok;

	buf_addf(&address, "unix:%s", t->path);
	ok = socket_address_parse(buf_slice(&address), &a, &err);
	buf_done(&address);
	t->fd = ok ? socket_connect_stream(&a, &err) : -1;
	if (t->fd < 0) {
		if (!t->said)
			log_event(LOG_WARN, "dnsd.dnstap", "socket=%s state=waiting reason=%s",
				log_quote(slice_str(t->path)).s, log_quote(slice_str(err.text)).s);
		t->said = true;
		return false;
	}
	buf_reset(&t->out);
	dnstap_write_control(&t->out, DNSTAP_READY);
	ok = send_out(t, PATIENCE_MS) && expect(t, DNSTAP_ACCEPT, PATIENCE_MS);
	if (!ok) {
		disconnect(t, t->said ? NULL : "it does not accept");
		t->said = true;
		return false;
	}
	dnstap_write_control(&t->out, DNSTAP_START);
	log_event(LOG_NOTE, "dnsd.dnstap", "socket=%s state=connected",
		log_quote(slice_str(t->path)).s);
	t->said = false;
	return true;
}

static void say_goodbye(struct taps *t)
{
	uint64_t stopped;

	if (read(t->stop_fd, &stopped, sizeof stopped) < 0) /* so that waits wait again */
		return;
	if (t->fd < 0)
		return;
	collect(t);
	dnstap_write_control(&t->out, DNSTAP_STOP);
	if (send_out(t, FAREWELL_MS))
		expect(t, DNSTAP_FINISH, FAREWELL_MS);
	disconnect(t, NULL);
}

static bool stopping(const struct taps *t)
{
	struct pollfd p = {.fd = t->stop_fd, .events = POLLIN};

	return poll(&p, 1, 0) > 0;
}

static void *run(void *ctx)
{
	struct taps *t = ctx;

	while (!stopping(t)) {
		if (t->fd < 0 && !connect_reader(t)) {
			wait_for(t, -1, 0, RETRY_MS);
			continue;
		}
		if (!collect(t) && t->out.len == 0) {
			wait_for(t, -1, 0, LOOK_MS);
			continue;
		}
		while (!send_out(t, PATIENCE_MS) && !stopping(t))
			if (errno != EAGAIN && errno != EINTR) {
				disconnect(t, "the reader is gone");
				break;
			}
	}
	say_goodbye(t);
	return NULL;
}

/* ---- all of it ---- */

struct taps *taps_new(const struct config_dnsd *config, size_t threads)
{
	struct taps *t;

	if (!config->dnstap[0])
		return NULL;
	t = mem_new(1, sizeof *t);
	t->path = config->dnstap;
	t->identity = slice_take(slice_str(config->nsid), 256);
	t->every = (uint32_t)config->dnstap_sample;
	t->fd = -1;
	t->stop_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	t->out = BUF_INIT(OUT_MAX + 64);
	t->count = threads;
	t->taps = mem_new(threads + 1, sizeof *t->taps);
	for (size_t i = 0; i < threads; i++) {
		struct tap *tap = aligned_alloc(64, sizeof *tap);
		if (!tap)
			abort();
		memset(tap, 0, sizeof *tap);
		tap->taps = t;
		tap->event = BUF_INIT(EVENT_MAX);
		tap->ring = mem_new(1, RING_SIZE);
		random_bytes(&tap->random, sizeof tap->random);
		tap->random |= 1;
		tap->left = next_distance(tap);
		t->taps[i] = tap;
	}
	return t;
}

struct tap *taps_get(struct taps *t, size_t thread)
{
	return t ? t->taps[thread] : NULL;
}

bool taps_start(struct taps *t, struct err *err)
{
	sigset_t all, old;

	if (!t)
		return true;
	sigfillset(&all); /* signals are for the loop */
	pthread_sigmask(SIG_SETMASK, &all, &old);
	errno = pthread_create(&t->thread, NULL, run, t);
	t->running = errno == 0;
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	return t->running ? true : err_errno(err, "cannot start a thread");
}

uint64_t taps_lost(const struct taps *t)
{
	uint64_t n = 0;

	for (size_t i = 0; t && i < t->count; i++)
		n += atomic_load_explicit(&t->taps[i]->lost, memory_order_relaxed);
	return n;
}

struct taps *taps_free(struct taps *t)
{
	const uint64_t one = 1;

	if (!t)
		return NULL;
	if (write(t->stop_fd, &one, sizeof one) != sizeof one)
		abort();
	if (t->running)
		pthread_join(t->thread, NULL);
	for (size_t i = 0; i < t->count; i++) {
		buf_done(&t->taps[i]->event);
		free(t->taps[i]->ring);
		free(t->taps[i]);
	}
	free(t->taps);
	buf_done(&t->out);
	close(t->stop_fd);
	free(t);
	return NULL;
}
