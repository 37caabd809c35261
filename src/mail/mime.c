/* mime.c - one pass over the lines of a mail, with a stack of open multiparts. */
#include "mail/mime.h"

#include "mail/charset.h"

#define BOUNDARY_MAX 200 /* RFC 2046 says 70; some write more */

/* A multipart whose boundary lines we look for. After its closing line it stays open, since its
 * epilogue belongs to it, but the boundary means nothing any more. */
struct open_multipart {
	struct slice boundary;
	int part;
	bool closed;
};

struct walk {
	struct arena *arena;
	struct mime_tree *tree;
	struct open_multipart open[MIME_MAX_DEPTH + 1];
	unsigned open_count;
	int current; /* the part being read; -1 between parts */
	int first;   /* the root of this walk: above it lie parts whose bytes are elsewhere */
	bool in_head, cr_only;
	const char *start; /* of the current part's head */
};

bool mime_is(const struct mime_part *p, const char *type)
{
	struct slice want = slice_str(type), have = slice_str(p->type);

	if (want.len && want.ptr[want.len - 1] == '/')
		return slice_starts(have, want);
	return slice_eq(have, want);
}

static void copy_lower(struct slice s, char *dst, size_t size)
{
	if (!slice_copy(s, dst, size))
		return;
	for (; *dst; dst++)
		*dst = ascii_lower(*dst);
}

static void read_type(struct mime_part *p, const struct mime_part *parent)
{
	bool in_digest = parent && mime_is(parent, "multipart/digest");
	struct slice content_type = header_value(p->head, "Content-Type");
	_cleanup_buf_ struct buf charset = BUF_INIT(sizeof p->charset - 1);

	copy_lower(header_main(content_type), p->type, sizeof p->type);
	if (slice_find(slice_str(p->type), '/') == strlen(p->type)) /* none, or "text" of old */
		copy_lower(in_digest ? SLICE("message/rfc822") : SLICE("text/plain"), p->type,
			sizeof p->type);
	if (mime_is(p, "text/") && header_param(content_type, "charset", &charset))
		copy_lower(slice_trim(buf_slice(&charset)), p->charset, sizeof p->charset);
}

static void read_encoding(struct mime_part *p)
{
	struct slice s = header_main(header_value(p->head, "Content-Transfer-Encoding"));

	if (slice_eq_nocase(s, SLICE("base64")))
		p->encoding = MIME_BASE64;
	else if (slice_eq_nocase(s, SLICE("quoted-printable")))
		p->encoding = MIME_QUOTED_PRINTABLE;
	else if (slice_eq_nocase(s, SLICE("x-uuencode")) || slice_eq_nocase(s, SLICE("uuencode"))
		 || slice_eq_nocase(s, SLICE("x-uue")))
		p->encoding = MIME_UUENCODE;
}

static bool is_message(const struct mime_part *p)
{
	return mime_is(p, "message/rfc822") || mime_is(p, "message/global");
}

/* Starts a part whose head begins at `start`. False when there are too many. */
static bool part_begin(struct walk *w, int parent, const char *start)
{
	struct mime_tree *t = w->tree;
	struct mime_part *p;

	if (t->count == MIME_MAX_PARTS) {
		t->cut = true;
		return false;
	}
	p = &t->parts[t->count];
	p->parent = parent;
	p->is_leaf = true;
	if (parent >= 0) {
		const struct mime_part *above = &t->parts[parent];

		p->depth = (uint8_t)(above->depth + 1);
		p->in_message = above->in_message || is_message(above);
	}
	w->current = (int)t->count++;
	w->in_head = true;
	w->start = start;
	return true;
}

/* The part ends at `end`, and with it the messages that hold nothing but it. */
static void part_end(struct walk *w, int part, const char *end)
{
	for (; part >= 0; part = w->tree->parts[part].parent) {
		struct mime_part *p = &w->tree->parts[part];

		p->body.len = end > p->body.ptr ? (size_t)(end - p->body.ptr) : 0;
		if (p->parent < w->first || !is_message(&w->tree->parts[p->parent]))
			return;
	}
}

static void multipart_open(struct walk *w)
{
	struct mime_part *p = &w->tree->parts[w->current];
	struct buf boundary = BUF_INIT(BOUNDARY_MAX);

	if (header_param(header_value(p->head, "Content-Type"), "boundary", &boundary)
		&& boundary.len) {
		while (boundary.len && ascii_is_blank(boundary.ptr[boundary.len - 1]))
			boundary.len--;
		if (p->depth < MIME_MAX_DEPTH) {
			p->is_leaf = false;
			w->open[w->open_count++] = (struct open_multipart){
				.boundary = arena_copy(w->arena, buf_slice(&boundary)),
				.part = w->current};
			w->current = -1;
		} else {
			w->tree->cut = true;
		}
	}
	buf_done(&boundary);
}

/* The current part's head ends at head_end, its body begins at body_at. */
static void head_end(struct walk *w, const char *head_end, const char *body_at)
{
	struct mime_part *p = &w->tree->parts[w->current];
	struct slice rest;

	header_split(slice_of(w->start, (size_t)(head_end - w->start)), &p->head, &rest);
	p->body = slice_of(body_at, 0);
	w->in_head = false;
	read_type(p, p->parent >= 0 ? &w->tree->parts[p->parent] : NULL);
	read_encoding(p);
	if (mime_is(p, "multipart/")) {
		multipart_open(w);
	} else if (is_message(p) && p->encoding == MIME_IDENTITY) {
		if (p->depth >= MIME_MAX_DEPTH)
			w->tree->cut = true;
		else if (part_begin(w, w->current, body_at))
			p->is_leaf = false;
	}
}

