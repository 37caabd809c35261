/* sign.c - signatures and denials of one reply. */
#include "dnsd/answer/sign.h"

#include "dns/zone_key.h"

#define SETS_MAX 8
#define TYPES_MAX 12
#define DAY_S 86400
#define GOOD_FOR_S (8 * DAY_S)
#define CLOCK_SKEW_S 3600
#define RRSIG_FIXED 18 /* RDATA in front of the signer's name (RFC 4034, 3.1) */

/* One RRset of the reply, read back from it. */
struct set {
	uint16_t type, owner_at;
	uint32_t ttl;
	unsigned count;
	struct dns_record records[RECORDS_MAX];
};

static struct slice message_of(const struct dns_writer *w)
{
	return slice_of(w->start, (size_t)(w->at - w->start));
}

/* ---- denial ---- */

/* One window block of a type bitmap (RFC 4034, 4.1.2): all types below 256. */
static size_t type_bitmap(const uint16_t types[], size_t n, uint8_t dst[2 + 32])
{
	unsigned last = 0;

	memset(dst, 0, 2 + 32);
	for (size_t i = 0; i < n; i++) {
		dst[2 + types[i] / 8] |= (uint8_t)(0x80 >> types[i] % 8);
		last = MAX(last, types[i] / 8u);
	}
	dst[1] = (uint8_t)(last + 1);
	return 2 + last + 1;
}

/* What is there under the name besides what was asked and not found. */
static size_t types_there(const struct reply *r, bool exists, uint16_t types[TYPES_MAX])
{
	bool apex = r->q->name.labels == r->zone->name.labels;
	size_t n = 0;

	if (exists && apex && r->zone->ns_count)
		types[n++] = DNS_NS;
	if (exists && apex) {
		types[n++] = DNS_SOA;
		types[n++] = DNS_DNSKEY;
		types[n++] = DNS_CDS;
		types[n++] = DNS_CDNSKEY;
	}
	if (r->listed || r->known) {
		types[n++] = DNS_A;
		types[n++] = DNS_TXT;
	}
	if (r->known)
		types[n++] = DNS_MX;
	for (size_t i = 0; i < n; i++)
		if (types[i] == r->q->type)
			types[i] = types[--n];
	types[n++] = DNS_RRSIG;
	types[n++] = DNS_NSEC;
	if (!exists)
		types[n++] = DNS_NXNAME;
	return n;
}

/* The name right behind the asked one: \000 in front of it, or where that does not fit the first label one
 * higher. */
static size_t next_name(const struct domain *name, uint8_t dst[DOMAIN_WIRE_MAX])
{
	if (name->len + 2 <= DOMAIN_WIRE_MAX) {
		dst[0] = 1;
		dst[1] = 0;
		memcpy(dst + 2, name->wire, name->len);
		return name->len + 2u;
	}
	memcpy(dst, name->wire, name->len);
	dst[dst[0]]++;
	return name->len;
}

static void write_nsec(struct reply *r, bool exists, enum dns_section section)
{
	const struct set_soa *soa = &r->zone->soa;
	uint8_t next[DOMAIN_WIRE_MAX], bitmap[2 + 32];
	uint16_t types[TYPES_MAX];
	size_t n = types_there(r, exists, types);

	dns_record_begin(&r->w, DNS_HEADER_SIZE, DNS_NSEC, MIN(soa->ttl_s, soa->minimum_s));
	dns_record_bytes(&r->w, next, next_name(&r->q->name, next));
	dns_record_bytes(&r->w, bitmap, type_bitmap(types, n, bitmap));
	if (!dns_record_end(&r->w, section))
		r->w.overflow = true;
}

/* ---- signatures ---- */

/* A record's data as it is signed: names whole and in lower case (RFC 4034, 6.2). */
static void add_canonical(struct buf *to, struct slice message, const struct dns_record *rec)
{
	size_t at = rec->rdata, end = at + rec->rdata_len, names = 0, start = to->len, len;
	struct domain name;

	buf_add(to, "\0\0", 2); /* the length, below */
	if (rec->type == DNS_NS || rec->type == DNS_CNAME || rec->type == DNS_PTR)
		names = 1;
	else if (rec->type == DNS_SOA)
		names = 2;
	if (rec->type == DNS_MX) {
		buf_add(to, message.ptr + at, 2);
		at += 2;
		names = 1;
	}
	for (; names && (at = dns_name_read(message, at, &name)) != 0; names--)
		buf_add(to, name.wire, name.len);
	if (at)
		buf_add(to, message.ptr + at, end - at);
	if (to->failed)
		return;
	len = to->len - start - 2;
	dns_put_u16((uint8_t *)to->ptr + start, (uint16_t)len);
}

static int by_data(const void *a, const void *b)
{
	const struct slice *x = a, *y = b;
	int c = memcmp(x->ptr + 2, y->ptr + 2, MIN(x->len, y->len) - 2);

	return c ? c : (x->len > y->len) - (x->len < y->len);
}

static void add_u32(struct buf *to, uint32_t v)
{
	uint8_t bytes[4];

	dns_put_u32(bytes, v);
	buf_add(to, bytes, sizeof bytes);
}

/* RRSIG's RDATA without the signature. Times change once a day, at another second for each key, so that
 * signatures can be kept and do not all end at once. */
