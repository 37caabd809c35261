/* xfr.c - a zone transfer as the one who asked for it reads it. */
#include "dns/xfr.h"

#include "dns/bulk.h"

void xfr_start(struct xfr *x, const struct domain *zone, uint16_t id, const uint32_t *our_serial,
	xfr_fn *fn, void *ctx)
{
	*x = (struct xfr){.zone = *zone,
		.id = id,
		.by_changes = our_serial != NULL,
		.our_serial = our_serial ? *our_serial : 0,
		.fn = fn,
		.ctx = ctx,
		.rdata = BUF_INIT(DNS_MESSAGE_MAX + 2 * DOMAIN_WIRE_MAX),
		.first = BUF_INIT(DNS_MESSAGE_MAX)};
}

void xfr_done(struct xfr *x)
{
	buf_done(&x->rdata);
	buf_done(&x->first);
}

size_t xfr_question(const struct xfr *x, struct slice our_soa, uint8_t dst[XFR_QUESTION_MAX])
{
	const struct dns_bulk_head head = {
		.id = x->id, .zone = x->zone, .type = x->by_changes ? DNS_IXFR : DNS_AXFR};
	struct dns_bulk b;
	size_t n;

	dns_bulk_start(&b, dst, XFR_QUESTION_MAX, &head);
	if (x->by_changes)
		dns_bulk_add(&b, &x->zone, DNS_SOA, 0, our_soa);
	n = dns_bulk_finish(&b);
	if (x->by_changes) { /* it belongs into the authority section (RFC 1995, 3) */
		dns_put_u16(dst + 8, dns_u16(dst + 6));
		dns_put_u16(dst + 6, 0);
	}
	return n;
}

static bool bad(struct err *err, const char *what)
{
	return err_set(err, ERR_SYNTAX, "%s", what);
}

static bool tell(struct xfr *x, enum xfr_op op, const struct xfr_record *r, struct err *err)
{
	x->records += op != XFR_WHOLE;
	return x->fn(x->ctx, op, r, err);
}

static bool take_first(struct xfr *x, const struct xfr_record *r, bool alone,
	const struct dns_soa *soa, struct err *err)
{
	if (!soa)
		return bad(err, "a transfer that does not begin with the zone's SOA");
	x->serial = soa->serial;
	x->first_ttl_s = r->ttl_s;
	buf_add_slice(&x->first, r->rdata);
	x->state = XFR_SECOND;
	/* The server may also begin a whole zone with the SOA in a message of its own. */
	if (x->by_changes && alone && !dns_serial_after(soa->serial, x->our_serial))
		x->state = XFR_SAME;
	return true;
}

static bool begin_whole(struct xfr *x, const struct xfr_record *r, struct err *err)
{
	struct xfr_record first = {.owner = x->zone,
		.type = DNS_SOA,
		.ttl_s = x->first_ttl_s,
		.rdata = buf_slice(&x->first)};

	x->state = XFR_RECORDS;
	return tell(x, XFR_WHOLE, NULL, err) && tell(x, XFR_ADD, &first, err)
	       && tell(x, XFR_ADD, r, err);
}

static bool take_second(
	struct xfr *x, const struct xfr_record *r, const struct dns_soa *soa, struct err *err)
{
	if (!soa)
		return begin_whole(x, r, err);
	if (!x->by_changes || soa->serial == x->serial)
		return bad(err, "a zone without any records");
	if (soa->serial != x->our_serial)
		return bad(err, "changes to a version that we do not have");
	x->state = XFR_REMOVING;
	x->step_serial = soa->serial;
	return tell(x, XFR_REMOVE, r, err);
}

