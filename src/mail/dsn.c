/* dsn.c - delivery reports: fields where RFC 3464 has them, words for people otherwise. */
#include "mail/dsn.h"

#define DSN_TEXT_MAX ((size_t)256 * 1024)

/* "rfc822; user@host", "dns; host", "smtp; 550 ...": what stands behind the type, on one line. */
static struct slice typed_value(struct slice value, struct arena *a)
{
	_cleanup_buf_ struct buf flat = BUF_INIT(HEADER_MAX_VALUE);
	struct slice s, type;
	size_t n;

	header_decode(value, &flat);
	s = slice_trim(buf_slice(&flat));
	n = slice_find(s, ';');
	type = slice_trim(slice_take(s, n));
	if (n < s.len && n < 20 && slice_find(type, ' ') == type.len)
		s = slice_trim(slice_skip(s, n + 1));
	return arena_copy(a, s);
}

static struct slice address_value(struct slice value, struct arena *a)
{
	struct slice s = typed_value(value, a), rest = s, address;

	return address_next(&rest, &address) ? address : s;
}

static void read_recipient(struct slice group, struct arena *a, struct dsn_recipient *r)
{
	struct header_iter it = header_iter_of(group);
	struct header h;

	*r = (struct dsn_recipient){
		SLICE_EMPTY, SLICE_EMPTY, SLICE_EMPTY, SLICE_EMPTY, SLICE_EMPTY, SLICE_EMPTY};
	while (header_next(&it, &h)) {
		if (slice_eq_nocase(h.name, SLICE("Original-Recipient")))
			r->original = address_value(h.value, a);
		else if (slice_eq_nocase(h.name, SLICE("Final-Recipient")))
			r->final = address_value(h.value, a);
		else if (slice_eq_nocase(h.name, SLICE("Action")))
			r->action = header_main(h.value);
		else if (slice_eq_nocase(h.name, SLICE("Status")))
			r->status = header_main(h.value);
		else if (slice_eq_nocase(h.name, SLICE("Remote-MTA")))
			r->remote_mta = typed_value(h.value, a);
		else if (slice_eq_nocase(h.name, SLICE("Diagnostic-Code"))
			 && r->diagnostic.len == 0)
			r->diagnostic = typed_value(h.value, a);
	}
}

/* Groups of fields, parted by empty lines: the first is about the mail, each other about one
 * recipient. Some put all of it into one group. */
static void read_status(struct slice body, struct arena *a, struct dsn *d)
{
	struct slice group, rest = body;
	struct header h;

	d->is_report = true;
	while (rest.len && !arena_failed(a)) {
		while (rest.len && (rest.ptr[0] == '\r' || rest.ptr[0] == '\n'))
			rest = slice_skip(rest, 1);
		header_split(rest, &group, &rest);
		if (header_find(group, "Reporting-MTA", &h) && d->reporting_mta.len == 0)
			d->reporting_mta = typed_value(h.value, a);
		if (!header_has(group, "Final-Recipient")
			&& !header_has(group, "Original-Recipient")
			&& !header_has(group, "Diagnostic-Code"))
			continue;
		if (d->recipient_count == DSN_MAX_RECIPIENTS)
			return;
		read_recipient(group, a, &d->recipients[d->recipient_count++]);
	}
}

/* qmail and its kin have the returned mail behind this line, in the same text part. */
static struct slice cut_returned(struct slice text, struct slice *ret_original)
{
	static const char *const marks[] = {"--- Below this line is a copy of the message.",
		"--- Enclosed is a copy of the message.",
		"------ This is a copy of the message, including all the headers. ------",
		"------ This is a copy of the message's headers. ------",
		"   ----- Original message follows -----", "   ----- Unsent message follows -----",
		"   ----- Message header follows -----", "-----Original Message-----"};
	struct slice rest = text, line, body;

	while (slice_cut_line(&rest, &line))
		for (size_t i = 0; i < ARRAY_LEN(marks); i++)
			if (slice_starts(line, slice_str(marks[i]))) {
				while (rest.len && (rest.ptr[0] == '\r' || rest.ptr[0] == '\n'))
					rest = slice_skip(rest, 1);
				header_split(rest, ret_original, &body);
				return slice_of(text.ptr, (size_t)(line.ptr - text.ptr));
			}
	return text;
}

static void read_original(const struct mime_tree *tree, size_t i, struct dsn *d)
{
	const struct mime_part *p = &tree->parts[i];
	struct slice body;

	if (d->original_head.len)
		return;
	if (mime_is(p, "text/rfc822-headers") || mime_is(p, "message/rfc822-headers"))
		header_split(p->body, &d->original_head, &body);
	else if (p->in_message && tree->parts[p->parent].depth <= 2
		 && (mime_is(&tree->parts[p->parent], "message/rfc822")
			 || mime_is(&tree->parts[p->parent], "message/global")))
		d->original_head = p->head;
}

bool dsn_parse(const struct mime_tree *tree, struct arena *a, struct dsn *ret)
{
	_cleanup_buf_ struct buf text = BUF_INIT(DSN_TEXT_MAX);
	_cleanup_buf_ struct buf bytes = BUF_INIT(DSN_TEXT_MAX);
	struct dsn d = {
		.reporting_mta = SLICE_EMPTY, .text = SLICE_EMPTY, .original_head = SLICE_EMPTY};

	d.recipients = arena_alloc(a, DSN_MAX_RECIPIENTS * sizeof *d.recipients);
	for (size_t i = 0; i < tree->count && !arena_failed(a); i++) {
		const struct mime_part *p = &tree->parts[i];

		if (!p->in_message
			&& (mime_is(p, "message/delivery-status")
				|| mime_is(p, "message/global-delivery-status"))) {
			buf_reset(&bytes);
			mime_decode(p, &bytes);
			read_status(arena_copy(a, buf_slice(&bytes)), a, &d);
			continue;
		}
		read_original(tree, i, &d);
		if (p->is_leaf && !p->in_message && mime_is(p, "text/")
			&& !mime_is(p, "text/rfc822-headers")) {
			mime_text(p, &text);
			buf_add_char(&text, '\n');
		}
	}
	d.text = arena_copy(a, buf_slice(&text));
	if (d.original_head.len == 0)
		d.text = cut_returned(d.text, &d.original_head);
	if (arena_failed(a))
		return false;
	*ret = d;
	return true;
}
