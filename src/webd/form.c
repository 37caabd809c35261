/* form.c - decodes query strings and posted forms (WHATWG URL, 5; RFC 3986, 2.1). */
#include "webd/form.h"

bool utf8_valid(struct slice s)
{
	const uint8_t *p = (const uint8_t *)s.ptr, *end;

	if (!s.len)
		return true;
	for (end = p + s.len; p < end;) {
		uint8_t first = *p++, low = 0x80, high = 0xbf;
		int more = first < 0x80 ? 0 : first >= 0xf0 ? 3 : first >= 0xe0 ? 2 : 1;

		if (first == 0 || (first >= 0x80 && first < 0xc2) || first > 0xf4)
			return false;
		/* No overlong forms, no surrogates, nothing above U+10FFFF. */
		if (first == 0xe0)
			low = 0xa0;
		else if (first == 0xed)
			high = 0x9f;
		else if (first == 0xf0)
			low = 0x90;
		else if (first == 0xf4)
			high = 0x8f;
		for (; more; more--, low = 0x80, high = 0xbf)
			if (p == end || *p < low || *p++ > high)
				return false;
	}
	return true;
}

bool form_decode(struct slice encoded, bool plus, struct buf *buf, struct err *err)
{
	size_t start = buf->len;

	for (size_t i = 0; i < encoded.len; i++) {
		char c = encoded.ptr[i];

		if (c == '+' && plus) {
			c = ' ';
		} else if (c == '%') {
			int high = i + 1 < encoded.len ? ascii_hex(encoded.ptr[i + 1]) : -1;
			int low = i + 2 < encoded.len ? ascii_hex(encoded.ptr[i + 2]) : -1;

			if (high < 0 || low < 0)
				return err_set(err, ERR_SYNTAX,
					"a %% without two hexadecimal digits behind it");
			c = (char)(high << 4 | low);
			i += 2;
		}
		buf_add_char(buf, c);
	}
	if (buf->failed)
		return err_set(err, ERR_LIMIT, "more than %zu bytes", buf->limit);
	if (!utf8_valid(slice_skip(buf_slice(buf), start)))
		return err_set(err, ERR_SYNTAX, "bytes that are not UTF-8, or a NUL");
	return true;
}

void form_encode(struct slice text, struct buf *buf)
{
	for (size_t i = 0; i < text.len; i++) {
		char c = text.ptr[i];

		if (ascii_is_alpha(c) || ascii_is_digit(c) || (c && strchr("-._~", c)))
			buf_add_char(buf, c);
		else
			buf_addf(buf, "%%%02X", (unsigned char)c);
	}
}

/* The text buffer may move while it grows, so fields are places in it until the end. */
struct span {
	size_t name_at, name_len, value_at, value_len;
};

static bool field_parse(struct slice pair, struct form *f, struct span *ret, struct err *err)
{
	struct slice name;
	struct span s;

	slice_cut(&pair, '=', &name);
	s.name_at = f->text.len;
	if (!form_decode(name, true, &f->text, err))
		return false;
	s.name_len = f->text.len - s.name_at;
	s.value_at = f->text.len;
	if (!form_decode(pair, true, &f->text, err))
		return false;
	s.value_len = f->text.len - s.value_at;
	*ret = s;
	return true;
}

bool form_parse(struct slice encoded, struct form *ret, struct err *err)
{
	struct span spans[FORM_FIELDS_MAX];
	struct slice pair;

	*ret = (struct form){.text = BUF_INIT(FORM_BYTES_MAX)};
	if (encoded.len > 3 * FORM_BYTES_MAX)
		return err_set(err, ERR_LIMIT, "a form of more than %d bytes", FORM_BYTES_MAX);
	while (slice_cut(&encoded, '&', &pair)) {
		if (!pair.len)
			continue;
		if (ret->count == FORM_FIELDS_MAX)
			return err_set(err, ERR_LIMIT, "more than %d fields", FORM_FIELDS_MAX);
		if (!field_parse(pair, ret, &spans[ret->count], err))
			return false;
		ret->count++;
	}
	for (size_t i = 0; i < ret->count; i++) {
		const char *text = buf_str(&ret->text);

		ret->fields[i].name = slice_of(text + spans[i].name_at, spans[i].name_len);
		ret->fields[i].value = slice_of(text + spans[i].value_at, spans[i].value_len);
		for (size_t j = 0; j < i; j++)
			if (slice_eq(ret->fields[j].name, ret->fields[i].name))
				return err_set(err, ERR_SYNTAX, "a field that is given twice");
	}
	return true;
}

void form_done(struct form *f)
{
	buf_done(&f->text);
	f->count = 0;
}

struct slice form_value(const struct form *f, const char *name)
{
	for (size_t i = 0; i < f->count; i++)
		if (slice_eq(f->fields[i].name, slice_str(name)))
			return f->fields[i].value;
	return SLICE_EMPTY;
}
