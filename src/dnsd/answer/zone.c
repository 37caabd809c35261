/* zone.c - what one zone answers. */
#include "dnsd/answer/zone.h"

#include "base/ip.h"
#include "dnsd/answer/sign.h"

#define RDATA_AT 12 /* in a record whose owner is a pointer */
#define TTL_AT 6

/* No record twice in a set (RFC 2181, 5). */
static bool rrset_has(const struct rrset *set, const uint8_t *rdata, size_t len)
{
	for (unsigned i = 0; i < set->count; i++) {
		const uint8_t *r = set->records[i];
		if (dns_u16(r + RDATA_AT - 2) == len && memcmp(r + RDATA_AT, rdata, len) == 0)
			return true;
	}
	return false;
}

/* All records of a set have one TTL, the least (RFC 2181, 5.2; rbldnsd does the same). */
void reply_add(struct reply *r, struct rrset *set, uint16_t type, uint32_t ttl,
	const uint8_t *rdata, size_t len)
{
	uint8_t *at = r->w.at;

	if (!rrset_has(set, rdata, len)) {
		if (set->count == RECORDS_MAX)
			return;
		dns_record_begin(&r->w, DNS_HEADER_SIZE, type, ttl);
		dns_record_bytes(&r->w, rdata, len);
		if (!dns_record_end(&r->w, DNS_ANSWER))
			return;
		set->records[set->count++] = at;
		if (set->count == 1)
			set->ttl = ttl;
	}
	if (ttl == set->ttl)
		return;
	set->ttl = MIN(set->ttl, ttl);
	for (unsigned i = 0; i < set->count; i++)
		dns_put_u32(set->records[i] + TTL_AT, set->ttl);
}

static void add_hit(struct reply *r, const struct served_source *source, const struct asked *asked,
	const struct hit *hit)
{
	char subject[INDEX_SUBJECT_MAX];
	uint8_t rdata[1 + VALUE_TEXT_MAX];
	uint32_t ttl = source->ttl_s;
	size_t len;

	/* No cache keeps one of our listings longer than it lasts. */
	if (source->list && hit->expires_s && hit->expires_s - r->now_s < ttl)
		ttl = (uint32_t)MAX(hit->expires_s - r->now_s, 0);
	if (r->want_a) {
		dns_put_u32(rdata, hit->value.code);
		reply_add(r, &r->a, DNS_A, ttl, rdata, 4);
	}
	if (r->want_txt && hit->value.text.len) {
		len = index_subject(source->meta, asked, hit, subject);
		len = value_expand(hit->value.text, slice_of(subject, len), (char *)rdata + 1);
		rdata[0] = (uint8_t)len; /* one string: VALUE_TEXT_MAX is below 256 */
		reply_add(r, &r->txt, DNS_TXT, ttl, rdata, 1 + len);
	}
}

enum point { POINT_NONE, POINT_LISTED, POINT_UNLISTED };

/* The entries that clients probe a list with (RFC 5782, 5): its data has no say there. */
static enum point test_point(const struct served_list *list, const struct asked *asked)
{
	static const uint8_t test[] = "\4test", invalid[] = "\7invalid";

	if (list->kind == SET_IP) {
		if (!asked->is_ip4)
			return POINT_NONE;
		if (asked->ip4 == 0x7f000001)
			return POINT_UNLISTED;
		return asked->ip4 == 0x7f000002 || asked->ip4 == list->code ? POINT_LISTED
									    : POINT_NONE;
	}
	if (asked->labels != 1)
		return POINT_NONE;
	if (asked->name_len == sizeof test && memcmp(asked->name, test, sizeof test) == 0)
		return POINT_LISTED;
	if (asked->name_len == sizeof invalid && memcmp(asked->name, invalid, sizeof invalid) == 0)
		return POINT_UNLISTED;
	return POINT_NONE;
}

static void ask_point(
	struct reply *r, const struct served_source *source, const struct asked *asked)
{
	struct hit hit = {.value = {source->list->code, source->list->text}};

	hit.len = source->list->kind == SET_IP ? 32 : 1;
	hit.scope = source->list->kind == SET_IP ? 4 : SCOPE_SELF;
	r->listed = true;
	add_hit(r, source, asked, &hit);
}

/* All sources of a place: one walk through their index, then hits and sources side by side. */
static void ask_place(struct reply *r, const struct served_place *p, const struct asked *asked)
{
	struct hit hits[SNAPSHOT_HITS_MAX];
	size_t n = p->index ? index_find(p->index, asked, r->now_s, hits) : 0, h = 0;

	for (size_t i = 0; i < p->source_count; i++) {
		const struct served_source *source = &p->sources[i];
		enum point point = source->list ? test_point(source->list, asked) : POINT_NONE;

		if (point == POINT_LISTED)
			ask_point(r, source, asked);
		if (point != POINT_NONE || !source->published)
			continue;
		while (h < n && hits[h].set < source->set)
			h++;
		for (; h < n && hits[h].set == source->set; h++) {
			if (source->meta->kind == SET_RECORDS) {
				records_answer(r, hits[h].value.text);
				continue;
			}
			r->listed = true;
			add_hit(r, source, asked, &hits[h]);
		}
	}
}

