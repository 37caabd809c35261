/* xsk_filter.c - the program in the kernel that picks the frames for our sockets. It is some fifty
 * instructions, written down here as such: no compiler for another machine, no library to load it. */
#include "io/xsk_filter.h"

#include "base/mem.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/bpf.h>
#include <linux/ethtool.h>
#include <linux/if_ether.h>
#include <linux/if_link.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

struct xsk_filter {
	unsigned interface;
	unsigned queues;
	uint8_t mac[ETH_ALEN];
	bool in_driver;
	int map, program, link;
};

/* ---- instructions ---- */

#define CODE_MAX (64 + 8 * XSK_MATCHES_MAX)

enum { R0, R1, R2, R3, R4, R5, R6, R7, R8, R9 };

/* Jumps forward to a label that is not placed yet. */
struct label {
	uint16_t from[CODE_MAX];
	size_t count;
};

struct code {
	struct bpf_insn at[CODE_MAX];
	size_t len;
};

static void emit(struct code *c, uint8_t op, int dst, int src, int off, int32_t imm)
{
	if (c->len == CODE_MAX)
		abort();
	c->at[c->len++] = (struct bpf_insn){.code = op,
		.dst_reg = (uint8_t)(dst & 15),
		.src_reg = (uint8_t)(src & 15),
		.off = (int16_t)off,
		.imm = imm};
}

static void load(struct code *c, uint8_t size, int dst, int src, int off)
{
	emit(c, BPF_LDX | BPF_MEM | size, dst, src, off, 0);
}

static void move(struct code *c, int dst, int src)
{
	emit(c, BPF_ALU64 | BPF_MOV | BPF_X, dst, src, 0, 0);
}

static void add(struct code *c, int dst, int32_t imm)
{
	emit(c, BPF_ALU64 | BPF_ADD | BPF_K, dst, 0, 0, imm);
}

static void load_64(struct code *c, int dst, int src, uint64_t v)
{
	emit(c, BPF_LD | BPF_DW | BPF_IMM, dst, src, 0, (int32_t)(uint32_t)v);
	emit(c, 0, 0, 0, 0, (int32_t)(uint32_t)(v >> 32));
}

static void jump_if(struct code *c, struct label *to, uint8_t op, int dst, int32_t imm)
{
	to->from[to->count++] = (uint16_t)c->len;
	emit(c, BPF_JMP32 | op | BPF_K, dst, 0, 0, imm);
}

static void jump_if_reg(struct code *c, struct label *to, uint8_t op, int dst, int src)
{
	to->from[to->count++] = (uint16_t)c->len;
	emit(c, BPF_JMP | op | BPF_X, dst, src, 0, 0);
}

static void jump(struct code *c, struct label *to)
{
	to->from[to->count++] = (uint16_t)c->len;
	emit(c, BPF_JMP | BPF_JA, 0, 0, 0, 0);
}

static void place(struct code *c, struct label *l)
{
	for (size_t i = 0; i < l->count; i++)
		c->at[l->from[i]].off = (int16_t)(c->len - l->from[i] - 1);
	l->count = 0;
}

/* ---- the program ---- */

#define DATA R2 /* where the frame begins; with a VLAN tag 4 bytes behind it */
#define END R3
#define CONTEXT R6
#define TYPE R5
#define TO R7	  /* IPv4: the address; IPv6: its first half */
#define PORT R8	  /* as on the wire */
#define TO_LOW R9 /* IPv6: the second half */

#define ETH ETH_HLEN
#define VLAN 4
#define IP4 20
#define IP6 40
#define UDP 8
#define UDP_TO 2 /* where in its header the port stands */

static void need_bytes(struct code *c, struct label *pass, int n)
{
	move(c, R4, DATA);
	add(c, R4, n);
	jump_if_reg(c, pass, BPF_JGT, R4, END);
}

/* To another host, to all or to several: not ours to answer. */
static void check_mac(struct code *c, struct label *pass, const uint8_t *mac)
{
	uint32_t high;
	uint16_t low;

	memcpy(&high, mac, sizeof high);
	memcpy(&low, mac + sizeof high, sizeof low);
	load(c, BPF_W, R5, DATA, 0);
	jump_if(c, pass, BPF_JNE, R5, (int32_t)high);
	load(c, BPF_H, R5, DATA, sizeof high);
	jump_if(c, pass, BPF_JNE, R5, low);
}

static void skip_vlan(struct code *c, struct label *pass)
{
	struct label plain = {.count = 0};

	load(c, BPF_H, TYPE, DATA, 2 * ETH_ALEN);
	jump_if(c, &plain, BPF_JNE, TYPE, htons(ETH_P_8021Q));
	load(c, BPF_H, TYPE, DATA, 2 * ETH_ALEN + VLAN);
	add(c, DATA, VLAN);
	need_bytes(c, pass, ETH + IP4 + UDP);
	place(c, &plain);
}

