/* fuzz_dns_xfr.c - transfers from a server that sends anything: a byte for the kind of question, then messages
 * with their length in front. What is told is well-formed, and no end is told twice. */
#include "base/attr.h"
#include "base/reader.h"
#include "dns/xfr.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define CHECK(x) ((x) ? (void)0 : abort())

static bool look(void *ctx, enum xfr_op op, const struct xfr_record *r, struct err *err)
{
	const struct domain *zone = ctx;
	struct dns_soa soa;
	struct domain again;

	(void)err;
	CHECK((op == XFR_WHOLE) == (r == NULL));
	if (!r)
		return true;
	CHECK(domain_is_under(&r->owner, zone));
	CHECK(domain_from_wire(r->owner.wire, r->owner.len, &again)
		&& domain_eq(&again, &r->owner));
	CHECK(r->rdata.len <= UINT16_MAX);
	CHECK(r->type != DNS_SOA || dns_soa_read(r->rdata, &soa));
	CHECK(r->type != DNS_A || r->rdata.len == 4);
	return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct domain zone = {.len = 4, .labels = 1, .wire = "\2bl"};
	struct reader r = reader_of(slice_of(data, size));
	unsigned kind = reader_u8(&r), rcode;
	uint32_t ours = kind >> 1;
	bool over = false;
	struct err err;
	struct xfr x;

	xfr_start(&x, &zone, 7, kind & 1 ? &ours : NULL, look, &zone);
	while (reader_left(&r)) {
		size_t len = reader_u16(&r);
		struct slice m = reader_slice(&r, MIN(len, reader_left(&r)));
		if (!xfr_take(&x, m, &rcode, &err)) {
			CHECK(err.text[0]);
			break;
		}
		CHECK(!over);
		over = xfr_is_over(&x);
	}
	xfr_done(&x);
	return 0;
}
