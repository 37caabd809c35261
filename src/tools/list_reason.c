/* list_reason.c - the codes of docs/messages.md that say why, in English words. */
#include "tools/list_private.h"

#include "base/attr.h"
#include "base/duration.h"

/* words, then, when the field is there and not empty: lead, its value, tail. */
static const struct {
	const char *code, *words, *field, *lead, *tail;
} codes[] = {
	{"words", "", "text", "", ""},
	{"by-hand", "by hand", "text", ": ", ""},
	{"feed", "feed", "feed", ": ", ""},
	{"more-evidence", "more evidence", "lifetime_s", "; it now lasts ", " from here"},
	{"expired", "its time was over", NULL, NULL, NULL},
	{"asked", "asked for, and every condition of the list is met", "host", "; FCrDNS: ", ""},
	{"too-wide", "never listed: wider than ", "widest", "/", ""},
	{"special-range", "never listed: special-purpose address space (RFC 6890)", NULL, NULL,
		NULL},
	{"reserved-name", "never listed: ", "entry", "",
		" is a reserved name (RFC 2606, RFC 6761)"},
	{"protected", "never listed: ", "entry", "", " is protected by the configuration"},
	{"public-suffix", "never listed: a public suffix, under which strangers register names",
		NULL, NULL, NULL},
};

static void print_threshold(FILE *to, const json_t *reason)
{
	int64_t traps = reply_number(reason, "traps");

	fprintf(to, "evidence of weight %lld within %s", (long long)reply_number(reason, "weight"),
		duration_text(reply_number(reason, "window_s")).s);
	/* What hit no trap counts as one: below two nothing is known of traps. */
	if (traps > 1)
		fprintf(to, " from %lld traps", (long long)traps);
	fprintf(to, " reached the threshold of %lld; listed for %s%s",
		(long long)reply_number(reason, "threshold"),
		duration_text(reply_number(reason, "lifetime_s")).s,
		reply_number(reason, "relist") > 0 ? " (again)" : "");
}

static void print_value(FILE *to, const json_t *reason, const char *field)
{
	if (slice_ends_nocase(slice_str(field), SLICE("_s")))
		fputs(duration_text(reply_number(reason, field)).s, to);
	else if (json_is_integer(json_object_get(reason, field)))
		fprintf(to, "%lld", (long long)reply_number(reason, field));
	else
		list_print_words(to, reply_text(reason, field));
}

void list_print_reason(FILE *to, const json_t *reason)
{
	struct slice code = reply_text(reason, "code");

	if (slice_eq(code, SLICE("threshold"))) {
		print_threshold(to, reason);
		return;
	}
	for (size_t i = 0; i < ARRAY_LEN(codes); i++) {
		if (!slice_eq(code, slice_str(codes[i].code)))
			continue;
		fputs(codes[i].words, to);
		if (!codes[i].field
			|| (!json_is_integer(json_object_get(reason, codes[i].field))
				&& reply_text(reason, codes[i].field).len == 0))
			return;
		fputs(codes[i].lead, to);
		print_value(to, reason, codes[i].field);
		fputs(codes[i].tail, to);
		return;
	}
	list_print_words(to, code); /* of a newer listd */
}
