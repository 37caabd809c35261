/* dnstap.c - dnstap's protobuf messages in Frame Streams. */
#include "dns/dnstap.h"

#include "dns/wire.h"

#define CONTENT SLICE("protobuf:dnstap.Dnstap")
#define CONTENT_FIELD 1

/* Field numbers of message Dnstap. */
enum { TAP_IDENTITY = 1, TAP_VERSION = 2, TAP_MESSAGE = 14, TAP_TYPE = 15 };
/* Of message Message. */
enum {
	TYPE = 1,
	SOCKET_FAMILY = 2,
	SOCKET_PROTOCOL = 3,
	QUERY_ADDRESS = 4,
	QUERY_PORT = 6,
	QUERY_TIME_SEC = 12,
	QUERY_TIME_NSEC = 13,
	QUERY_MESSAGE = 14,
	RESPONSE_TIME_SEC = 16,
	RESPONSE_TIME_NSEC = 17,
	RESPONSE_MESSAGE = 18,
};
enum { TYPE_MESSAGE = 1, AUTH_QUERY = 1, AUTH_RESPONSE = 2, INET = 1, INET6 = 2, UDP = 1, TCP = 2 };

/* ---- protobuf ---- */

enum wire_type { VARINT = 0, BYTES = 2, FIXED32 = 5 };

static void put_varint(struct buf *b, uint64_t v)
{
	for (; v >= 0x80; v >>= 7)
		buf_add_u8(b, (uint8_t)(v | 0x80));
	buf_add_u8(b, (uint8_t)v);
}

static void put_tag(struct buf *b, unsigned field, enum wire_type type)
{
	put_varint(b, (uint64_t)field << 3 | type);
}

static void put_number(struct buf *b, unsigned field, uint64_t v)
{
	put_tag(b, field, VARINT);
	put_varint(b, v);
}

static void put_fixed32(struct buf *b, unsigned field, uint32_t v)
{
	put_tag(b, field, FIXED32);
	for (unsigned i = 0; i < 4; i++) /* the only one here with the low byte first */
		buf_add_u8(b, (uint8_t)(v >> (8 * i)));
}

static void put_bytes(struct buf *b, unsigned field, struct slice s)
{
	if (s.len == 0)
		return;
	put_tag(b, field, BYTES);
	put_varint(b, s.len);
	buf_add_slice(b, s);
}

#define HOLE 3 /* bytes for a length that is not known yet: 2 MiB at most */

/* A varint may be longer than it must be: the unused groups are zero. */
static size_t begin_hole(struct buf *b)
{
	buf_add(b, "\x80\x80\0", HOLE);
	return b->len;
}

static void end_hole(struct buf *b, size_t begin)
{
	size_t len = b->len - begin;
	char *p = b->ptr ? b->ptr + begin - HOLE : NULL;

	if (b->failed)
		return;
	p[0] = (char)(0x80 | (len & 0x7f));
	p[1] = (char)(0x80 | (len >> 7 & 0x7f));
	p[2] = (char)(len >> 14 & 0x7f);
}

/* ---- events ---- */

static void put_time(struct buf *b, unsigned sec, unsigned nsec, int64_t time_ns)
{
	put_number(b, sec, (uint64_t)(time_ns / 1000000000));
	put_fixed32(b, nsec, (uint32_t)(time_ns % 1000000000));
}

static void put_message(struct buf *b, const struct dnstap_event *e)
{
	put_number(b, TYPE, e->response.len ? AUTH_RESPONSE : AUTH_QUERY);
	if (e->peer.family) {
		put_number(b, SOCKET_FAMILY, e->peer.family == 4 ? INET : INET6);
		put_number(b, SOCKET_PROTOCOL, e->tcp ? TCP : UDP);
		put_bytes(b, QUERY_ADDRESS, slice_of(e->peer.bytes, e->peer.family == 4 ? 4 : 16));
	}
	if (e->port)
		put_number(b, QUERY_PORT, e->port);
	put_time(b, QUERY_TIME_SEC, QUERY_TIME_NSEC, e->time_ns);
	put_bytes(b, QUERY_MESSAGE, e->query);
	if (e->response.len == 0)
		return;
	put_time(b, RESPONSE_TIME_SEC, RESPONSE_TIME_NSEC, e->time_ns);
	put_bytes(b, RESPONSE_MESSAGE, e->response);
}

void dnstap_write(struct buf *to, const struct dnstap_event *e)
{
	size_t frame, message;

	buf_add_u32(to, 0);
	frame = to->len;
	put_bytes(to, TAP_IDENTITY, e->identity);
	put_bytes(to, TAP_VERSION, e->version);
	put_tag(to, TAP_MESSAGE, BYTES);
	message = begin_hole(to);
	put_message(to, e);
	end_hole(to, message);
	put_number(to, TAP_TYPE, TYPE_MESSAGE);
	if (!to->failed)
		dns_put_u32((uint8_t *)to->ptr + frame - 4, (uint32_t)(to->len - frame));
}

/* ---- control frames ---- */

void dnstap_write_control(struct buf *to, enum dnstap_control control)
{
	bool content =
		control == DNSTAP_READY || control == DNSTAP_START || control == DNSTAP_ACCEPT;

	buf_add_u32(to, 0);
	buf_add_u32(to, (uint32_t)(4 + (content ? 8 + CONTENT.len : 0)));
	buf_add_u32(to, control);
	if (!content)
		return;
	buf_add_u32(to, CONTENT_FIELD);
	buf_add_u32(to, (uint32_t)CONTENT.len);
	buf_add_slice(to, CONTENT);
}

/* Several fields may follow; without any, every content is welcome. */
static bool has_content(struct slice fields)
{
	bool any = false;

	while (fields.len >= 8) {
		const uint8_t *p = (const uint8_t *)fields.ptr;
		uint32_t len = dns_u32(p + 4);
		if (dns_u32(p) != CONTENT_FIELD || len > fields.len - 8)
			return false;
		if (slice_eq(slice_of(p + 8, len), CONTENT))
			return true;
		any = true;
		fields = slice_skip(fields, 8 + (size_t)len);
	}
	return !any && fields.len == 0;
}

int dnstap_read_control(struct slice in, enum dnstap_control *ret)
{
	const uint8_t *p = (const uint8_t *)in.ptr;
	uint32_t len, control;

	if (in.len < 8)
		return 0;
	len = dns_u32(p + 4);
	if (dns_u32(p) != 0 || len < 4 || len > DNSTAP_CONTROL_MAX)
		return -1;
	if (in.len < 8 + (size_t)len)
		return 0;
	control = dns_u32(p + 8);
	if (control < DNSTAP_ACCEPT || control > DNSTAP_FINISH)
		return -1;
	if (control == DNSTAP_ACCEPT && !has_content(slice_of(p + 12, len - 4)))
		return -1;
	*ret = (enum dnstap_control)control;
	return (int)(8 + len);
}
