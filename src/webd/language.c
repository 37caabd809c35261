/* language.c - sentences, spans and times in the reader's language. */
#include "webd/language.h"

#include "base/duration.h"

#include <stdarg.h>

#define SENTENCE_MAX 4096

const char *language_text(const struct language *l, const char *msgid)
{
	return mo_text(l->mo, msgid);
}

static json_t *filled(const char *text, json_t *values)
{
	_cleanup_buf_ struct buf out = BUF_INIT(SENTENCE_MAX);

	template_fill(text, values, &out);
	json_decref(values);
	return json_stringn(buf_str(&out), out.len);
}

json_t *say(const struct language *l, const char *msgid, const char *fmt, ...)
{
	json_t *values = NULL;
	va_list ap;

	if (fmt) {
		va_start(ap, fmt);
		values = json_vpack_ex(NULL, 0, fmt, ap);
		va_end(ap);
	}
	return filled(language_text(l, msgid), values);
}

json_t *say_values(const struct language *l, const char *msgid, json_t *values)
{
	return filled(language_text(l, msgid), json_incref(values));
}

struct unit {
	int64_t seconds;
	const char *one, *many;
};

static const struct unit units[] = {
	{86400, N2_("{{n}} day", "{{n}} days")},
	{3600, N2_("{{n}} hour", "{{n}} hours")},
	{60, N2_("{{n}} minute", "{{n}} minutes")},
	{1, N2_("{{n}} second", "{{n}} seconds")},
};

static json_t *say_units(const struct language *l, const struct unit *u, int64_t n)
{
	return filled(
		mo_plural(l->mo, u->one, u->many, (long)n), json_pack("{s:I}", "n", (json_int_t)n));
}

static const struct unit *unit_of(int64_t seconds)
{
	const struct unit *u = units;

	while (u->seconds > 1 && seconds < u->seconds)
		u++;
	return u;
}

json_t *say_span_words(const struct language *l, int64_t seconds)
{
	const struct unit *u = unit_of(seconds);
	json_t *words = say_units(l, u, seconds / u->seconds);
	int64_t rest = seconds % u->seconds;

	if (u->seconds > 1 && rest >= u[1].seconds)
		words = say(l, N_("{{span}} {{shorter}}"), "{s:o,s:o}", "span", words, "shorter",
			say_units(l, u + 1, rest / u[1].seconds));
	return words;
}

json_t *say_span(const struct language *l, int64_t seconds)
{
	return json_pack(
		"{s:I,s:o}", "seconds", (json_int_t)seconds, "words", say_span_words(l, seconds));
}

json_t *say_time(const struct language *l, int64_t unix_ms)
{
	struct slice text, date;
	struct time_text t = time_text(unix_ms);

	text = slice_str(t.s);
	slice_cut(&text, 'T', &date);
	return say(l, N_("{{date}} {{time}} UTC"), "{s:s%,s:s%}", "date", date.ptr, date.len,
		"time", text.ptr, slice_take(text, 5).len);
}

json_t *say_ago(const struct language *l, int64_t unix_ms, int64_t now_ms)
{
	int64_t seconds = (now_ms - unix_ms) / 1000;
	int64_t size = seconds < 0 ? -seconds : seconds;
	const struct unit *u = unit_of(size);

	if (size == 0)
		return say(l, N_("just now"), NULL);
	/* "30 hours ago" rather than "1 day ago". */
	if (u->seconds > 1 && size < 2 * u->seconds)
		u++;
	return say(l, seconds < 0 ? N_("in {{span}}") : N_("{{span}} ago"), "{s:o}", "span",
		say_units(l, u, (size + u->seconds / 2) / u->seconds));
}
