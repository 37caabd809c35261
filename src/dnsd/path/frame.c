/* frame.c - Ethernet, VLAN, IP and UDP headers, read and answered. */
#include "dnsd/path/frame.h"

#define MAC 6
#define VLAN 4
#define IP4 20
#define IP6 40
#define UDP 8

#define TYPE_IP4 0x0800
#define TYPE_IP6 0x86dd
#define TYPE_VLAN 0x8100
#define PROTOCOL_UDP 17
#define HOPS 64

static uint16_t get_u16(const uint8_t *p)
{
	return (uint16_t)(p[0] << 8 | p[1]);
}

static void put_u16(uint8_t *p, size_t v)
{
	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)v;
}

/* The size of the IP header, 0 when it is none we answer; *ret_len: what the packet says it holds behind. */
static size_t parse_ip(
	const uint8_t *ip, size_t room, unsigned type, struct frame *f, size_t *ret_len)
{
	f->from = (struct ip){.family = 0};
	if (type == TYPE_IP4 && room >= IP4 && ip[0] == 0x45 && ip[9] == PROTOCOL_UDP
		&& (get_u16(ip + 6) & 0x3fff) == 0 && get_u16(ip + 2) >= IP4 && ip[12] < 224) {
		f->from.family = 4;
		memcpy(f->from.bytes, ip + 12, 4);
		*ret_len = get_u16(ip + 2) - (size_t)IP4;
		return IP4;
	}
	if (type == TYPE_IP6 && room >= IP6 && ip[0] >> 4 == 6 && ip[6] == PROTOCOL_UDP
		&& ip[8] != 0xff) {
		f->from.family = 6;
		memcpy(f->from.bytes, ip + 8, 16);
		*ret_len = get_u16(ip + 4);
		return IP6;
	}
	return 0;
}

bool frame_parse(struct slice bytes, struct frame *ret)
{
	const uint8_t *p = (const uint8_t *)bytes.ptr;
	size_t at = 2 * MAC + 2, ip_size, ip_len, udp_len;
	struct frame f;

	if (bytes.len < at + VLAN || p[MAC] & 1) /* from a group of hosts: forged */
		return false;
	if (get_u16(p + 2 * MAC) == TYPE_VLAN)
		at += VLAN;
	ip_size = parse_ip(p + at, bytes.len - at, get_u16(p + at - 2), &f, &ip_len);
	at += ip_size;
	if (ip_size == 0 || ip_len < UDP || ip_len > bytes.len - at)
		return false;
	udp_len = get_u16(p + at + 4);
	if (udp_len < UDP || udp_len > ip_len || get_u16(p + at) == 0)
		return false;
	f.port = get_u16(p + at);
	f.headers = (uint16_t)(at + UDP);
	f.payload = slice_of(p + at + UDP, udp_len - UDP);
	*ret = f;
	return true;
}

/* Ones' complement (RFC 1071): any byte order gives the sum in that order, and wider words the same. */
static uint64_t sum_bytes(const uint8_t *p, size_t len, uint64_t sum)
{
	uint32_t word;
	uint16_t half;

	for (; len >= sizeof word; p += sizeof word, len -= sizeof word) {
		memcpy(&word, p, sizeof word);
		sum += word;
	}
	if (len >= sizeof half) {
		memcpy(&half, p, sizeof half);
		sum += half;
		p += sizeof half;
		len -= sizeof half;
	}
	if (len) {
		uint8_t last[2] = {*p, 0};
		memcpy(&half, last, sizeof half);
		sum += half;
	}
	return sum;
}

static uint16_t fold(uint64_t sum)
{
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)~sum;
}

static void put_sum(uint8_t *at, uint16_t sum)
{
	memcpy(at, &sum, sizeof sum);
}

static void answer_ip4(const uint8_t *in, uint8_t *out, size_t len)
{
	memset(out, 0, 12); /* whole, so without a number: RFC 6864 */
	out[0] = 0x45;
	put_u16(out + 2, IP4 + len);
	out[6] =
		0x40; /* not to be fragmented: forged "too big" messages have nothing to act on (RFC 9715) */
	out[8] = HOPS;
	out[9] = PROTOCOL_UDP;
	memcpy(out + 12, in + 16, 4);
	memcpy(out + 16, in + 12, 4);
	put_sum(out + 10, fold(sum_bytes(out, IP4, 0)));
}

static void answer_ip6(const uint8_t *in, uint8_t *out, size_t len)
{
	memset(out, 0, 8);
	out[0] = 0x60;
	put_u16(out + 4, len);
	out[6] = PROTOCOL_UDP;
	out[7] = HOPS;
	memcpy(out + 8, in + 24, 16);
	memcpy(out + 24, in + 8, 16);
}

/* Over addresses, protocol and length too (RFC 768, RFC 8200 8.1), where zero means that there is none. */
static void answer_udp(
	const uint8_t *in, uint8_t *out, const uint8_t *addresses, size_t addresses_len, size_t len)
{
	uint8_t pseudo[4] = {0, PROTOCOL_UDP, (uint8_t)(len >> 8), (uint8_t)len};
	uint16_t sum;

	memcpy(out, in + 2, 2);
	memcpy(out + 2, in, 2);
	put_u16(out + 4, len);
	put_u16(out + 6, 0);
	sum = fold(sum_bytes(out, len,
		sum_bytes(addresses, addresses_len, sum_bytes(pseudo, sizeof pseudo, 0))));
	put_sum(out + 6, sum ? sum : 0xffff);
}

size_t frame_answer(const struct frame *f, struct slice bytes, uint8_t *out, size_t payload_len)
{
	const uint8_t *in = (const uint8_t *)bytes.ptr;
	size_t udp = f->headers - (size_t)UDP, len = UDP + payload_len;
	size_t ip = udp - (f->from.family == 4 ? IP4 : IP6);

	memcpy(out, in + MAC, MAC);
	memcpy(out + MAC, in, MAC);
	memcpy(out + 2 * MAC, in + 2 * MAC, ip - 2 * MAC);
	if (f->from.family == 4) {
		answer_ip4(in + ip, out + ip, len);
		answer_udp(in + udp, out + udp, out + ip + 12, 8, len);
	} else {
		answer_ip6(in + ip, out + ip, len);
		answer_udp(in + udp, out + udp, out + ip + 8, 32, len);
	}
	return f->headers + payload_len;
}
