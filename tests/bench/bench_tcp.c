/* bench_tcp.c - questions over TCP on loopback: many connections with several questions under way on each,
 * or connections that are opened and held. */
#include "dnsbench.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#define EVENTS 256
#define IN_SIZE 65536
#define DEPTH_MAX 64
#define PER_SOURCE 20000 /* connections from one address: the system has 28,000 ports */

struct connection {
	int fd;
	uint32_t left; /* bytes of the answer that is coming in */
	uint8_t head, head_len;
};

static struct packets questions;
static size_t next_question;

/* 127.1.0.1, 127.1.0.2 ...: each address has ports of its own. */
static int open_one(uint16_t port, unsigned source)
{
	struct sockaddr_in to = {.sin_family = AF_INET,
		.sin_port = htons(port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	struct sockaddr_in from = {
		.sin_family = AF_INET, .sin_addr.s_addr = htonl(0x7f010001u + source)};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), on = 1;

	setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof on);
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
	if (fd < 0 || bind(fd, (struct sockaddr *)&from, sizeof from) != 0)
		fail("socket");
	if (connect(fd, (struct sockaddr *)&to, sizeof to) != 0)
		fail("connect");
	return fd;
}

static struct connection *open_all(uint16_t port, size_t count, unsigned source)
{
	struct connection *c = calloc(count, sizeof *c);
	struct rlimit limit;

	if (!c || getrlimit(RLIMIT_NOFILE, &limit) != 0)
		fail("memory");
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_NOFILE, &limit);
	for (size_t i = 0; i < count; i++)
		c[i].fd = open_one(port, source + (unsigned)(i / PER_SOURCE));
	return c;
}

/* One write of n questions. False: the connection is gone. */
static int send_questions(struct connection *c, unsigned n)
{
	uint8_t out[DEPTH_MAX * 520];
	size_t at = 0, len;

	for (unsigned i = 0; i < n; i++) {
		const uint8_t *q = packet(&questions, next_question++ % questions.count, &len);
		if (len > 518)
			continue;
		out[at] = (uint8_t)(len >> 8);
		out[at + 1] = (uint8_t)len;
		memcpy(out + at + 2, q, len);
		at += 2 + len;
	}
	return send(c->fd, out, at, MSG_NOSIGNAL) == (ssize_t)at;
}

/* Answers that ended within these bytes. */
static unsigned count_answers(struct connection *c, const uint8_t *p, size_t n)
{
	unsigned answers = 0;

	while (n) {
		if (c->left == 0) {
			if (c->head_len++ == 0) {
				c->head = *p;
			} else {
				c->left = (uint32_t)(c->head << 8 | *p);
				c->head_len = 0;
			}
			p++;
			n--;
			continue;
		}
		size_t step = n < c->left ? n : c->left;
		c->left -= (uint32_t)step;
		p += step;
		n -= step;
		answers += c->left == 0;
	}
	return answers;
}

static int hold(const struct connection *c, size_t count)
{
	char scrap[64];
	size_t closed = 0;

	printf("{\"connections\": %zu}\n", count);
	fflush(stdout);
	while (read(0, scrap, sizeof scrap) > 0)
		continue;
	for (size_t i = 0; i < count; i++)
		closed += recv(c[i].fd, scrap, sizeof scrap, MSG_DONTWAIT) >= 0 || errno != EAGAIN;
	printf("{\"closed\": %zu}\n", closed);
	return 0;
}

int tcp_main(int argc, char **argv)
{
	static uint8_t in[IN_SIZE];
	size_t count, answers = 0;
	unsigned depth;
	double begin, until;
	int epoll = epoll_create1(EPOLL_CLOEXEC);

	if (argc != 7)
		return 2;
	packets_read(argv[2], &questions);
	count = strtoul(argv[3], NULL, 10);
	depth = (unsigned)strtoul(argv[4], NULL, 10);
	struct connection *c = open_all(
		(uint16_t)strtoul(argv[1], NULL, 10), count, (unsigned)strtoul(argv[6], NULL, 10));
	if (depth == 0)
		return hold(c, count);
	if (depth > DEPTH_MAX || epoll < 0)
		return 2;
	begin = seconds_now();
	until = begin + strtod(argv[5], NULL);
	for (size_t i = 0; i < count; i++) {
		struct epoll_event e = {.events = EPOLLIN, .data.ptr = &c[i]};
		if (epoll_ctl(epoll, EPOLL_CTL_ADD, c[i].fd, &e) != 0
			|| !send_questions(&c[i], depth))
			fail("send");
	}
	while (seconds_now() < until) {
		struct epoll_event events[EVENTS];
		int n = epoll_wait(epoll, events, EVENTS, 100);
		for (int i = 0; i < n; i++) {
			struct connection *from = events[i].data.ptr;
			ssize_t len = recv(from->fd, in, sizeof in, 0);
			if (len <= 0)
				fail("recv");
			unsigned got = count_answers(from, in, (size_t)len);
			answers += got;
			if (got && !send_questions(from, got))
				fail("send");
		}
	}
	printf("{\"answers\": %zu, \"seconds\": %.3f}\n", answers, seconds_now() - begin);
	return 0;
}
