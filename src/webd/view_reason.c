/* view_reason.c - why something was listed, renewed, refused or ended, as a sentence: listd sends a code
 * and numbers. What a person wrote stays apart from it: nobody knows its language. */
#include "webd/view.h"

/* Values are the fields of the reason; `window` and `lifetime` are its spans in words. */
static const struct {
	const char *code, *text;
} codes[] = {
	{"by-hand", N_("Words of the operator:")},
	{"feed", N_("Taken from the feed {{feed}}.")},
	{"more-evidence",
		N_("New evidence came in, so the listing was set to last {{lifetime}} from then "
		   "on.")},
	{"expired", N_("Its time was over.")},
	{"asked", N_("Removal was asked for, and every condition of the list was met.")},
	{"too-wide", N_("It is never listed: it is wider than /{{widest}}.")},
	{"special-range",
		N_("It is never listed: it is special-purpose address space (RFC 6890).")},
	{"reserved-name",
		N_("It is never listed: {{entry}} is a reserved name (RFC 2606, RFC 6761).")},
	{"protected", N_("It is never listed: the configuration protects {{entry}}.")},
	{"public-suffix",
		N_("It is never listed: it is a public suffix, under which strangers register "
		   "names.")},
};

static json_t *both(const struct language *l, json_t *first, json_t *second)
{
	return say(l, N_("{{sentence}} {{next_sentence}}"), "{s:o,s:o}", "sentence", first,
		"next_sentence", second);
}

static json_t *threshold(const struct language *l, json_t *values)
{
	bool again = json_integer_value(json_object_get(values, "relist")) > 0;
	/* What hit no trap counts as one: below two nothing is known of traps. */
	bool several = json_integer_value(json_object_get(values, "traps")) > 1;

	return both(l,
		say_values(l,
			several ? N_("Evidence of weight {{weight}} from {{traps}} traps within "
				     "{{window}} reached the threshold of {{threshold}}.")
				: N_("Evidence of weight {{weight}} within {{window}} reached the "
				     "threshold of {{threshold}}."),
			values),
		say_values(l,
			again ? N_("Listed again, for {{lifetime}}.")
			      : N_("Listed for {{lifetime}}."),
			values));
}

static json_t *sentence(const struct language *l, const char *code, json_t *values)
{
	const char *host = json_string_value(json_object_get(values, "host"));

	if (strcmp(code, "threshold") == 0)
		return threshold(l, values);
	for (size_t i = 0; i < ARRAY_LEN(codes); i++) {
		json_t *words;

		if (strcmp(code, codes[i].code) != 0)
			continue;
		words = say_values(l, codes[i].text, values);
		return host && *host ? both(l, words,
			       say_values(l,
				       N_("Reverse and forward DNS matched: "
					  "{{host}}."),
				       values))
				     : words;
	}
	/* Somebody's words alone, from before there were codes; or a code of a newer listd. */
	return json_string(strcmp(code, "words") == 0 ? "" : code);
}

json_t *view_reason(const struct view *v, const json_t *reason)
{
	static const struct {
		const char *seconds, *words;
	} spans[] = {{"window_s", "window"}, {"lifetime_s", "lifetime"}};
	const char *code = json_string_value(json_object_get(reason, "code"));
	json_t *to, *values;

	if (!code)
		return json_null();
	to = json_copy((json_t *)reason);
	values = json_copy((json_t *)reason);
	for (size_t i = 0; i < ARRAY_LEN(spans); i++)
		json_object_set_new(values, spans[i].words,
			say_span_words(v->language, MAX(0, json_integer_value(json_object_get(
								   reason, spans[i].seconds)))));
	json_object_set_new(to, "words", sentence(v->language, code, values));
	json_decref(values);
	return to;
}