/* The open multipart whose boundary line this is; -1 when none. RFC 2046, 5.1.1: "--", the boundary,
 * "--" at the last one, blanks. An outer boundary also ends all that lies inside it. */
static int boundary_of(const struct walk *w, struct slice line, bool *ret_last)
{
	if (!slice_starts(line, SLICE("--")))
		return -1;
	line = slice_skip(line, 2);
	for (int i = (int)w->open_count - 1; i >= 0; i--) {
		struct slice rest;

		if (w->open[i].closed || !slice_starts(line, w->open[i].boundary))
			continue;
		rest = slice_trim(slice_skip(line, w->open[i].boundary.len));
		*ret_last = slice_starts(rest, SLICE("--"));
		if (rest.len == 0 || (*ret_last && slice_trim(slice_skip(rest, 2)).len == 0))
			return i;
	}
	return -1;
}

/* Where content ends before a boundary line: the line end in front belongs to the boundary. */
static const char *before_line_end(const char *at, const char *from, bool cr_only)
{
	if (at > from && at[-1] == (cr_only ? '\r' : '\n'))
		at--;
	if (!cr_only && at > from && at[-1] == '\r')
		at--;
	return at;
}

static void boundary_line(
	struct walk *w, int which, bool last, const char *line, const char *after, const char *from)
{
	const char *end = before_line_end(line, from, w->cr_only);

	while (w->current >= 0 && w->in_head) /* a message begins another head */
		head_end(w, line, line);
	if (w->current >= 0)
		part_end(w, w->current, end);
	while ((int)w->open_count - 1 > which)
		part_end(w, w->open[--w->open_count].part, end);
	w->current = -1;
	if (last)
		w->open[which].closed = true;
	else
		part_begin(w, w->open[which].part, after);
}

static void walk_mail(struct walk *w, struct slice mail, int parent)
{
	struct slice rest = mail;
	char line_end;

	w->cr_only = mail.len && !memchr(mail.ptr, '\n', mail.len);
	w->open_count = 0;
	w->first = (int)w->tree->count;
	line_end = w->cr_only ? '\r' : '\n';
	if (!part_begin(w, parent, mail.ptr))
		return;
	while (rest.len) {
		size_t at = slice_find(rest, line_end);
		struct slice line = slice_take(rest, at);
		bool last = false, full = w->tree->count == MIME_MAX_PARTS;
		int which;

		if (!w->cr_only && line.len && line.ptr[line.len - 1] == '\r')
			line.len--;
		rest = slice_skip(rest, at + 1);
		which = boundary_of(w, line, &last);
		if (which >= 0 && full && !last)
			w->tree->cut = true; /* the last part swallows the rest */
		else if (which >= 0)
			boundary_line(w, which, last, line.ptr, rest.ptr, mail.ptr);
		else if (w->in_head && w->current >= 0 && line.len == 0)
			head_end(w, line.ptr, rest.ptr);
	}
	while (w->current >= 0 && w->in_head) /* a message begins another head */
		head_end(w, mail.ptr + mail.len, mail.ptr + mail.len);
	if (w->current >= 0)
		part_end(w, w->current, mail.ptr + mail.len);
	while (w->open_count)
		part_end(w, w->open[--w->open_count].part, mail.ptr + mail.len);
}

/* A message in base64 is against RFC 2046, and is sent all the same. */
static bool walk_encoded_message(struct walk *w, int part)
{
	struct mime_part *p = &w->tree->parts[part];
	_cleanup_buf_ struct buf bytes = BUF_INIT(MIME_MAX_DECODED);
	struct slice mail;

	mime_decode(p, &bytes);
	if (bytes.failed)
		w->tree->cut = true;
	mail = arena_copy(w->arena, buf_slice(&bytes));
	if (arena_failed(w->arena))
		return false;
	if (mail.len == 0)
		return true;
	p->is_leaf = false;
	walk_mail(w, mail, part);
	return true;
}

bool mime_parse(struct slice mail, struct arena *a, struct mime_tree *ret)
{
	struct walk w = {.arena = a, .tree = ret};

	*ret = (struct mime_tree){.parts = arena_alloc(a, MIME_MAX_PARTS * sizeof *ret->parts)};
	if (!ret->parts)
		return false;
	walk_mail(&w, mail, -1);
	for (size_t i = 0; i < ret->count && ret->count < MIME_MAX_PARTS; i++) {
		const struct mime_part *p = &ret->parts[i];

		if (p->is_leaf && is_message(p) && p->encoding != MIME_IDENTITY
			&& p->depth < MIME_MAX_DEPTH && !walk_encoded_message(&w, (int)i))
			break;
	}
	if (arena_failed(a)) {
		*ret = (struct mime_tree){0};
		return false;
	}
	return true;
}

void mime_text(const struct mime_part *p, struct buf *out)
{
	_cleanup_buf_ struct buf bytes = BUF_INIT(MIME_MAX_DECODED);

	mime_decode(p, &bytes);
	charset_to_utf8(slice_str(p->charset), buf_slice(&bytes), out);
}

bool mime_file_name(const struct mime_part *p, struct buf *out)
{
	return header_param(header_value(p->head, "Content-Disposition"), "filename", out)
	       || header_param(header_value(p->head, "Content-Type"), "name", out);
}
