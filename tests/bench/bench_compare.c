/* bench_compare.c - two servers' replies to the same questions, section by section: names unpacked, case
 * ignored, the order of records within a section too. */
#include "dnsbench.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define RECORDS_MAX 64
#define KINDS_MAX 64

struct message {
	const uint8_t *start, *end, *at;
	bool bad;
};

/* One record in a form that compares byte by byte. */
struct record {
	size_t len;
	bool opt;
	uint8_t bytes[1200];
};

struct sections {
	bool silent;
	uint8_t rcode, flags; /* AA and TC */
	unsigned opts;	      /* OPT records, which stand in no section here */
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
	r->opt = type == 41;
	if (type == 15 && len > 2) /* MX: behind the preference, which is no name */
		take_rest(m, r, m->at + 2);
	if (type == 2 || type == 6 || type == 15) /* NS, SOA, MX */
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
	size_t asked =
		question_len - (question[11] ? 11 : 0); /* OPT comes last and has no options */

	ret->silent = len == 0;
	if (ret->silent)
		return true;
	/* The question comes back as it was asked. */
	if (len < asked || memcmp(wire + 12, question + 12, asked - 12) != 0)
		return false;
	m.at = wire + asked;
	ret->flags = wire[2] & 0x06;
	ret->rcode = wire[3] & 15;
	ret->opts = 0;
	for (int s = 0; s < 3; s++) {
		unsigned count = (unsigned)wire[6 + 2 * s] << 8 | wire[7 + 2 * s], n = 0;
		if (count > RECORDS_MAX)
			return false;
		for (unsigned i = 0; i < count && !m.bad; i++) {
			take_record(&m, &ret->records[s][n]);
			if (ret->records[s][n].opt)
				ret->opts++;
			else
				n++;
		}
		if (m.bad)
			return false;
		ret->count[s] = n;
		qsort(ret->records[s], n, sizeof(struct record), record_order);
	}
	return m.at == m.end;
}

/* How many of a's records b lacks. */
static unsigned lacks(const struct sections *a, const struct sections *b, int section)
{
	unsigned n = 0;

	for (unsigned i = 0; i < a->count[section]; i++) {
		unsigned k = 0;
		while (k < b->count[section]
			&& record_order(&a->records[section][i], &b->records[section][k]) != 0)
			k++;
		n += k == b->count[section];
	}
	return n;
}

/* What differs, in words that are the same for all differences of one kind. False: nothing. */
static bool kind_of(const struct sections *a, const struct sections *b, char *dst, size_t size)
{
	static const char *const names[3] = {"answer", "authority", "additional"};
	size_t n = 0;

#define SAY(...) n += (size_t)snprintf(dst + n, size - n, __VA_ARGS__)
	dst[0] = '\0';
	if (a->silent || b->silent) {
		if (a->silent != b->silent)
			SAY(" no reply from %s", a->silent ? "the first" : "the second");
		return n > 0;
	}
	if (a->rcode != b->rcode)
		SAY(" rcode %u>%u", a->rcode, b->rcode);
	if ((a->flags ^ b->flags) & 4)
		SAY(" aa %d>%d", (a->flags & 4) != 0, (b->flags & 4) != 0);
	if ((a->flags ^ b->flags) & 2)
		SAY(" tc %d>%d", (a->flags & 2) != 0, (b->flags & 2) != 0);
	for (int s = 0; s < 3; s++) {
		bool less = lacks(a, b, s) > 0, more = lacks(b, a, s) > 0;
		if (less || more)
			SAY(" %s %s", names[s], less && more ? "other" : less ? "less" : "more");
		else if (a->count[s] != b->count[s])
			SAY(" %s repeated", names[s]);
	}
	if (a->opts != b->opts)
		SAY(" opt %u>%u", a->opts, b->opts);
#undef SAY
	return n > 0;
}

struct kind {
	char words[160];
	unsigned count;
	size_t example; /* number of the first question */
};

static struct kind kinds[KINDS_MAX];
static unsigned kind_count;

static void count_kind(const char *words, size_t question)
{
	unsigned i = 0;

	while (i < kind_count && strcmp(kinds[i].words, words) != 0)
		i++;
	if (i == KINDS_MAX)
		return;
	if (i == kind_count) {
		snprintf(kinds[i].words, sizeof kinds[i].words, "%s", words);
		kinds[i].example = question;
		kind_count++;
	}
	kinds[i].count++;
}

static void print_example(const uint8_t *question)
{
	size_t at = 12;

	for (; question[at]; at += question[at] + 1u) {
		for (unsigned i = 1; i <= question[at]; i++) {
			uint8_t c = question[at + i];
			printf(c <= ' ' || c >= 127 || c == '"' || c == '\\' ? "\\\\%03u" : "%c",
				c);
		}
		putchar('.');
	}
	printf(" type %u class %u", (unsigned)question[at + 1] << 8 | question[at + 2],
		(unsigned)question[at + 3] << 8 | question[at + 4]);
}

static void print_kinds(const struct packets *q)
{
	size_t len;

	for (unsigned i = 0; i < kind_count; i++) {
		printf("%s{\"kind\": \"%s\", \"count\": %u, \"example\": \"", i ? ", " : "",
			kinds[i].words + 1, kinds[i].count);
		print_example(packet(q, kinds[i].example, &len));
		printf("\"}");
	}
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
		char words[160] = " not understood";
		size_t ql, xl, yl;
		const uint8_t *qw = packet(&q, i, &ql), *xw = packet(&x, i, &xl),
			      *yw = packet(&y, i, &yl);
		bool ok = parse(xw, xl, qw, ql, &a) && parse(yw, yl, qw, ql, &b);

		answers += ok && !a.silent && a.count[0] > 0;
		nx += ok && !a.silent && a.rcode == 3;
		if (ok && !kind_of(&a, &b, words, sizeof words))
			continue;
		differ++;
		count_kind(words, i);
	}
	printf("{\"questions\": %zu, \"listed\": %u, \"nxdomain\": %u, \"differ\": %u, \"kinds\": "
	       "[",
		q.count, answers, nx, differ);
	print_kinds(&q);
	printf("]}\n");
	return differ ? 1 : 0;
}
