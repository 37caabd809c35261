/* copy.c - the records of somebody else's zone as sorted bytes, and changes to them. */
#include "dnsd/copy/copy.h"

#include "base/attr.h"
#include "base/mem.h"
#include "base/reader.h"
#include "index/crc32c.h"

#include <stdlib.h>

#define MAGIC "SKZONE1\n"
#define MAGIC_SIZE 8
#define CRC_SIZE 4
#define LABEL_WILD 1

/* ---- keys ---- */

static size_t key_of(
	const struct domain *zone, const struct domain *owner, uint8_t key[COPY_KEY_MAX])
{
	unsigned labels = (unsigned)owner->labels - zone->labels, at = 0;
	uint8_t starts[128];
	size_t n = 0;

	for (unsigned i = 0; i < labels; i++) {
		starts[i] = (uint8_t)at;
		at += owner->wire[at] + 1u;
	}
	for (unsigned i = labels; i-- > 0;) {
		const uint8_t *label = owner->wire + starts[i];
		if (label[0] == 1 && label[1] == '*') {
			key[n++] = LABEL_WILD;
			continue;
		}
		key[n++] = (uint8_t)(label[0] + 1);
		memcpy(key + n, label + 1, label[0]);
		n += label[0];
	}
	key[n++] = 0;
	return n;
}

/* Labels of 1 to 63 bytes, and an end where it ends. */
static bool key_is_good(const uint8_t *key, size_t len)
{
	size_t at = 0;

	while (at < len && key[at]) {
		if (key[at] > 64)
			return false;
		at += key[at];
	}
	return at + 1 == len;
}

/* ---- reading ---- */

struct copy_cursor copy_first(const struct copy *c)
{
	return (struct copy_cursor){.rest = c->records};
}

/* A record: how many bytes of the key are those of the one before, how many follow, these; type, TTL, data. */
static bool read_record(struct copy_cursor *c)
{
	struct reader r = reader_of(c->rest);
	size_t shared = reader_u8(&r), more = reader_u8(&r);
	const uint8_t *bytes = reader_bytes(&r, more);

	c->record.type = reader_u16(&r);
	c->record.ttl_s = reader_u32(&r);
	c->record.rdata = reader_slice(&r, reader_u16(&r));
	if (r.bad || shared > c->key_len || shared + more > COPY_KEY_MAX)
		return false;
	memcpy(c->key + shared, bytes, more);
	c->key_len = shared + more;
	c->rest = slice_of(r.at, reader_left(&r));
	return true;
}

bool copy_next(struct copy_cursor *c)
{
	return c->rest.len && read_record(c);
}

static bool broken(struct err *err, const char *what)
{
	return err_set(err, ERR_CORRUPT, "copy of a zone: %s", what);
}

static bool read_all(struct copy *c, const struct domain *zone, struct err *err)
{
	struct copy_cursor at = copy_first(c);
	unsigned soas = 0;
	uint64_t n = 0;

	while (at.rest.len) {
		if (!read_record(&at) || !key_is_good(at.key, at.key_len)
			|| at.key_len + zone->len - 1u > DOMAIN_WIRE_MAX)
			return broken(err, "a record is not as it was written");
		n++;
		if (at.key_len != 1 || at.record.type != DNS_SOA)
			continue;
		soas++;
		c->soa_record = at.record;
		if (!dns_soa_read(at.record.rdata, &c->soa))
			return broken(err, "its SOA cannot be read");
	}
	if (n != c->count)
		return broken(err, "records are missing");
	return soas == 1 || broken(err, "it must have one SOA");
}

