/* changelog.c - one change as bytes, and back. */
#include "index/changelog.h"
#include "base/reader.h"
#include "index/crc32c.h"

#define HEAD 8	    /* length and checksum */
#define KIND_NAME 0 /* else the family of the prefix */

static void encode_key(const struct change *c, struct buf *to)
{
	if (c->is_name) {
		buf_add_u8(to, KIND_NAME);
		buf_add_u8(to, (uint8_t)c->scope);
		buf_add_u8(to, c->name.len);
		buf_add(to, c->name.wire, c->name.len);
		return;
	}
	buf_add_u8(to, c->prefix.ip.family);
	buf_add_u8(to, c->prefix.len);
	buf_add(to, c->prefix.ip.bytes, c->prefix.ip.family == 4 ? 4 : 16);
}

bool change_encode(const struct change *c, struct buf *to, struct err *err)
{
	_cleanup_buf_ struct buf body = BUF_INIT(CHANGE_RECORD_MAX - HEAD);
	size_t before = to->len;

	if (!c->set.len || c->set.len > CHANGE_SET_MAX)
		return err_set(
			err, ERR_LIMIT, "change: a set's name has 1 to %d bytes", CHANGE_SET_MAX);
	buf_add_u64(&body, c->serial);
	buf_add_u8(&body, (uint8_t)c->op);
	buf_add_u8(&body, (uint8_t)c->set.len);
	buf_add_slice(&body, c->set);
	encode_key(c, &body);
	if (c->op == CHANGE_ADD) {
		buf_add_u64(&body, (uint64_t)c->expires_s);
		buf_add_u32(&body, c->value.code);
		buf_add_u32(&body, (uint32_t)c->value.text.len);
		buf_add_slice(&body, c->value.text);
	}
	if (body.failed || c->value.text.len > VALUE_TEMPLATE_MAX)
		return err_set(
			err, ERR_LIMIT, "change: text longer than %d bytes", VALUE_TEMPLATE_MAX);
	buf_add_u32(to, (uint32_t)(body.len + 4));
	buf_add_u32(to, crc32c(0, buf_slice(&body)));
	buf_add_slice(to, buf_slice(&body));
	if (to->failed) {
		to->len = before;
		return err_set(err, ERR_LIMIT, "change: no room in the buffer");
	}
	return true;
}

static bool decode_key(struct reader *r, struct change *c)
{
	uint8_t kind = reader_u8(r), second = reader_u8(r);
	const uint8_t *bytes;
	struct prefix cut;

	c->is_name = kind == KIND_NAME;
	if (c->is_name) {
		uint8_t len = reader_u8(r);

		bytes = reader_bytes(r, len);
		c->scope = second;
		return bytes && second >= SCOPE_SELF && second <= SCOPE_BOTH
		       && domain_from_wire(bytes, len, &c->name)
		       && memcmp(c->name.wire, bytes, len) == 0; /* in lower case, as we write it */
	}
	if ((kind != 4 && kind != 6) || second > ip_bits(kind))
		return false;
	bytes = reader_bytes(r, kind == 4 ? 4 : 16);
	if (!bytes)
		return false;
	c->prefix.ip.family = kind;
	memcpy(c->prefix.ip.bytes, bytes, kind == 4 ? 4 : 16);
	c->prefix.len = second;
	cut = prefix_of(&c->prefix.ip, second);
	return ip_eq(&cut.ip, &c->prefix.ip);
}

static bool decode_body(struct slice body, struct change *c)
{
	struct reader r = reader_of(body);
	uint8_t op;

	c->serial = reader_u64(&r);
	op = reader_u8(&r);
	c->op = op;
	c->set = reader_slice(&r, reader_u8(&r));
	if (r.bad || (op != CHANGE_ADD && op != CHANGE_REMOVE) || !c->set.len || !decode_key(&r, c))
		return false;
	if (op == CHANGE_ADD) {
		c->expires_s = (int64_t)reader_u64(&r);
		c->value.code = reader_u32(&r);
		c->value.text = reader_slice(&r, reader_u32(&r));
		if (c->expires_s < 0 || c->value.text.len > VALUE_TEMPLATE_MAX)
			return false;
	}
	return !r.bad && !reader_left(&r);
}

enum change_read change_decode(
	struct slice in, struct change *ret, size_t *ret_used, struct err *err)
{
	struct reader r = reader_of(in);
	struct change c = {0};
	uint32_t len, crc;
	struct slice body;

	if (in.len < 4)
		return CHANGE_MORE;
	len = reader_u32(&r);
	if (len < 4 || len > CHANGE_RECORD_MAX - 4) {
		err_set(err, ERR_CORRUPT, "change log: a record of %u bytes cannot be", len);
		return CHANGE_CORRUPT;
	}
	if (in.len - 4 < len)
		return CHANGE_MORE;
	crc = reader_u32(&r);
	body = reader_slice(&r, len - 4);
	if (crc != crc32c(0, body) || !decode_body(body, &c)) {
		err_set(err, ERR_CORRUPT, "change log: a record is damaged");
		return CHANGE_CORRUPT;
	}
	*ret = c;
	*ret_used = len + 4;
	return CHANGE_READ;
}
