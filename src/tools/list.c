/* list.c - `sekisho list`: what an operator does with the lists, by asking listd. */
#include "tools/list_private.h"

#include "base/duration.h"
#include "io/clock.h"
#include "io/ipc.h"
#include "tools/tools.h"

#include <getopt.h>
#include <unistd.h>

static const char usage[] =
	"usage: sekisho list COMMAND [OPTIONS]\n\n"
	"  add SUBJECT... --reason TEXT      list addresses, prefixes or domains by hand\n"
	"  remove SUBJECT... --reason TEXT   take them off\n"
	"  show SUBJECT...                   listed or not; exit 1 when listed\n"
	"  why SUBJECT                       the same with evidence and history\n"
	"  import FILE|-                     list what stands in a file, one a line\n"
	"  export                            print what is listed\n"
	"  journal [SUBJECT]                 who did what, newest first\n"
	"  status                            lists, counts, serials\n\n"
	"  --list NAME      the list; not needed where there is only one that fits\n"
	"  --reason TEXT    why, for the journal and the portal\n"
	"  --expires WHEN   a span (2d), a time (2027-01-31T00:00:00Z) or never\n"
	"  --code 127.0.0.x --text TEXT   other than the list's own\n"
	"  --feed NAME      import: where it comes from; else the file's name\n"
	"  --format text|rbldnsd|nft      export\n"
	"  --limit N        journal: at most so many lines\n"
	"  --json           machine-readable output\n"
	"  --config FILE    else " DEFAULT_CONFIG "\n\n"
	"Exit codes: 0 done or not listed, 1 listed, 2 usage, 3 could not.\n";

/* ---- talking to listd ---- */

json_t *list_ask(struct list_command *c, json_t *message)
{
	struct err err;
	json_t *reply = ipc_ask(c->fd, message, &err);

	if (!reply)
		fprintf(stderr, "sekisho list: %s\n", err.text);
	return reply;
}

static bool connect_listd(struct list_command *c)
{
	struct err err;

	c->config = config_or_tell(c->config_path);
	if (!c->config)
		return false;
	c->fd = ipc_connect(c->config->socket_path, "admin", &err);
	if (c->fd < 0)
		fprintf(stderr, "sekisho list: %s\n", err.text);
	return c->fd >= 0;
}

void list_print_words(FILE *to, struct slice text)
{
	for (size_t i = 0; i < text.len; i++) {
		unsigned char b = (unsigned char)text.ptr[i];
		/* U+0080 to U+009F are controls too: C2 80 to C2 9F. */
		bool c1 = b == 0xc2 && i + 1 < text.len
			  && ((unsigned char)text.ptr[i + 1] & 0xe0) == 0x80;

		if (c1)
			i++;
		fputc(b < 0x20 || b == 0x7f || c1 ? '?' : b, to);
	}
}