bool copy_open(struct slice bytes, const struct domain *zone, struct copy *ret, struct err *err)
{
	struct copy c = {.bytes = bytes};
	struct reader r = reader_of(bytes);
	struct slice magic = reader_slice(&r, MAGIC_SIZE), name = reader_slice(&r, reader_u8(&r));

	c.count = reader_u64(&r);
	if (r.bad || reader_left(&r) < CRC_SIZE || !slice_eq(magic, slice_of(MAGIC, MAGIC_SIZE)))
		return broken(err, "the file is none, or cut short");
	c.records = slice_of(r.at, reader_left(&r) - CRC_SIZE);
	if (crc32c(0, slice_take(bytes, bytes.len - CRC_SIZE))
		!= dns_u32((const uint8_t *)bytes.ptr + bytes.len - CRC_SIZE))
		return broken(err, "the checksum is wrong");
	if (!slice_eq(name, slice_of(zone->wire, zone->len)))
		return broken(err, "it is of another zone");
	if (!read_all(&c, zone, err))
		return false;
	*ret = c;
	return true;
}

/* ---- changes ---- */

/* In the buffer: an item's head, and behind it what it is sorted by: key, type and data. */
struct item {
	uint32_t id_len;
	uint32_t ttl_s;
	uint8_t key_len;
	bool adds;
};

void copy_changes_init(struct copy_changes *c, const struct domain *zone, size_t limit)
{
	*c = (struct copy_changes){.zone = *zone, .bytes = BUF_INIT(limit)};
}

void copy_changes_done(struct copy_changes *c)
{
	buf_done(&c->bytes);
}

bool copy_changes_take(void *ctx, enum xfr_op op, const struct xfr_record *record, struct err *err)
{
	struct copy_changes *c = ctx;
	uint8_t key[COPY_KEY_MAX];
	struct item item = {.adds = op == XFR_ADD};

	if (op == XFR_WHOLE) {
		buf_reset(&c->bytes);
		c->count = 0;
		c->whole = true;
		return true;
	}
	item.ttl_s = record->ttl_s;
	item.key_len = (uint8_t)key_of(&c->zone, &record->owner, key);
	item.id_len = (uint32_t)(item.key_len + 2 + record->rdata.len);
	buf_add(&c->bytes, &item, sizeof item);
	buf_add(&c->bytes, key, item.key_len);
	buf_add_u16(&c->bytes, record->type);
	buf_add_slice(&c->bytes, record->rdata);
	c->count++;
	if (c->bytes.failed || c->count == UINT32_MAX)
		return err_set(err, ERR_LIMIT, "more than %zu bytes: see max-size", c->bytes.limit);
	return true;
}

static struct item item_at(const uint8_t *p)
{
	struct item item;

	memcpy(&item, p, sizeof item);
	return item;
}

static int compare_ids(const uint8_t *a, size_t a_len, const uint8_t *b, size_t b_len)
{
	int c = memcmp(a, b, MIN(a_len, b_len));

	return c ? c : (a_len > b_len) - (a_len < b_len);
}

static int by_id(const void *a, const void *b)
{
	const uint8_t *const *x = a, *const *y = b;
	struct item i = item_at(*x), k = item_at(*y);
	int c = compare_ids(*x + sizeof i, i.id_len, *y + sizeof k, k.id_len);

	return c ? c : (*x > *y) - (*x < *y); /* of equal ones in the order they came */
}

static const uint8_t **sorted_items(const struct copy_changes *c)
{
	const uint8_t **items = mem_new(c->count + 1u, sizeof *items);
	const uint8_t *p = (const uint8_t *)c->bytes.ptr;
	bool is_sorted = true;

	for (uint32_t i = 0; i < c->count; i++) {
		items[i] = p;
		p += sizeof(struct item) + item_at(p).id_len;
		is_sorted = is_sorted && (i == 0 || by_id(&items[i - 1], &items[i]) < 0);
	}
	if (!is_sorted)
		qsort(items, c->count, sizeof *items, by_id);
	return items;
}

/* ---- merging ---- */

struct merger {
	struct buf *to;
	uint64_t count;
	uint8_t key[COPY_KEY_MAX];
	size_t key_len;
};

