/* view.c - what the views share. */
#include "webd/view.h"

#include "base/duration.h"

#define QUERY_MAX 1024

bool query_parse(struct slice text, struct subject *ret, struct err *err)
{
	struct slice s = slice_trim(text), scheme;
	size_t at;

	if (!s.len)
		return err_set(err, ERR_SYNTAX, "nothing to look up");
	if (s.len > QUERY_MAX)
		return err_set(err, ERR_LIMIT, "more than %d bytes", QUERY_MAX);
	if (subject_parse(s, ret, err))
		return true;
	at = slice_find_nocase(s, SLICE("://"));
	scheme = slice_take(s, at);
	if (at < s.len
		&& (slice_eq_nocase(scheme, SLICE("http"))
			|| slice_eq_nocase(scheme, SLICE("https")))) {
		s = slice_skip(s, at + 3);
		s = slice_take(
			s, MIN(slice_find(s, '/'), MIN(slice_find(s, '?'), slice_find(s, '#'))));
	}
	at = slice_find(s, '@');
	if (at < s.len)
		s = slice_skip(s, at + 1);
	if (s.len && s.ptr[0] == '[')
		s = slice_take(slice_skip(s, 1), slice_find(s, ']') - 1);
	else if (slice_find(s, ':') < s.len
		 && slice_find(slice_skip(s, slice_find(s, ':') + 1), ':') + 1 + slice_find(s, ':')
			    == s.len)
		s = slice_take(s, slice_find(s, ':')); /* one colon: a port stands behind it */
	return subject_parse(s, ret, err);
}

json_t *view_json(const json_t *view)
{
	json_t *copy, *value;
	const char *key;
	size_t i;

	if (json_is_object(view)) {
		copy = json_object();
		json_object_foreach((json_t *)view, key, value) if (key[0] != '_')
			json_object_set_new(copy, key, view_json(value));
		return copy;
	}
	if (json_is_array(view)) {
		copy = json_array();
		json_array_foreach((json_t *)view, i, value)
			json_array_append_new(copy, view_json(value));
		return copy;
	}
	return json_copy((json_t *)view);
}

int64_t view_clamp_time(int64_t unix_ms)
{
	return MAX(0, MIN(unix_ms, 253402300799000));
}

void view_time(const struct view *v, json_t *to, const char *key, int64_t unix_ms)
{
	char display[64];

	if (!unix_ms) {
		json_object_set_new(to, key, json_null());
		return;
	}
	json_object_set_new(to, key, json_string(time_text(unix_ms).s));
	snprintf(display, sizeof display, "_%s", key);
	json_object_set_new(to, display,
		json_pack("{s:s,s:o,s:o}", "iso", time_text(unix_ms).s, "words",
			say_time(v->language, unix_ms), "ago",
			say_ago(v->language, unix_ms, v->now_ms)));
}

static const struct {
	const char *word, *text;
} words[] = {
	{"trap-hit", N_("mail to a spamtrap")},
	{"abuse-report", N_("abuse report")},
	{"auth-failure", N_("failed log-ins")},
	{"manual", N_("entered by the operator")},
	{"spam", N_("spam")},
	{"backscatter", N_("backscatter (a bounce to a forged sender)")},
	{"auto-reply", N_("automatic reply")},
	{"challenge", N_("challenge to a forged sender")},
	{"listed", N_("listed")},
	{"renewed", N_("renewed")},
	{"removed", N_("removed")},
	{"refused", N_("not listed")},
	{"expired", N_("ended by itself")},
	{"imported", N_("imported")},
};

json_t *view_word(const struct view *v, const char *word)
{
	for (size_t i = 0; word && i < ARRAY_LEN(words); i++)
		if (strcmp(word, words[i].word) == 0)
			return say(v->language, words[i].text, NULL);
	return json_string(word ? word : "");
}
