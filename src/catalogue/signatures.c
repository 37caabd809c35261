/* signatures.c - the table of refusals, and matching against it. */
#include "catalogue/signatures.h"

#include "base/mem.h"

#define COLUMNS 10
#define ARENA_MAX ((size_t)32 * 1024 * 1024)
#define ROWS_MAX 5000
#define PATTERNS_MAX 64 /* of one row */
#define TEXT_MIN 4	/* shorter words match everywhere */

static const char *const kinds[] = {
	[SIGNATURE_IP] = "ip",
	[SIGNATURE_DOMAIN] = "domain",
	[SIGNATURE_VENDOR] = "vendor",
	[SIGNATURE_PROVIDER] = "provider",
	[SIGNATURE_LOCAL] = "local",
	[SIGNATURE_DEAD] = "dead",
	[SIGNATURE_RECEIVER] = "receiver",
	[SIGNATURE_DNS] = "dns",
	[SIGNATURE_AUTH] = "auth",
	[SIGNATURE_RATE] = "rate",
	[SIGNATURE_CONTENT] = "content",
};

static bool kind_parse(struct slice s, enum signature_kind *ret)
{
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
		if (slice_eq(s, slice_str(kinds[i]))) {
			*ret = (enum signature_kind)i;
			return true;
		}
	return false;
}

static struct slice lower_copy(struct arena *a, struct slice s)
{
	struct slice copy = arena_copy(a, s);

	for (size_t i = 0; i < copy.len; i++)
		((char *)copy.ptr)[i] = ascii_lower(copy.ptr[i]);
	return copy;
}

static bool is_name_char(char c)
{
	return ascii_is_alpha(c) || ascii_is_digit(c) || c == '-' || c == '_' || c == '.';
}

static bool is_zone(struct slice s)
{
	bool dot = false;

	for (size_t i = 0; i < s.len; i++) {
		if (!is_name_char(s.ptr[i]))
			return false;
		dot = dot || s.ptr[i] == '.';
	}
	return dot && s.len <= 253 && s.ptr[0] != '.' && s.ptr[s.len - 1] != '.';
}

static bool pattern_parse(
	struct arena *a, struct slice s, struct signature_pattern *ret, struct err *err)
{
	bool zone = slice_starts(s, SLICE("zone=")), keyed = slice_starts(s, SLICE("keyed="));

	if (zone || keyed) {
		s = slice_skip(s, zone ? 5 : 6);
		if (!is_zone(s))
			return err_set(err, ERR_SYNTAX, "'%.*s' is not a zone", (int)MIN(s.len, 80),
				s.ptr);
	} else if (s.len < TEXT_MIN) {
		return err_set(err, ERR_SYNTAX, "the words '%.*s' are too short to mean one list",
			SLICE_FMT(s));
	}
	ret->kind = zone ? PATTERN_ZONE : keyed ? PATTERN_KEYED : PATTERN_TEXT;
	ret->text = lower_copy(a, s);
	return true;
}

/* Cuts at " | ". */
static bool pattern_cut(struct slice *s, struct slice *ret)
{
	if (!s->ptr)
		return false;
	for (size_t i = 0; i + 3 <= s->len; i++)
		if (memcmp(s->ptr + i, " | ", 3) == 0) {
			*ret = slice_trim(slice_take(*s, i));
			*s = slice_skip(*s, i + 3);
			return true;
		}
	*ret = slice_trim(*s);
	*s = slice_of(NULL, 0);
	return true;
}

