/* bounce.c - `sekisho bounce`: which list refused a mail, why, and what to do. */
#include "base/mem.h"
#include "catalogue/refusal.h"
#include "io/file.h"
#include "io/sandbox.h"
#include "mail/charset.h"
#include "tools/tools.h"

#include <errno.h>
#include <getopt.h>
#include <jansson.h>
#include <unistd.h>

#define INPUT_MAX ((size_t)32 * 1024 * 1024) /* of one file */
#define ALL_MAX ((size_t)512 * 1024 * 1024)  /* of all files: they are read before the sandbox */

static const char usage[] =
	"usage: sekisho bounce [--json] [--signatures FILE] FILE... | -\n"
	"\n"
	"Names the blocklist in an error mail or in a mail server's reply (- reads standard "
	"input): whose it\n"
	"is, which address or domain it means, where to read more, what to do.\n"
	"\n"
	"  --json             for programs\n"
	"  --signatures FILE  another table of lists\n"
	"\n"
	"Exit: 0 no list in it, 1 a list or reputation refused, 2 usage, 3 a file could not be "
	"read.\n";

struct input {
	const char *name;
	struct buf bytes;
	bool ok;
};

static bool read_stdin(struct buf *ret, struct err *err)
{
	for (;;) {
		char *to = buf_room(ret, 65536);
		ssize_t n;

		if (!to)
			return err_set(err, ERR_LIMIT, "standard input: more than %zu MB",
				INPUT_MAX >> 20);
		n = read(STDIN_FILENO, to, 65536);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_errno(err, "standard input");
		if (n == 0)
			return true;
		ret->len += (size_t)n;
		to[n] = '\0';
	}
}

static bool read_all(struct input *inputs, int count)
{
	size_t total = 0;
	bool ok = true;

	for (int i = 0; i < count; i++) {
		struct err err = {0};

		inputs[i].bytes = BUF_INIT(MIN(INPUT_MAX, ALL_MAX - total));
		inputs[i].ok = strcmp(inputs[i].name, "-") == 0
				       ? read_stdin(&inputs[i].bytes, &err)
				       : file_read(inputs[i].name, MIN(INPUT_MAX, ALL_MAX - total),
					       &inputs[i].bytes, &err);
		if (inputs[i].ok && slice_trim(buf_slice(&inputs[i].bytes)).len == 0)
			inputs[i].ok = err_set(&err, ERR_MISSING, "%s: empty", inputs[i].name);
		if (!inputs[i].ok)
			fprintf(stderr, "sekisho bounce: %s\n", err.text);
		total += inputs[i].bytes.len;
		ok = ok && inputs[i].ok;
	}
	return ok;
}

static struct signatures *load_signatures(const char *path)
{
	_cleanup_buf_ struct buf text = BUF_INIT(SIGNATURES_MAX_BYTES), name = BUF_INIT(4096);
	const char *share = getenv("SEKISHO_SHARE");
	struct signatures *s = NULL;
	struct err err = {0};

	if (path)
		buf_add_str(&name, path);
	else
		buf_addf(&name, "%s/" SIGNATURES_FILE, share && share[0] ? share : SEKISHO_SHARE);
	if (file_read(buf_str(&name), SIGNATURES_MAX_BYTES, &text, &err)) {
		s = signatures_parse(buf_slice(&text), &err);
		if (!s)
			err_prefix(&err, "%s: ", buf_str(&name));
	}
	if (!s)
		fprintf(stderr, "sekisho bounce: the table of lists: %s\n", err.text);
	return s;
}

/* Words from outside on a terminal: one line, no controls. */
static void print_field(const char *label, struct slice text)
{
	if (text.len == 0)
		return;
	printf("  %-9s", label);
	for (size_t i = 0; i < text.len; i++)
		putchar((unsigned char)text.ptr[i] < ' ' || text.ptr[i] == 0x7f ? '?'
										: text.ptr[i]);
	putchar('\n');
}

static void print_summary(const char *file, const struct refusal *r)
{
	const struct signature *s = r->signature;

	printf("%s: ", file);
	switch (r->verdict) {
	case REFUSAL_LISTED:
		printf("listed in %.*s", SLICE_FMT(r->list));
		break;
	case REFUSAL_REPUTATION:
		printf("bad reputation: %.*s", SLICE_FMT(r->list));
		break;
	case REFUSAL_LOCAL:
		printf("refused by %.*s", SLICE_FMT(r->list));
		break;
	case REFUSAL_DEAD_LIST:
		printf("refused because of a list that is no more: %.*s", SLICE_FMT(r->list));
		break;
	case REFUSAL_RECEIVER_ERROR:
		printf("not listed: the receiver asks wrongly (%.*s)", SLICE_FMT(r->list));
		break;
	default:
		printf("no list, but %s: %.*s", refusal_verdict_name(r->verdict),
			SLICE_FMT(r->list));
	}
	if (s && s->operated_by.len)
		printf(" (%.*s)", SLICE_FMT(s->operated_by));
	putchar('\n');
}

static void print_refusal(const char *file, const struct refusal *r)
{
	_cleanup_buf_ struct buf lookup = BUF_INIT(4096), delist = BUF_INIT(4096);
	const struct signature *s = r->signature;

	print_summary(file, r);
	print_field("zone", r->zone);
	if (r->ip.family)
		print_field("address", slice_str(ip_text(&r->ip).s));
	if (r->domain.len)
		print_field("domain", slice_str(domain_text(&r->domain).s));
	print_field("mail to", r->recipient);
	print_field("reply", r->reply);
	print_field("see", r->url);
	if (s && s->kind != SIGNATURE_DEAD) {
		refusal_url(s->lookup, r, &lookup);
		refusal_url(s->delist, r, &delist);
		if (!r->url.len || s->kind == SIGNATURE_RECEIVER)
			print_field("see", buf_slice(&lookup));
		if (s->kind != SIGNATURE_RECEIVER)
			print_field("leave at", buf_slice(&delist));
	}
	if (s)
		print_field("do", s->advice);
	else
		print_field(
			"do", r->url.len ? SLICE("The reply's own page tells why and how to leave.")
					 : SLICE("Ask the receiver's postmaster about this list."));
}

