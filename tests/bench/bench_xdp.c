/* bench_xdp.c - questions over AF_XDP, so that asking costs far less than answering: a fixed number is under
 * way at any time, and each answer makes room for the next. IPv4, one queue. */
#include "dnsbench.h"

#include "dnsd/path/frame.h"
#include "io/xsk.h"

#include <arpa/inet.h>
#include <linux/bpf.h>
#include <linux/if_link.h>
#include <net/if.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#define PORT_FROM 4053
#define PORT_TO 53
#define BATCH 64
#define HEADERS 42
#define PATIENCE_S 0.05 /* silence after which what is under way counts as lost */

struct asker {
	struct xsk *x, *out; /* received from; sent to */
	uint8_t headers[HEADERS];
	struct packets questions;
	size_t next;
	bool open[65536]; /* ids under way */
	uint16_t id;
	size_t under_way;
	uint64_t sent, answers, lost, strange, noerror, nxdomain;
};

static void put16(uint8_t *p, unsigned v)
{
	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)v;
}

static void make_headers(struct asker *a, const char *interface, char **argv)
{
	struct ifreq r = {.ifr_name = ""};
	int fd = socket(AF_INET, SOCK_DGRAM, 0);
	unsigned mac[6];
	uint8_t *h = a->headers;

	snprintf(r.ifr_name, sizeof r.ifr_name, "%s", interface);
	if (ioctl(fd, SIOCGIFHWADDR, &r) != 0
		|| sscanf(argv[0], "%x:%x:%x:%x:%x:%x", &mac[0], &mac[1], &mac[2], &mac[3], &mac[4],
			   &mac[5])
			   != 6)
		fail("hardware addresses");
	close(fd);
	for (int i = 0; i < 6; i++)
		h[i] = (uint8_t)mac[i];
	memcpy(h + 6, r.ifr_hwaddr.sa_data, 6);
	put16(h + 12, 0x0800);
	h[14] = 0x45;
	h[20] = 0x40; /* not to be fragmented */
	h[22] = 64;
	h[23] = 17;
	if (inet_pton(AF_INET, argv[1], h + 26) != 1 || inet_pton(AF_INET, argv[2], h + 30) != 1)
		fail("addresses");
	put16(h + 34, PORT_FROM);
	put16(h + 36, PORT_TO);
}

static unsigned ip_checksum(const uint8_t *h)
{
	uint32_t sum = 0;

	for (int i = 0; i < 20; i += 2)
		sum += i == 10 ? 0u : (unsigned)h[i] << 8 | h[i + 1];
	sum = (sum & 0xffff) + (sum >> 16);
	return ~(sum + (sum >> 16)) & 0xffff;
}

static void ask(struct asker *a)
{
	size_t len;
	const uint8_t *question = packet(&a->questions, a->next, &len);
	uint8_t *out = xsk_room(a->out);

	if (!out)
		return;
	a->next = (a->next + 1) % a->questions.count;
	while (a->open[a->id])
		a->id++;
	memcpy(out, a->headers, HEADERS);
	put16(out + 16, (unsigned)(28 + len));
	put16(out + 24, ip_checksum(out + 14));
	put16(out + 38, (unsigned)(8 + len));
	memcpy(out + HEADERS, question, len);
	put16(out + HEADERS, a->id);
	a->open[a->id++] = true;
	a->under_way++;
	a->sent++;
	xsk_queue(a->out, out, (uint32_t)(HEADERS + len));
}

static void take(struct asker *a, const struct xsk_frame *in)
{
	struct frame f;
	const uint8_t *p;
	unsigned id;

	if (!frame_parse(slice_of(in->ptr, in->len), &f) || f.payload.len < 12) {
		a->strange++;
		return;
	}
	p = (const uint8_t *)f.payload.ptr;
	id = (unsigned)p[0] << 8 | p[1];
	if (!a->open[id] || !(p[2] & 0x80)) {
		a->strange++;
		return;
	}
	a->open[id] = false;
	a->under_way--;
	a->answers++;
	a->noerror += (p[3] & 15) == 0;
	a->nxdomain += (p[3] & 15) == 3;
}

