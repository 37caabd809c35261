/* list_transfer.c - `sekisho list import` and `export`: whole lists in and out. */
#include "tools/list_private.h"

#include "base/ip.h"
#include "base/mem.h"
#include "io/clock.h"
#include "tools/tools.h"

#include <errno.h>
#include <unistd.h>

#define LINE_MAX_BYTES 4096
#define BATCH_ITEMS 1000
#define BATCH_BYTES 60000
#define SORTED_ITEMS 262144

/* ---- import ---- */

/* Lines are sent sorted, many at a time: the store then writes neighbours together, which for a long
 * file is ten times faster than its own order. */
struct import_item {
	char *subject;
	uint64_t line;
};

struct import {
	struct list_command *c;
	const struct config_list *list;
	const char *name; /* of the file, for messages */
	const char *feed;
	struct import_item *items;
	size_t item_count;
	uint64_t line;
	int64_t added, kept, refused;
	bool progress;
};

static void refuse(struct import *im, uint64_t line, struct slice subject, struct slice why)
{
	im->refused++;
	fprintf(stderr, "%s%s:%llu: ", im->progress ? "\r" : "", im->name,
		(unsigned long long)line);
	list_print_words(stderr, subject);
	fputs(": ", stderr);
	list_print_words(stderr, why);
	fputc('\n', stderr);
}

static json_t *import_message(
	const struct import *im, const struct import_item *items, size_t *ret_count)
{
	json_t *array = json_array(), *message;
	size_t bytes = 0, n = 0;

	while (n < *ret_count && n < BATCH_ITEMS && bytes < BATCH_BYTES) {
		bytes += strlen(items[n].subject) + 3;
		json_array_append_new(array, json_string(items[n++].subject));
	}
	*ret_count = n;
	message = json_pack("{s:s, s:s, s:s, s:o, s:I}", "type", "import", "list", im->list->name,
		"feed", im->feed, "items", array, "expires", (json_int_t)im->c->expires_ms);
	if (im->c->code)
		json_object_set_new(message, "code", json_string(im->c->code));
	if (im->c->text)
		json_object_set_new(message, "text", json_string(im->c->text));
	return message;
}

/* Sends what fits into one message; 0 when it failed. */
static size_t import_send(struct import *im, const struct import_item *items, size_t count)
{
	json_t *reply, *r;
	size_t i;

	reply = list_ask(im->c, import_message(im, items, &count));
	if (!reply)
		return 0;
	im->added += reply_number(reply, "added");
	im->kept += reply_number(reply, "kept");
	im->refused += reply_number(reply, "refused_more");
	json_array_foreach(json_object_get(reply, "refused"), i, r)
	{
		int64_t item = reply_number(r, "item");

		refuse(im, item >= 0 && item < (int64_t)count ? items[item].line : 0,
			reply_text(r, "subject"), reply_text(r, "error"));
	}
	json_decref(reply);
	if (im->progress)
		fprintf(stderr, "\r%s: %llu lines read, %lld added", im->name,
			(unsigned long long)im->line, (long long)im->added);
	return count;
}

static int item_compare(const void *a, const void *b)
{
	const struct import_item *x = a, *y = b;
	int order = strcmp(x->subject, y->subject);

	return order ? order : (x->line > y->line) - (x->line < y->line);
}

static bool import_flush(struct import *im)
{
	size_t sent = 0, n = 1;

	qsort(im->items, im->item_count, sizeof *im->items, item_compare);
	while (sent < im->item_count
		&& (n = import_send(im, im->items + sent, im->item_count - sent)) > 0)
		sent += n;
	for (size_t i = 0; i < im->item_count; i++)
		free(im->items[i].subject);
	im->item_count = 0;
	return n > 0;
}

static bool import_line(struct import *im, struct slice line)
{
	struct slice subject;
	json_t *valid;

	line = slice_take(line, slice_find(line, '#'));
	line = slice_take(line, slice_find(line, ';'));
	line = slice_trim(line);
	if (!slice_cut_word(&line, &subject))
		return true;
	if (subject.len > 1000) {
		refuse(im, im->line, slice_take(subject, 60), SLICE("too long"));
		return true;
	}
	valid = json_stringn(subject.ptr, subject.len);
	if (!valid) {
		refuse(im, im->line, subject, SLICE("not UTF-8"));
		return true;
	}
	json_decref(valid);
	im->items[im->item_count++] =
		(struct import_item){mem_str_len(subject.ptr, subject.len), im->line};
	return im->item_count < SORTED_ITEMS || import_flush(im);
}

