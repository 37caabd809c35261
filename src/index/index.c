/* index.c - one question to all sets at once. */
#include "index/index.h"
#include "base/attr.h"

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

/* Whether a set is asked: one that holds names, or another one; not one that holds IPv4 when without_ip4. */
static bool is_asked(const struct set_meta *meta, bool names, bool without_ip4)
{
	return set_holds_names(meta->kind) == names && !(without_ip4 && meta->reads_ip4);
}

/* Keeps of hits (sets ascending) what is the answer of each set that is asked. */
static size_t select_sets(
	const struct index *ix, bool names, bool without_ip4, struct hit hits[], size_t n)
{
	const struct set_meta *meta;
	size_t out = 0, m, end;

	if (n == 1) { /* nearly always: whatever the rule is */
		meta = snapshot_set_meta(ix->snapshot, hits[0].set);
		return !hits[0].excluded && is_asked(meta, names, without_ip4);
	}
	for (size_t i = 0; i < n; i = end) {
		meta = snapshot_set_meta(ix->snapshot, hits[i].set);
		for (end = i + 1; end < n && hits[end].set == hits[i].set;)
			end++;
		if (!is_asked(meta, names, without_ip4))
			continue;
		m = index_select(meta->rule, hits + i, end - i);
		if (out != i)
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
	return n ? select_sets(ix, false, false, hits, n) : 0;
}

static size_t find_ip6(
	const struct index *ix, const struct asked *q, int64_t now_s, struct hit hits[])
{
	size_t n = snapshot_find_ip6(ix->snapshot, q->ip6, now_s, hits);

	if (ix->overlay)
		n = overlay_merge_ip6(ix->overlay, q->ip6, now_s, hits, n);
	return select_sets(ix, false, q->is_mapped, hits, n);
}

static size_t find_name(
	const struct index *ix, const struct asked *q, int64_t now_s, struct hit hits[])
{
	size_t n = snapshot_find_name(ix->snapshot, q->name, q->name_len, q->labels, now_s, hits);

	if (ix->overlay)
		n = overlay_merge_name(
			ix->overlay, q->name, q->name_len, q->labels, now_s, hits, n);
	return select_sets(ix, true, false, hits, n);
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

/* Of more than one kind, or of none. */
static size_t find_all(
	const struct index *ix, const struct asked *q, int64_t now_s, struct hit hits[])
{
	struct hit more[SNAPSHOT_HITS_MAX];
	size_t n = 0;

	if (q->is_ip6)
		n = find_ip6(ix, q, now_s, hits);
	if (q->is_ip4)
		n = n ? join_sets(hits, n, more, find_ip4(ix, q, now_s, more))
		      : find_ip4(ix, q, now_s, hits);
	if (q->labels || (!q->is_ip4 && !q->is_ip6)) /* records stand at the zone itself, too */
		n = n ? join_sets(hits, n, more, find_name(ix, q, now_s, more))
		      : find_name(ix, q, now_s, hits);
	return n;
}

size_t index_find(const struct index *ix, const struct asked *q, int64_t now_s, struct hit hits[])
{
	if (q->is_ip4 && !q->is_ip6 && !q->labels)
		return find_ip4(ix, q, now_s, hits);
	return find_all(ix, q, now_s, hits);
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
