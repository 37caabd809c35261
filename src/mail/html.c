/* html.c - a tokenizer in the manner of WHATWG HTML, section 13.2.5, for what mails hold. */
#include "mail/html.h"

#include "base/attr.h"
#include "mail/charset.h"

/* Elements whose content is not markup. */
static const char *const raw_elements[] = {
	"script", "style", "xmp", "iframe", "noembed", "noframes"};
static const char *const rcdata_elements[] = {"title", "textarea"};

static bool is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f';
}

struct html_iter html_iter_of(struct slice html)
{
	return (struct html_iter){.rest = html};
}

struct slice html_attribute(const struct html_token *t, const char *name)
{
	for (unsigned i = 0; i < t->attribute_count; i++)
		if (slice_eq_nocase(t->attributes[i].name, slice_str(name)))
			return t->attributes[i].value;
	return SLICE_EMPTY;
}

/* Where "</name" stands, followed by a blank, '/' or '>'; s.len when nowhere. */
static size_t find_end_tag(struct slice s, struct slice name)
{
	for (size_t at = 0; at < s.len; at++) {
		size_t run = slice_find(slice_skip(s, at), '<');
		struct slice tail;

		at += run;
		tail = slice_skip(s, at);
		if (tail.len > name.len + 2 && tail.ptr[1] == '/'
			&& slice_starts_nocase(slice_skip(tail, 2), name)
			&& (is_space(tail.ptr[name.len + 2]) || tail.ptr[name.len + 2] == '/'
				|| tail.ptr[name.len + 2] == '>'))
			return at;
	}
	return s.len;
}

/* Index in the tables above, or -1. */
static int raw_element(struct slice name, bool *ret_rcdata)
{
	for (size_t i = 0; i < ARRAY_LEN(raw_elements); i++)
		if (slice_eq_nocase(name, slice_str(raw_elements[i]))) {
			*ret_rcdata = false;
			return (int)i;
		}
	for (size_t i = 0; i < ARRAY_LEN(rcdata_elements); i++)
		if (slice_eq_nocase(name, slice_str(rcdata_elements[i]))) {
			*ret_rcdata = true;
			return (int)(ARRAY_LEN(raw_elements) + i);
		}
	return -1;
}

/* Cuts one attribute off *s (13.2.5.32-39); false at the end of the tag, which stays. */
static bool attribute_cut(struct slice *s, struct html_attribute *ret)
{
	size_t n = 0;
	char quote;

	while (s->len && (is_space(s->ptr[0]) || s->ptr[0] == '/'))
		*s = slice_skip(*s, 1);
	if (s->len == 0 || s->ptr[0] == '>')
		return false;
	/* A '=' in front is part of the name. */
	for (n = 1; n < s->len; n++)
		if (is_space(s->ptr[n]) || s->ptr[n] == '/' || s->ptr[n] == '>' || s->ptr[n] == '=')
			break;
	ret->name = slice_take(*s, n);
	ret->value = SLICE_EMPTY;
	*s = slice_skip(*s, n);
	for (n = 0; n < s->len && is_space(s->ptr[n]);)
		n++;
	if (n == s->len || s->ptr[n] != '=')
		return true;
	*s = slice_skip(*s, n + 1);
	while (s->len && is_space(s->ptr[0]))
		*s = slice_skip(*s, 1);
	if (s->len == 0 || s->ptr[0] == '>')
		return true;
	quote = s->ptr[0];
	if (quote == '"' || quote == '\'') {
		*s = slice_skip(*s, 1);
		n = slice_find(*s, quote);
		ret->value = slice_take(*s, n);
		*s = slice_skip(*s, n + 1);
		return true;
	}
	for (n = 0; n < s->len && !is_space(s->ptr[n]) && s->ptr[n] != '>';)
		n++;
	ret->value = slice_take(*s, n);
	*s = slice_skip(*s, n);
	return true;
}

/* *s stands behind "<" or "</", at a letter. */
static void tag_cut(struct html_iter *it, bool is_end, struct html_token *ret)
{
	struct slice *s = &it->rest;
	struct html_attribute a;
	size_t n = 0;

	while (n < s->len && !is_space(s->ptr[n]) && s->ptr[n] != '/' && s->ptr[n] != '>')
		n++;
	ret->kind = is_end ? HTML_END_TAG : HTML_TAG;
	ret->name = slice_take(*s, n);
	ret->attribute_count = 0;
	*s = slice_skip(*s, n);
	while (attribute_cut(s, &a))
		if (ret->attribute_count < HTML_MAX_ATTRIBUTES)
			ret->attributes[ret->attribute_count++] = a;
	*s = slice_skip(*s, 1);
	if (!is_end) {
		bool rcdata;

		if (raw_element(ret->name, &rcdata) >= 0)
			it->raw_until = ret->name;
	}
}