static bool row_parse(struct signatures *s, struct slice line, struct err *err)
{
	struct slice column[COLUMNS], rest = line, pattern;
	struct signature_pattern patterns[PATTERNS_MAX];
	struct signature row = {0};
	unsigned n = 0;

	while (n < COLUMNS && slice_cut(&rest, '\t', &column[n]))
		n++;
	if (n != COLUMNS || rest.ptr)
		return err_set(err, ERR_SYNTAX, "a row has %d columns parted by tabs", COLUMNS);
	if (column[0].len == 0 || column[2].len == 0 || column[4].len == 0)
		return err_set(err, ERR_SYNTAX, "id, list and match must not be empty");
	if (!kind_parse(column[3], &row.kind))
		return err_set(err, ERR_SYNTAX, "'%.*s' is not a kind", (int)MIN(column[3].len, 40),
			column[3].ptr);
	rest = column[4];
	while (pattern_cut(&rest, &pattern)) {
		if (row.pattern_count == PATTERNS_MAX)
			return err_set(err, ERR_LIMIT, "more than %d patterns", PATTERNS_MAX);
		if (!pattern_parse(s->arena, pattern, &patterns[row.pattern_count++], err))
			return false;
	}
	row.id = arena_copy(s->arena, column[0]);
	row.operated_by = arena_copy(s->arena, column[1]);
	row.list = arena_copy(s->arena, column[2]);
	row.lookup = arena_copy(s->arena, column[5]);
	row.delist = arena_copy(s->arena, column[6]);
	row.how = arena_copy(s->arena, column[7]);
	row.advice = arena_copy(s->arena, column[8]);
	row.source = arena_copy(s->arena, column[9]);
	row.patterns = arena_alloc(s->arena, row.pattern_count * sizeof *patterns);
	if (arena_failed(s->arena))
		return err_set(err, ERR_LIMIT, "the table is too large");
	memcpy(row.patterns, patterns, row.pattern_count * sizeof *patterns);
	s->items[s->count++] = row;
	return true;
}

struct signatures *signatures_parse(struct slice text, struct err *err)
{
	struct signatures *s = mem_new(1, sizeof *s);
	struct slice line;
	unsigned number = 0;

	s->arena = arena_new(ARENA_MAX);
	s->items = arena_alloc(s->arena, ROWS_MAX * sizeof *s->items);
	while (slice_cut_line(&text, &line)) {
		number++;
		if (line.len == 0 || line.ptr[0] == '#')
			continue;
		if (s->count == ROWS_MAX) {
			err_set(err, ERR_LIMIT, "line %u: more than %d rows", number, ROWS_MAX);
			return signatures_free(s);
		}
		if (!row_parse(s, line, err)) {
			err_prefix(err, "line %u: ", number);
			return signatures_free(s);
		}
	}
	if (s->count == 0) {
		err_set(err, ERR_SYNTAX, "no rows in it");
		return signatures_free(s);
	}
	return s;
}

struct signatures *signatures_free(struct signatures *s)
{
	if (s) {
		arena_free(s->arena);
		free(s);
	}
	return NULL;
}

/* ---- matching ---- */

/* Cuts the next host name (a run of its characters, with a dot in it) off *s. *ret_before gets what
 * stands in front of it. */
static bool name_next(struct slice *s, struct slice *ret_before, struct slice *ret_name)
{
	const char *start = s->ptr;

	while (s->len) {
		size_t n = 0;
		struct slice name;

		while (n < s->len && is_name_char(s->ptr[n]))
			n++;
		if (n == 0) {
			*s = slice_skip(*s, 1);
			continue;
		}
		name = slice_take(*s, n);
		*s = slice_skip(*s, n);
		while (name.len && name.ptr[0] == '.')
			name = slice_skip(name, 1);
		while (name.len && name.ptr[name.len - 1] == '.')
			name.len--;
		if (slice_find(name, '.') == name.len)
			continue;
		*ret_before = slice_of(start, (size_t)(name.ptr - start));
		*ret_name = name;
		return true;
	}
	return false;
}

/* name is the zone or lies below it. */
static bool is_under(struct slice name, struct slice zone)
{
	return slice_ends_nocase(name, zone)
	       && (name.len == zone.len || name.ptr[name.len - zone.len - 1] == '.');
}

static bool is_word(char c)
{
	return ascii_is_alpha(c) || ascii_is_digit(c);
}

