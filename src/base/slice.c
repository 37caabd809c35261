/* slice.c - views of bytes. */
#include "base/slice.h"

bool slice_eq(struct slice a, struct slice b)
{
	return a.len == b.len && (a.len == 0 || memcmp(a.ptr, b.ptr, a.len) == 0);
}

bool slice_eq_nocase(struct slice a, struct slice b)
{
	if (a.len != b.len)
		return false;
	for (size_t i = 0; i < a.len; i++)
		if (ascii_lower(a.ptr[i]) != ascii_lower(b.ptr[i]))
			return false;
	return true;
}

bool slice_starts(struct slice s, struct slice prefix)
{
	return s.len >= prefix.len && slice_eq(slice_take(s, prefix.len), prefix);
}

bool slice_starts_nocase(struct slice s, struct slice prefix)
{
	return s.len >= prefix.len && slice_eq_nocase(slice_take(s, prefix.len), prefix);
}

bool slice_ends_nocase(struct slice s, struct slice suffix)
{
	return s.len >= suffix.len && slice_eq_nocase(slice_skip(s, s.len - suffix.len), suffix);
}

size_t slice_find(struct slice s, char c)
{
	const char *at = s.len ? memchr(s.ptr, c, s.len) : NULL;

	return at ? (size_t)(at - s.ptr) : s.len;
}

size_t slice_find_nocase(struct slice s, struct slice needle)
{
	for (size_t i = 0; i + needle.len <= s.len; i++)
		if (slice_eq_nocase(slice_of(s.ptr + i, needle.len), needle))
			return i;
	return s.len;
}

struct slice slice_trim(struct slice s)
{
	while (s.len && ascii_is_space(s.ptr[0]))
		s = slice_skip(s, 1);
	while (s.len && ascii_is_space(s.ptr[s.len - 1]))
		s.len--;
	return s;
}

bool slice_cut(struct slice *s, char c, struct slice *ret)
{
	size_t at;

	if (!s->ptr)
		return false;
	at = slice_find(*s, c);
	*ret = slice_take(*s, at);
	*s = at == s->len ? slice_of(NULL, 0) : slice_skip(*s, at + 1);
	return true;
}

bool slice_cut_line(struct slice *s, struct slice *ret_line)
{
	size_t at;

	if (s->len == 0)
		return false;
	at = slice_find(*s, '\n');
	*ret_line = slice_take(*s, at);
	*s = slice_skip(*s, at + 1);
	if (ret_line->len && ret_line->ptr[ret_line->len - 1] == '\r')
		ret_line->len--;
	return true;
}

bool slice_cut_word(struct slice *s, struct slice *ret_word)
{
	size_t n = 0;

	while (s->len && ascii_is_blank(s->ptr[0]))
		*s = slice_skip(*s, 1);
	while (n < s->len && !ascii_is_blank(s->ptr[n]))
		n++;
	*ret_word = slice_take(*s, n);
	*s = slice_skip(*s, n);
	return n > 0;
}

bool slice_u64(struct slice s, uint64_t max, uint64_t *ret)
{
	uint64_t v = 0;

	if (s.len == 0)
		return false;
	for (size_t i = 0; i < s.len; i++) {
		unsigned d = (unsigned)(s.ptr[i] - '0');
		if (!ascii_is_digit(s.ptr[i]) || v > (max - d) / 10 || d > max)
			return false;
		v = v * 10 + d;
	}
	*ret = v;
	return true;
}

bool slice_copy(struct slice s, char *dst, size_t dst_size)
{
	if (s.len >= dst_size || (s.len && memchr(s.ptr, 0, s.len))) {
		if (dst_size)
			dst[0] = '\0';
		return false;
	}
	if (s.len)
		memcpy(dst, s.ptr, s.len);
	dst[s.len] = '\0';
	return true;
}
