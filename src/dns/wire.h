/* wire.h - numbers and names of DNS messages (RFC 1035, 3596, 6891): what server and client share. */
#pragma once

#include "base/domain.h"
#include "base/slice.h"

#define DNS_HEADER_SIZE 12
#define DNS_MESSAGE_MAX 65535
#define DNS_UDP_PLAIN 512 /* without EDNS (RFC 1035, 4.2.1) */
#define DNS_UDP_EDNS 1232 /* what we offer and send at most: never fragmented (DNS flag day 2020) */

enum dns_type {
	DNS_A = 1,
	DNS_NS = 2,
	DNS_CNAME = 5,
	DNS_SOA = 6,
	DNS_PTR = 12,
	DNS_HINFO = 13,
	DNS_MX = 15,
	DNS_TXT = 16,
	DNS_AAAA = 28,
	DNS_OPT = 41,
	DNS_RRSIG = 46,
	DNS_NSEC = 47,
	DNS_DNSKEY = 48,
	DNS_CDS = 59,
	DNS_CDNSKEY = 60,
	DNS_NXNAME = 128, /* only in NSEC bitmaps: the name does not exist (RFC 9824) */
	DNS_TSIG = 250,
	DNS_IXFR = 251,
	DNS_AXFR = 252,
	DNS_ANY = 255,
};

enum dns_class { DNS_IN = 1, DNS_CH = 3, DNS_CLASS_ANY = 255 };

enum dns_rcode {
	DNS_NOERROR = 0,
	DNS_FORMERR = 1,
	DNS_SERVFAIL = 2,
	DNS_NXDOMAIN = 3,
	DNS_NOTIMP = 4,
	DNS_REFUSED = 5,
	DNS_NOTAUTH = 9,
	DNS_BADVERS = 16, /* the upper eight bits travel in OPT */
	DNS_BADCOOKIE = 23,
};

/* bits of the header's second 16-bit word */
enum dns_flag {
	DNS_QR = 0x8000,
	DNS_OPCODE = 0x7800,
	DNS_NOTIFY = 0x2000, /* of the opcode (RFC 1996) */
	DNS_AA = 0x0400,
	DNS_TC = 0x0200,
	DNS_RD = 0x0100,
	DNS_RA = 0x0080,
	DNS_AD = 0x0020,
	DNS_CD = 0x0010,
	DNS_RCODE = 0x000f,
};

static inline uint16_t dns_u16(const uint8_t *p)
{
	return (uint16_t)(p[0] << 8 | p[1]);
}

static inline uint32_t dns_u32(const uint8_t *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static inline uint64_t dns_u64(const uint8_t *p)
{
	return (uint64_t)dns_u32(p) << 32 | dns_u32(p + 4);
}

static inline void dns_put_u16(uint8_t *p, uint16_t v)
{
	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)v;
}

static inline void dns_put_u32(uint8_t *p, uint32_t v)
{
	dns_put_u16(p, (uint16_t)(v >> 16));
	dns_put_u16(p + 2, (uint16_t)v);
}

/* The name at offset `at`, compression followed, in lower case. Pointers may only go backwards and at
 * most 32 times, so hostile ones end. Returns the offset behind the name, 0 when it is malformed. */
size_t dns_name_read(struct slice message, size_t at, struct domain *ret);
/* The offset behind the name at `at` without following pointers; 0 when malformed. */
size_t dns_name_skip(struct slice message, size_t at);

/* One resource record of a message, checked to lie inside it. Offsets are from the message's start. */
struct dns_record {
	uint32_t owner; /* where its name stands */
	uint16_t type, class;
	uint32_t ttl; /* 0 when its top bit was set (RFC 2181, 8) */
	uint32_t rdata;
	uint16_t rdata_len;
};

/* Reads the record at `at`. Returns the offset behind it, 0 when malformed. */
size_t dns_record_read(struct slice message, size_t at, struct dns_record *ret);
