/* value.c - templates become text. */
#include "index/value.h"
#include "base/attr.h"

size_t value_expand(struct slice text, struct slice asked, char dst[VALUE_TEXT_MAX])
{
	size_t n = 0, take;

	while (text.len && n < VALUE_TEXT_MAX) {
		take = MIN(slice_find(text, '$'), VALUE_TEXT_MAX - n);
		memcpy(dst + n, text.ptr, take);
		n += take;
		text = slice_skip(text, take);
		if (!text.len || n == VALUE_TEXT_MAX)
			break;
		text = slice_skip(text, 1);
		if (text.len && text.ptr[0] == '$') {
			dst[n++] = '$';
			text = slice_skip(text, 1);
			continue;
		}
		take = MIN(asked.len, VALUE_TEXT_MAX - n);
		memcpy(dst + n, asked.ptr, take);
		n += take;
	}
	return n;
}
