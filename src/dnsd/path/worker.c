/* worker.c - one thread, one UDP socket: recvmmsg, answer, sendmmsg. */
#include "dnsd/path/worker.h"

#include "base/mem.h"
#include "dnsd/see/query_log.h"
#include "dnsd/answer/limit.h"
#include "io/clock.h"

#include <errno.h>
#include <linux/filter.h>
#include <netinet/in.h>
#include <pthread.h>
#include <signal.h>
#include <sys/socket.h>
#include <fcntl.h>
#include <unistd.h>

#define BATCH 64
#define QUERY_SIZE 1536		/* longer ones than a frame holds are no questions */
#define SOCKET_BUFFER (4 << 20) /* rides out the pauses of a busy machine */
#define CONTROL_SIZE (CMSG_SPACE(sizeof(struct in6_pktinfo)) + CMSG_SPACE(sizeof(struct timespec)))

struct slot {
	struct sockaddr_storage peer;
	_Alignas(struct cmsghdr) char control[CONTROL_SIZE];
	struct iovec in, out;
};

struct worker {
	int fd;
	bool wildcard; /* bound to any address: the reply must leave from the one that was asked */
	pthread_t thread;
	bool running;
	atomic_bool stop;
	_Atomic(struct served *) *served;
	const struct identity *identity;
	struct limits *limits;
	struct grace_reader *reader;
	struct tap *tap;
	struct watch *watch;
	struct stats *stats;
	struct query_log *log; /* NULL: none */
	int64_t now_s;	       /* of the batch */
	struct rrsig_cache *rrsigs;
	struct mmsghdr in[BATCH], out[BATCH];
	struct slot slots[BATCH];
	struct answer_job jobs[BATCH];
	uint8_t queries[BATCH][QUERY_SIZE];
	uint8_t replies[BATCH][ANSWER_SIZE_UDP];
};

static bool is_wildcard(const struct socket_address *a)
{
	struct ip ip = socket_address_ip(a, NULL);
	static const uint8_t zero[16];

	return memcmp(ip.bytes, zero, sizeof zero) == 0;
}

static void set_options(int fd, int family, bool wildcard)
{
	int size = SOCKET_BUFFER, on = 1, mode = IP_PMTUDISC_OMIT;

	/* As much as the system lets us: the second call is refused without CAP_NET_ADMIN. */
	setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof size);
	setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof size);
	setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof size);
	setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof size);
	/* Forged "fragmentation needed" messages must not make us fragment (RFC 9715). */
	if (family == AF_INET)
		setsockopt(fd, IPPROTO_IP, IP_MTU_DISCOVER, &mode, sizeof mode);
	if (wildcard && family == AF_INET)
		setsockopt(fd, IPPROTO_IP, IP_PKTINFO, &on, sizeof on);
	if (wildcard && family == AF_INET6)
		setsockopt(fd, IPPROTO_IPV6, IPV6_RECVPKTINFO, &on, sizeof on);
	/* The thread waits in recvmmsg() itself: one system call less than poll() for a single query. */
	fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) & ~O_NONBLOCK);
}

struct worker *worker_new(
	const struct socket_address *address, unsigned signatures_per_second, struct err *err)
{
	struct worker *w;
	int fd = socket_bind_udp(address, true, err);

	if (fd < 0)
		return NULL;
	w = mem_new(1, sizeof *w);
	w->fd = fd;
	if (signatures_per_second)
		w->rrsigs = rrsig_cache_new(signatures_per_second);
	w->wildcard = is_wildcard(address);
	w->stats = aligned_alloc(64, sizeof *w->stats);
	if (!w->stats)
		abort();
	memset(w->stats, 0, sizeof *w->stats);
	set_options(fd, address->storage.ss_family, w->wildcard);
	for (unsigned i = 0; i < BATCH; i++) {
		struct slot *s = &w->slots[i];
		s->in = (struct iovec){w->queries[i], QUERY_SIZE};
		s->out = (struct iovec){w->replies[i], 0};
		w->jobs[i].message.ptr = (const char *)w->queries[i];
		w->jobs[i].out = w->replies[i];
		w->in[i].msg_hdr =
			(struct msghdr){.msg_name = &s->peer, .msg_iov = &s->in, .msg_iovlen = 1};
	}
	return w;
}

