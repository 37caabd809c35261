/* bench_ask.c - questions over UDP on loopback: each once with its reply kept, or as many as a server can
 * take. Calls of many packets each, so that the asking costs less than the answering. */
#include "dnsbench.h"

#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define SOCKETS 16
#define WINDOW 8 /* questions under way on one socket: all fit in any server's receive buffer */
#define REPLY_MAX 4096
#define LOST_AFTER_S 0.5
#define TRIES_MAX 6 /* then a question that is asked once has no reply */

struct asker {
	int fd;
	uint32_t slot[WINDOW]; /* question under way in this slot + 1; 0: free */
	double since[WINDOW];
	unsigned tries[WINDOW];
	unsigned busy;
	unsigned
		round; /* makes the ids of one slot differ, so that a late reply is not taken for the next */
	uint16_t id[WINDOW];
};

static struct asker askers[SOCKETS];
static uint8_t replies[WINDOW][REPLY_MAX];

/* from: NULL or a loopback address to ask from. */
static void open_askers(const char *port, const char *from)
{
	struct sockaddr_in own = {.sin_family = AF_INET};
	struct sockaddr_in to = {
		.sin_family = AF_INET,
		.sin_port = htons((uint16_t)strtoul(port, NULL, 10)),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	int room = 1 << 20;

	if (from && inet_pton(AF_INET, from, &own.sin_addr) != 1)
		fail(from);
	for (int i = 0; i < SOCKETS; i++) {
		askers[i].fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
		setsockopt(askers[i].fd, SOL_SOCKET, SO_RCVBUF, &room, sizeof room);
		if (askers[i].fd < 0
			|| (from && bind(askers[i].fd, (struct sockaddr *)&own, sizeof own) != 0)
			|| connect(askers[i].fd, (struct sockaddr *)&to, sizeof to) != 0)
			fail("socket");
	}
}

/* Sends the question of each slot in slots[0..n). */
static void send_slots(struct asker *a, const struct packets *q, const unsigned slots[], unsigned n)
{
	struct mmsghdr messages[WINDOW] = {0};
	struct iovec parts[WINDOW][2];
	uint8_t ids[WINDOW][2];
	double now = seconds_now();

	for (unsigned i = 0; i < n; i++) {
		unsigned s = slots[i];
		size_t len;
		const uint8_t *wire = packet(q, a->slot[s] - 1, &len);

		a->id[s] = (uint16_t)(a->round++ * WINDOW + s);
		a->since[s] = now;
		ids[i][0] = (uint8_t)(a->id[s] >> 8);
		ids[i][1] = (uint8_t)a->id[s];
		parts[i][0] = (struct iovec){ids[i], 2};
		parts[i][1] = (struct iovec){(void *)(wire + 2), len - 2};
		messages[i].msg_hdr.msg_iov = parts[i];
		messages[i].msg_hdr.msg_iovlen = 2;
	}
	/* What does not leave now counts as lost and is asked again later. */
	if (n && sendmmsg(a->fd, messages, n, 0) < 0 && errno != EAGAIN && errno != ECONNREFUSED)
		fail("sendmmsg");
}

typedef void reply_fn(void *ctx, uint32_t question, const uint8_t *wire, size_t len);

/* Takes replies off one socket; returns how many were awaited ones. */
static unsigned receive(struct asker *a, reply_fn *fn, void *ctx)
{
	struct mmsghdr messages[WINDOW] = {0};
	struct iovec parts[WINDOW];
	unsigned taken = 0;
	int n;

	for (int i = 0; i < WINDOW; i++) {
		parts[i] = (struct iovec){replies[i], REPLY_MAX};
		messages[i].msg_hdr.msg_iov = &parts[i];
		messages[i].msg_hdr.msg_iovlen = 1;
	}
	n = recvmmsg(a->fd, messages, WINDOW, MSG_DONTWAIT, NULL);
	for (int i = 0; i < n; i++) {
		const uint8_t *r = replies[i];
		uint16_t id = (uint16_t)(r[0] << 8 | r[1]);
		unsigned s = id % WINDOW;

		if (messages[i].msg_len < 12 || !(r[2] & 0x80) || !a->slot[s] || a->id[s] != id)
			continue;
		fn(ctx, a->slot[s] - 1, r, messages[i].msg_len);
		a->slot[s] = 0;
		a->busy--;
		taken++;
	}
	return taken;
}

/* One turn over all sockets: take what came, fill free slots from next_question(), ask again what got
 * lost, or with give_up say at last that nothing came. Returns how many questions are done. */
static unsigned turn(const struct packets *q, uint32_t (*next_question)(void *), reply_fn *fn,
	void *ctx, bool give_up, unsigned *lost)
{
	unsigned taken = 0;

	for (int k = 0; k < SOCKETS; k++) {
		struct asker *a = &askers[k];
		unsigned slots[WINDOW], n = 0;
		double now = seconds_now();

		taken += receive(a, fn, ctx);
		for (unsigned s = 0; s < WINDOW; s++) {
			if (give_up && a->slot[s] && a->tries[s] == TRIES_MAX
				&& now - a->since[s] >= LOST_AFTER_S) {
				fn(ctx, a->slot[s] - 1, NULL, 0);
				a->slot[s] = 0;
				a->busy--;
				taken++;
			}
			if (!a->slot[s]) {
				a->tries[s] = 0;
				a->slot[s] = next_question(ctx);
				if (!a->slot[s])
					continue;
				a->busy++;
			} else if (now - a->since[s] < LOST_AFTER_S) {
				continue;
			} else {
				++*lost;
			}
			a->tries[s]++;
			slots[n++] = s;
		}
		send_slots(a, q, slots, n);
	}
	return taken;
}

static void wait_a_little(void)
{
	struct pollfd fds[SOCKETS];

	for (int i = 0; i < SOCKETS; i++)
		fds[i] = (struct pollfd){askers[i].fd, POLLIN, 0};
	poll(fds, SOCKETS, 1);
}

/* ---- each once ---- */

struct once {
	uint32_t next, count;
	uint8_t **replies;
	uint16_t *lens;
	uint32_t got;
};

static uint32_t once_next(void *ctx)
{
	struct once *o = ctx;

	return o->next < o->count ? ++o->next : 0;
}

static void once_reply(void *ctx, uint32_t question, const uint8_t *wire, size_t len)
{
	struct once *o = ctx;

	o->replies[question] = malloc(len + 1);
	if (!o->replies[question])
		fail("memory");
	if (len)
		memcpy(o->replies[question], wire, len);
	o->lens[question] = (uint16_t)len;
	o->got++;
}

int ask_main(int argc, char **argv)
{
	struct packets q;
	struct once o = {0};
	unsigned lost = 0;
	double last = seconds_now();
	FILE *f;

	if (argc != 4 && argc != 5)
		return 2;
	packets_read(argv[2], &q);
	open_askers(argv[1], argv[4]);
	o.count = (uint32_t)q.count;
	o.replies = calloc(q.count, sizeof *o.replies);
	o.lens = calloc(q.count, sizeof *o.lens);
	while (o.got < o.count) {
		if (turn(&q, once_next, once_reply, &o, true, &lost))
			last = seconds_now();
		else
			wait_a_little();
		if (seconds_now() - last > 10) {
			fprintf(stderr, "dnsbench: no answers any more, %u of %u came\n", o.got,
				o.count);
			return 1;
		}
	}
	f = fopen(argv[3], "wb");
	if (!f)
		fail(argv[3]);
	for (size_t i = 0; i < q.count; i++) {
		uint8_t len[2] = {(uint8_t)o.lens[i], (uint8_t)(o.lens[i] >> 8)};

		fwrite(len, 1, 2, f);
		fwrite(o.replies[i], 1, o.lens[i], f);
	}
	if (fclose(f) != 0)
		fail(argv[3]);
	printf("{\"asked\": %u, \"again\": %u}\n", o.count, lost);
	return 0;
}

/* ---- as fast as answers come ---- */

struct flood {
	uint32_t next, count;
	uint64_t answers, listed;
	double until;
};

static uint32_t flood_next(void *ctx)
{
	struct flood *l = ctx;

	l->next = l->next % l->count + 1;
	return l->next;
}

static void flood_reply(void *ctx, uint32_t question, const uint8_t *wire, size_t len)
{
	struct flood *l = ctx;

	(void)question;
	(void)len;
	l->answers++;
	l->listed += wire[7] != 0;
}

int load_main(int argc, char **argv)
{
	struct packets q;
	struct flood l = {0};
	unsigned lost = 0;
	double begin;
	clock_t cpu;

	if (argc != 4)
		return 2;
	packets_read(argv[2], &q);
	open_askers(argv[1], NULL);
	l.count = (uint32_t)q.count;
	l.next = (uint32_t)getpid() % l.count; /* not every run from the same place */
	begin = seconds_now();
	cpu = clock();
	l.until = begin + strtod(argv[3], NULL);
	while (seconds_now() < l.until)
		if (!turn(&q, flood_next, flood_reply, &l, false, &lost))
			wait_a_little();
	printf("{\"answers\": %llu, \"listed\": %llu, \"lost\": %u, \"seconds\": %.3f, "
	       "\"cpu_s\": %.3f}\n",
		(unsigned long long)l.answers, (unsigned long long)l.listed, lost,
		seconds_now() - begin, (double)(clock() - cpu) / CLOCKS_PER_SEC);
	return 0;
}
