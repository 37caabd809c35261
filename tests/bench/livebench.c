/* livebench.c - what lists that change do to those who ask: writes a publish folder as listd does, changes
 * it at a given rate, and asks at a fixed rate meanwhile. tests/bench/live drives it. */
#include "base/mem.h"
#include "common.h"
#include "publish.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define ID_COUNT 65536
#define HISTOGRAM 100000 /* buckets of 10 us */
#define BUCKET_S 1e-5
#define LOAD_WINDOW 128
#define WATCHED_MAX 100000
#define WATCH_EVERY_S 0.005

/* Addresses of the snapshot lie below 128.0.0.0, those of changes above. */
static uint32_t address_of(uint64_t i)
{
	return (uint32_t)random_of(i) >> 1;
}

static uint32_t changed_address(uint64_t i)
{
	return (uint32_t)(i * 2654435761u) | 0x80000000u;
}

/* ---- livebench snapshot FILE SERIAL ENTRIES LISTS ---- */

static int snapshot_main(char **arg)
{
	uint64_t entries = strtoull(arg[2], NULL, 10), lists = strtoull(arg[3], NULL, 10);
	struct set_meta meta = meta_plain(SET_IP, SET_FIRST, 300);
	struct builder *b = builder_new(strtoull(arg[1], NULL, 10), publish_seed);
	char name[32];

	for (uint64_t l = 0; l < lists; l++) {
		struct builder_set *s;
		uint32_t value;

		snprintf(name, sizeof name, "list%" PRIu64, l);
		s = builder_set_new(b, slice_str(name), &meta);
		value = builder_value(s, 0x7f000002 + (uint32_t)l, SLICE("$ is listed"));
		for (uint64_t i = l; i < entries; i += lists)
			builder_add_ip4(s, address_of(i), 32, value, 0);
	}
	publish_snapshot(b, arg[0]);
	return 0;
}

/* ---- asking ---- */

static int socket_to(const char *port)
{
	struct sockaddr_in to = {.sin_family = AF_INET,
		.sin_port = htons((uint16_t)strtoul(port, NULL, 10)),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), room = 4 << 20;

	if (fd < 0 || connect(fd, (struct sockaddr *)&to, sizeof to) != 0)
		fail("socket");
	setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &room, sizeof room);
	return fd;
}

static size_t question(uint8_t *dst, uint16_t id, uint32_t address, const char *zone)
{
	uint8_t *p = dst;

	memset(p, 0, 12);
	p[0] = (uint8_t)(id >> 8);
	p[1] = (uint8_t)id;
	p[5] = 1;
	p += 12;
	for (int i = 0; i < 4; i++, address >>= 8) {
		p[0] = (uint8_t)snprintf((char *)p + 1, 4, "%u", address & 255);
		p += p[0] + 1;
	}
	for (struct slice rest = slice_str(zone), label; slice_cut(&rest, '.', &label);) {
		*p++ = (uint8_t)label.len;
		memcpy(p, label.ptr, label.len);
		p += label.len;
	}
	memcpy(p, "\0\0\1\0\1", 5);
	return (size_t)(p + 5 - dst);
}

/* ---- livebench latency PORT ZONE ENTRIES QPS SECONDS: questions at fixed times, whatever comes back ---- */

/* What is late shall be the server: we come first where we may, and sleep in between. */
static void come_first(void)
{
	const struct sched_param first = {.sched_priority = 1};

	(void)sched_setscheduler(0, SCHED_FIFO, &first);
	(void)prctl(PR_SET_TIMERSLACK, 1ul, 0, 0, 0);
}

/* Until there are replies, or the time. */
static void sleep_until(int fd, double due_s)
{
	struct pollfd wait = {fd, POLLIN, 0};
	double left_ns = (due_s - seconds_now()) * 1e9;
	struct timespec t = {0, (long)left_ns};

	if (left_ns > 0 && left_ns < 1e9)
		ppoll(&wait, 1, &t, NULL);
}

static double sent_at[ID_COUNT];
static uint64_t histogram[HISTOGRAM];

static uint64_t take_replies(int fd)
{
	uint8_t reply[4096];
	uint64_t n = 0;
	ssize_t len;

	while ((len = recv(fd, reply, sizeof reply, 0)) >= 12) {
		uint16_t id = (uint16_t)(reply[0] << 8 | reply[1]);
		double took = seconds_now() - sent_at[id];
		size_t bucket = (size_t)(took / BUCKET_S);

		histogram[MIN(bucket, (size_t)HISTOGRAM - 1)]++;
		n++;
	}
	return n;
}

static double percentile(uint64_t count, double part)
{
	uint64_t want = (uint64_t)((double)count * part), sum = 0;

	for (size_t i = 0; i < HISTOGRAM; i++)
		if ((sum += histogram[i]) > want)
			return (double)(i + 1) * BUCKET_S * 1e3;
	return HISTOGRAM * BUCKET_S * 1e3;
}

static int latency_main(char **arg)
{
	int fd = socket_to(arg[0]);
	uint64_t entries = strtoull(arg[2], NULL, 10), sent = 0, answered = 0;
	double gap = 1 / strtod(arg[3], NULL), begin = seconds_now(),
	       end = begin + strtod(arg[4], NULL);
	uint8_t q[300];

	come_first();
	for (double now; (now = seconds_now()) < end;) {
		for (; begin + (double)sent * gap <= now; sent++) {
			uint32_t address = address_of(random_of(sent) % (2 * entries));
			size_t len = question(q, (uint16_t)sent, address, arg[1]);
			/* From when it was due: a stalled generator or server must not look good. */
			sent_at[(uint16_t)sent] = begin + (double)sent * gap;
			if (send(fd, q, len, 0) < 0 && errno != EAGAIN && errno != ECONNREFUSED)
				fail("send");
		}
		answered += take_replies(fd);
		sleep_until(fd, begin + (double)sent * gap);
	}
	for (end = seconds_now() + 0.2; answered < sent && seconds_now() < end;
		answered += take_replies(fd))
		sleep_until(fd, end);
	printf("{\"sent\": %" PRIu64 ", \"answered\": %" PRIu64
	       ", \"p50_ms\": %.3f, \"p99_ms\": %.3f, \"p999_ms\": %.3f, \"max_ms\": %.3f}\n",
		sent, answered, percentile(answered, .5), percentile(answered, .99),
		percentile(answered, .999), percentile(answered, 1 - 1e-12));
	return 0;
}