/* The kernel has shortened these to what the last batch needed. */
static void rearm(struct worker *w, unsigned n)
{
	bool control = w->wildcard || watch_on(w->watch); /* which address was asked; when */

	for (unsigned i = 0; i < n; i++) {
		struct msghdr *m = &w->in[i].msg_hdr;
		m->msg_namelen = sizeof w->slots[i].peer;
		m->msg_control = control ? w->slots[i].control : NULL;
		m->msg_controllen = control ? CONTROL_SIZE : 0;
	}
}

static struct cmsghdr *find_control(struct msghdr *m, int level, int type)
{
	struct cmsghdr *c = CMSG_FIRSTHDR(m);

	while (c && (c->cmsg_level != level || c->cmsg_type != type))
		c = CMSG_NXTHDR(m, c);
	return c;
}

/* The address asked becomes the address that answers; by which interface, the routing table says, except
 * for link-local ones. NULL: not known. */
static struct cmsghdr *aim_back(struct msghdr *m)
{
	struct cmsghdr *c = find_control(m, IPPROTO_IP, IP_PKTINFO);

	if (c) {
		struct in_pktinfo *info = (struct in_pktinfo *)CMSG_DATA(c);
		info->ipi_ifindex = 0;
		return c;
	}
	c = find_control(m, IPPROTO_IPV6, IPV6_PKTINFO);
	if (c) {
		struct in6_pktinfo *info = (struct in6_pktinfo *)CMSG_DATA(c);
		if (!IN6_IS_ADDR_LINKLOCAL(&info->ipi6_addr))
			info->ipi6_ifindex = 0;
	}
	return c;
}

/* Without socket_address_ip(): this happens for every message. */
static struct ip peer_of(const struct slot *s)
{
	struct ip ip = {.family = 4};

	if (s->peer.ss_family == AF_INET) {
		memcpy(ip.bytes, &((const struct sockaddr_in *)&s->peer)->sin_addr, 4);
		return ip;
	}
	ip.family = 6;
	memcpy(ip.bytes, &((const struct sockaddr_in6 *)&s->peer)->sin6_addr, 16);
	return ip_unmap(ip);
}

/* Stands at the same place for both families. */
static uint16_t port_of(const struct slot *s)
{
	return ntohs(((const struct sockaddr_in *)&s->peer)->sin_port);
}

static void answer_batch(struct worker *w, unsigned n)
{
	const struct served *served = atomic_load_explicit(w->served, memory_order_seq_cst);
	struct answer_from from = {.transport = ANSWER_UDP,
		.now_s = clock_unix_ms() / 1000,
		.identity = w->identity,
		.limits = w->limits,
		.rrsigs = w->rrsigs};

	w->now_s = from.now_s;
	for (unsigned i = 0; i < n; i++) {
		w->jobs[i].message.len = w->in[i].msg_len;
		w->jobs[i].peer = peer_of(&w->slots[i]);
	}
	answer_many(served, &from, w->jobs, n);
}

/* The replies that are due, in the order of the questions. */
static unsigned collect_replies(struct worker *w, unsigned n)
{
	unsigned replies = 0;

	for (unsigned i = 0; i < n; i++) {
		struct msghdr *m = &w->in[i].msg_hdr;
		struct answer_job *j = &w->jobs[i];
		struct slot *s = &w->slots[i];

		stats_count(w->stats, j->message.len, j->ret_size, &j->ret_note);
		if (!j->ret_note.key_at) /* a secret */
			tap_note(w->tap, ANSWER_UDP, &j->peer, port_of(s), j->message,
				slice_of(j->out, j->ret_size));
		if (j->ret_size == 0)
			continue;
		if (w->log)
			query_log_add(w->log, &j->peer, w->now_s, j->message,
				slice_of(j->out, j->ret_size), &j->ret_note);
		struct cmsghdr *from = w->wildcard ? aim_back(m) : NULL;
		s->out.iov_len = j->ret_size;
		w->out[replies].msg_hdr = (struct msghdr){.msg_name = m->msg_name,
			.msg_namelen = m->msg_namelen,
			.msg_iov = &s->out,
			.msg_iovlen = 1,
			.msg_control = from,
			.msg_controllen = from ? CMSG_ALIGN(from->cmsg_len) : 0};
		replies++;
	}
	return replies;
}

static void send_batch(struct worker *w, unsigned n)
{
	for (unsigned sent = 0; sent < n;) {
		int rc = sendmmsg(w->fd, w->out + sent, n - sent, 0);
		if (rc > 0) {
			sent += (unsigned)rc;
		} else if (errno != EINTR) { /* no route, filtered, forged source: this one only */
			stats_bump(&w->stats->send_errors, 1);
			sent++;
		}
	}
}