/* Text of a raw element, up to its end tag. An element without one: browsers take all the rest as its
 * text; so would a spammer's "<title>" hide each link that mail programs, which differ here, may well
 * show. We read on as if the tag were not there. Each such element's rest is searched once only. */
static bool raw_cut(struct html_iter *it, struct html_token *ret)
{
	bool rcdata = false;
	int which = raw_element(it->raw_until, &rcdata);
	size_t n;

	if (it->no_end_tag_of & (size_t)1 << which) {
		it->raw_until = SLICE_EMPTY;
		return false;
	}
	n = find_end_tag(it->rest, it->raw_until);
	it->raw_until = SLICE_EMPTY;
	if (n == it->rest.len) {
		it->no_end_tag_of |= (size_t)1 << which;
		return false;
	}
	if (n == 0)
		return false;
	ret->kind = HTML_TEXT;
	ret->text = slice_take(it->rest, n);
	ret->raw_text = !rcdata;
	it->rest = slice_skip(it->rest, n);
	return true;
}

/* *s stands at "<!" or "<?": comments and other things that show nothing. */
static void markup_skip(struct slice *s)
{
	size_t n;

	if (!slice_starts(*s, SLICE("<!--"))) {
		*s = slice_skip(*s, slice_find(*s, '>') + 1);
		return;
	}
	*s = slice_skip(*s, 4);
	if (slice_starts(*s, SLICE(">")) || slice_starts(*s, SLICE("->"))) {
		*s = slice_skip(*s, s->ptr[0] == '>' ? 1 : 2);
		return;
	}
	for (n = 0; n < s->len; n++) {
		struct slice tail;

		n += slice_find(slice_skip(*s, n), '-');
		tail = slice_skip(*s, n);
		if (slice_starts(tail, SLICE("-->")) || slice_starts(tail, SLICE("--!>"))) {
			*s = slice_skip(tail, tail.ptr[2] == '>' ? 3 : 4);
			return;
		}
	}
	*s = slice_skip(*s, s->len);
}

bool html_next(struct html_iter *it, struct html_token *ret)
{
	ret->name = ret->text = SLICE_EMPTY;
	ret->raw_text = false;
	ret->attribute_count = 0;
	if (it->raw_until.len && raw_cut(it, ret))
		return true;
	while (it->rest.len) {
		struct slice *s = &it->rest;
		char next = s->len > 1 ? s->ptr[1] : ' ';

		if (s->ptr[0] == '<' && (next == '!' || next == '?')) {
			markup_skip(s);
		} else if (s->ptr[0] == '<' && ascii_is_alpha(next)) {
			*s = slice_skip(*s, 1);
			tag_cut(it, false, ret);
			return true;
		} else if (s->ptr[0] == '<' && next == '/' && s->len > 2) {
			*s = slice_skip(*s, 2);
			if (ascii_is_alpha(s->ptr[0])) {
				tag_cut(it, true, ret);
				return true;
			}
			*s = slice_skip(*s, slice_find(*s, '>') + 1); /* bogus comment */
		} else {
			size_t n = 1 + slice_find(slice_skip(*s, 1), '<');

			ret->kind = HTML_TEXT;
			ret->text = slice_take(*s, n);
			*s = slice_skip(*s, n);
			return true;
		}
	}
	return false;
}

/* ---- character references ---- */

static const struct {
	const char *name;
	uint16_t code;
} references[] = {
	{"amp", '&'},
	{"AMP", '&'},
	{"lt", '<'},
	{"gt", '>'},
	{"quot", '"'},
	{"apos", '\''},
	{"nbsp", 0xa0},
	{"colon", ':'},
	{"sol", '/'},
	{"bsol", '\\'},
	{"period", '.'},
	{"commat", '@'},
	{"num", '#'},
	{"quest", '?'},
	{"equals", '='},
	{"percnt", '%'},
	{"lowbar", '_'},
	{"hyphen", 0x2010},
	{"dash", 0x2010},
	{"semi", ';'},
	{"comma", ','},
	{"excl", '!'},
	{"lpar", '('},
	{"rpar", ')'},
	{"lsqb", '['},
	{"rsqb", ']'},
	{"Tab", '\t'},
	{"NewLine", '\n'},
	{"shy", 0xad},
	{"zwnj", 0x200c},
	{"zwj", 0x200d},
	{"copy", 0xa9},
	{"reg", 0xae},
	{"trade", 0x2122},
	{"bull", 0x2022},
	{"middot", 0xb7},
	{"hellip", 0x2026},
	{"ndash", 0x2013},
	{"mdash", 0x2014},
	{"lsquo", 0x2018},
	{"rsquo", 0x2019},
	{"ldquo", 0x201c},
	{"rdquo", 0x201d},
	{"laquo", 0xab},
	{"raquo", 0xbb},
	{"euro", 0x20ac},
	{"pound", 0xa3},
	{"yen", 0xa5},
	{"cent", 0xa2},
	{"sect", 0xa7},
	{"deg", 0xb0},
	{"times", 0xd7},
	{"auml", 0xe4},
	{"ouml", 0xf6},
	{"uuml", 0xfc},
	{"Auml", 0xc4},
	{"Ouml", 0xd6},
	{"Uuml", 0xdc},
	{"szlig", 0xdf},
	{"eacute", 0xe9},
	{"egrave", 0xe8},
	{"agrave", 0xe0},
	{"aacute", 0xe1},
	{"iacute", 0xed},
	{"oacute", 0xf3},
	{"uacute", 0xfa},
	{"ntilde", 0xf1},
	{"ccedil", 0xe7},
};

