/* check_print.c - what `sekisho check` tells, to people and to programs. */
#include "tools/check_private.h"

#include "base/buf.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

#define RED "\033[31m"
#define YELLOW "\033[33m"
#define GREEN "\033[32m"
#define BOLD "\033[1m"
#define PLAIN "\033[0m"

static void codes_text(const struct dnsbl_answer *a, struct buf *out)
{
	for (size_t i = 0; i < a->code_count; i++) {
		struct ip ip = ip4_of(a->codes[i]);

		buf_addf(out, "%s%s", i ? " " : "", ip_text(&ip).s);
	}
}

/* The first http or https URL of a text; len 0 when there is none. */
static struct slice text_url(const char *text)
{
	struct slice all = slice_str(text), url;
	size_t at = MIN(slice_find_nocase(all, SLICE("https://")),
		slice_find_nocase(all, SLICE("http://")));
	size_t n = 0;

	url = slice_skip(all, at);
	while (n < url.len && url.ptr[n] > ' ' && !strchr("\"<>", url.ptr[n]))
		n++;
	while (n > 0 && strchr(".,;)]", url.ptr[n - 1]))
		n--;
	return slice_take(url, n);
}

static void print_hit(const struct check_list *l, const struct check_result *r, const char *word,
	const char *colour, const char *plain)
{
	_cleanup_buf_ struct buf codes = BUF_INIT(1024);
	struct slice url = text_url(r->answer.text);

	codes_text(&r->answer, &codes);
	printf("  %s%-11s%s %s (%s)", colour, word, plain, l->zone, buf_str(&codes));
	if (r->answer.text[0])
		printf(": %s", r->answer.text);
	putchar('\n');
	if (url.len > 0)
		printf("              see %.*s\n", SLICE_FMT(url));
}

static void print_silent(const struct check_list *l, const struct check_result *r,
	const char *colour, const char *plain)
{
	_cleanup_buf_ struct buf codes = BUF_INIT(1024);

	codes_text(&r->answer, &codes);
	printf("  %s%-11s%s %s: %s%s%s%s\n", colour, "no answer", plain, l->zone,
		dnsbl_status_text(r->answer.status), codes.len ? " (" : "", buf_str(&codes),
		codes.len ? ")" : "");
}

static void print_clear(const struct check_lists *lists, const struct check_target *t,
	const char *colour, const char *plain)
{
	bool first = true;

	for (size_t i = 0; i < lists->count; i++) {
		if (check_outcome(&lists->items[i], &t->results[i]) != CHECK_CLEAR)
			continue;
		if (first)
			printf("  %s%-11s%s %s", colour, "not listed", plain, lists->items[i].zone);
		else
			printf(", %s", lists->items[i].zone);
		first = false;
	}
	if (!first)
		putchar('\n');
}

void check_print_text(const struct check_lists *lists, const struct check_target *t, bool colour)
{
	const char *red = colour ? RED : "", *yellow = colour ? YELLOW : "";
	const char *green = colour ? GREEN : "", *plain = colour ? PLAIN : "";
	size_t asked = 0;

	printf("%s%s%s\n", colour ? BOLD : "", t->text, plain);
	for (size_t i = 0; i < lists->count; i++) {
		const struct check_list *l = &lists->items[i];
		const struct check_result *r = &t->results[i];

		asked += r->asked;
		switch (check_outcome(l, r)) {
		case CHECK_LISTED:
			print_hit(l, r, "listed", red, plain);
			break;
		case CHECK_ALLOWED:
			print_hit(l, r, "allow list", green, plain);
			break;
		case CHECK_OTHER_CODE:
			print_hit(l, r, "other code", yellow, plain);
			break;
		case CHECK_NO_ANSWER:
			print_silent(l, r, yellow, plain);
			break;
		case CHECK_CLEAR:
		case CHECK_NOT_ASKED:
			break;
		}
	}
	print_clear(lists, t, green, plain);
	if (asked == 0)
		printf("  %s%-11s%s no list here knows %s\n", yellow, "no answer", plain,
			t->is_ip ? "such addresses" : "domains");
}

static json_t *result_object(const struct check_list *l, const struct check_result *r)
{
	static const char *const words[] = {
		[CHECK_CLEAR] = "clear",
		[CHECK_LISTED] = "listed",
		[CHECK_ALLOWED] = "allowed",
		[CHECK_OTHER_CODE] = "other-code",
	};
	enum check_outcome outcome = check_outcome(l, r);
	struct slice url = text_url(r->answer.text);
	json_t *codes = json_array(), *o;

	for (size_t i = 0; i < r->answer.code_count; i++) {
		struct ip ip = ip4_of(r->answer.codes[i]);

		json_array_append_new(codes, json_string(ip_text(&ip).s));
	}
	o = json_pack("{s:s, s:s, s:o}", "zone", l->zone, "status",
		outcome == CHECK_NO_ANSWER ? dnsbl_status_word(r->answer.status) : words[outcome],
		"codes", codes);
	if (r->answer.text[0])
		json_object_set_new(o, "text", json_string(r->answer.text));
	if (url.len > 0)
		json_object_set_new(o, "url", json_stringn(url.ptr, url.len));
	return o;
}

void check_print_json(const struct check_lists *lists, const struct check_target *t)
{
	json_t *results = json_array(), *o;
	bool listed = false;
	char *text;

	for (size_t i = 0; i < lists->count; i++) {
		const struct check_list *l = &lists->items[i];

		if (!t->results[i].asked)
			continue;
		listed |= check_outcome(l, &t->results[i]) == CHECK_LISTED;
		json_array_append_new(results, result_object(l, &t->results[i]));
	}
	o = json_pack("{s:s, s:b, s:o}", "subject", t->text, "listed", listed, "lists", results);
	text = json_dumps(o, JSON_COMPACT | JSON_PRESERVE_ORDER);
	puts(text ? text : "{}");
	free(text);
	json_decref(o);
}