static void put(struct merger *m, const uint8_t *key, size_t key_len, const struct copy_record *r)
{
	size_t shared = 0, max = MIN(MIN(key_len, m->key_len), 255);
	uint8_t head[2];

	while (shared < max && key[shared] == m->key[shared])
		shared++;
	head[0] = (uint8_t)shared;
	head[1] = (uint8_t)(key_len - shared);
	buf_add(m->to, head, sizeof head);
	buf_add(m->to, key + shared, key_len - shared);
	buf_add_u16(m->to, r->type);
	buf_add_u32(m->to, r->ttl_s);
	buf_add_u16(m->to, (uint16_t)r->rdata.len);
	buf_add_slice(m->to, r->rdata);
	memcpy(m->key, key, key_len);
	m->key_len = key_len;
	m->count++;
}

static int compare_to_item(const struct copy_cursor *c, const uint8_t *item)
{
	const uint8_t *id = item + sizeof(struct item);
	struct item i = item_at(item);
	uint8_t type[2];
	int d = compare_ids(c->key, c->key_len, id, i.key_len);

	if (d)
		return d;
	dns_put_u16(type, c->record.type);
	d = memcmp(type, id + i.key_len, 2);
	return d ? d
		 : compare_ids((const uint8_t *)c->record.rdata.ptr, c->record.rdata.len,
			 id + i.key_len + 2, i.id_len - i.key_len - 2u);
}

/* All items of one id, the first of them at *at; was: the record is there. False: they contradict that. */
static bool take_items(struct merger *m, const struct copy_changes *c, const uint8_t **items,
	uint32_t *at, bool was, struct err *err)
{
	const uint8_t *first = items[*at], *id = first + sizeof(struct item);
	struct item item = item_at(first), last;
	bool is = was;

	do {
		last = item_at(items[*at]);
		if (last.adds == is && !c->whole)
			return err_set(err, ERR_SYNTAX,
				is ? "a record comes that is there"
				   : "a record goes that is not there");
		is = last.adds;
		++*at;
	} while (*at < c->count
		 && compare_ids(
			    id, item.id_len, items[*at] + sizeof item, item_at(items[*at]).id_len)
			    == 0);
	if (is) {
		struct copy_record r = {.type = dns_u16(id + item.key_len),
			.ttl_s = last.ttl_s,
			.rdata = slice_of(id + item.key_len + 2, item.id_len - item.key_len - 2u)};
		put(m, id, item.key_len, &r);
	}
	return true;
}

static bool merge_items(const struct copy *old, const struct copy_changes *c, const uint8_t **items,
	struct merger *m, struct err *err)
{
	struct copy_cursor cursor = old ? copy_first(old) : (struct copy_cursor){0};
	bool more = old && copy_next(&cursor);
	uint32_t at = 0;

	while ((more || at < c->count) && !m->to->failed) {
		int d = !more ? 1 : at == c->count ? -1 : compare_to_item(&cursor, items[at]);
		if (d < 0)
			put(m, cursor.key, cursor.key_len, &cursor.record);
		else if (!take_items(m, c, items, &at, d == 0, err))
			return false;
		if (d <= 0)
			more = copy_next(&cursor);
	}
	return true;
}

bool copy_merge(const struct copy *old, struct copy_changes *c, struct buf *to, struct err *err)
{
	const uint8_t **items = sorted_items(c);
	struct merger m = {.to = to};
	size_t count_at;
	bool ok;

	buf_add(to, MAGIC, MAGIC_SIZE);
	buf_add_u8(to, c->zone.len);
	buf_add(to, c->zone.wire, c->zone.len);
	count_at = to->len;
	buf_add_u64(to, 0);
	ok = merge_items(c->whole ? NULL : old, c, items, &m, err);
	free(items);
	if (!ok)
		return false;
	if (!to->failed) {
		dns_put_u32((uint8_t *)to->ptr + count_at, (uint32_t)(m.count >> 32));
		dns_put_u32((uint8_t *)to->ptr + count_at + 4, (uint32_t)m.count);
		buf_add_u32(to, crc32c(0, buf_slice(to)));
	}
	return !to->failed
	       || err_set(err, ERR_LIMIT, "more than %zu bytes: see max-size", to->limit);
}