static bool take_step(
	struct xfr *x, const struct xfr_record *r, const struct dns_soa *soa, struct err *err)
{
	if (!soa)
		return tell(x, x->state == XFR_ADDING ? XFR_ADD : XFR_REMOVE, r, err);
	if (x->state == XFR_REMOVING) {
		if (!dns_serial_after(soa->serial, x->step_serial))
			return bad(err, "a step of changes that leads backwards");
		x->state = XFR_ADDING;
		x->step_serial = soa->serial;
		return tell(x, XFR_ADD, r, err);
	}
	if (soa->serial != x->step_serial)
		return bad(err, "steps of changes that do not follow on each other");
	if (soa->serial == x->serial) {
		x->state = XFR_DONE;
		return true;
	}
	x->state = XFR_REMOVING;
	return tell(x, XFR_REMOVE, r, err);
}

static bool take_record(struct xfr *x, const struct xfr_record *r, bool alone, struct err *err)
{
	struct dns_soa read, *soa = NULL;

	if (r->type == DNS_SOA && domain_eq(&r->owner, &x->zone)) {
		dns_soa_read(r->rdata, &read);
		soa = &read;
	}
	switch (x->state) {
	case XFR_FIRST:
		return take_first(x, r, alone, soa, err);
	case XFR_SECOND:
		return take_second(x, r, soa, err);
	case XFR_RECORDS:
		if (!soa)
			return tell(x, XFR_ADD, r, err);
		x->state = XFR_DONE;
		return soa->serial == x->serial || bad(err, "the zone changed while it was sent");
	case XFR_REMOVING:
	case XFR_ADDING:
		return take_step(x, r, soa, err);
	case XFR_DONE:
	case XFR_SAME:
		break;
	}
	return bad(err, "records behind the end of the transfer");
}

/* The offset behind header and question; 0: not an answer to what was asked. */
static size_t take_head(struct xfr *x, struct slice message, unsigned *ret_rcode, struct err *err)
{
	const uint8_t *p = (const uint8_t *)message.ptr;
	size_t at = DNS_HEADER_SIZE;
	struct domain name;

	if (message.len < DNS_HEADER_SIZE || dns_u16(p) != x->id
		|| (dns_u16(p + 2) & (DNS_QR | DNS_OPCODE)) != DNS_QR || dns_u16(p + 4) > 1)
		return bad(err, "a message that answers something else");
	*ret_rcode = dns_u16(p + 2) & DNS_RCODE;
	if (*ret_rcode)
		return err_set(err, ERR_REFUSED, "the server answers with rcode %u", *ret_rcode);
	if (dns_u16(p + 2) & DNS_TC)
		return bad(err, "a cut message");
	if (dns_u16(p + 4) == 0)
		return x->state == XFR_FIRST ? bad(err, "no question in the first message") : at;
	at = dns_name_read(message, at, &name);
	if (at == 0 || message.len - at < 4 || !domain_eq(&name, &x->zone)
		|| dns_u16(p + at) != (x->by_changes ? DNS_IXFR : DNS_AXFR))
		return bad(err, "a message that answers something else");
	return at + 4;
}

bool xfr_take(struct xfr *x, struct slice message, unsigned *ret_rcode, struct err *err)
{
	const uint8_t *p = (const uint8_t *)message.ptr;
	size_t at = take_head(x, message, ret_rcode, err);
	struct xfr_record r;
	struct dns_record rec;
	unsigned count;

	if (at == 0)
		return false;
	count = dns_u16(p + 6);
	if (count == 0)
		return bad(err, "a message without records");
	for (unsigned i = 0; i < count; i++) {
		at = dns_record_read(message, at, &rec);
		buf_reset(&x->rdata);
		if (at == 0 || rec.class != DNS_IN || !dns_name_read(message, rec.owner, &r.owner)
			|| !dns_rdata_read(message, &rec, &x->rdata))
			return bad(err, "a malformed record");
		r.type = rec.type;
		r.ttl_s = rec.ttl;
		r.rdata = buf_slice(&x->rdata);
		if (!domain_is_under(&r.owner, &x->zone)) {
			x->foreign++;
			continue;
		}
		if (!take_record(x, &r, count == 1, err))
			return false;
	}
	return true;
}
