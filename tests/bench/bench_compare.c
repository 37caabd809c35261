/* bench_compare.c - two servers' replies to the same questions, section by section: names unpacked, case
 * ignored, the order of records within a section too. */
#include "dnsbench.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define RECORDS_MAX 64
#define SHOWN 10

struct message {
	const uint8_t *start, *end, *at;
	bool bad;
};

/* One record in a form that compares byte by byte. */
struct record {
	size_t len;
	uint8_t bytes[1200];
};

struct sections {
	uint8_t rcode, flags; /* AA and TC */
	unsigned count[3];
	struct record records[3][RECORDS_MAX];
};

static void put(struct record *r, const void *bytes, size_t len)
{
	if (r->len + len <= sizeof r->bytes) {
		memcpy(r->bytes + r->len, bytes, len);
		r->len += len;
	}
}

static unsigned take16(struct message *m)
{
	if (m->end - m->at < 2) {
		m->bad = true;
		return 0;
	}
	m->at += 2;
	return (unsigned)m->at[-2] << 8 | m->at[-1];
}

/* A name, unpacked and in lower case; r may be NULL. */
static void take_name(struct message *m, struct record *r)
{
	const uint8_t *p = m->at;
	bool jumped = false;

	for (int labels = 0; labels < 128 && p < m->end; labels++) {
		uint8_t lower[64];
		unsigned len = *p;

		if (len >= 0xc0) {
			if (m->end - p < 2)
				break;
			if (!jumped)
				m->at = p + 2;
			jumped = true;
			p = m->start + ((len & 63u) << 8 | p[1]);
			continue;
		}
		if (len > 63 || m->end - p < (int)len + 1)
			break;
		lower[0] = (uint8_t)len;
		for (unsigned i = 1; i <= len; i++)
			lower[i] = p[i] >= 'A' && p[i] <= 'Z' ? (uint8_t)(p[i] + 32) : p[i];
		if (r)
			put(r, lower, len + 1);
		p += len + 1;
		if (len)
			continue;
		if (!jumped)
			m->at = p;
		return;
	}
	m->bad = true;
}

static void take_rest(struct message *m, struct record *r, const uint8_t *end)
{
	put(r, m->at, (size_t)(end - m->at));
	m->at = end;
}

static void take_record(struct message *m, struct record *r)
{
	const uint8_t *rdata_end;
	unsigned type, len;

	r->len = 0;
	take_name(m, r);
	if (m->bad || m->end - m->at < 10) {
		m->bad = true;
		return;
	}
	type = (unsigned)m->at[0] << 8 | m->at[1];
	put(r, m->at, 8); /* type, class, TTL */
	m->at += 8;
	len = take16(m);
	if (m->bad || (size_t)(m->end - m->at) < len) {
		m->bad = true;
		return;
	}
	rdata_end = m->at + len;
	if (type == 2 || type == 6) /* NS, SOA */
		take_name(m, r);
	if (type == 6)
		take_name(m, r);
	if (m->bad || m->at > rdata_end) {
		m->bad = true;
		return;
	}
	take_rest(m, r, rdata_end);
}

static int record_order(const void *x, const void *y)
{
	const struct record *a = x, *b = y;
	int c = memcmp(a->bytes, b->bytes, a->len < b->len ? a->len : b->len);

	return c ? c : a->len < b->len ? -1 : a->len > b->len;
}

static bool parse(const uint8_t *wire, size_t len, const uint8_t *question, size_t question_len,
	struct sections *ret)
{
	struct message m = {wire, wire + len, wire + 12, false};

	/* The question comes back as it was asked. */
	if (len < question_len || memcmp(wire + 12, question + 12, question_len - 12) != 0)
		return false;
	m.at = wire + question_len;
	ret->flags = wire[2] & 0x06;
	ret->rcode = wire[3] & 15;
	for (int s = 0; s < 3; s++) {
		ret->count[s] = (unsigned)wire[6 + 2 * s] << 8 | wire[7 + 2 * s];
		if (ret->count[s] > RECORDS_MAX)
			return false;
		for (unsigned i = 0; i < ret->count[s] && !m.bad; i++)
			take_record(&m, &ret->records[s][i]);
		if (m.bad)
			return false;
		qsort(ret->records[s], ret->count[s], sizeof(struct record), record_order);
	}
	return m.at == m.end;
}

static bool same(const struct sections *a, const struct sections *b)
{
	if (a->rcode != b->rcode || a->flags != b->flags)
		return false;
	for (int s = 0; s < 3; s++) {
		if (a->count[s] != b->count[s])
			return false;
		for (unsigned i = 0; i < a->count[s]; i++)
			if (record_order(&a->records[s][i], &b->records[s][i]) != 0)
				return false;
	}
	return true;
}

static void show(const uint8_t *question, size_t len)
{
	for (size_t at = 12; at < len && question[at]; at += question[at] + 1u)
		fprintf(stderr, "%.*s.", question[at], question + at + 1);
	fprintf(stderr, " type %u\n", question[len - 3]);
}

int compare_main(int argc, char **argv)
{
	static struct sections a, b;
	struct packets q, x, y;
	unsigned differ = 0, answers = 0, nx = 0;

	if (argc != 4)
		return 2;
	packets_read(argv[1], &q);
	packets_read(argv[2], &x);
	packets_read(argv[3], &y);
	if (q.count != x.count || q.count != y.count) {
		fprintf(stderr, "dnsbench: %zu questions, %zu and %zu replies\n", q.count, x.count,
			y.count);
		return 1;
	}
	for (size_t i = 0; i < q.count; i++) {
		size_t ql, xl, yl;
		const uint8_t *qw = packet(&q, i, &ql), *xw = packet(&x, i, &xl),
			      *yw = packet(&y, i, &yl);
		bool ok = parse(xw, xl, qw, ql, &a) && parse(yw, yl, qw, ql, &b);

		answers += ok && a.count[0] > 0;
		nx += ok && a.rcode == 3;
		if (ok && same(&a, &b))
			continue;
		if (differ++ < SHOWN) {
			fprintf(stderr, "%s: ", ok ? "differs" : "not understood");
			show(qw, ql);
		}
	}
	printf("{\"questions\": %zu, \"listed\": %u, \"nxdomain\": %u, \"differ\": %u}\n", q.count,
		answers, nx, differ);
	return differ ? 1 : 0;
}
