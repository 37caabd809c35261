/* proxy.c - reads the PROXY v2 header. */
#include "smtp/proxy.h"
#include "base/reader.h"

static const uint8_t signature[12] = {
	0x0d, 0x0a, 0x0d, 0x0a, 0x00, 0x0d, 0x0a, 0x51, 0x55, 0x49, 0x54, 0x0a};

static struct ip read_ip(struct reader *r, uint8_t family)
{
	struct ip ip = {.family = family};
	const uint8_t *p = reader_bytes(r, family == 4 ? 4 : 16);

	if (p)
		memcpy(ip.bytes, p, family == 4 ? 4 : 16);
	return ip_unmap(ip);
}

static bool bad(struct err *err, const char *what)
{
	return err_set(err, ERR_SYNTAX, "PROXY header: %s", what);
}

/* The body of a PROXY command: family and transport in one byte, then the addresses. */
static bool read_addresses(
	uint8_t family, struct reader body, struct proxy_header *h, struct err *err)
{
	uint8_t ip_family;

	switch (family) {
	case 0x00: /* UNSPEC: the receiver must accept it and use the real peer */
		h->local = true;
		return true;
	case 0x11:
		ip_family = 4;
		break;
	case 0x21:
		ip_family = 6;
		break;
	case 0x12:
	case 0x22:
	case 0x31:
	case 0x32:
		return bad(err, "not a TCP connection");
	default:
		return bad(err, "unknown address family");
	}
	h->source = read_ip(&body, ip_family);
	h->target = read_ip(&body, ip_family);
	h->source_port = reader_u16(&body);
	h->target_port = reader_u16(&body);
	return !body.bad || bad(err, "shorter than its addresses");
}

enum proxy_result proxy_parse(struct slice in, struct proxy_header *ret, struct err *err)
{
	struct reader r = reader_of(in);
	struct proxy_header h = {0};
	size_t known = MIN(in.len, sizeof signature);
	uint8_t command, family;
	uint16_t length;

	if (known && memcmp(in.ptr, signature, known) != 0) {
		bad(err, "no signature of version 2; does this peer speak PROXY v2?");
		return PROXY_BAD;
	}
	if (in.len < 16)
		return PROXY_MORE;
	reader_bytes(&r, sizeof signature);
	command = reader_u8(&r);
	family = reader_u8(&r);
	length = reader_u16(&r);
	h.size = 16 + (size_t)length;
	if (command >> 4 != 2 || (command & 0xf) > 1) {
		bad(err, "unknown version or command");
		return PROXY_BAD;
	}
	if (h.size > PROXY_MAX) {
		err_set(err, ERR_LIMIT, "PROXY header: %zu bytes, at most %zu", h.size, PROXY_MAX);
		return PROXY_BAD;
	}
	if (in.len < h.size)
		return PROXY_MORE;
	if ((command & 0xf) == 0)
		h.local = true;
	else if (!read_addresses(family, reader_of(reader_slice(&r, length)), &h, err))
		return PROXY_BAD;
	*ret = h;
	return PROXY_DONE;
}
