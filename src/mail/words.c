/* words.c - header values as people read them: RFC 2047 encoded words, parameters of RFC 2045 and
 * RFC 2231. */
#include "mail/charset.h"
#include "mail/header.h"
#include "mail/mime.h"

#define MAX_PARAMS 100	/* of one value; later ones are not seen */
#define MAX_SECTIONS 50 /* name*0, name*1, ... */

struct encoded_word {
	struct slice charset, text;
	char encoding; /* 'b' or 'q' */
	size_t len;    /* of all of it, from "=?" to "?=" */
};

/* s starts with "=?". Looks at most 1000 bytes ahead, so that many openings stay linear. */
static bool encoded_word(struct slice s, struct encoded_word *ret)
{
	struct slice rest = slice_skip(slice_take(s, 1000), 2), charset, encoding;

	if (!slice_cut(&rest, '?', &charset) || !slice_cut(&rest, '?', &encoding) || !rest.ptr)
		return false;
	if (encoding.len != 1 || charset.len == 0 || charset.len > 60)
		return false;
	for (size_t i = 0; i + 1 < rest.len; i++) {
		if (rest.ptr[i] == '\n' || rest.ptr[i] == '\r')
			return false;
		if (rest.ptr[i] != '?' || rest.ptr[i + 1] != '=')
			continue;
		ret->encoding = ascii_lower(encoding.ptr[0]);
		ret->charset =
			slice_take(charset, slice_find(charset, '*')); /* "*en": RFC 2231, 5 */
		ret->text = slice_take(rest, i);
		ret->len = (size_t)(rest.ptr + i + 2 - s.ptr);
		return ret->encoding == 'b' || ret->encoding == 'q';
	}
	return false;
}

static void decode_q(struct slice s, struct buf *out)
{
	for (size_t i = 0; i < s.len; i++) {
		int high = i + 2 < s.len ? ascii_hex(s.ptr[i + 1]) : -1;
		int low = i + 2 < s.len ? ascii_hex(s.ptr[i + 2]) : -1;

		if (s.ptr[i] == '=' && high >= 0 && low >= 0) {
			buf_add_u8(out, (uint8_t)(high << 4 | low));
			i += 2;
		} else {
			buf_add_char(out, s.ptr[i] == '_' ? ' ' : s.ptr[i]);
		}
	}
}

/* Encoded words side by side are one text: blanks between them are not shown (RFC 2047, 6.2), and
 * broken encoders cut a character in two. Returns how many bytes of s they took. */
static size_t decode_words(struct slice s, struct buf *out)
{
	_cleanup_buf_ struct buf bytes = BUF_INIT(HEADER_MAX_VALUE);
	struct encoded_word first, word;
	size_t taken = 0, at = 0;

	if (!encoded_word(s, &first))
		return 0;
	while (slice_starts(slice_skip(s, at), SLICE("=?"))
		&& encoded_word(slice_skip(s, at), &word)) {
		if (!slice_eq_nocase(word.charset, first.charset)) {
			charset_to_utf8(first.charset, buf_slice(&bytes), out);
			buf_reset(&bytes);
			first = word;
		}
		if (word.encoding == 'q')
			decode_q(word.text, &bytes);
		else
			mime_decode_base64(word.text, &bytes);
		taken = at += word.len;
		while (at < s.len && ascii_is_space(s.ptr[at]))
			at++;
	}
	charset_to_utf8(first.charset, buf_slice(&bytes), out);
	return taken;
}

static void blank_controls(struct buf *b, size_t from)
{
	for (size_t i = from; i < b->len; i++)
		if ((unsigned char)b->ptr[i] < ' ' || b->ptr[i] == 0x7f)
			b->ptr[i] = ' ';
}

static void decode_text(struct slice s, struct buf *out)
{
	size_t from = out->len, at = 0, n;

	while (at < s.len && !out->failed) {
		size_t run = at;

		while (run < s.len && !slice_starts(slice_skip(s, run), SLICE("=?")))
			run++;
		charset_to_utf8(SLICE_EMPTY, slice_of(s.ptr + at, run - at), out);
		at = run;
		if (at == s.len)
			break;
		n = decode_words(slice_skip(s, at), out);
		if (n == 0) {
			buf_add(out, "=?", 2);
			n = 2;
		}
		at += n;
	}
	blank_controls(out, from);
}

void header_decode(struct slice value, struct buf *out)
{
	_cleanup_buf_ struct buf flat = BUF_INIT(HEADER_MAX_VALUE);

	header_unfold(slice_take(value, HEADER_MAX_VALUE), &flat);
	decode_text(buf_slice(&flat), out);
}

/* ---- parameters ---- */

/* Skips blanks and comments, nested ones too. */
static void skip_comments(struct slice *s)
{
	unsigned depth = 0;
	size_t at = 0;

	for (; at < s->len; at++) {
		char c = s->ptr[at];

		if (c == '\\' && depth)
			at++;
		else if (c == '(')
			depth++;
		else if (c == ')' && depth)
			depth--;
		else if (!depth && !ascii_is_space(c))
			break;
	}
	*s = slice_skip(*s, at);
}