static int64_t ns_of(const struct timespec *t)
{
	return (int64_t)t->tv_sec * 1000000000 + t->tv_nsec;
}

/* Between the kernel's receiving it and now; 0: not known, or the clock was set meanwhile. */
static int64_t latency_of(struct msghdr *m, int64_t now_ns)
{
	const struct cmsghdr *c = find_control(m, SOL_SOCKET, SCM_TIMESTAMPNS);
	struct timespec received;

	if (!c || c->cmsg_len < CMSG_LEN(sizeof received))
		return 0;
	memcpy(&received, CMSG_DATA(c), sizeof received);
	return MAX(now_ns - ns_of(&received), 0);
}

/* Somebody watches: the answers of this batch are out. */
static __attribute__((noinline)) void show(struct worker *w, unsigned n)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	for (unsigned i = 0; i < n; i++) {
		const struct answer_job *j = &w->jobs[i];
		if (watch_turn(w->watch))
			watch_take(w->watch, ANSWER_UDP, &j->peer, j->message, j->ret_size,
				&j->ret_note, latency_of(&w->in[i].msg_hdr, ns_of(&now)));
	}
}

static void *run(void *ctx)
{
	struct worker *w = ctx;
	unsigned used = BATCH;

	while (!atomic_load_explicit(&w->stop, memory_order_relaxed)) {
		rearm(w, used);
		used = 0;
		int n = recvmmsg(w->fd, w->in, BATCH, MSG_WAITFORONE, NULL);
		if (n <= 0)
			continue; /* interrupted, or an ICMP error about an earlier reply */
		used = (unsigned)n;
		grace_enter(w->reader);
		answer_batch(w, used);
		grace_leave(w->reader);
		send_batch(w, collect_replies(w, used));
		if (watch_on(w->watch))
			show(w, used);
	}
	return NULL;
}

bool worker_start(struct worker *w, _Atomic(struct served *) *served,
	const struct identity *identity, const struct limits_setup *limits,
	struct grace_reader *reader, struct tap *tap, struct err *err)
{
	sigset_t all, old;
	int rc;

	w->served = served;
	w->identity = identity;
	w->limits = limits_new(limits);
	w->reader = reader;
	w->tap = tap;
	sigfillset(&all); /* signals are for the loop */
	pthread_sigmask(SIG_SETMASK, &all, &old);
	rc = pthread_create(&w->thread, NULL, run, w);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	errno = rc;
	w->running = rc == 0;
	return w->running ? true : err_errno(err, "cannot start a thread");
}

bool worker_steer(struct worker *w, size_t count)
{
	struct sock_filter by_processor[] = {
		{BPF_LD | BPF_W | BPF_ABS, 0, 0, (uint32_t)(SKF_AD_OFF + SKF_AD_CPU)},
		{BPF_ALU | BPF_MOD | BPF_K, 0, 0, (uint32_t)count},
		{BPF_RET | BPF_A, 0, 0, 0},
	};
	struct sock_fprog program = {3, by_processor};
	int none = 0;

	if (count == 0)
		return setsockopt(w->fd, SOL_SOCKET, SO_DETACH_REUSEPORT_BPF, &none, sizeof none)
		       == 0;
	return setsockopt(w->fd, SOL_SOCKET, SO_ATTACH_REUSEPORT_CBPF, &program, sizeof program)
	       == 0;
}

void worker_watch(struct worker *w, struct watch *watch)
{
	w->watch = watch;
}

void worker_stamp(struct worker *w, bool on)
{
	int value = on;

	setsockopt(w->fd, SOL_SOCKET, SO_TIMESTAMPNS, &value, sizeof value);
}

void worker_log(struct worker *w, struct query_log *log)
{
	w->log = log;
}

const struct stats *worker_stats(const struct worker *w)
{
	return w->stats;
}

struct worker *worker_free(struct worker *w)
{
	if (!w)
		return NULL;
	if (w->running) {
		atomic_store(&w->stop, true);
		shutdown(w->fd, SHUT_RD); /* says ENOTCONN, and wakes the thread all the same */
		pthread_join(w->thread, NULL);
	}
	close(w->fd);
	rrsig_cache_free(w->rrsigs);
	limits_free(w->limits);
	free(w->stats);
	free(w);
	return NULL;
}
