/* index.c - one question to all sets at once. */
#include "index/index.h"
#include "base/attr.h"

/* One label of one to three digits, 0..255 (leading zeros pass). */
static bool octet_of(const uint8_t *label, uint32_t *ret)
{
	uint32_t v = 0;

	if (label[0] < 1 || label[0] > 3)
		return false;
	for (unsigned i = 1; i <= label[0]; i++) {
		if (!ascii_is_digit((char)label[i]))
			return false;
		v = v * 10 + (label[i] - '0');
	}
	*ret = v;
	return v <= 255;
}

static bool ip4_of_labels(const uint8_t *name, uint32_t *ret)
{
	uint32_t address = 0, octet;

	for (unsigned i = 0; i < 4; i++) {
		if (!octet_of(name, &octet))
			return false;
		address |= octet << (8 * i);
		name += name[0] + 1;
	}
	*ret = address;
	return true;
}

static bool ip6_of_labels(const uint8_t *name, uint8_t ret[16])
{
	for (unsigned i = 0; i < 32; i++, name += 2) {
		int nibble = name[0] == 1 ? ascii_hex((char)name[1]) : -1;
		uint8_t *byte = &ret[15 - i / 2];

		if (nibble < 0)
			return false;
		*byte = (uint8_t)(i % 2 ? nibble << 4 | *byte : nibble);
	}
	return true;
}

static uint32_t load_be32(const uint8_t *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

/* The IPv4 address inside an IPv6 one. */
static void see_ip4(struct asked *q)
{
	static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};

	if (q->ip6[0] == 0x20 && q->ip6[1] == 0x02) { /* 6to4, RFC 3056 */
		q->ip4 = load_be32(q->ip6 + 2);
		q->is_ip4 = true;
	} else if (memcmp(q->ip6, mapped, sizeof mapped) == 0) {
		q->ip4 = load_be32(q->ip6 + 12);
		q->is_ip4 = q->is_mapped = true;
	}
}

struct asked asked_of(const uint8_t *name, size_t name_len, unsigned labels)
{
	struct asked q = {.name = name, .name_len = (uint8_t)name_len, .labels = (uint8_t)labels};

	if (labels == 4 && ip4_of_labels(name, &q.ip4)) {
		q.is_ip4 = true;
	} else if (labels == 32 && name_len == 65 && ip6_of_labels(name, q.ip6)) {
		q.is_ip6 = true;
		see_ip4(&q);
	}
	return q;
}

struct asked asked_ip(const struct ip *ip)
{
	struct asked q = {.name = (const uint8_t *)"", .name_len = 1};

	if (ip->family == 4) {
		q.is_ip4 = true;
		q.ip4 = ip4_value(ip);
	} else if (ip->family == 6) {
		q.is_ip6 = true;
		memcpy(q.ip6, ip->bytes, sizeof q.ip6);
		see_ip4(&q);
	}
	return q;
}

/* Which keys count as one under a rule. */
static unsigned key_width(enum set_rule rule, const struct hit *h)
{
	return rule == SET_OCTETS ? (MAX(h->len, 1u) + 7) / 8 : h->len;
}

size_t index_select(enum set_rule rule, const struct hit hits[], size_t n)
{
	size_t end = 0;

	if (n == 0 || rule == SET_FIRST)
		return n && !hits[0].excluded;
	while (end < n && key_width(rule, &hits[end]) == key_width(rule, &hits[0]))
		if (hits[end++].excluded)
			return 0;
	return end;
}

/* Keeps of hits (sets ascending) what is the answer of each set of this kind; sets that hold IPv4 are
 * passed over when without_ip4. */
static size_t select_sets(
	const struct index *ix, enum set_kind kind, bool without_ip4, struct hit hits[], size_t n)
{
	size_t out = 0, m, end;

	for (size_t i = 0; i < n; i = end) {
		const struct set_meta *meta = snapshot_set_meta(ix->snapshot, hits[i].set);

		for (end = i + 1; end < n && hits[end].set == hits[i].set;)
			end++;
		if (meta->kind != kind || (without_ip4 && meta->reads_ip4))
			continue;
		m = index_select(meta->rule, hits + i, end - i);
		memmove(hits + out, hits + i, m * sizeof *hits);
		out += m;
	}
	return out;
}

static size_t find_ip4(
	const struct index *ix, const struct asked *q, int64_t now_s, struct hit hits[])
{
	size_t n = snapshot_find_ip4(ix->snapshot, q->ip4, now_s, hits);

	if (ix->overlay)
		n = overlay_merge_ip4(ix->overlay, q->ip4, now_s, hits, n);
	return select_sets(ix, SET_IP, false, hits, n);
}

static size_t find_ip6(
	const struct index *ix, const struct asked *q, int64_t now_s, struct hit hits[])
{
	size_t n = snapshot_find_ip6(ix->snapshot, q->ip6, now_s, hits);

	if (ix->overlay)
		n = overlay_merge_ip6(ix->overlay, q->ip6, now_s, hits, n);
	return select_sets(ix, SET_IP, q->is_mapped, hits, n);
}

static size_t find_name(
	const struct index *ix, const struct asked *q, int64_t now_s, struct hit hits[])
{
	size_t n = snapshot_find_name(ix->snapshot, q->name, q->name_len, q->labels, now_s, hits);

	if (ix->overlay)
		n = overlay_merge_name(
			ix->overlay, q->name, q->name_len, q->labels, now_s, hits, n);
	return select_sets(ix, SET_NAME, false, hits, n);
}

/* Adds to hits those of `more` (both: sets ascending) whose set has none yet. */
static size_t join_sets(struct hit hits[], size_t n, const struct hit more[], size_t m)
{
	struct hit old[SNAPSHOT_HITS_MAX];
	size_t at = 0, out = 0;

	memcpy(old, hits, n * sizeof *hits);
	for (size_t i = 0; (at < n || i < m) && out < SNAPSHOT_HITS_MAX;) {
		if (i == m || (at < n && old[at].set < more[i].set)) {
			hits[out++] = old[at++];
		} else if (at < n && old[at].set == more[i].set) {
			i++;
		} else {
			hits[out++] = more[i++];
		}
	}
	return out;
}

size_t index_find(const struct index *ix, const struct asked *q, int64_t now_s, struct hit hits[])
{
	struct hit more[SNAPSHOT_HITS_MAX];
	size_t n = 0;

	if (q->is_ip6)
		n = find_ip6(ix, q, now_s, hits);
	if (q->is_ip4)
		n = n ? join_sets(hits, n, more, find_ip4(ix, q, now_s, more))
		      : find_ip4(ix, q, now_s, hits);
	if (q->labels)
		n = n ? join_sets(hits, n, more, find_name(ix, q, now_s, more))
		      : find_name(ix, q, now_s, hits);
	return n;
}

size_t index_find_in(
	const struct index *ix, size_t set, const struct asked *q, int64_t now_s, struct hit hits[])
{
	size_t n = index_find(ix, q, now_s, hits), out = 0;

	for (size_t i = 0; i < n; i++)
		if (hits[i].set == set)
			hits[out++] = hits[i];
	return out;
}
