/* negotiate.c - weighs the ranges of Accept and Accept-Language. */
#include "webd/negotiate.h"

#include "base/attr.h"

/* One range and its quality in thousandths. */
struct range {
	struct slice name;
	int quality;
};

/* "0", "0.5", "1.000"; whatever else counts as 0: a client that cannot say it does not get it. */
static int quality_parse(struct slice s)
{
	int value, scale = 100;

	if (!s.len || (s.ptr[0] != '0' && s.ptr[0] != '1') || (s.len > 1 && s.ptr[1] != '.')
		|| s.len > 5)
		return 0;
	value = (s.ptr[0] - '0') * 1000;
	for (size_t i = 2; i < s.len; i++, scale /= 10) {
		if (!ascii_is_digit(s.ptr[i]))
			return 0;
		value += (s.ptr[i] - '0') * scale;
	}
	return MIN(value, 1000);
}

static bool range_next(struct slice *rest, struct range *ret)
{
	struct slice item, parameter;

	if (!slice_cut(rest, ',', &item))
		return false;
	slice_cut(&item, ';', &parameter);
	ret->name = slice_trim(parameter);
	ret->quality = 1000;
	while (item.len && slice_cut(&item, ';', &parameter)) {
		parameter = slice_trim(parameter);
		if (slice_starts_nocase(parameter, SLICE("q=")))
			ret->quality = quality_parse(slice_skip(parameter, 2));
	}
	return true;
}

static bool range_is_language(struct slice range, const char *tag)
{
	struct slice t = slice_str(tag);

	return slice_starts_nocase(range, t) && (range.len == t.len || range.ptr[t.len] == '-');
}

size_t negotiate_language(struct slice accept_language, const char *const *tags, size_t count)
{
	struct slice rest = slice_take(accept_language, NEGOTIATE_HEADER_MAX);
	struct range range;
	size_t best = 0;
	int best_quality = 0;

	for (int n = 0; n < NEGOTIATE_RANGES_MAX && range_next(&rest, &range); n++)
		for (size_t i = 0; i < count; i++) {
			if (range.quality <= best_quality)
				break;
			if (range_is_language(range.name, tags[i])
				|| (i == 0 && slice_eq(range.name, SLICE("*")))) {
				best = i;
				best_quality = range.quality;
			}
		}
	return best;
}

/* The most specific range that fits decides (RFC 9110, 12.5.1). */
static int media_quality(struct slice accept, const char *type, const char *any_of_kind)
{
	struct slice rest = slice_take(accept, NEGOTIATE_HEADER_MAX);
	struct range range;
	int quality = 0, specific = 0;

	for (int n = 0; n < NEGOTIATE_RANGES_MAX && range_next(&rest, &range); n++) {
		int fits = slice_eq_nocase(range.name, slice_str(type))		 ? 3
			   : slice_eq_nocase(range.name, slice_str(any_of_kind)) ? 2
			   : slice_eq(range.name, SLICE("*/*"))			 ? 1
										 : 0;

		if (fits > specific) {
			specific = fits;
			quality = range.quality;
		}
	}
	return quality;
}

bool negotiate_json(struct slice accept)
{
	return media_quality(accept, "application/json", "application/*")
	       > media_quality(accept, "text/html", "text/*");
}