static bool import_stream(struct import *im, FILE *from)
{
	char line[LINE_MAX_BYTES];
	bool ok = true;

	while (ok && fgets(line, sizeof line, from)) {
		struct slice text = slice_str(line);
		bool whole = text.len > 0 && text.ptr[text.len - 1] == '\n';

		im->line++;
		ok = import_line(im, text);
		/* What follows in an over-long line was a remark in any sane file. */
		for (int ch = 0; ok && !whole && ch != '\n' && ch != EOF;)
			ch = fgetc(from);
	}
	if (ok && ferror(from)) {
		fprintf(stderr, "sekisho list: cannot read %s: %s\n", im->name, strerror(errno));
		ok = false;
	}
	return import_flush(im) && ok;
}

int list_import(struct list_command *c)
{
	bool standard_input = strcmp(c->subjects[0], "-") == 0, ok;
	const char *slash = strrchr(c->subjects[0], '/');
	struct import *im;
	const struct config_list *list = list_chosen(c, NULL);
	FILE *from;

	if (!list)
		return EXIT_USAGE;
	from = standard_input ? stdin : fopen(c->subjects[0], "re");
	if (!from) {
		fprintf(stderr, "sekisho list: cannot open %s: %s\n", c->subjects[0],
			strerror(errno));
		return EXIT_COULD_NOT;
	}
	im = mem_new(1, sizeof *im);
	*im = (struct import){.c = c,
		.list = list,
		.items = mem_new(SORTED_ITEMS, sizeof *im->items),
		.progress = isatty(STDERR_FILENO) == 1};
	im->name = standard_input ? "standard input" : c->subjects[0];
	im->feed = c->feed	    ? c->feed
		   : standard_input ? "standard input"
		   : slash	    ? slash + 1
				    : c->subjects[0];
	ok = import_stream(im, from);
	if (im->progress)
		fputc('\r', stderr);
	if (c->json)
		printf("{\"added\":%lld,\"kept\":%lld,\"refused\":%lld}\n", (long long)im->added,
			(long long)im->kept, (long long)im->refused);
	else
		printf("%s: %lld added, %lld there already, %lld refused%s\n", list->name,
			(long long)im->added, (long long)im->kept, (long long)im->refused,
			ok ? "" : "; not finished");
	free(im->items);
	free(im);
	if (!standard_input)
		fclose(from);
	return ok ? EXIT_CLEAN : EXIT_COULD_NOT;
}

/* ---- export ---- */

struct export
{
	const struct config_list *list;
	uint8_t family; /* of this pass: 4, 6, or 0 for domains and for all */
	int64_t now_ms;
	size_t count;
	char set[64]; /* nft: the list's name as an identifier */
};

static struct slice prefix_word(struct slice subject)
{
	return slice_take(subject, slice_find(subject, '/'));
}

static bool in_pass(const struct export *x, struct slice subject)
{
	bool is6 = slice_find(subject, ':') < subject.len;

	return x->family == 0 || x->list->kind == LIST_DOMAIN || (x->family == 6) == is6;
}

static void text_one(struct export *x, const json_t *g)
{
	printf("%s\n", reply_text(g, "subject").ptr);
}

static void rbldnsd_begin(struct export *x)
{
	struct ip code = ip4_of(x->list->code);

	/* A `combined` data set: one file for every kind. */
	printf("$DATASET %s @\n:%s:",
		x->list->kind == LIST_DOMAIN ? "dnset"
		: x->family == 4	     ? "ip4trie"
					     : "ip6trie",
		ip_text(&code).s);
	list_print_words(stdout, slice_str(x->list->text));
	putchar('\n');
}

static void rbldnsd_one(struct export *x, const json_t *g)
{
	struct ip code = ip4_of(x->list->code);
	struct slice text = reply_text(g, "text"), subject = reply_text(g, "subject");

	/* Here a name stands for itself and all below it: a leading dot. */
	printf("%s%s", x->list->kind == LIST_DOMAIN ? "." : "", subject.ptr);
	if (!slice_eq(reply_text(g, "code"), slice_str(ip_text(&code).s))
		|| !slice_eq(text, slice_str(x->list->text))) {
		printf(" :%s:", reply_text(g, "code").ptr);
		list_print_words(stdout, text);
	}
	putchar('\n');
}

