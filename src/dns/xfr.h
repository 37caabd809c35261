/* xfr.h - a zone transfer as the one who asked for it reads it: whole (AXFR, RFC 5936) or by changes (IXFR,
 * RFC 1995). Bytes in, records out; signatures were checked before (tsig.h). */
#pragma once

#include "base/err.h"
#include "dns/rdata.h"

/* later has come after earlier (RFC 1982). */
static inline bool dns_serial_after(uint32_t later, uint32_t earlier)
{
	return (int32_t)(later - earlier) > 0;
}

enum xfr_op {
	XFR_WHOLE, /* all records of the zone follow: forget what there was. No record comes with it. */
	XFR_ADD,
	XFR_REMOVE,
};

struct xfr_record {
	struct domain owner; /* at or below the zone */
	uint16_t type;
	uint32_t ttl_s;
	struct slice rdata; /* as of dns_rdata_read(); valid during the call */
};

/* In order: what is removed and added by each step, its SOA records among them. False, with words in err:
 * no more is wanted. */
typedef bool xfr_fn(void *ctx, enum xfr_op op, const struct xfr_record *record, struct err *err);

enum xfr_state {
	XFR_FIRST,   /* nothing came yet */
	XFR_SECOND,  /* one SOA came */
	XFR_RECORDS, /* of a whole zone */
	XFR_REMOVING,
	XFR_ADDING,
	XFR_DONE,
	XFR_SAME, /* there is nothing newer */
};

struct xfr {
	struct domain zone;
	uint16_t id;
	bool by_changes;     /* IXFR was asked for ... */
	uint32_t our_serial; /* ... by who has this */
	xfr_fn *fn;
	void *ctx;
	enum xfr_state state;
	uint32_t serial;	   /* where it leads to */
	uint32_t step_serial;	   /* where it is */
	uint64_t records, foreign; /* told; outside of the zone and left out */
	struct buf rdata, first;   /* first: data of the first SOA */
	uint32_t first_ttl_s;
};

/* our_serial: NULL for AXFR. */
void xfr_start(struct xfr *x, const struct domain *zone, uint16_t id, const uint32_t *our_serial,
	xfr_fn *fn, void *ctx);
void xfr_done(struct xfr *x); /* frees */
/* The question, to be signed where that is wanted. our_soa: its data, for IXFR. Returns its length. */
#define XFR_QUESTION_MAX 1024
size_t xfr_question(const struct xfr *x, struct slice our_soa, uint8_t dst[XFR_QUESTION_MAX]);
/* The next message. False, with words in err: it is none of this transfer, which is over. Else state says
 * whether more is due. rcode: what the server answered, if that is why. */
bool xfr_take(struct xfr *x, struct slice message, unsigned *ret_rcode, struct err *err);
static inline bool xfr_is_over(const struct xfr *x)
{
	return x->state == XFR_DONE || x->state == XFR_SAME;
}
