/* records.c - generic data sets: "name [ttl] [IN] type data", one record a line. rbldnsd knows A, TXT and MX. */
#include "dataset/parts.h"

#include "base/mem.h"
#include "index/record.h"

#define TYPE_A 1
#define TYPE_MX 15
#define TYPE_TXT 16
#define TEXT_MAX 255 /* rbldnsd cuts a text here */
#define HEAP_MAX ((size_t)1 << 31)

struct record_line {
	size_t name_at, at; /* in the heap: the wire name; the record behind it */
	size_t len;	    /* of the record */
	uint8_t name_len, labels;
};

struct records {
	struct buf heap;
	struct record_line *lines;
	size_t count, cap;
};

struct records *records_free(struct records *r)
{
	if (!r)
		return NULL;
	buf_done(&r->heap);
	free(r->lines);
	free(r);
	return NULL;
}

static void records_add(struct unit *u, const struct domain *name, const struct record *record)
{
	struct records *r = u->records;
	struct record_line *line;

	if (!r) {
		r = u->records = mem_new(1, sizeof *r);
		r->heap = BUF_INIT(HEAP_MAX);
	}
	if (r->count == r->cap) {
		r->cap = r->cap ? r->cap * 2 : 8;
		r->lines = mem_resize(r->lines, r->cap * sizeof *r->lines);
	}
	line = &r->lines[r->count++];
	*line = (struct record_line){
		.name_at = r->heap.len, .name_len = name->len, .labels = name->labels};
	buf_add(&r->heap, name->wire, name->len);
	line->at = r->heap.len;
	record_add(&r->heap, record);
	line->len = r->heap.len - line->at;
}

static bool refused(const struct dataset *d, const char *what, struct err *err)
{
	return err_set(err, ERR_SYNTAX, "%.*s:%llu: %s", SLICE_FMT(d->file),
		(unsigned long long)d->line, what);
}

static bool take_owner(struct slice *s, struct domain *ret)
{
	if (s->len > 1 && s->ptr[0] == '@' && ascii_is_blank(s->ptr[1])) {
		*ret = (struct domain){.len = 1};
		*s = skip_blanks(slice_skip(*s, 1));
		return true;
	}
	return take_name(s, ret) && ret->labels;
}

static bool take_word_in(struct slice *s)
{
	if (s->len < 3 || !slice_starts_nocase(*s, SLICE("in")) || !ascii_is_blank(s->ptr[2]))
		return false;
	*s = skip_blanks(slice_skip(*s, 2));
	return true;
}

/* The text as it stands, in one pair of quotes or none; nothing in it is special. */
static struct slice text_of(struct dataset *d, struct slice s)
{
	if (s.len >= 2 && s.ptr[0] == '"' && s.ptr[s.len - 1] == '"')
		s = slice_of(s.ptr + 1, s.len - 2);
	if (s.len > TEXT_MAX)
		dataset_warn(d, "text cut to %d bytes", TEXT_MAX);
	return slice_take(s, TEXT_MAX);
}

/* What stands behind the type. *ret_known false: warn of the line and go on. */
static bool read_data(struct dataset *d, struct slice type, struct slice s, uint16_t *ret_type,
	struct buf *ret_rdata, bool *ret_known, struct err *err)
{
	struct domain name;
	uint32_t number;

	*ret_known = true;
	if (slice_eq_nocase(type, SLICE("a")) && address_host4(&s, &number)) {
		*ret_type = TYPE_A;
		buf_add_u32(ret_rdata, number);
	} else if (slice_eq_nocase(type, SLICE("txt"))) {
		struct slice text = text_of(d, s);
		*ret_type = TYPE_TXT;
		buf_add_u8(ret_rdata, (uint8_t)text.len);
		buf_add_slice(ret_rdata, text);
	} else if (slice_eq_nocase(type, SLICE("mx")) && take_number(&s, &number)
		   && number <= UINT16_MAX) {
		if (!take_name(&s, &name) || s.len)
			return refused(d, "MX needs a preference and a host name", err);
		*ret_type = TYPE_MX;
		buf_add_u16(ret_rdata, (uint16_t)number);
		buf_add(ret_rdata, name.wire, name.len);
	} else {
		*ret_known = false;
	}
	return true;
}

bool records_line(struct dataset *d, struct unit *u, struct slice line, struct err *err)
{
	_cleanup_buf_ struct buf rdata = BUF_INIT(2 + DOMAIN_WIRE_MAX + TEXT_MAX);
	struct record record = {.ttl_s = u->ttl_s};
	struct slice s = line, type;
	struct domain owner;
	bool known;

	if (!take_owner(&s, &owner)) {
		dataset_warn(d, "not a name; expected: name [ttl] type data");
		return true;
	}
	/* rbldnsd gives the whole file up over a time it cannot read. */
	if (s.len && ascii_is_digit(s.ptr[0]) && !take_ttl(d, &s, u->ttl_s, &record.ttl_s))
		return refused(d, "not a TTL", err);
	take_word_in(&s);
	if (!slice_cut_word(&s, &type) || !s.len) {
		dataset_warn(d, "no data; expected: name [ttl] type data");
		return true;
	}
	if (!read_data(d, type, skip_blanks(s), &record.type, &rdata, &known, err))
		return false;
	if (!known) {
		dataset_warn(d, "not an A, TXT or MX record");
		return true;
	}
	record.rdata = buf_slice(&rdata);
	records_add(u, &owner, &record);
	return true;
}

/* qsort() has no context: the heap whose lines are being sorted. */
static _Thread_local const char *sorting;

static int by_name(const void *a, const void *b)
{
	const struct record_line *x = a, *y = b;
	int c = memcmp(sorting + x->name_at, sorting + y->name_at, MIN(x->name_len, y->name_len));

	if (!c)
		c = (int)x->name_len - (int)y->name_len;
	return c ? c : (x->at > y->at) - (x->at < y->at);
}

void records_finish(struct dataset *d, struct unit *u)
{
	_cleanup_buf_ struct buf text = BUF_INIT(VALUE_TEMPLATE_MAX);
	struct records *r = u->records;

	if (!r)
		return;
	sorting = r->heap.ptr;
	qsort(r->lines, r->count, sizeof *r->lines, by_name);
	for (size_t i = 0; i < r->count;) {
		const struct record_line *first = &r->lines[i];
		struct domain name = {.len = first->name_len, .labels = first->labels};

		memcpy(name.wire, sorting + first->name_at, first->name_len);
		buf_reset(&text);
		for (; i < r->count && r->lines[i].name_len == name.len
			&& memcmp(sorting + r->lines[i].name_at, name.wire, name.len) == 0;
			i++) {
			if (text.len + r->lines[i].len > VALUE_TEMPLATE_MAX)
				dataset_warn(d, "%s has too many records: one is left out",
					domain_text(&name).s);
			else
				buf_add(&text, sorting + r->lines[i].at, r->lines[i].len);
		}
		builder_add_name(
			u->set, &name, SCOPE_SELF, builder_value(u->set, 0, buf_slice(&text)), 0);
	}
	u->records = records_free(r);
}