/* ---- livebench load PORT ZONE ENTRIES SECONDS: as many questions as are answered ---- */

static int load_main(char **arg)
{
	int fd = socket_to(arg[0]);
	uint64_t entries = strtoull(arg[2], NULL, 10), sent = 0, answered = 0, lost = 0;
	double begin = seconds_now(), end = begin + strtod(arg[3], NULL), last = begin;
	struct pollfd wait = {fd, POLLIN, 0};
	uint8_t q[300];

	while (seconds_now() < end) {
		uint64_t before = answered;

		for (; sent - answered - lost < LOAD_WINDOW; sent++) {
			uint32_t address = address_of(random_of(sent) % (2 * entries));

			send(fd, q, question(q, (uint16_t)sent, address, arg[1]), 0);
		}
		poll(&wait, 1, 10);
		answered += take_replies(fd);
		if (answered != before)
			last = seconds_now();
		else if (seconds_now() - last > 0.5) /* they got lost: ask others */
			lost = sent - answered;
	}
	printf("{\"answered\": %" PRIu64 ", \"qps\": %.0f}\n", answered,
		(double)answered / (end - begin));
	return 0;
}

/* ---- livebench changes LOG SERIAL RATE SECONDS PORT ZONE LIST: how soon an answer shows a change ---- */

struct probe {
	uint32_t address;
	bool listed; /* what is awaited */
};

static bool shows(int fd, const struct probe *p, const char *zone)
{
	uint8_t q[300], reply[4096];
	static uint16_t id;
	struct pollfd wait = {fd, POLLIN, 0};

	if (send(fd, q, question(q, ++id, p->address, zone), 0) < 0)
		return false;
	while (poll(&wait, 1, 100) > 0) {
		ssize_t len = recv(fd, reply, sizeof reply, 0);
		if (len >= 12 && (reply[0] << 8 | reply[1]) == id)
			return (reply[7] != 0) == p->listed;
	}
	return false; /* lost: asked again */
}

static void append(int log, uint64_t serial, uint64_t i, const char *list)
{
	struct ip ip = ip4_of(changed_address(i / 2));
	struct change c = {.serial = serial,
		.op = i % 2 ? CHANGE_REMOVE : CHANGE_ADD,
		.set = slice_str(list),
		.prefix = prefix_of(&ip, 32),
		.value = {0x7f000002, SLICE("$ is listed")}};

	publish_change(log, &c);
}

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return x < y ? -1 : x > y;
}

/* Pairs of changes: an address is added, then removed. Every few milliseconds one is watched until an
 * answer shows it; what is due meanwhile follows at once after. */
static int changes_main(char **arg)
{
	int log = open(arg[0], O_WRONLY | O_APPEND | O_CREAT, 0644), fd = socket_to(arg[4]);
	uint64_t serial = strtoull(arg[1], NULL, 10), i = 0;
	double rate = strtod(arg[2], NULL), begin = seconds_now(), next = begin;
	double end = begin + strtod(arg[3], NULL), *took = mem_new(WATCHED_MAX, sizeof *took);
	size_t seen = 0;

	for (double now; (now = seconds_now()) < end && seen < WATCHED_MAX;) {
		if (begin + (double)i / rate > now) {
			usleep(200);
			continue;
		}
		append(log, serial + 1 + i, i, arg[6]);
		i++;
		if (now < next)
			continue;
		next = now + WATCH_EVERY_S;
		struct probe p = {changed_address((i - 1) / 2), i % 2 == 1};
		while (!shows(fd, &p, arg[5]) && seconds_now() < end)
			;
		took[seen++] = (seconds_now() - now) * 1e3;
	}
	qsort(took, seen, sizeof *took, by_value);
	printf("{\"changes\": %" PRIu64 ", \"seconds\": %.1f, \"watched\": %zu, \"p50_ms\": %.2f, "
	       "\"p99_ms\": %.2f, \"max_ms\": %.2f, \"serial\": %" PRIu64 "}\n",
		i, seconds_now() - begin, seen, seen ? took[seen / 2] : -1,
		seen ? took[seen * 99 / 100] : -1, seen ? took[seen - 1] : -1, serial + i);
	return 0;
}

int main(int argc, char **argv)
{
	if (argc == 6 && strcmp(argv[1], "snapshot") == 0)
		return snapshot_main(argv + 2);
	if (argc == 7 && strcmp(argv[1], "latency") == 0)
		return latency_main(argv + 2);
	if (argc == 6 && strcmp(argv[1], "load") == 0)
		return load_main(argv + 2);
	if (argc == 9 && strcmp(argv[1], "changes") == 0)
		return changes_main(argv + 2);
	fputs("livebench snapshot FILE SERIAL ENTRIES LISTS\n"
	      "livebench latency PORT ZONE ENTRIES QPS SECONDS\n"
	      "livebench load PORT ZONE ENTRIES SECONDS\n"
	      "livebench changes LOG SERIAL RATE SECONDS PORT ZONE LIST\n",
		stderr);
	return 2;
}