static unsigned take_batch(struct asker *a)
{
	struct xsk_frame frames[BATCH];
	unsigned n = xsk_receive(a->x, frames, BATCH);

	for (unsigned i = 0; i < n; i++)
		take(a, &frames[i]);
	if (n)
		xsk_give_back(a->x, frames, n);
	return n;
}

static void run(struct asker *a, double seconds, size_t window)
{
	double begin = seconds_now(), last = begin, now = begin;
	struct pollfd wait = {.fd = xsk_fd(a->x), .events = POLLIN};

	while (now < begin + seconds) {
		unsigned n = take_batch(a);
		now = seconds_now();
		if (n)
			last = now;
		if (now - last > PATIENCE_S) {
			a->lost += a->under_way;
			a->under_way = 0;
			memset(a->open, 0, sizeof a->open);
			last = now;
		}
		size_t room = window - a->under_way;
		if (room >= BATCH / 2)
			for (size_t i = 0; i < room && i < BATCH; i++)
				ask(a);
		else if (n == 0)
			poll(&wait, 1, 1);
		xsk_send(a->out);
	}
	for (int i = 0; i < 100 && a->under_way; i++)
		if (take_batch(a) == 0)
			poll(&wait, 1, 1);
	a->lost += a->under_way;
	now = seconds_now() - begin;
	printf("{\"sent\": %llu, \"answers\": %llu, \"lost\": %llu, \"strange\": %llu, "
	       "\"noerror\": %llu, "
	       "\"nxdomain\": %llu, \"seconds\": %.3f}\n",
		(unsigned long long)a->sent, (unsigned long long)a->answers,
		(unsigned long long)a->lost, (unsigned long long)a->strange,
		(unsigned long long)a->noerror, (unsigned long long)a->nxdomain, now);
}

/* What comes in at one interface goes out at another, still as the driver holds it. */
static void relay(const char *in, const char *out)
{
	const struct bpf_insn code[] = {
		{.code = BPF_ALU64 | BPF_MOV | BPF_K,
			.dst_reg = 1,
			.imm = (int)if_nametoindex(out)},
		{.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = 2},
		{.code = BPF_JMP | BPF_CALL, .imm = BPF_FUNC_redirect},
		{.code = BPF_JMP | BPF_EXIT},
	};
	union bpf_attr attr;
	int program;

	memset(&attr, 0, sizeof attr);
	attr.prog_type = BPF_PROG_TYPE_XDP;
	attr.expected_attach_type = BPF_XDP;
	attr.insns = (uint64_t)(uintptr_t)code;
	attr.insn_cnt = sizeof code / sizeof *code;
	attr.license = (uint64_t)(uintptr_t) "GPL";
	program = (int)syscall(SYS_bpf, BPF_PROG_LOAD, &attr, sizeof attr);
	memset(&attr, 0, sizeof attr);
	attr.link_create.prog_fd = (uint32_t)program;
	attr.link_create.target_ifindex = if_nametoindex(in);
	attr.link_create.attach_type = BPF_XDP;
	attr.link_create.flags = XDP_FLAGS_DRV_MODE;
	if (syscall(SYS_bpf, BPF_LINK_CREATE, &attr, sizeof attr) < 0)
		fail("relay");
}

static struct xsk *open_on(const char *interface)
{
	const struct xsk_match match = {.to.family = 4, .port = PORT_FROM};
	struct err err;
	struct xsk_filter *f = xsk_filter_attach(interface, &match, 1, &err);
	struct xsk *x = f ? xsk_open(f, 0, &err) : NULL;

	if (!x) {
		fprintf(stderr, "%s: %s\n", interface, err.text);
		exit(2);
	}
	return x;
}

int xdp_main(int argc, char **argv)
{
	static struct asker a;

	if (argc != 10)
		return 2;
	packets_read(argv[7], &a.questions);
	make_headers(&a, argv[1], argv + 4);
	a.x = open_on(argv[1]);
	a.out = open_on(argv[2]);
	relay(argv[3], argv[1]);
	printf("ready\n"); /* its threads in the kernel can be told where to run now */
	fflush(stdout);
	if (getchar() == EOF)
		return 2;
	run(&a, strtod(argv[8], NULL), strtoul(argv[9], NULL, 10));
	free(a.questions.bytes);
	free(a.questions.at);
	return 0;
}
