/* records.c - whole records of a name, from generic data sets and transferred zones. */
#include "dnsd/answer/zone.h"

#include "index/record.h"

void records_answer(struct reply *r, struct slice records)
{
	struct record record;

	r->known = true;
	while (record_next(&records, &record)) {
		const uint8_t *rdata = (const uint8_t *)record.rdata.ptr;
		size_t len = record.rdata.len;

		if (record.type == DNS_A && r->want_a)
			reply_add(r, &r->a, DNS_A, record.ttl_s, rdata, len);
		else if (record.type == DNS_TXT && r->want_txt)
			reply_add(r, &r->txt, DNS_TXT, record.ttl_s, rdata, len);
		else if (record.type == DNS_MX && r->want_mx)
			reply_add(r, &r->mx, DNS_MX, record.ttl_s, rdata, len);
		else if (record.type == DNS_CNAME
			 || (record.type == r->q->type && record.type != DNS_A
				 && record.type != DNS_TXT && record.type != DNS_MX))
			reply_add(r, &r->other, record.type, record.ttl_s, rdata, len);
	}
}
