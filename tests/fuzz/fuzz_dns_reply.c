/* fuzz_dns_reply.c - replies from hostile servers: what is kept lies inside the message, work ends. */
#include "dns/reply.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define CHECK(x) ((x) ? (void)0 : abort())

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const uint16_t types[] = {
		DNS_A, DNS_AAAA, DNS_PTR, DNS_TXT, DNS_NS, DNS_CNAME, DNS_SOA};
	struct dns_query q = {.edns = true};
	struct dns_reply r;
	struct ip ip;
	struct domain d;
	uint8_t sent[DNS_QUERY_MAX];
	size_t behind;

	/* Ask what the input claims to answer, so that the parser gets past the question. */
	if (size < DNS_HEADER_SIZE
		|| (behind = dns_name_read(slice_of(data, size), 12, &q.name)) == 0
		|| size - behind < 4)
		return 0;
	q.id = dns_u16(data);
	q.type = types[dns_u16(data + behind) % ARRAY_LEN(types)];
	uint8_t *copy = malloc(size);
	memcpy(copy, data, size);
	dns_put_u16(copy + behind, q.type);
	dns_put_u16(copy + behind + 2, DNS_IN);
	CHECK(dns_query_write(&q, sent) <= sizeof sent);
	if (dns_reply_parse(slice_of(copy, size), &q, &r) == DNS_REPLY_OK) {
		_cleanup_buf_ struct buf text = BUF_INIT(DNS_MESSAGE_MAX);
		CHECK(dns_reply_kept(&r) <= DNS_REPLY_RECORDS && r.aliases <= DNS_REPLY_ALIASES);
		CHECK(!r.has_soa || domain_is_under(&r.name, &r.zone));
		for (unsigned i = 0; i < dns_reply_kept(&r); i++) {
			CHECK(r.records[i].rdata + r.records[i].rdata_len <= size);
			if (dns_reply_name(&r, i, &d))
				CHECK(domain_from_wire(d.wire, d.len, &d));
			dns_reply_ip(&r, i, &ip);
			dns_reply_text(&r, i, &text);
		}
		domain_text(&r.name);
	}
	free(copy);
	return 0;
}