const struct served_place *zone_place(const struct served_group *g, const struct dns_question *q,
	unsigned below, unsigned *ret_labels)
{
	for (size_t i = 0; i < g->place_count; i++) {
		const struct domain *p = &g->places[i].name;
		unsigned len = p->len - 1u; /* without the root label */
		if (p->labels > below)
			continue;
		unsigned from = q->label_at[below - p->labels];
		if (q->label_at[below] - from != len
			|| memcmp(q->name.wire + from, p->wire, len) != 0)
			continue;
		*ret_labels = below - p->labels;
		return &g->places[i];
	}
	return NULL;
}

/* The name's first labels as a name of its own. */
static struct asked asked_first(const struct dns_question *q, unsigned labels, uint8_t *dst)
{
	size_t len = q->label_at[labels];

	memcpy(dst, q->name.wire, len);
	dst[len] = 0;
	return asked_of(dst, len + 1, labels);
}

/* Asks every source; true when the name exists (listed, or the name of a place below the zone). */
static bool ask_groups(struct reply *r, unsigned below)
{
	const struct dns_question *q = r->q;
	unsigned labels, last = UINT32_MAX;
	uint8_t name[DOMAIN_WIRE_MAX];
	struct asked asked = {0}, here;
	bool exists = below == 0;

	for (size_t i = 0; i < r->zone->group_count; i++) {
		const struct served_place *p = zone_place(&r->zone->groups[i], q, below, &labels);
		if (!p)
			continue;
		exists = exists || labels == 0;
		if (labels != last) {
			asked = asked_first(q, labels, name);
			last = labels;
		}
		here = asked;
		here.is_ip6 = asked.is_ip6 && !(asked.is_mapped && p->reads_ip4);
		if (r->access.action == ACCESS_PASS)
			ask_place(r, p, &here);
		else
			restricted_ask(r, p, &here);
	}
	if (r->always)
		restricted_answer(r);
	return exists || r->listed || r->known;
}

/* "1.168.192" or the last nibbles of an IPv6 address: there may be names below it, so it exists (RFC
 * 8020). Resolvers that ask label by label (RFC 9156) would stop at an NXDOMAIN. */
static bool is_address_part(const struct dns_question *q, unsigned labels)
{
	bool octets = labels < 4, nibbles = labels < 32;

	for (unsigned i = 0; i < labels && (octets || nibbles); i++) {
		const uint8_t *label = q->name.wire + q->label_at[i];
		unsigned value = 0;
		octets = octets && label[0] <= 3;
		nibbles = nibbles && label[0] == 1 && ascii_hex((char)label[1]) >= 0;
		for (unsigned k = 1; octets && k <= label[0]; k++) {
			octets = ascii_is_digit((char)label[k]);
			value = value * 10 + label[k] - '0';
		}
		octets = octets && value <= 255;
	}
	return octets || nibbles;
}

/* What lies below a name that is not listed, a list of domains does not know without looking at all of it. A
 * single label (a top-level domain) has something, nearly always. In a signed zone every name is said to be
 * there, without data: a proof that there is none would end the search of resolvers that go label by label.
 * Below "invalid" there is never anything (RFC 5782, 5). */
static bool is_domain_part(const struct reply *r, unsigned labels)
{
	static const uint8_t invalid[] = "\7invalid";
	const struct dns_question *q = r->q;
	const uint8_t *last;

	if (labels == 0 || (labels > 1 && !(r->zone->key && q->dnssec_ok)))
		return false;
	last = q->name.wire + q->label_at[labels - 1];
	return last[0] != invalid[0] || memcmp(last, invalid, sizeof invalid - 1) != 0;
}

static void write_soa(struct reply *r, enum dns_section section)
{
	const struct soa_record *soa = &r->zone->soa_record;
	uint32_t ttl = r->zone->soa.ttl_s;
	uint8_t record[SOA_SIZE_MAX];

	if (section == DNS_AUTHORITY) /* how long the "no" may be kept: RFC 2308, 3 */
		ttl = MIN(ttl, r->zone->soa.minimum_s);
	soa_put(soa, record, (unsigned)(r->w.at - r->w.start), r->apex_at, ttl,
		served_serial(r->zone));
	dns_record_begin(&r->w, r->apex_at, DNS_SOA, ttl);
	dns_record_bytes(&r->w, record + RDATA_AT, soa->len - RDATA_AT);
	dns_record_end(&r->w, section);
}