static void nft_begin(struct export *x)
{
	printf("%sadd set inet sekisho %s%u { type ipv%u_addr; flags interval; auto-merge; }\n"
	       "flush set inet sekisho %s%u\n",
		x->family == 4 ? "add table inet sekisho\n" : "", x->set, x->family, x->family,
		x->set, x->family);
}

static void nft_one(struct export *x, const json_t *g)
{
	/* Elements in groups: one command each would be slow to load. */
	if (x->count % 1000 == 0)
		printf("%sadd element inet sekisho %s%u { ", x->count ? " }\n" : "", x->set,
			x->family);
	printf("%s%s", x->count % 1000 ? ", " : "", reply_text(g, "subject").ptr);
}

static void nft_end(struct export *x)
{
	if (x->count)
		puts(" }");
}

static void json_one(struct export *x, const json_t *g)
{
	json_dumpf(g, stdout, JSON_COMPACT);
	putchar('\n');
}

static const struct export_format {
	const char *name;
	bool by_family; /* one pass for IPv4, one for IPv6 */
	bool addresses_only;
	void (*begin)(struct export *x);
	void (*one)(struct export *x, const json_t *listing);
	void (*end)(struct export *x);
} formats[] = {
	{"text", false, false, NULL, text_one, NULL},
	{"json", false, false, NULL, json_one, NULL},
	{"rbldnsd", true, false, rbldnsd_begin, rbldnsd_one, NULL},
	{"nft", true, true, nft_begin, nft_one, nft_end},
};

static bool export_pass(struct list_command *c, const struct export_format *f, struct export *x)
{
	char *after = mem_str("");
	bool more = true, ok = true;

	x->count = 0;
	if (f->begin)
		f->begin(x);
	while (ok && more) {
		json_t *reply =
			list_ask(c, json_pack("{s:s, s:s, s:s, s:i}", "type", "export", "list",
					    x->list->name, "after", after, "limit", 500));
		json_t *g;
		size_t i;

		ok = reply != NULL;
		more = ok && json_is_true(json_object_get(reply, "more"));
		json_array_foreach(json_object_get(reply, "listings"), i, g)
		{
			struct slice subject = reply_text(g, "subject");

			free(after);
			after = mem_str_len(subject.ptr, subject.len);
			if (in_pass(x, prefix_word(subject))) {
				f->one(x, g);
				x->count++;
			}
		}
		json_decref(reply);
	}
	if (f->end)
		f->end(x);
	free(after);
	return ok;
}

int list_export(struct list_command *c)
{
	const char *name = c->format ? c->format : c->json ? "json" : "text";
	const struct export_format *f = NULL;
	struct export x = {.list = list_chosen(c, NULL), .now_ms = clock_unix_ms()};
	bool ok;

	for (size_t i = 0; i < ARRAY_LEN(formats); i++)
		if (strcmp(formats[i].name, name) == 0)
			f = &formats[i];
	if (!f)
		fprintf(stderr,
			"sekisho list: --format: '%s' is none of text, json, rbldnsd, nft\n", name);
	if (!f || !x.list)
		return EXIT_USAGE;
	if (f->addresses_only && x.list->kind == LIST_DOMAIN) {
		fprintf(stderr, "sekisho list: %s holds addresses only, %s is a list of domains\n",
			name, x.list->name);
		return EXIT_USAGE;
	}
	for (size_t i = 0; i < sizeof x.set - 1 && x.list->name[i]; i++)
		x.set[i] = ascii_is_alpha(x.list->name[i]) || ascii_is_digit(x.list->name[i])
				   ? x.list->name[i]
				   : '_';
	if (!f->by_family || x.list->kind == LIST_DOMAIN)
		return export_pass(c, f, &x) ? EXIT_CLEAN : EXIT_COULD_NOT;
	x.family = 4;
	ok = export_pass(c, f, &x);
	x.family = 6;
	return ok && export_pass(c, f, &x) ? EXIT_CLEAN : EXIT_COULD_NOT;
}