static bool is_any(const struct ip *ip)
{
	static const uint8_t zero[16];

	return memcmp(ip->bytes, zero, sizeof zero) == 0;
}

static void match_addresses(struct code *c, const struct xsk_match *matches, size_t count,
	uint8_t family, struct label *pass, struct label *ours)
{
	for (size_t i = 0; i < count; i++) {
		const struct xsk_match *m = &matches[i];
		struct label next = {.count = 0};
		uint64_t half[2];
		uint32_t ip4;
		if (m->to.family != family)
			continue;
		jump_if(c, &next, BPF_JNE, PORT, htons(m->port));
		memcpy(half, m->to.bytes, sizeof half);
		memcpy(&ip4, m->to.bytes, sizeof ip4);
		if (is_any(&m->to)) {
			jump(c, ours);
		} else if (family == 4) {
			jump_if(c, ours, BPF_JEQ, TO, (int32_t)ip4);
		} else {
			load_64(c, R1, 0, half[0]);
			jump_if_reg(c, &next, BPF_JNE, TO, R1);
			load_64(c, R1, 0, half[1]);
			jump_if_reg(c, ours, BPF_JEQ, TO_LOW, R1);
		}
		place(c, &next);
	}
	jump(c, pass);
}

static void write_code(
	struct code *c, const struct xsk_filter *f, const struct xsk_match *matches, size_t count)
{
	struct label pass = {.count = 0}, ip6 = {.count = 0}, ours = {.count = 0};

	move(c, CONTEXT, R1);
	load(c, BPF_W, DATA, CONTEXT, offsetof(struct xdp_md, data));
	load(c, BPF_W, END, CONTEXT, offsetof(struct xdp_md, data_end));
	need_bytes(c, &pass, ETH + IP4 + UDP);
	check_mac(c, &pass, f->mac);
	skip_vlan(c, &pass);
	jump_if(c, &ip6, BPF_JEQ, TYPE, htons(ETH_P_IPV6));
	jump_if(c, &pass, BPF_JNE, TYPE, htons(ETH_P_IP));

	load(c, BPF_B, R5, DATA, ETH);
	jump_if(c, &pass, BPF_JNE, R5, 0x45); /* version 4, no options */
	load(c, BPF_B, R5, DATA, ETH + 9);
	jump_if(c, &pass, BPF_JNE, R5, IPPROTO_UDP);
	load(c, BPF_H, R5, DATA, ETH + 6);
	jump_if(c, &pass, BPF_JSET, R5, htons(0x3fff)); /* a fragment */
	load(c, BPF_W, TO, DATA, ETH + 16);
	load(c, BPF_H, PORT, DATA, ETH + IP4 + UDP_TO);
	match_addresses(c, matches, count, 4, &pass, &ours);

	place(c, &ip6);
	need_bytes(c, &pass, ETH + IP6 + UDP);
	load(c, BPF_B, R5, DATA, ETH + 6);
	jump_if(c, &pass, BPF_JNE, R5, IPPROTO_UDP);
	load(c, BPF_DW, TO, DATA, ETH + 24);
	load(c, BPF_DW, TO_LOW, DATA, ETH + 32);
	load(c, BPF_H, PORT, DATA, ETH + IP6 + UDP_TO);
	match_addresses(c, matches, count, 6, &pass, &ours);

	place(c, &ours);
	move(c, R4, DATA);
	add(c, R4, XSK_FRAME_IN_MAX);
	jump_if_reg(c, &pass, BPF_JGT, END, R4);
	load(c, BPF_W, R2, CONTEXT, offsetof(struct xdp_md, rx_queue_index));
	load_64(c, R1, BPF_PSEUDO_MAP_FD, (uint32_t)f->map);
	emit(c, BPF_ALU64 | BPF_MOV | BPF_K, R3, 0, 0, XDP_PASS); /* when no socket is there */
	emit(c, BPF_JMP | BPF_CALL, 0, 0, 0, BPF_FUNC_redirect_map);
	emit(c, BPF_JMP | BPF_EXIT, 0, 0, 0, 0);
	place(c, &pass);
	emit(c, BPF_ALU64 | BPF_MOV | BPF_K, R0, 0, 0, XDP_PASS);
	emit(c, BPF_JMP | BPF_EXIT, 0, 0, 0, 0);
}

/* ---- loading ---- */

static int bpf(int command, union bpf_attr *attr)
{
	return (int)syscall(SYS_bpf, command, attr, sizeof *attr);
}

