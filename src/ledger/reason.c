/* reason.c - why something was listed, renewed, refused or ended: a code with its numbers. */
#include "ledger/reason.h"

#include "base/attr.h"

static const struct number {
	const char *name;
	size_t offset;
} numbers[] = {
	{"weight", offsetof(struct reason, weight)},
	{"window_s", offsetof(struct reason, window_s)},
	{"traps", offsetof(struct reason, traps)},
	{"threshold", offsetof(struct reason, threshold)},
	{"lifetime_s", offsetof(struct reason, lifetime_s)},
	{"relist", offsetof(struct reason, relist)},
	{"widest", offsetof(struct reason, widest)},
};
enum { WEIGHT = 1, WINDOW = 2, TRAPS = 4, THRESHOLD = 8, LIFETIME = 16, RELIST = 32, WIDEST = 64 };

static const struct {
	const char *word;
	unsigned numbers; /* bits, in the order of the table above */
	const char *text; /* its name, or NULL */
} codes[] = {
	[REASON_WORDS] = {"words", 0, "text"},
	[REASON_BY_HAND] = {"by-hand", 0, "text"},
	[REASON_FEED] = {"feed", 0, "feed"},
	[REASON_THRESHOLD] = {"threshold", WEIGHT | WINDOW | TRAPS | THRESHOLD | LIFETIME | RELIST,
		NULL},
	[REASON_MORE_EVIDENCE] = {"more-evidence", LIFETIME, NULL},
	[REASON_EXPIRED] = {"expired", 0, NULL},
	[REASON_ASKED] = {"asked", 0, "host"},
	[REASON_TOO_WIDE] = {"too-wide", WIDEST, NULL},
	[REASON_SPECIAL_RANGE] = {"special-range", 0, NULL},
	[REASON_RESERVED_NAME] = {"reserved-name", 0, "entry"},
	[REASON_PROTECTED] = {"protected", 0, "entry"},
	[REASON_PUBLIC_SUFFIX] = {"public-suffix", 0, NULL},
};

struct reason reason_of(enum reason_code code, struct slice text)
{
	struct reason r = {.code = code};
	size_t n;

	text = slice_take(text, slice_find(text, '\0'));
	n = MIN(text.len, (size_t)REASON_TEXT_MAX);
	/* Not inside a UTF-8 character: its followers are 10xxxxxx. */
	while (n > 0 && n < text.len && ((unsigned char)text.ptr[n] & 0xc0) == 0x80)
		n--;
	(void)slice_copy(slice_take(text, n), r.text, sizeof r.text);
	return r;
}

const char *reason_word(enum reason_code code)
{
	return codes[code].word;
}

const char *reason_text_name(enum reason_code code)
{
	return codes[code].text;
}

static bool has_number(enum reason_code code, size_t i)
{
	return codes[code].numbers >> i & 1;
}

bool reason_number(const struct reason *r, size_t n, const char **ret_name, int64_t *ret)
{
	for (size_t i = 0; i < ARRAY_LEN(numbers); i++)
		if (has_number(r->code, i) && n-- == 0) {
			*ret_name = numbers[i].name;
			*ret = *(const int64_t *)((const char *)r + numbers[i].offset);
			return true;
		}
	return false;
}

struct reason_stored reason_store(const struct reason *r)
{
	struct reason_stored to;
	const char *name;
	int64_t value;
	size_t len;

	/* Even the longest fits: six numbers of 31 bytes, one text. */
	len = (size_t)snprintf(to.s, sizeof to.s, "%s\t", reason_word(r->code));
	for (size_t n = 0; reason_number(r, n, &name, &value); n++)
		len += (size_t)snprintf(to.s + len, sizeof to.s - len, "%s%s=%lld", n ? "\t" : "",
			name, (long long)value);
	if (reason_text_name(r->code))
		snprintf(
			to.s + len, sizeof to.s - len, "%s=%s", reason_text_name(r->code), r->text);
	return to;
}

static bool load_number(struct slice field, struct reason *to, unsigned *seen)
{
	struct slice name;
	uint64_t value;

	slice_cut(&field, '=', &name);
	for (size_t i = 0; i < ARRAY_LEN(numbers); i++) {
		if (!slice_eq(name, slice_str(numbers[i].name)))
			continue;
		if (!slice_u64(field, INT64_MAX, &value))
			return false;
		*(int64_t *)((char *)to + numbers[i].offset) = (int64_t)value;
		*seen |= 1u << i;
		return true;
	}
	return false;
}

/* Whole or not at all: exactly the fields that the code has. */
static bool load(struct slice stored, enum reason_code code, struct reason *ret)
{
	const char *text = reason_text_name(code);
	struct slice field;
	unsigned seen = 0;

	*ret = (struct reason){.code = code};
	if (text) {
		if (!slice_cut(&stored, '=', &field) || !stored.ptr
			|| !slice_eq(field, slice_str(text)))
			return false;
		*ret = reason_of(code, stored);
		return true;
	}
	if (codes[code].numbers == 0)
		return stored.len == 0;
	while (slice_cut(&stored, '\t', &field))
		if (!load_number(field, ret, &seen))
			return false;
	return seen == codes[code].numbers;
}

struct reason reason_load(struct slice stored)
{
	struct slice rest = stored, word;
	struct reason r;

	if (slice_find(stored, '\t') < stored.len) {
		slice_cut(&rest, '\t', &word);
		for (size_t code = 0; code < ARRAY_LEN(codes); code++)
			if (slice_eq(word, slice_str(codes[code].word))
				&& load(rest, (enum reason_code)code, &r))
				return r;
	}
	r = reason_of(REASON_WORDS, stored);
	for (char *c = r.text; *c; c++)
		if ((unsigned char)*c < 0x20 || *c == 0x7f)
			*c = ' ';
	return r;
}
