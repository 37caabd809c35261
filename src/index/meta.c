/* meta.c - what a set knows of itself, as bytes. */
#include "index/meta.h"
#include "base/reader.h"

#define META_VERSION 1

struct set_meta meta_plain(enum set_kind kind, enum set_rule rule, uint32_t ttl_s)
{
	return (struct set_meta){
		.kind = kind,
		.rule = rule,
		.reads_ip4 = kind == SET_IP,
		.ttl_s = ttl_s,
		.places = slice_of("", 1) /* the root label */
	};
}

static void add_domain(struct buf *to, const struct domain *d)
{
	buf_add_u8(to, d->len);
	buf_add(to, d->wire, d->len);
}

static bool read_domain(struct reader *r, struct domain *ret)
{
	struct slice wire = reader_slice(r, reader_u8(r));

	return !r->bad && domain_from_wire((const uint8_t *)wire.ptr, wire.len, ret);
}

void meta_encode(const struct set_meta *m, struct buf *to)
{
	buf_add_u8(to, META_VERSION);
	buf_add_u8(to, (uint8_t)m->kind);
	buf_add_u8(to, (uint8_t)m->rule);
	buf_add_u8(to, m->has_soa);
	buf_add_u8(to, m->reads_ip4);
	buf_add_u32(to, m->ttl_s);
	buf_add_u64(to, (uint64_t)m->stamp_s);
	buf_add_u64(to, (uint64_t)m->expires_s);
	if (m->has_soa) {
		const struct set_soa *s = &m->soa;
		const uint32_t numbers[6] = {
			s->ttl_s, s->serial, s->refresh_s, s->retry_s, s->expire_s, s->minimum_s};

		for (size_t i = 0; i < ARRAY_LEN(numbers); i++)
			buf_add_u32(to, numbers[i]);
		add_domain(to, &s->origin);
		add_domain(to, &s->person);
	}
	buf_add_u32(to, m->ns_ttl_s);
	buf_add_u8(to, m->ns_count);
	for (size_t i = 0; i < m->ns_count; i++)
		add_domain(to, &m->ns[i]);
	buf_add_u32(to, (uint32_t)m->places.len);
	buf_add_slice(to, m->places);
}

static bool read_soa(struct reader *r, struct set_soa *ret)
{
	uint32_t *numbers[6] = {&ret->ttl_s, &ret->serial, &ret->refresh_s, &ret->retry_s,
		&ret->expire_s, &ret->minimum_s};

	for (size_t i = 0; i < ARRAY_LEN(numbers); i++)
		*numbers[i] = reader_u32(r);
	return read_domain(r, &ret->origin) && read_domain(r, &ret->person);
}

bool meta_decode(struct slice bytes, struct set_meta *ret, struct err *err)
{
	struct reader r = reader_of(bytes);
	struct set_meta m = {0};
	struct slice rest;
	struct domain place;
	uint8_t version = reader_u8(&r), kind = reader_u8(&r), rule = reader_u8(&r),
		soa = reader_u8(&r), reads_ip4 = reader_u8(&r);

	m.ttl_s = reader_u32(&r);
	m.stamp_s = (int64_t)reader_u64(&r);
	m.expires_s = (int64_t)reader_u64(&r);
	if (r.bad || version != META_VERSION || kind > SET_KEYS || rule > SET_OCTETS || soa > 1
		|| reads_ip4 > 1)
		return err_set(err, ERR_CORRUPT, "a set's description is of an unknown form");
	m.kind = kind;
	m.rule = rule;
	m.has_soa = soa;
	m.reads_ip4 = reads_ip4;
	if (m.has_soa && !read_soa(&r, &m.soa))
		return err_set(err, ERR_CORRUPT, "a set's SOA is damaged");
	m.ns_ttl_s = reader_u32(&r);
	m.ns_count = reader_u8(&r);
	if (r.bad || m.ns_count > META_NS_MAX)
		return err_set(err, ERR_CORRUPT, "a set's name servers are damaged");
	for (size_t i = 0; i < m.ns_count; i++)
		if (!read_domain(&r, &m.ns[i]))
			return err_set(err, ERR_CORRUPT, "a set's name servers are damaged");
	m.places = reader_slice(&r, reader_u32(&r));
	if (r.bad || reader_left(&r))
		return err_set(err, ERR_CORRUPT, "a set's description has a wrong length");
	for (rest = m.places; rest.len;)
		if (!meta_next_place(&rest, &place))
			return err_set(err, ERR_CORRUPT, "a set's places are damaged");
	*ret = m;
	return true;
}

bool meta_next_place(struct slice *rest, struct domain *ret)
{
	size_t n = 0;

	while (n < rest->len && rest->ptr[n])
		n += (uint8_t)rest->ptr[n] + 1u;
	if (n >= rest->len || n >= DOMAIN_WIRE_MAX
		|| !domain_from_wire((const uint8_t *)rest->ptr, n + 1, ret))
		return false;
	*rest = slice_skip(*rest, n + 1);
	return true;
}
