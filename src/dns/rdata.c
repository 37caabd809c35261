/* rdata.c - the data of a record, taken out of its message. */
#include "dns/rdata.h"

#include "base/attr.h"

/* n names behind some bytes; what stands behind the names is copied. */
struct layout {
	uint16_t type;
	uint8_t before, names;
};

static const struct layout layouts[] = {
	{DNS_NS, 0, 1}, {3, 0, 1}, {4, 0, 1},				     /* MD, MF */
	{DNS_CNAME, 0, 1}, {DNS_SOA, 0, 2}, {7, 0, 1}, {8, 0, 1}, {9, 0, 1}, /* MB, MG, MR */
	{DNS_PTR, 0, 1}, {14, 0, 2},					     /* MINFO */
	{DNS_MX, 2, 1}, {17, 0, 2},					     /* RP */
	{18, 2, 1}, {21, 2, 1}, {24, 18, 1},				     /* AFSDB, RT, SIG */
	{26, 2, 2}, {30, 0, 1},						     /* PX, NXT */
	{33, 6, 1}, {36, 2, 1}, {39, 0, 1},				     /* SRV, KX, DNAME */
};

static const struct layout *layout_of(uint16_t type)
{
	for (size_t i = 0; i < ARRAY_LEN(layouts); i++)
		if (layouts[i].type == type)
			return &layouts[i];
	return NULL;
}

static bool read_names(
	struct slice message, const struct dns_record *r, const struct layout *l, struct buf *to)
{
	size_t at = r->rdata, end = at + r->rdata_len;
	struct domain name;

	if (r->rdata_len < l->before)
		return false;
	buf_add(to, message.ptr + at, l->before);
	at += l->before;
	for (unsigned i = 0; i < l->names; i++) {
		at = dns_name_read(slice_take(message, end), at, &name);
		if (at == 0 || at > end)
			return false;
		buf_add(to, name.wire, name.len);
	}
	buf_add(to, message.ptr + at, end - at);
	return true;
}

bool dns_rdata_read(struct slice message, const struct dns_record *r, struct buf *to)
{
	const struct layout *l = layout_of(r->type);
	size_t before = to->len;
	struct dns_soa soa;

	if (r->type == DNS_A && r->rdata_len != 4)
		return false;
	if (!l)
		buf_add(to, message.ptr + r->rdata, r->rdata_len);
	else if (!read_names(message, r, l, to))
		return false;
	if (r->type == DNS_SOA && !to->failed
		&& !dns_soa_read(slice_skip(buf_slice(to), before), &soa))
		return false;
	return !to->failed && to->len - before <= UINT16_MAX;
}

bool dns_soa_read(struct slice rdata, struct dns_soa *ret)
{
	struct dns_soa soa;
	size_t at = dns_name_read(rdata, 0, &soa.origin);
	const uint8_t *p;

	at = at ? dns_name_read(rdata, at, &soa.person) : 0;
	if (at == 0 || rdata.len - at != 20)
		return false;
	p = (const uint8_t *)rdata.ptr + at;
	soa.serial = dns_u32(p);
	soa.refresh_s = dns_u32(p + 4);
	soa.retry_s = dns_u32(p + 8);
	soa.expire_s = dns_u32(p + 12);
	soa.minimum_s = dns_u32(p + 16);
	*ret = soa;
	return true;
}
