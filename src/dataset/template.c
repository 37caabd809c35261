/* template.c - completes a text: $0..$9 and $= go in now, $ stays for the question. What comes out is
 * our own template, where $ is what was asked and $$ a dollar. */
#include "dataset/parts.h"

/* A text of 254 characters is all an answer shows, and each $ becomes at least one. */
struct room {
	struct buf *to;
	size_t left;
};

static void put(struct room *r, char c)
{
	if (!r->left)
		return;
	r->left--;
	if (c == '$')
		buf_add_char(r->to, '$');
	buf_add_char(r->to, c);
}

static void put_literal(struct room *r, struct slice s)
{
	for (size_t i = 0; i < s.len && r->left; i++)
		put(r, s.ptr[i]);
}

static void put_asked(struct room *r)
{
	if (!r->left)
		return;
	r->left--;
	buf_add_char(r->to, '$');
}

bool template_is_complete(struct slice raw, char *const subst[SUBSTITUTES])
{
	const char *at = raw.ptr, *end = raw.ptr + raw.len;

	if (subst[BASE_TEMPLATE] || slice_starts(raw, SLICE("=")) || raw.len > VALUE_TEXT_MAX)
		return false;
	while (at < end && (at = memchr(at, '$', (size_t)(end - at))) != NULL)
		if (++at < end && (*at == '$' || *at == '=' || ascii_is_digit(*at)))
			return false;
	return true;
}

void template_complete(struct slice raw, char *const subst[SUBSTITUTES], struct buf *to)
{
	struct room r = {to, VALUE_TEXT_MAX};
	struct slice text = raw, own = raw; /* own: what $= stands for */
	const char *base = subst[BASE_TEMPLATE];
	bool own_is_asked = false;

	if (raw.len && raw.ptr[0] == '=') {
		text = own = slice_skip(raw, 1);
	} else if (base && base[0]) {
		own_is_asked = raw.len == 0;
		text = slice_str(base);
	}
	while (text.len && r.left) {
		char c = text.ptr[0], next = text.len > 1 ? text.ptr[1] : '\0';

		text = slice_skip(text, 1);
		if (c != '$') {
			put(&r, c);
			continue;
		}
		if (next == '$') {
			put(&r, '$');
		} else if (ascii_is_digit(next)) {
			if (subst[next - '0'])
				put_literal(&r, slice_str(subst[next - '0']));
			else
				put_literal(&r, slice_of((char[2]){'$', next}, 2));
		} else if (next == '=') {
			if (own_is_asked)
				put_asked(&r);
			else
				put_literal(&r, own);
		} else {
			put_asked(&r);
			continue;
		}
		text = slice_skip(text, 1);
	}
}
