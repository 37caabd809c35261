/* header.c - walking a header block, and what its values hold. */
#include "mail/header.h"

#include "mail/charset.h"

/* Cuts the next line with its line end; *ret_line is without it. */
static bool line_cut(struct slice *s, bool cr_only, struct slice *ret_line)
{
	size_t at;

	if (s->len == 0)
		return false;
	at = slice_find(*s, cr_only ? '\r' : '\n');
	*ret_line = slice_take(*s, at);
	*s = slice_skip(*s, at + 1);
	if (!cr_only && ret_line->len && ret_line->ptr[ret_line->len - 1] == '\r')
		ret_line->len--;
	return true;
}

static bool is_cr_only(struct slice s)
{
	return s.len && !memchr(s.ptr, '\n', s.len) && memchr(s.ptr, '\r', s.len);
}

void header_split(struct slice mail, struct slice *ret_head, struct slice *ret_body)
{
	bool cr_only = is_cr_only(mail);
	struct slice rest = mail, line, start;

	if (slice_starts(rest, SLICE("From ")) || slice_starts(rest, SLICE(">From ")))
		line_cut(&rest, cr_only, &line);
	start = rest;
	for (;;) {
		size_t end = (size_t)(rest.ptr - start.ptr);

		if (!line_cut(&rest, cr_only, &line)) {
			*ret_head = start;
			*ret_body = slice_skip(start, start.len);
			return;
		}
		if (line.len == 0) {
			*ret_head = slice_take(start, end);
			*ret_body = rest;
			return;
		}
	}
}

struct header_iter header_iter_of(struct slice head)
{
	return (struct header_iter){.rest = slice_take(head, HEADER_MAX_BYTES),
		.cr_only = is_cr_only(slice_take(head, HEADER_MAX_BYTES))};
}

/* The name before the colon: printable ASCII without blanks (RFC 5322, 2.2); blanks just before the
 * colon are forgiven (4.5). */
static bool field_name(struct slice line, struct slice *ret)
{
	size_t colon = slice_find(line, ':');
	struct slice name = slice_take(line, colon);

	if (colon == line.len)
		return false;
	while (name.len && ascii_is_blank(name.ptr[name.len - 1]))
		name.len--;
	for (size_t i = 0; i < name.len; i++)
		if (name.ptr[i] <= ' ' || name.ptr[i] >= 0x7f)
			return false;
	*ret = name;
	return name.len > 0;
}

bool header_next(struct header_iter *it, struct header *ret)
{
	struct slice line, name;

	while (it->seen < HEADER_MAX_FIELDS) {
		struct slice start = it->rest;
		const char *value_end;
		size_t value_at;

		if (!line_cut(&it->rest, it->cr_only, &line) || line.len == 0)
			break;
		if (!field_name(line, &name))
			continue;
		value_at = slice_find(line, ':') + 1;
		value_end = line.ptr + line.len;
		while (it->rest.len && ascii_is_blank(it->rest.ptr[0])) {
			line_cut(&it->rest, it->cr_only, &line);
			value_end = line.ptr + line.len;
		}
		ret->name = name;
		ret->value =
			slice_of(start.ptr + value_at, (size_t)(value_end - start.ptr) - value_at);
		ret->raw = slice_of(start.ptr, (size_t)(it->rest.ptr - start.ptr));
		it->seen++;
		return true;
	}
	it->rest = slice_skip(it->rest, it->rest.len);
	return false;
}

bool header_find(struct slice head, const char *name, struct header *ret)
{
	struct header_iter it = header_iter_of(head);
	struct header h;

	while (header_next(&it, &h))
		if (slice_eq_nocase(h.name, slice_str(name))) {
			*ret = h;
			return true;
		}
	return false;
}

struct slice header_value(struct slice head, const char *name)
{
	struct header h;

	return header_find(head, name, &h) ? slice_trim(h.value) : SLICE_EMPTY;
}

bool header_has(struct slice head, const char *name)
{
	struct header h;

	return header_find(head, name, &h);
}

void header_unfold(struct slice value, struct buf *out)
{
	size_t at = 0;

	value = slice_trim(value);
	while (at < value.len && !out->failed) {
		size_t run = at;

		while (run < value.len && value.ptr[run] != '\r' && value.ptr[run] != '\n')
			run++;
		buf_add(out, value.ptr + at, run - at);
		if (run < value.len) {
			while (out->len && ascii_is_blank(out->ptr[out->len - 1]))
				out->len--;
			while (run < value.len && ascii_is_space(value.ptr[run]))
				run++;
			buf_add_char(out, ' ');
		}
		at = run;
	}
}
