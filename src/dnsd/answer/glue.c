/* glue.c - addresses of name servers, found out once for each new `served`. */
#include "dnsd/answer/glue.h"

#include "base/mem.h"
#include "dns/query.h"

#define GLUE_MAX 254 /* rbldnsd's own */

static void add(struct served_zone *z, uint8_t ns, uint32_t ttl_s, uint32_t address)
{
	if (z->glue_count == GLUE_MAX)
		return;
	z->glue = mem_resize(z->glue, (z->glue_count + 1) * sizeof *z->glue);
	z->glue[z->glue_count++] = (struct served_glue){ttl_s, address, ns};
}

static void ask(const struct served *s, struct served_zone *z, uint8_t ns)
{
	/* Nobody in particular: no rule by address speaks of him, and nothing has expired yet. */
	const struct answer_from from = {.transport = ANSWER_UDP};
	struct dns_query query = {.name = z->ns[ns], .type = DNS_A};
	uint8_t question[DNS_QUERY_MAX], reply[ANSWER_SIZE_UDP];
	struct answer_note note;
	struct dns_record record;
	size_t n = answer(
		s, &from, slice_of(question, dns_query_write(&query, question)), reply, &note);
	size_t at = n ? dns_name_skip(slice_of(reply, n), DNS_HEADER_SIZE) + 4 : 0;

	for (unsigned i = 0; n && i < dns_u16(reply + 6); i++) {
		at = dns_record_read(slice_of(reply, n), at, &record);
		if (record.type == DNS_A)
			add(z, ns, record.ttl, dns_u32(reply + record.rdata));
	}
}

void glue_fill(struct served *s)
{
	for (size_t i = 0; i < served_zone_count(s); i++) {
		struct served_zone *z = served_zone_at(s, i);
		for (uint8_t ns = 0; z->adds_ns && ns < z->ns_count; ns++)
			ask(s, z, ns);
	}
}