/* Both lower case. */
static bool has_words(struct slice text, struct slice words)
{
	const char *at = text.ptr;
	size_t left = text.len;

	while (left >= words.len) {
		const char *hit = memmem(at, left, words.ptr, words.len);
		char last = words.ptr[words.len - 1];
		size_t end;

		if (!hit)
			return false;
		end = (size_t)(hit - text.ptr) + words.len;
		if ((hit == text.ptr || !is_word(hit[-1]) || !is_word(words.ptr[0]))
			&& (!ascii_is_digit(last) || end == text.len
				|| !ascii_is_digit(text.ptr[end])))
			return true;
		left -= (size_t)(hit - at) + 1;
		at = hit + 1;
	}
	return false;
}

static bool has_zone(struct slice text, struct slice zone, struct slice *ret_query)
{
	struct slice before, name;

	if (!memmem(text.ptr, text.len, zone.ptr, zone.len))
		return false;
	while (name_next(&text, &before, &name))
		if (is_under(name, zone)) {
			*ret_query = name;
			return true;
		}
	return false;
}

static bool row_matches(const struct signature *row, struct slice text, struct signature_hit *ret)
{
	*ret = (struct signature_hit){row, SLICE_EMPTY, SLICE_EMPTY, false};
	for (size_t i = 0; i < row->pattern_count; i++) {
		const struct signature_pattern *p = &row->patterns[i];

		if (p->kind == PATTERN_TEXT) {
			if (has_words(text, p->text))
				return true;
		} else if (has_zone(text, p->text, &ret->query)) {
			ret->zone = p->text;
			ret->keyed = p->kind == PATTERN_KEYED;
			return true;
		}
	}
	return false;
}

size_t signatures_match(const struct signatures *s, struct slice reply,
	struct signature_hit hits[SIGNATURES_MAX_HITS])
{
	_cleanup_buf_ struct buf lower = BUF_INIT(SIGNATURES_MAX_TEXT);
	struct slice text;
	size_t count = 0;

	reply = slice_take(reply, SIGNATURES_MAX_TEXT);
	for (size_t i = 0; i < reply.len; i++)
		buf_add_char(&lower, ascii_lower(reply.ptr[i]));
	text = buf_slice(&lower);
	for (size_t i = 0; i < s->count && count < SIGNATURES_MAX_HITS; i++) {
		if (!row_matches(&s->items[i], text, &hits[count]))
			continue;
		/* The name as the caller's bytes, which outlive the lower-cased copy. */
		if (hits[count].query.len)
			hits[count].query = slice_of(reply.ptr + (hits[count].query.ptr - text.ptr),
				hits[count].query.len);
		count++;
	}
	return count;
}

/* ---- keys ---- */

static size_t keyed_suffix(const struct signatures *s, struct slice name)
{
	size_t longest = 0;

	for (size_t i = 0; i < s->count; i++)
		for (size_t k = 0; k < s->items[i].pattern_count; k++) {
			const struct signature_pattern *p = &s->items[i].patterns[k];

			if (p->kind == PATTERN_KEYED && p->text.len > longest
				&& is_under(name, p->text))
				longest = p->text.len;
		}
	return longest;
}

/* Labels of a reversed address may stay. */
static bool is_address_label(struct slice label)
{
	uint64_t v;

	return slice_u64(label, 255, &v) || (label.len == 1 && ascii_hex(label.ptr[0]) >= 0);
}

void signatures_mask(const struct signatures *s, struct slice text, struct buf *out)
{
	struct slice rest = text, before, name, label;

	while (name_next(&rest, &before, &name)) {
		size_t suffix = keyed_suffix(s, name);
		struct slice labels = slice_take(name, name.len - suffix);

		buf_add_slice(out, before);
		if (suffix && labels.len) {
			labels.len--; /* the dot */
			while (slice_cut(&labels, '.', &label)) {
				buf_add_slice(out, is_address_label(label) ? label : SLICE("***"));
				buf_add_char(out, '.');
			}
			buf_add_slice(out, slice_skip(name, name.len - suffix));
		} else {
			buf_add_slice(out, name);
		}
		text = slice_skip(text, (size_t)(name.ptr + name.len - text.ptr));
		rest = text;
	}
	buf_add_slice(out, text);
}
