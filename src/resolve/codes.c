/* codes.c - patterns of return codes. Pure. */
#include "resolve/codes.h"

#include "base/mem.h"

#include <stdlib.h>

#define WEIGHT_MAX 1000

static bool octet_number(struct slice text, unsigned *ret)
{
	uint64_t v;

	if (text.len > 3 || !slice_u64(text, 255, &v))
		return false;
	*ret = (unsigned)v;
	return true;
}

/* "7" or "2..11" */
static bool octet_add_range(struct slice text, uint64_t octet[4])
{
	size_t dots = slice_find(text, '.');
	unsigned first, last;

	if (!octet_number(slice_take(text, dots), &first))
		return false;
	last = first;
	if (dots < text.len) {
		struct slice rest = slice_skip(text, dots);

		if (!slice_starts(rest, SLICE("..")) || !octet_number(slice_skip(rest, 2), &last)
			|| last < first)
			return false;
	}
	for (unsigned n = first; n <= last; n++)
		octet[n / 64] |= UINT64_C(1) << n % 64;
	return true;
}

/* Cuts one octet off *text: a number, or "[" ranges between ";" "]". */
static bool octet_cut(struct slice *text, uint64_t octet[4])
{
	struct slice inner, part;
	size_t end;

	if (!slice_starts(*text, SLICE("["))) {
		end = slice_find(*text, '.');
		inner = slice_take(*text, end);
		*text = slice_skip(*text, end);
		return octet_add_range(inner, octet);
	}
	end = slice_find(*text, ']');
	if (end == text->len)
		return false;
	inner = slice_of(text->ptr + 1, end - 1);
	*text = slice_skip(*text, end + 1);
	while (slice_cut(&inner, ';', &part))
		if (!octet_add_range(part, octet))
			return false;
	return true;
}

static bool weight_parse(struct slice text, long *ret)
{
	bool minus = slice_starts(text, SLICE("-"));
	uint64_t v;

	if (!slice_u64(slice_skip(text, minus), WEIGHT_MAX, &v))
		return false;
	*ret = minus ? -(long)v : (long)v;
	return true;
}

static bool code_syntax(struct err *err, struct slice text)
{
	return err_set(err, ERR_SYNTAX,
		"'%.*s' is no return code: write 127.0.0.2, 127.0.0.[2..11] or 127.0.0.[2;4]*3",
		SLICE_FMT(slice_take(text, 100)));
}

bool code_pattern_parse(struct slice text, struct code_pattern *ret, struct err *err)
{
	struct code_pattern p = {0};
	struct slice rest = slice_trim(text);

	for (int i = 0; i < 4; i++) {
		if (i > 0) {
			if (!slice_starts(rest, SLICE(".")))
				return code_syntax(err, text);
			rest = slice_skip(rest, 1);
		}
		if (i < 3) {
			if (!octet_cut(&rest, p.octets[i]))
				return code_syntax(err, text);
			continue;
		}
		/* the last one ends at '*' or at the end */
		size_t star = slice_find(rest, '*');
		struct slice last = slice_take(rest, star);

		if (!octet_cut(&last, p.octets[i]) || last.len > 0)
			return code_syntax(err, text);
		rest = slice_skip(rest, star);
	}
	if (slice_starts(rest, SLICE("*"))) {
		p.weighted = true;
		if (!weight_parse(slice_skip(rest, 1), &p.weight))
			return err_set(err, ERR_SYNTAX,
				"'%.*s': the weight behind '*' is a number from -%d to %d",
				SLICE_FMT(slice_take(text, 100)), WEIGHT_MAX, WEIGHT_MAX);
	}
	const uint64_t only_127[4] = {0, UINT64_C(1) << 63, 0, 0};

	if (memcmp(p.octets[0], only_127, sizeof only_127) != 0)
		return err_set(err, ERR_SYNTAX,
			"'%.*s' is no return code: lists answer inside 127.0.0.0/8",
			SLICE_FMT(slice_take(text, 100)));
	*ret = p;
	return true;
}

bool code_pattern_matches(const struct code_pattern *p, uint32_t code)
{
	for (unsigned i = 0; i < 4; i++) {
		unsigned n = code >> (24 - 8 * i) & 255;

		if (!(p->octets[i][n / 64] >> n % 64 & 1))
			return false;
	}
	return true;
}

bool code_set_parse(const char *const *texts, size_t count, struct code_set *ret, struct err *err)
{
	struct code_set s = {mem_new(count ? count : 1, sizeof *s.items), count};

	for (size_t i = 0; i < count; i++)
		if (!code_pattern_parse(slice_str(texts[i]), &s.items[i], err)) {
			code_set_done(&s);
			return false;
		}
	*ret = s;
	return true;
}

void code_set_done(struct code_set *s)
{
	free(s->items);
	*s = (struct code_set){0};
}

static bool pattern_hits(const struct code_pattern *p, const uint32_t *codes, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (code_pattern_matches(p, codes[i]))
			return true;
	return false;
}

bool code_set_matches(const struct code_set *s, uint32_t code)
{
	for (size_t i = 0; i < s->count; i++)
		if (code_pattern_matches(&s->items[i], code))
			return true;
	return false;
}

bool code_set_weight(const struct code_set *s, const uint32_t *codes, size_t count, long unweighted,
	long *ret_weight)
{
	bool plain = false, hit = false;
	long sum = 0;

	for (size_t i = 0; s->count == 0 && i < count; i++)
		plain |= codes[i] >> 24 == 127 && codes[i] != 0x7f000001;
	for (size_t i = 0; i < s->count; i++) {
		if (!pattern_hits(&s->items[i], codes, count))
			continue;
		if (s->items[i].weighted) {
			hit = true;
			sum += s->items[i].weight;
		} else {
			plain = true;
		}
	}
	if (!plain && !hit)
		return false;
	*ret_weight = sum + (plain ? unweighted : 0);
	return true;
}