static json_t *json_text(struct slice s)
{
	_cleanup_buf_ struct buf valid = BUF_INIT(s.len * 3 + 1);

	charset_to_utf8(SLICE("utf-8"), s, &valid);
	return json_stringn(buf_str(&valid), valid.len);
}

static void json_set(json_t *object, const char *name, struct slice s)
{
	if (s.len)
		json_object_set_new(object, name, json_text(s));
}

static json_t *json_refusal(const struct refusal *r)
{
	_cleanup_buf_ struct buf lookup = BUF_INIT(4096), delist = BUF_INIT(4096);
	const struct signature *s = r->signature;
	json_t *o = json_object();

	json_set(o, "verdict", slice_str(refusal_verdict_name(r->verdict)));
	json_set(o, "list", r->list);
	json_set(o, "zone", r->zone);
	if (r->ip.family)
		json_set(o, "address", slice_str(ip_text(&r->ip).s));
	if (r->domain.len)
		json_set(o, "domain", slice_str(domain_text(&r->domain).s));
	json_set(o, "url", r->url);
	json_set(o, "recipient", r->recipient);
	json_set(o, "code", r->code);
	json_set(o, "status", r->status);
	json_set(o, "reply", r->reply);
	if (s) {
		refusal_url(s->lookup, r, &lookup);
		if (s->kind != SIGNATURE_DEAD && s->kind != SIGNATURE_RECEIVER)
			refusal_url(s->delist, r, &delist);
		json_set(o, "id", s->id);
		json_set(o, "operator", s->operated_by);
		json_set(o, "lookup", buf_slice(&lookup));
		json_set(o, "delist", buf_slice(&delist));
		json_set(o, "how", s->how);
		json_set(o, "advice", s->advice);
		json_set(o, "source", s->source);
	}
	return o;
}

/* Reads one input and tells; *found becomes true when a list stands in it. */
static bool tell(const struct signatures *s, const struct input *in, struct arena *a, json_t *files,
	bool *found)
{
	struct refusals all;
	json_t *list = json_array();

	arena_reset(a);
	if (!refusals_read(s, buf_slice(&in->bytes), a, &all)) {
		fprintf(stderr, "sekisho bounce: %s: too large to read\n", in->name);
		json_decref(list);
		return false;
	}
	for (size_t i = 0; i < all.count; i++) {
		*found = *found || refusal_is_about_list(all.items[i].verdict);
		if (files)
			json_array_append_new(list, json_refusal(&all.items[i]));
		else
			print_refusal(in->name, &all.items[i]);
	}
	if (files)
		json_array_append_new(files,
			json_pack("{s:o, s:s, s:o}", "file", json_text(slice_str(in->name)), "kind",
				!all.is_mail	? "reply"
				: all.is_bounce ? "report"
						: "mail",
				"refusals", json_incref(list)));
	else if (all.count == 0)
		printf("%s: no list or reputation is named in it\n", in->name);
	json_decref(list);
	return true;
}

static int run(struct input *inputs, int count, const char *table, bool as_json)
{
	struct sandbox_needs needs = {0};
	struct signatures *s = load_signatures(table);
	struct arena *a;
	struct err err = {0};
	json_t *files = as_json ? json_array() : NULL;
	bool found = false, ok;

	if (!s)
		return EXIT_COULD_NOT;
	ok = read_all(inputs, count);
	charset_prepare();
	if (!sandbox_enter(&needs, &err)) {
		fprintf(stderr, "sekisho bounce: %s\n", err.text);
		return EXIT_COULD_NOT;
	}
	a = arena_new(MIME_ARENA_SIZE * 2);
	for (int i = 0; i < count; i++)
		ok = (!inputs[i].ok || tell(s, &inputs[i], a, files, &found)) && ok;
	if (files) {
		json_dumpf(files, stdout, JSON_INDENT(2) | JSON_PRESERVE_ORDER);
		putchar('\n');
		json_decref(files);
	}
	arena_free(a);
	signatures_free(s);
	return !ok ? EXIT_COULD_NOT : found ? EXIT_FOUND : EXIT_CLEAN;
}

int bounce_main(int argc, char **argv)
{
	static const struct option options[] = {{"json", no_argument, NULL, 'j'},
		{"signatures", required_argument, NULL, 's'}, {"help", no_argument, NULL, 'h'},
		{0}};
	const char *table = NULL;
	struct input *inputs;
	bool as_json = false;
	int c, count, rc;

	while ((c = getopt_long(argc, argv, "h", options, NULL)) != -1) {
		if (c == 'j') {
			as_json = true;
		} else if (c == 's') {
			table = optarg;
		} else {
			fputs(usage, c == 'h' ? stdout : stderr);
			return c == 'h' ? EXIT_CLEAN : EXIT_USAGE;
		}
	}
	count = argc - optind;
	if (count == 0) {
		fputs(usage, stderr);
		return EXIT_USAGE;
	}
	inputs = mem_new((size_t)count, sizeof *inputs);
	for (int i = 0; i < count; i++)
		inputs[i].name = argv[optind + i];
	rc = run(inputs, count, table, as_json);
	for (int i = 0; i < count; i++)
		buf_done(&inputs[i].bytes);
	free(inputs);
	return rc;
}