/* s starts with "&#"; returns the bytes taken, 0 when it is no reference. */
static size_t numeric_reference(struct slice s, struct buf *out)
{
	bool is_hex = s.len > 2 && ascii_lower(s.ptr[2]) == 'x';
	size_t at = is_hex ? 3 : 2, digits = 0;
	uint32_t c = 0;

	for (; at < s.len; at++, digits++) {
		int v = ascii_hex(s.ptr[at]);

		if (v < 0 || (!is_hex && v > 9))
			break;
		c = MIN(c * (is_hex ? 16 : 10) + (uint32_t)v, 0x110000);
	}
	if (digits == 0)
		return 0;
	if (c >= 0x80 && c < 0xa0) /* 13.2.5.80: these mean windows-1252 */
		charset_to_utf8(SLICE("windows-1252"), slice_of(&(char){(char)c}, 1), out);
	else
		utf8_add(out, c ? c : 0xfffd);
	return at < s.len && s.ptr[at] == ';' ? at + 1 : at;
}

static size_t named_reference(struct slice s, struct buf *out)
{
	size_t n = 1;

	while (n < s.len && n < 12 && (ascii_is_alpha(s.ptr[n]) || ascii_is_digit(s.ptr[n])))
		n++;
	for (size_t i = 0; i < ARRAY_LEN(references); i++)
		if (n > 1 && references[i].name[0] == s.ptr[1]
			&& slice_eq(slice_of(s.ptr + 1, n - 1), slice_str(references[i].name))) {
			utf8_add(out, references[i].code);
			return n < s.len && s.ptr[n] == ';' ? n + 1 : n;
		}
	return 0;
}

void html_unescape(struct slice s, struct buf *out)
{
	while (s.len && !out->failed) {
		size_t n = slice_find(s, '&'), taken;

		buf_add(out, s.ptr, n);
		s = slice_skip(s, n);
		if (s.len == 0)
			break;
		taken = s.len > 1 && s.ptr[1] == '#' ? numeric_reference(s, out)
						     : named_reference(s, out);
		if (taken == 0) {
			buf_add_char(out, '&');
			taken = 1;
		}
		s = slice_skip(s, taken);
	}
}

/* ---- as a reader sees it ---- */

static bool is_block(struct slice name)
{
	static const char *const blocks[] = {"p", "br", "div", "tr", "table", "li", "ul", "ol",
		"h1", "h2", "h3", "h4", "h5", "h6", "hr", "blockquote", "center", "title", "pre",
		"body"};

	for (size_t i = 0; i < ARRAY_LEN(blocks); i++)
		if (slice_eq_nocase(name, slice_str(blocks[i])))
			return true;
	return false;
}

static void add_collapsed(struct slice s, struct buf *out)
{
	for (size_t i = 0; i < s.len && !out->failed; i++) {
		char last = out->len ? out->ptr[out->len - 1] : '\n';

		if (!is_space(s.ptr[i]))
			buf_add_char(out, s.ptr[i]);
		else if (last != ' ' && last != '\n')
			buf_add_char(out, ' ');
	}
}

void html_to_text(struct slice html, struct buf *out)
{
	struct html_iter it = html_iter_of(html);
	_cleanup_buf_ struct buf plain =
		BUF_INIT(html.len * 3 + 16); /* a byte reference can become 3 */
	struct html_token t;

	while (!out->failed && html_next(&it, &t)) {
		if (t.kind == HTML_TEXT && !t.raw_text) {
			buf_reset(&plain);
			html_unescape(t.text, &plain);
			add_collapsed(buf_slice(&plain), out);
		} else if (t.kind != HTML_TEXT && is_block(t.name) && out->len
			   && out->ptr[out->len - 1] != '\n') {
			buf_add_char(out, '\n');
		}
	}
}