static bool write_ns(struct reply *r, enum dns_section section)
{
	bool ok = true;

	for (unsigned i = 0; i < r->zone->ns_count; i++) {
		dns_record_begin(&r->w, r->apex_at, DNS_NS, r->zone->ns_ttl_s);
		dns_record_name(&r->w, &r->zone->ns[i]);
		ok = dns_record_end(&r->w, section) && ok;
	}
	return ok;
}

static bool write_glue(struct reply *r)
{
	for (size_t i = 0; i < r->zone->glue_count; i++) {
		const struct served_glue *g = &r->zone->glue[i];

		dns_record_begin_of(&r->w, &r->zone->ns[g->ns], DNS_A, g->ttl_s);
		dns_record_u32(&r->w, g->address);
		if (!dns_record_end(&r->w, DNS_ADDITIONAL))
			return false;
	}
	return true;
}

/* All of them or none: half a set of name servers would be taken for the whole. */
static void add_ns(struct reply *r)
{
	struct dns_writer before = r->w, without_glue;

	if (!write_ns(r, DNS_AUTHORITY)) {
		r->w = before;
		return;
	}
	without_glue = r->w;
	if (!write_glue(r))
		r->w = without_glue;
}

/* DNSKEY, and what tells the parent to follow it (RFC 7344), of all keys. */
static void write_keys(struct reply *r, uint16_t type)
{
	for (const struct zone_key *k = r->zone->key; k; k = zone_key_beside(k)) {
		struct slice rdata = type == DNS_CDS ? zone_key_ds(k) : zone_key_dnskey(k);
		dns_record_begin(&r->w, r->apex_at, type, r->zone->soa.ttl_s);
		dns_record_bytes(&r->w, rdata.ptr, rdata.len);
		dns_record_end(&r->w, DNS_ANSWER);
	}
}

/* The zone's own records. False: rbldnsd's files lack what was asked, and like it we refuse. */
static bool answer_apex(struct reply *r)
{
	const struct served_zone *z = r->zone;
	uint16_t type = r->q->type;

	if ((type == DNS_SOA && !z->has_soa) || (type == DNS_NS && !z->ns_count))
		return false;
	if (z->has_soa && (type == DNS_SOA || type == DNS_ANY))
		write_soa(r, DNS_ANSWER);
	if (type == DNS_NS || (type == DNS_ANY && !z->has_list))
		write_ns(r, DNS_ANSWER);
	if (z->key && (type == DNS_DNSKEY || type == DNS_CDNSKEY || type == DNS_CDS))
		write_keys(r, type);
	return true;
}

unsigned zone_answer(struct reply *r)
{
	const struct dns_question *q = r->q;
	const struct served_zone *z = r->zone;
	unsigned below = (unsigned)q->name.labels - z->name.labels;
	unsigned rcode;
	bool exists;

	if (z->broken)
		return reply_error(r, DNS_SERVFAIL, DNS_EDE_INVALID_DATA, "zone data unreadable");
	if (z->expires_s && z->expires_s <= r->now_s)
		return reply_error(r, DNS_SERVFAIL, DNS_EDE_INVALID_DATA, "zone data expired");
	if (r->access.action == ACCESS_REFUSE)
		return reply_error(r, DNS_REFUSED, DNS_EDE_PROHIBITED, "no access");
	r->apex_at = (uint16_t)(DNS_HEADER_SIZE + q->label_at[below]);
	if (below == 0 && !answer_apex(r))
		return reply_error(r, DNS_REFUSED, DNS_EDE_OTHER, "no such record in the data");
	if (z->transfer_only && below)
		return reply_error(
			r, DNS_REFUSED, DNS_EDE_PROHIBITED, "this zone is for transfer only");
	r->want_a = q->type == DNS_A || q->type == DNS_ANY;
	r->want_txt = q->type == DNS_TXT || (q->type == DNS_ANY && !z->has_list);
	r->want_mx = q->type == DNS_MX || (q->type == DNS_ANY && !z->has_list);
	if (r->access.key)
		below--; /* the key is no part of what was asked */
	exists = ask_groups(r, below);
	if (!exists && z->has_ip_list)
		exists = is_address_part(q, below);
	if (!exists && z->has_name_list)
		exists = is_domain_part(r, below);
	if (r->w.counts[DNS_ANSWER] == 0 && !r->w.overflow && z->has_soa)
		write_soa(r, DNS_AUTHORITY);
	else if (z->adds_ns && r->w.counts[DNS_ANSWER])
		add_ns(r);
	rcode = exists ? DNS_NOERROR : DNS_NXDOMAIN;
	if (z->key && z->has_soa && q->dnssec_ok && r->from->rrsigs)
		rcode = sign_reply(r, rcode, exists);
	return rcode;
}