static bool subject_is_domain(const char *text)
{
	return strpbrk(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")
	       && !strchr(text, ':');
}

const struct config_list *list_chosen(const struct list_command *c, const char *kind_of)
{
	const struct config_list *only = NULL;
	size_t fitting = 0;

	if (c->list) {
		only = config_find_list(c->config, slice_str(c->list));
		if (!only)
			fprintf(stderr, "sekisho list: there is no list \"%s\" in %s\n", c->list,
				c->config_path);
		return only;
	}
	for (size_t i = 0; i < c->config->list_count; i++) {
		const struct config_list *l = &c->config->lists[i];

		if (kind_of && subject_is_domain(kind_of) != (l->kind == LIST_DOMAIN))
			continue;
		only = l;
		fitting++;
	}
	if (fitting == 1)
		return only;
	fprintf(stderr, fitting ? "sekisho list: several lists fit: say --list NAME, one of"
				: "sekisho list: no list fits");
	for (size_t i = 0; i < c->config->list_count; i++)
		fprintf(stderr, " %s", c->config->lists[i].name);
	fputc('\n', stderr);
	return NULL;
}

/* ---- add, remove ---- */

static void set_optional(json_t *o, const char *name, const char *text)
{
	if (text)
		json_object_set_new(o, name, json_string(text));
}

static int add_one(struct list_command *c, const char *subject)
{
	const struct config_list *list = list_chosen(c, subject);
	json_t *message, *reply, *listing;

	if (!list)
		return EXIT_USAGE;
	message = json_pack("{s:s, s:s, s:s, s:s, s:I}", "type", "add", "list", list->name,
		"subject", subject, "reason", c->reason, "expires", (json_int_t)c->expires_ms);
	set_optional(message, "code", c->code);
	set_optional(message, "text", c->text);
	reply = list_ask(c, message);
	if (!reply)
		return EXIT_COULD_NOT;
	listing = json_object_get(reply, "listing");
	if (c->json)
		json_dumpf(listing, stdout, JSON_COMPACT);
	else
		printf("%s: %s on %s", reply_text(listing, "subject").ptr,
			json_is_true(json_object_get(reply, "new")) ? "listed"
								    : "was already listed",
			list->name);
	putchar('\n');
	json_decref(reply);
	return EXIT_CLEAN;
}

static int remove_one(struct list_command *c, const char *subject)
{
	const struct config_list *list = list_chosen(c, subject);
	bool removed;
	json_t *reply;

	if (!list)
		return EXIT_USAGE;
	reply = list_ask(c, json_pack("{s:s, s:s, s:s, s:s}", "type", "remove", "list", list->name,
				    "subject", subject, "reason", c->reason));
	if (!reply)
		return EXIT_COULD_NOT;
	removed = json_is_true(json_object_get(reply, "removed"));
	if (c->json)
		printf("{\"subject\":\"%s\",\"list\":\"%s\",\"removed\":%s}\n", subject, list->name,
			removed ? "true" : "false");
	else
		printf("%s: %s %s\n", subject, removed ? "removed from" : "was not on", list->name);
	json_decref(reply);
	return EXIT_CLEAN;
}

static int for_each_subject(
	struct list_command *c, int (*one)(struct list_command *c, const char *subject))
{
	int status = EXIT_CLEAN;

	if (!c->reason || c->subject_count == 0) {
		fputs("sekisho list: give a subject and --reason TEXT (see --help)\n", stderr);
		return EXIT_USAGE;
	}
	for (int i = 0; i < c->subject_count; i++) {
		int this_one = one(c, c->subjects[i]);

		status = MAX(status, this_one);
	}
	return status;
}

static int list_add(struct list_command *c)
{
	return for_each_subject(c, add_one);
}

static int list_remove(struct list_command *c)
{
	return for_each_subject(c, remove_one);
}

/* ---- the command line ---- */

static const struct verb {
	const char *name;
	int (*run)(struct list_command *c);
	int least, most; /* subjects or files */
} verbs[] = {
	{"add", list_add, 1, 10000},
	{"remove", list_remove, 1, 10000},
	{"show", list_show, 1, 10000},
	{"why", list_why, 1, 1},
	{"import", list_import, 1, 1},
	{"export", list_export, 0, 0},
	{"journal", list_journal, 0, 1},
	{"status", list_status, 0, 0},
};

static bool parse_expires(const char *text, int64_t *ret_ms)
{
	int64_t seconds;

	if (strcmp(text, "never") == 0) {
		*ret_ms = 0;
		return true;
	}
	if (time_parse(slice_str(text), ret_ms))
		return true;
	if (!duration_parse(slice_str(text), &seconds) || seconds <= 0)
		return false;
	*ret_ms = clock_unix_ms() + seconds * 1000;
	return true;
}

static bool parse_option(struct list_command *c, int option, const char *value)
{
	uint64_t n;

	switch (option) {
	case 'c':
		c->config_path = value;
		return true;
	case 'l':
		c->list = value;
		return true;
	case 'r':
		c->reason = value;
		return true;
	case 'C':
		c->code = value;
		return true;
	case 't':
		c->text = value;
		return true;
	case 'f':
		c->feed = value;
		return true;
	case 'F':
		c->format = value;
		return true;
	case 'j':
		c->json = true;
		return true;
	case 'e':
		if (parse_expires(value, &c->expires_ms))
			return true;
		fprintf(stderr,
			"sekisho list: --expires: '%s' is no span (2d), no time and not 'never'\n",
			value);
		return false;
	case 'n':
		if (slice_u64(slice_str(value), 1000000, &n) && n > 0) {
			c->limit = (int64_t)n;
			return true;
		}
		fprintf(stderr, "sekisho list: --limit: '%s' is no number from 1 to 1000000\n",
			value);
		return false;
	default:
		fputs("Try: sekisho list --help\n", stderr);
		return false;
	}
}

static const struct verb *verb_find(const char *name)
{
	for (size_t i = 0; i < ARRAY_LEN(verbs); i++)
		if (strcmp(verbs[i].name, name) == 0)
			return &verbs[i];
	return NULL;
}

int list_main(int argc, char **argv)
{
	static const struct option options[] = {{"config", required_argument, NULL, 'c'},
		{"list", required_argument, NULL, 'l'}, {"reason", required_argument, NULL, 'r'},
		{"expires", required_argument, NULL, 'e'}, {"code", required_argument, NULL, 'C'},
		{"text", required_argument, NULL, 't'}, {"feed", required_argument, NULL, 'f'},
		{"format", required_argument, NULL, 'F'}, {"limit", required_argument, NULL, 'n'},
		{"json", no_argument, NULL, 'j'}, {"help", no_argument, NULL, 'h'}, {0}};
	struct list_command c = {.config_path = DEFAULT_CONFIG, .fd = -1};
	const struct verb *verb;
	int status = EXIT_COULD_NOT;

	for (int o; (o = getopt_long(argc, argv, "c:l:r:e:C:t:f:F:n:jh", options, NULL)) != -1;) {
		if (o == 'h') {
			fputs(usage, stdout);
			return EXIT_CLEAN;
		}
		if (!parse_option(&c, o, optarg))
			return EXIT_USAGE;
	}
	verb = optind < argc ? verb_find(argv[optind]) : NULL;
	if (!verb) {
		fputs(usage, stderr);
		return EXIT_USAGE;
	}
	c.subjects = argv + optind + 1;
	c.subject_count = argc - optind - 1;
	if (c.subject_count < verb->least || c.subject_count > verb->most) {
		fprintf(stderr, "sekisho list %s: %s (see --help)\n", verb->name,
			c.subject_count < verb->least ? "something is missing" : "too many words");
		return EXIT_USAGE;
	}
	if (connect_listd(&c))
		status = verb->run(&c);
	if (c.fd >= 0)
		close(c.fd);
	config_free(c.config);
	return fflush(stdout) == 0 && !ferror(stdout) ? status : EXIT_COULD_NOT;
}
