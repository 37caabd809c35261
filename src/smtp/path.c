/* path.c - mailboxes and parameters of MAIL and RCPT. */
#include "smtp/path.h"

/* Index of the first c outside double quotes and outside [ ]; s.len when none. */
static size_t find_unquoted(struct slice s, const char *stops)
{
	bool quoted = false, literal = false;

	for (size_t i = 0; i < s.len; i++) {
		char c = s.ptr[i];

		if (quoted && c == '\\' && i + 1 < s.len)
			i++;
		else if (c == '"' && !literal)
			quoted = !quoted;
		else if (quoted)
			continue;
		else if (strchr(stops, c) && c != '\0')
			return i;
		else if (c == '[')
			literal = true;
		else if (c == ']')
			literal = false;
	}
	return s.len;
}

/* "@one,@two:user@three" is user@three (RFC 5321, appendix C: ignore the route). */
static struct slice drop_route(struct slice s)
{
	size_t colon;

	if (!s.len || s.ptr[0] != '@')
		return s;
	colon = slice_find(s, ':');
	return colon < s.len ? slice_skip(s, colon + 1) : s;
}

static bool has_control(struct slice s)
{
	for (size_t i = 0; i < s.len; i++)
		if ((unsigned char)s.ptr[i] < 0x20 || s.ptr[i] == 0x7f)
			return true;
	return false;
}

/* The last @ outside quotes parts local from domain. */
static bool split(struct slice address, struct smtp_path *ret)
{
	struct slice rest = address;
	size_t at = address.len, base = 0;

	for (;;) {
		size_t i = find_unquoted(rest, "@");

		if (i == rest.len)
			break;
		at = base + i;
		base = at + 1;
		rest = slice_skip(rest, i + 1);
	}
	ret->address = address;
	ret->local = slice_take(address, at);
	ret->domain = slice_skip(address, at + 1);
	if (at < address.len && (!ret->domain.len || !ret->local.len))
		return false;
	return true;
}

bool smtp_path_cut(struct slice *rest, struct smtp_path *ret)
{
	struct slice s = *rest, address;
	struct smtp_path path;
	size_t end;

	while (s.len && ascii_is_blank(s.ptr[0]))
		s = slice_skip(s, 1);
	if (s.len && s.ptr[0] == '<') {
		s = slice_skip(s, 1);
		end = find_unquoted(s, ">");
		if (end == s.len)
			return false;
		address = slice_trim(slice_take(s, end));
		s = slice_skip(s, end + 1);
		if (s.len && !ascii_is_blank(s.ptr[0]))
			return false;
	} else {
		end = find_unquoted(s, " \t<>");
		address = slice_take(s, end);
		s = slice_skip(s, end);
		if (!address.len || (s.len && !ascii_is_blank(s.ptr[0])))
			return false;
	}
	address = drop_route(address);
	if (has_control(address) || find_unquoted(address, " \t<>") != address.len
		|| !split(address, &path))
		return false;
	*rest = s;
	*ret = path;
	return true;
}

bool smtp_parameter_cut(struct slice *rest, struct slice *ret_keyword, struct slice *ret_value)
{
	struct slice word;
	size_t eq;

	if (!slice_cut_word(rest, &word))
		return false;
	eq = slice_find(word, '=');
	*ret_keyword = slice_take(word, eq);
	*ret_value = slice_skip(word, eq + 1);
	return true;
}

bool smtp_is_utf8(struct slice s)
{
	for (size_t i = 0; i < s.len;) {
		unsigned char c = (unsigned char)s.ptr[i++];
		unsigned more = c < 0x80		? 0
				: c >= 0xc2 && c < 0xe0 ? 1
				: c >= 0xe0 && c < 0xf0 ? 2
				: c >= 0xf0 && c < 0xf5 ? 3
							: 9;
		unsigned char low = c == 0xe0 ? 0xa0 : c == 0xf0 ? 0x90 : 0x80;
		unsigned char high = c == 0xed ? 0x9f : c == 0xf4 ? 0x8f : 0xbf;

		if (more > s.len - i)
			return false;
		for (unsigned n = 0; n < more; n++, low = 0x80, high = 0xbf) {
			unsigned char d = (unsigned char)s.ptr[i++];

			if (d < low || d > high)
				return false;
		}
	}
	return true;
}