struct slice header_main(struct slice value)
{
	size_t n = 0;

	skip_comments(&value);
	while (n < value.len && value.ptr[n] != ';' && value.ptr[n] != '('
		&& !ascii_is_space(value.ptr[n]))
		n++;
	return slice_take(value, n);
}

struct param {
	struct slice name, value; /* the value as it stands, without the quotes around it */
	bool quoted;
};

/* Cuts the next "; name=value". A quoted value ends at its quote, a bare one at ';' or a blank. */
static bool param_next(struct slice *s, struct param *ret)
{
	size_t n = 0;

	*s = slice_skip(*s, slice_find(*s, ';') + 1);
	skip_comments(s);
	if (s->len == 0)
		return false;
	while (n < s->len && s->ptr[n] != '=' && s->ptr[n] != ';')
		n++;
	ret->name = slice_trim(slice_take(*s, n));
	ret->value = SLICE_EMPTY;
	ret->quoted = false;
	*s = slice_skip(*s, n);
	if (s->len == 0 || s->ptr[0] == ';')
		return true;
	*s = slice_skip(*s, 1);
	skip_comments(s);
	n = 0;
	if (s->len && s->ptr[0] == '"') {
		*s = slice_skip(*s, 1);
		while (n < s->len && s->ptr[n] != '"')
			n += s->ptr[n] == '\\' ? 2 : 1;
		ret->quoted = true;
	} else {
		while (n < s->len && s->ptr[n] != ';' && !ascii_is_space(s->ptr[n]))
			n++;
	}
	ret->value = slice_take(*s, n);
	*s = slice_skip(*s, ret->quoted ? n + 1 : n);
	return true;
}

/* "name", "name*", "name*2", "name*2*": the section's number, and whether it is percent-encoded. */
static bool param_is(struct slice have, const char *name, unsigned *ret_section, bool *ret_encoded)
{
	struct slice want = slice_str(name), rest;
	uint64_t n = 0;

	if (!slice_starts_nocase(have, want))
		return false;
	rest = slice_skip(have, want.len);
	*ret_encoded = rest.len && rest.ptr[rest.len - 1] == '*';
	if (*ret_encoded)
		rest.len--;
	*ret_section = 0;
	if (rest.len == 0)
		return true;
	if (rest.ptr[0] != '*' || !slice_u64(slice_skip(rest, 1), MAX_SECTIONS - 1, &n))
		return false;
	*ret_section = (unsigned)n;
	return true;
}

static void add_unquoted(const struct param *p, struct buf *out)
{
	for (size_t i = 0; i < p->value.len; i++) {
		char c = p->value.ptr[i];

		if (p->quoted && c == '\\' && i + 1 < p->value.len)
			c = p->value.ptr[++i];
		if (c != '\r' && c != '\n')
			buf_add_char(out, c);
	}
}

static void add_percent(struct slice s, struct buf *out)
{
	for (size_t i = 0; i < s.len; i++) {
		int high = i + 2 < s.len ? ascii_hex(s.ptr[i + 1]) : -1;
		int low = i + 2 < s.len ? ascii_hex(s.ptr[i + 2]) : -1;

		if (s.ptr[i] == '%' && high >= 0 && low >= 0) {
			buf_add_u8(out, (uint8_t)(high << 4 | low));
			i += 2;
		} else {
			buf_add_char(out, s.ptr[i]);
		}
	}
}

bool header_param(struct slice value, const char *name, struct buf *out)
{
	_cleanup_buf_ struct buf bytes = BUF_INIT(HEADER_MAX_VALUE);
	struct slice rest = slice_take(value, HEADER_MAX_VALUE), charset = SLICE_EMPTY, text, word;
	struct param p, sections[MAX_SECTIONS];
	bool encoded[MAX_SECTIONS], have[MAX_SECTIONS] = {false}, is_encoded, any = false;
	unsigned section;

	for (unsigned i = 0; i < MAX_PARAMS && param_next(&rest, &p); i++) {
		if (!param_is(p.name, name, &section, &is_encoded) || have[section])
			continue;
		sections[section] = p;
		encoded[section] = is_encoded;
		have[section] = any = true;
	}
	if (!have[0])
		return false;
	for (section = 0; section < MAX_SECTIONS && have[section]; section++) {
		if (!encoded[section]) {
			add_unquoted(&sections[section], &bytes);
			continue;
		}
		text = sections[section].value;
		if (section == 0 && slice_find(text, '\'') < text.len) { /* charset'language'text */
			slice_cut(&text, '\'', &charset);
			if (slice_find(text, '\'') < text.len)
				slice_cut(&text, '\'', &word);
		}
		add_percent(text, &bytes);
	}
	if (encoded[0])
		charset_to_utf8(charset, buf_slice(&bytes), out);
	else
		decode_text(buf_slice(&bytes), out);
	return any;
}
