/* address.c - addresses in header values, in one pass and without recursion. */
#include "mail/header.h"

enum skipping { SKIP_NOTHING, SKIP_QUOTED, SKIP_COMMENT };

static struct slice without_blanks_and_route(struct slice s)
{
	size_t colon;

	s = slice_trim(s);
	colon = slice_find(s, ':'); /* "<@relay:user@host>", RFC 5322, 4.4 */
	if (s.len && s.ptr[0] == '@' && colon < s.len)
		s = slice_skip(s, colon + 1);
	return s;
}

bool address_next(struct slice *rest, struct slice *ret_address)
{
	const char *p = rest->ptr;
	size_t word_at = 0, angle_at = 0, at;
	bool word_has_at = false, in_angle = false;
	enum skipping skipping = SKIP_NOTHING;
	unsigned depth = 0;

	for (at = 0; at <= rest->len; at++) {
		char c = at < rest->len ? p[at] : ',';

		if (at == rest->len && (skipping != SKIP_NOTHING || in_angle))
			break;
		if (skipping != SKIP_NOTHING) {
			if (c == '\\')
				at++;
			else if (skipping == SKIP_QUOTED && c == '"')
				skipping = SKIP_NOTHING;
			else if (skipping == SKIP_COMMENT && c == '(')
				depth++;
			else if (skipping == SKIP_COMMENT && c == ')' && --depth == 0) {
				skipping = SKIP_NOTHING;
				word_at = in_angle ? word_at : at + 1;
			}
			continue;
		}
		if (in_angle) {
			if (c == '"')
				skipping = SKIP_QUOTED;
			if (c != '>')
				continue;
			*ret_address =
				without_blanks_and_route(slice_of(p + angle_at, at - angle_at));
			*rest = slice_skip(*rest, at + 1);
			return true;
		}
		if (c == '@')
			word_has_at = true;
		if (c == '"')
			skipping = SKIP_QUOTED;
		if (!ascii_is_space(c) && c != ',' && c != ';' && c != ':' && c != '<' && c != '(')
			continue;
		/* A bare word ends here. */
		if (word_has_at && c != '<' && at - word_at > 1) {
			*ret_address = slice_of(p + word_at, at - word_at);
			*rest = slice_skip(*rest, at + (c == '(' ? 0 : 1));
			return true;
		}
		word_has_at = false;
		word_at = at + 1;
		if (c == '(') {
			skipping = SKIP_COMMENT;
			depth = 1;
		} else if (c == '<') {
			in_angle = true;
			angle_at = at + 1;
		}
	}
	*rest = slice_skip(*rest, rest->len);
	return false;
}

static size_t last_at(struct slice address)
{
	size_t i = address.len;

	while (i && address.ptr[i - 1] != '@')
		i--;
	return i; /* behind it; 0: none */
}

struct slice address_local(struct slice address)
{
	size_t at = last_at(address);

	return at ? slice_take(address, at - 1) : address;
}

struct slice address_domain(struct slice address)
{
	size_t at = last_at(address);

	return at ? slice_skip(address, at) : SLICE_EMPTY;
}
