/* list_show.c - `sekisho list show, why, journal, status`: what listd knows, for people. */
#include "tools/list_private.h"

#include "base/attr.h"
#include "base/duration.h"
#include "tools/tools.h"

#define JOURNAL_LINES 50

static bool is_active(const json_t *listing)
{
	return slice_eq(reply_text(listing, "state"), SLICE("active"));
}

static void print_listing(const json_t *g)
{
	int64_t expires_ms = reply_number(g, "expires");
	const char *leave = reply_text(g, "leave").ptr;

	printf("  %s on list %s as ", reply_text(g, "state").ptr, reply_text(g, "list").ptr);
	list_print_words(stdout, reply_text(g, "subject"));
	printf(" (%s)\n    since   %s\n    until   %s\n    cause   ", reply_text(g, "code").ptr,
		time_text(reply_number(g, "since")).s,
		expires_ms == 0 ? "it is removed" : time_text(expires_ms).s);
	list_print_reason(stdout, json_object_get(g, "cause"));
	printf("\n    listed before %lld times, removed %lld times; way out: %s\n",
		(long long)reply_number(g, "relist"), (long long)reply_number(g, "removals"),
		leave);
}

static void print_field(const char *name, struct slice text)
{
	if (text.len == 0)
		return;
	printf("      %-8s ", name);
	list_print_words(stdout, text);
	putchar('\n');
}

static void print_evidence(const json_t *listing)
{
	const json_t *e;
	size_t i;

	json_array_foreach(json_object_get(listing, "evidence"), i, e)
	{
		struct slice sample = reply_text(e, "sample"), line;

		printf("    %s  %s, %s, seen by ", time_text(reply_number(e, "at")).s,
			reply_text(e, "kind").ptr, reply_text(e, "class").ptr);
		list_print_words(stdout, reply_text(e, "sensor"));
		putchar('\n');
		print_field("HELO", reply_text(e, "helo"));
		print_field("from", reply_text(e, "mail_from_domain"));
		print_field("subject", reply_text(e, "subject_line"));
		/* The newest in full, the others would only scroll it away. */
		while (i == 0 && slice_cut_line(&sample, &line)) {
			fputs("      | ", stdout);
			list_print_words(stdout, line);
			putchar('\n');
		}
	}
}

static void print_journal(const json_t *entries)
{
	const json_t *e;
	size_t i;

	json_array_foreach(entries, i, e)
	{
		printf("  %s  %-8s %s  ", time_text(reply_number(e, "at")).s,
			reply_text(e, "action").ptr, reply_text(e, "list").ptr);
		list_print_words(stdout, reply_text(e, "subject"));
		fputs("  by ", stdout);
		list_print_words(stdout, reply_text(e, "who"));
		fputs(": ", stdout);
		list_print_reason(stdout, json_object_get(e, "reason"));
		putchar('\n');
	}
}

static int look_up(struct list_command *c, const char *subject, bool why)
{
	json_t *reply = list_ask(c, json_pack("{s:s, s:s}", "type", "lookup", "subject", subject));
	json_t *listings, *g;
	bool listed = false;
	size_t i;

	if (!reply)
		return EXIT_COULD_NOT;
	listings = json_object_get(reply, "listings");
	json_array_foreach(listings, i, g) listed |= is_active(g);
	if (c->json) {
		json_object_del(reply, "id");
		json_object_del(reply, "ok");
		json_dumpf(reply, stdout, JSON_COMPACT);
		putchar('\n');
	} else {
		printf("%s: %s\n", reply_text(reply, "subject").ptr,
			listed ? "listed" : "not listed");
		json_array_foreach(listings, i, g)
		{
			if (!why && !is_active(g))
				continue;
			print_listing(g);
			if (why)
				print_evidence(g);
		}
		if (why && json_array_size(json_object_get(reply, "history")) > 0) {
			puts("  history, newest first:");
			print_journal(json_object_get(reply, "history"));
		}
	}
	json_decref(reply);
	return listed ? EXIT_FOUND : EXIT_CLEAN;
}

int list_show(struct list_command *c)
{
	int status = EXIT_CLEAN;

	for (int i = 0; i < c->subject_count; i++) {
		int this_one = look_up(c, c->subjects[i], false);

		status = MAX(status, this_one);
	}
	return status;
}

int list_why(struct list_command *c)
{
	return look_up(c, c->subjects[0], true);
}

int list_journal(struct list_command *c)
{
	int64_t left = c->limit ? c->limit : JOURNAL_LINES, before = 0;

	while (left > 0) {
		json_t *message = json_pack("{s:s, s:I, s:I}", "type", "journal", "limit",
			(json_int_t)MIN(left, 500), "before", (json_int_t)before);
		json_t *reply, *entries, *e;
		size_t i, count;

		if (c->subject_count > 0)
			json_object_set_new(message, "subject", json_string(c->subjects[0]));
		reply = list_ask(c, message);
		if (!reply)
			return EXIT_COULD_NOT;
		entries = json_object_get(reply, "entries");
		count = json_array_size(entries);
		if (!c->json)
			print_journal(entries);
		json_array_foreach(entries, i, e)
		{
			before = reply_number(e, "number");
			if (c->json) {
				json_dumpf(e, stdout, JSON_COMPACT);
				putchar('\n');
			}
		}
		json_decref(reply);
		if (count == 0)
			break;
		left -= (int64_t)count;
	}
	return EXIT_CLEAN;
}

int list_status(struct list_command *c)
{
	json_t *reply = list_ask(c, json_pack("{s:s}", "type", "status"));
	json_t *l;
	size_t i;

	if (!reply)
		return EXIT_COULD_NOT;
	if (c->json) {
		json_object_del(reply, "id");
		json_object_del(reply, "ok");
		json_dumpf(reply, stdout, JSON_COMPACT);
		putchar('\n');
	} else {
		json_array_foreach(json_object_get(reply, "lists"), i, l)
			printf("%-20s %lld active\n", reply_text(l, "name").ptr,
				(long long)reply_number(l, "active"));
		printf("serial %lld, snapshot %lld, evidence %lld\n",
			(long long)reply_number(reply, "serial"),
			(long long)reply_number(reply, "snapshot_serial"),
			(long long)reply_number(reply, "evidence"));
	}
	json_decref(reply);
	return EXIT_CLEAN;
}