static void add_rrsig_head(
	struct buf *to, const struct reply *r, const struct set *set, const struct domain *owner)
{
	const struct zone_key *k = r->zone->key;
	uint16_t tag = zone_key_tag(k);
	int64_t day = r->now_s - (r->now_s + tag) % DAY_S;
	bool wildcard = owner->wire[0] == 1 && owner->wire[1] == '*';
	uint8_t head[4] = {(uint8_t)(set->type >> 8), (uint8_t)set->type, 13,
		(uint8_t)(owner->labels - wildcard)};
	uint8_t key_tag[2];

	buf_add(to, head, sizeof head);
	add_u32(to, set->ttl);
	add_u32(to, (uint32_t)(day + GOOD_FOR_S));
	add_u32(to, (uint32_t)(day - CLOCK_SKEW_S));
	dns_put_u16(key_tag, tag);
	buf_add(to, key_tag, sizeof key_tag);
	buf_add(to, r->zone->name.wire, r->zone->name.len);
}

/* What is signed (RFC 4034, 3.1.8.1): the head, then every record in order of its data. */
static void add_signed(struct buf *to, struct buf *scratch, struct slice message,
	const struct set *set, const struct domain *owner)
{
	struct slice data[RECORDS_MAX];
	size_t at[RECORDS_MAX + 1];
	uint8_t fixed[8];

	dns_put_u16(fixed, set->type);
	dns_put_u16(fixed + 2, DNS_IN);
	dns_put_u32(fixed + 4, set->ttl);
	buf_reset(scratch);
	for (unsigned i = 0; i < set->count; i++) {
		at[i] = scratch->len;
		add_canonical(scratch, message, &set->records[i]);
	}
	at[set->count] = scratch->len;
	for (unsigned i = 0; i < set->count; i++)
		data[i] = slice_of(scratch->ptr + at[i], at[i + 1] - at[i]);
	qsort(data, set->count, sizeof *data, by_data);
	for (unsigned i = 0; i < set->count; i++) {
		buf_add(to, owner->wire, owner->len);
		buf_add(to, fixed, sizeof fixed);
		buf_add(to, data[i].ptr, data[i].len);
	}
}

/* False: not now. */
static bool write_rrsig(struct reply *r, const struct set *set, enum dns_section section)
{
	_cleanup_buf_ struct buf data = BUF_INIT(1 << 18), scratch = BUF_INIT(1 << 18);
	bool tcp = r->from->transport == ANSWER_TCP;
	uint8_t signature[SIGNATURE_SIZE];
	struct domain owner;
	size_t head;

	if (dns_name_read(message_of(&r->w), set->owner_at, &owner) == 0)
		return false;
	add_rrsig_head(&data, r, set, &owner);
	head = data.len;
	add_signed(&data, &scratch, message_of(&r->w), set, &owner);
	if (data.failed || scratch.failed
		|| !rrsig_cache_get(
			r->from->rrsigs, r->zone->key, buf_slice(&data), r->now_s, tcp, signature))
		return false;
	dns_record_begin(&r->w, set->owner_at, DNS_RRSIG, set->ttl);
	dns_record_bytes(&r->w, data.ptr, head);
	dns_record_bytes(&r->w, signature, sizeof signature);
	return dns_record_end(&r->w, section);
}

/* The reply's RRsets; every owner is a pointer. More kinds than SETS_MAX no answer has. */
static unsigned read_sets(const struct dns_writer *w, unsigned count, struct set sets[SETS_MAX])
{
	struct slice message = message_of(w);
	size_t at = w->question->end;
	struct dns_record rec;
	unsigned n = 0, i;

	for (; count && (at = dns_record_read(message, at, &rec)) != 0; count--) {
		uint16_t owner = dns_u16(w->start + rec.owner) & 0x3fff;

		for (i = 0; i < n && (sets[i].type != rec.type || sets[i].owner_at != owner);)
			i++;
		if (i == SETS_MAX)
			break;
		if (i == n) {
			sets[n].type = rec.type;
			sets[n].owner_at = owner;
			sets[n].ttl = rec.ttl;
			sets[n++].count = 0;
		}
		if (sets[i].count < RECORDS_MAX)
			sets[i].records[sets[i].count++] = rec;
	}
	return n;
}

/* Nothing but the question and TC. */
static void leave_empty(struct dns_writer *w)
{
	w->at = w->start + w->question->end;
	memset(w->counts, 0, sizeof w->counts);
	w->overflow = true;
}

unsigned sign_reply(struct reply *r, unsigned rcode, bool exists)
{
	struct set sets[SETS_MAX];
	bool asks_nsec = r->q->type == DNS_NSEC;
	enum dns_section section = DNS_ANSWER;
	unsigned n;

	if (asks_nsec || r->w.counts[DNS_ANSWER] == 0) {
		if (asks_nsec) /* then it is the answer, and the SOA has no place */
			leave_empty(&r->w);
		r->w.overflow = false;
		section = asks_nsec ? DNS_ANSWER : DNS_AUTHORITY;
		write_nsec(r, exists, section);
	}
	n = read_sets(&r->w, r->w.counts[section], sets);
	for (unsigned i = 0; i < n && !r->w.overflow; i++)
		if (!write_rrsig(r, &sets[i], section))
			leave_empty(&r->w);
	if (r->w.overflow && r->from->transport == ANSWER_TCP) { /* there is no larger way to ask */
		r->w.overflow = false;
		return DNS_SERVFAIL;
	}
	return rcode == DNS_NXDOMAIN && !r->q->compact_ok ? DNS_NOERROR : rcode;
}
