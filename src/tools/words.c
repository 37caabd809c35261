/* words.c - text from anywhere on a terminal. */
#include "tools/words.h"

#include <wchar.h>

/* The next character, as many bytes as it has and columns as it takes; 0 columns: not to be shown as it is. */
static size_t next(struct slice s, unsigned *ret_columns)
{
	const unsigned char *p = (const unsigned char *)s.ptr;
	size_t len = p[0] < 0x80   ? 1
		     : p[0] < 0xc2 ? 0
		     : p[0] < 0xe0 ? 2
		     : p[0] < 0xf0 ? 3
		     : p[0] < 0xf5 ? 4
				   : 0;
	uint32_t c = len == 1 ? p[0] : len == 0 ? 0 : p[0] & (0x7fu >> len);
	static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
	int width;

	*ret_columns = 0;
	if (len == 0 || len > s.len)
		return 1;
	for (size_t i = 1; i < len; i++) {
		if ((p[i] & 0xc0) != 0x80)
			return 1;
		c = c << 6 | (p[i] & 0x3f);
	}
	if (c < least[len] || c > 0x10ffff || (c >= 0xd800 && c < 0xe000))
		return 1;
	if (c < 0x80)
		width = c >= 0x20 && c < 0x7f ? 1 : 0;
	else
		width = c < 0xa0 ? 0 : wcwidth((wchar_t)c);
	*ret_columns = width > 0 ? (unsigned)width : 0;
	return len;
}

/* At most `width` columns of it. */
static size_t add(struct buf *to, struct slice text, size_t width)
{
	size_t used = 0;
	unsigned columns;

	while (text.len) {
		size_t len = next(text, &columns);
		if (used + (columns ? columns : 1) > width)
			break;
		if (to && columns)
			buf_add(to, text.ptr, len);
		else if (to)
			buf_add_char(to, '?');
		used += columns ? columns : 1;
		text = slice_skip(text, len);
	}
	return used;
}

void words_add(struct buf *to, struct slice text)
{
	add(to, text, SIZE_MAX);
}

size_t words_width(struct slice text)
{
	return add(NULL, text, SIZE_MAX);
}

static void blanks(struct buf *to, size_t n)
{
	while (n-- > 0)
		buf_add_char(to, ' ');
}

void words_fit(struct buf *to, struct slice text, size_t width, bool right)
{
	size_t whole = words_width(text), used;

	if (whole <= width) {
		if (right)
			blanks(to, width - whole);
		words_add(to, text);
		if (!right)
			blanks(to, width - whole);
		return;
	}
	if (width == 0)
		return;
	used = add(to, text, width - 1);
	buf_add_char(to, '~');
	blanks(to, width - 1 - used);
}
