/* restricted.c - what those see who may not see what is listed: nothing, or everything as listed. Whole
 * records are there for both, as SOA and NS are. */
#include "dnsd/answer/zone.h"

/* Could this source list what was asked at all? */
static bool could_list(const struct set_meta *meta, const struct asked *asked)
{
	if (meta->kind == SET_NAME)
		return asked->labels > 0;
	return meta->kind == SET_IP && (asked->is_ip6 || (asked->is_ip4 && meta->reads_ip4));
}

void restricted_ask(struct reply *r, const struct served_place *p, const struct asked *asked)
{
	struct hit hits[SNAPSHOT_HITS_MAX];

	for (size_t i = 0; i < p->source_count; i++) {
		const struct served_source *source = &p->sources[i];
		size_t n;

		if (source->meta->kind != SET_RECORDS) {
			r->always = r->always
				    || (r->access.action == ACCESS_ALWAYS
					    && could_list(source->meta, asked));
			continue;
		}
		n = index_find_in(p->index, source->set, asked, r->now_s, hits);
		for (size_t k = 0; k < n; k++)
			records_answer(r, hits[k].value.text);
	}
}

void restricted_answer(struct reply *r)
{
	const struct value *v = &r->access.always;
	uint8_t rdata[1 + VALUE_TEXT_MAX];
	size_t len;

	r->listed = true;
	dns_put_u32(rdata, v->code);
	if (r->want_a)
		reply_add(r, &r->a, DNS_A, r->access.ttl_s, rdata, 4);
	if (!r->want_txt || !v->text.len)
		return;
	len = value_expand(v->text, slice_str(ip_text(&r->from->peer).s), (char *)rdata + 1);
	rdata[0] = (uint8_t)len;
	reply_add(r, &r->txt, DNS_TXT, r->access.ttl_s, rdata, 1 + len);
}