static bool make_map(struct xsk_filter *f, struct err *err)
{
	union bpf_attr attr;

	memset(&attr, 0, sizeof attr);
	attr.map_type = BPF_MAP_TYPE_XSKMAP;
	attr.key_size = attr.value_size = sizeof(uint32_t);
	attr.max_entries = f->queues;
	f->map = bpf(BPF_MAP_CREATE, &attr);
	return f->map >= 0 ? true : err_errno(err, "the kernel refuses a map of AF_XDP sockets");
}

static bool load_program(struct xsk_filter *f, const struct code *c, struct err *err)
{
	union bpf_attr attr;

	memset(&attr, 0, sizeof attr);
	attr.prog_type = BPF_PROG_TYPE_XDP;
	attr.expected_attach_type = BPF_XDP;
	attr.insns = (uint64_t)(uintptr_t)c->at;
	attr.insn_cnt = (uint32_t)c->len;
	attr.license = (uint64_t)(uintptr_t) "GPL";
	f->program = bpf(BPF_PROG_LOAD, &attr);
	return f->program >= 0 ? true : err_errno(err, "the kernel refuses the filter program");
}

/* A link, not a mere attachment: the kernel takes it off when its last descriptor is closed. */
static bool attach(struct xsk_filter *f, uint32_t flags)
{
	union bpf_attr attr;

	memset(&attr, 0, sizeof attr);
	attr.link_create.prog_fd = (uint32_t)f->program;
	attr.link_create.target_ifindex = f->interface;
	attr.link_create.attach_type = BPF_XDP;
	attr.link_create.flags = flags;
	f->link = bpf(BPF_LINK_CREATE, &attr);
	return f->link >= 0;
}

static bool ask_interface(struct xsk_filter *f, const char *name, struct err *err)
{
	struct ethtool_channels channels = {.cmd = ETHTOOL_GCHANNELS};
	struct ifreq request = {.ifr_name = ""};
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	bool ok;

	f->interface = if_nametoindex(name);
	ok = f->interface != 0 && slice_copy(slice_str(name), request.ifr_name, IFNAMSIZ)
	     && ioctl(fd, SIOCGIFHWADDR, &request) == 0;
	if (!ok)
		err_errno(err, "no such interface");
	else if (request.ifr_hwaddr.sa_family != 1) /* ARPHRD_ETHER */
		ok = err_set(err, ERR_REFUSED, "not an Ethernet interface");
	memcpy(f->mac, request.ifr_hwaddr.sa_data, ETH_ALEN);
	request.ifr_data = (void *)&channels;
	f->queues = 1;
	if (ok && ioctl(fd, SIOCETHTOOL, &request) == 0
		&& channels.combined_count + channels.rx_count)
		f->queues = channels.combined_count + channels.rx_count;
	close(fd);
	return ok;
}

struct xsk_filter *xsk_filter_attach(
	const char *interface, const struct xsk_match *matches, size_t count, struct err *err)
{
	struct xsk_filter *f = mem_new(1, sizeof *f);
	struct code code = {.len = 0};

	f->map = f->program = f->link = -1;
	if (!ask_interface(f, interface, err) || !make_map(f, err))
		return xsk_filter_detach(f);
	write_code(&code, f, matches, count < XSK_MATCHES_MAX ? count : XSK_MATCHES_MAX);
	if (!load_program(f, &code, err))
		return xsk_filter_detach(f);
	f->in_driver = attach(f, XDP_FLAGS_DRV_MODE);
	if (!f->in_driver && errno != EBUSY && errno != EEXIST)
		attach(f, XDP_FLAGS_SKB_MODE);
	if (f->link < 0) {
		err_errno(err, "cannot attach the filter%s",
			errno == EBUSY || errno == EEXIST
				? " (another XDP program is there; ip link shows it)"
				: "");
		return xsk_filter_detach(f);
	}
	return f;
}

struct xsk_filter *xsk_filter_detach(struct xsk_filter *f)
{
	if (!f)
		return NULL;
	if (f->link >= 0)
		close(f->link);
	if (f->program >= 0)
		close(f->program);
	if (f->map >= 0)
		close(f->map);
	free(f);
	return NULL;
}

bool xsk_filter_in_driver(const struct xsk_filter *f)
{
	return f->in_driver;
}

unsigned xsk_filter_queues(const struct xsk_filter *f)
{
	return f->queues;
}

unsigned xsk_filter_interface(const struct xsk_filter *f)
{
	return f->interface;
}

bool xsk_filter_add(const struct xsk_filter *f, unsigned queue, int fd, struct err *err)
{
	union bpf_attr attr;
	uint32_t key = queue, value = (uint32_t)fd;

	memset(&attr, 0, sizeof attr);
	attr.map_fd = (uint32_t)f->map;
	attr.key = (uint64_t)(uintptr_t)&key;
	attr.value = (uint64_t)(uintptr_t)&value;
	return bpf(BPF_MAP_UPDATE_ELEM, &attr) == 0
		       ? true
		       : err_errno(err, "the filter refuses the socket");
}
