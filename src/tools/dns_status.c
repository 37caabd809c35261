/* dns_status.c - `sekisho dns status`: what dnsd says of itself, and whether something is wrong with it. */
#include "tools/dns_private.h"

#include "base/attr.h"
#include "base/duration.h"
#include "io/ipc.h"
#include "tools/table.h"
#include "tools/tools.h"
#include "tools/words.h"

#include <getopt.h>
#include <inttypes.h>
#include <locale.h>
#include <unistd.h>

#define OUT_MAX ((size_t)256 << 20)
#define CATCH_UP_US 1000000 /* for changes under way */

static const char usage[] =
	"usage: sekisho dns status [OPTIONS]\n\n"
	"  --json           machine-readable output\n"
	"  --config FILE    else " DEFAULT_CONFIG "\n\n"
	"Exit codes: 0 all is well, 1 something is wrong, 2 usage, 3 could not tell.\n";

struct state {
	json_t *status, *zones, *data, *secondaries;
	json_t *trouble; /* sentences */
};

/* ---- asking ---- */

static json_t *ask(int fd, json_t *message)
{
	struct err err;
	json_t *reply = ipc_ask(fd, message, &err);

	if (!reply)
		fprintf(stderr, "sekisho dns status: %s\n", err.text);
	return reply;
}

/* All of what is told a piece at a time; NULL: it was not told. */
static json_t *ask_list(int fd, const char *name)
{
	json_t *all = json_array();
	int64_t from = 0;

	do {
		json_t *reply =
			ask(fd, json_pack("{s:s, s:I}", "type", name, "from", (json_int_t)from));
		if (!reply) {
			json_decref(all);
			return NULL;
		}
		json_array_extend(all, json_object_get(reply, name));
		from = reply_number(reply, "next");
		json_decref(reply);
	} while (from > 0);
	return all;
}

static bool ask_all(int fd, struct state *s)
{
	return (s->status = ask(fd, json_pack("{s:s}", "type", "status")))
	       && (s->zones = ask_list(fd, "zones")) && (s->data = ask_list(fd, "data"))
	       && (s->secondaries = ask_list(fd, "secondaries"));
}

/* The serial of listd's last change; -1: it does not say. */
static int64_t ask_listd(const struct config *config)
{
	int64_t serial = -1;
	json_t *reply;
	struct err err;
	int fd = ipc_connect(config->socket_path, "admin", &err);

	if (fd < 0)
		return -1;
	reply = ipc_ask(fd, json_pack("{s:s}", "type", "status"), &err);
	if (reply)
		serial = reply_number(reply, "serial");
	json_decref(reply);
	close(fd);
	return serial;
}

/* ---- what is wrong ---- */

static void trouble(struct state *s, const char *fmt, ...) ATTR_FORMAT(2, 3);
static void trouble(struct state *s, const char *fmt, ...)
{
	char text[2048];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof text, fmt, args);
	va_end(args);
	json_array_append_new(s->trouble, ipc_text(slice_str(text)));
}

static void judge_zones(struct state *s)
{
	json_t *z;
	size_t i;

	json_array_foreach(s->zones, i, z)
	{
		const char *zone = reply_text(z, "zone").ptr, *error = reply_text(z, "error").ptr;
		struct slice state = reply_text(z, "state");
		if (slice_eq(state, SLICE("broken")))
			trouble(s, "zone %s is not served (SERVFAIL): %s", zone,
				*error ? error : "its data or its rules cannot be read");
		else if (slice_eq(state, SLICE("expired")))
			trouble(s, "zone %s is not served (SERVFAIL): its data expired at %s", zone,
				time_text(reply_number(z, "expires")).s);
		else if (slice_eq(state, SLICE("unpublished")))
			trouble(s, "zone %s: listd has published nothing for it", zone);
		else if (slice_eq(state, SLICE("old")))
			trouble(s, "zone %s is served from older data: %s", zone, error);
		else if (!slice_eq(state, SLICE("ok")))
			trouble(s, "zone %s: %s%s%s", zone, state.ptr, *error ? ": " : "", error);
	}
}

/* Of data that no zone is made of: rules of who may ask. */
static bool is_told(const struct state *s, struct slice data)
{
	json_t *z;
	size_t i;

	json_array_foreach(s->zones, i, z) if (slice_eq(reply_text(z, "data"), data)) return true;
	return false;
}

static void judge_data(struct state *s)
{
	json_t *d;
	size_t i;

	json_array_foreach(s->data, i, d) if (!slice_eq(reply_text(d, "state"), SLICE("ok"))
					      && !is_told(s, reply_text(d, "data")))
		trouble(s, "data %s cannot be read: %s", reply_text(d, "data").ptr,
			reply_text(d, "error").ptr);
}

static void judge_secondaries(struct state *s)
{
	json_t *o;
	size_t i;

	json_array_foreach(s->secondaries, i, o)
	{
		struct slice state = reply_text(o, "state");
		const char *zone = reply_text(o, "zone").ptr,
			   *name = reply_text(o, "secondary").ptr,
			   *address = reply_text(o, "address").ptr;
		if (slice_eq(state, SLICE("silent")))
			trouble(s,
				"secondary %s (%s) does not answer that %s has changed, since %s",
				name, address, zone, time_text(reply_number(o, "notified")).s);
		else if (slice_eq(state, SLICE("refused")))
			trouble(s,
				"secondary %s (%s) refuses to hear that %s has changed (rcode %d)",
				name, address, zone, (int)reply_number(o, "rcode"));
		else if (slice_eq(state, SLICE("behind")))
			trouble(s,
				"secondary %s (%s) has %s of serial %" PRId64
				" and does not fetch %" PRId64,
				name, address, zone,
				reply_number(json_object_get(o, "transfer"), "serial"),
				reply_number(o, "serial"));
	}
}

static void judge_snapshot(struct state *s, const struct config *config, int fd)
{
	json_t *snapshot = json_object_get(s->status, "snapshot");
	struct slice error = reply_text(snapshot, "error");
	int64_t theirs;

	if (!json_is_object(snapshot))
		return;
	if (error.len)
		trouble(s, "the lists stay as they are, what is newer cannot be read: %s",
			error.ptr);
	theirs = ask_listd(config);
	json_object_set_new(
		snapshot, "listd_serial", theirs < 0 ? json_null() : json_integer(theirs));
	if (theirs <= reply_number(snapshot, "last_serial"))
		return;
	/* It may be on its way. */
	usleep(CATCH_UP_US);
	json_t *later = ask(fd, json_pack("{s:s}", "type", "status"));
	int64_t ours = reply_number(json_object_get(later, "snapshot"), "last_serial");
	if (later && ours < theirs)
		trouble(s, "the lists are behind: listd is at serial %" PRId64 ", dnsd at %" PRId64,
			theirs, ours);
	json_decref(later);
}

/* ---- for people ---- */

static void print_table(struct table *t, const char *title, struct buf *to)
{
	if (table_rows(t)) {
		buf_addf(to, "\n%s\n", title);
		table_print(t, SIZE_MAX, SIZE_MAX, to);
	}
	table_done(t);
}

static void print_transports(const struct state *s, struct buf *to)
{
	static const struct column columns[] = {COLUMN_TEXT("TRANSPORT"), COLUMN_TEXT("ADDRESS"),
		COLUMN_NUMBER("THREADS"), COLUMN_NUMBER("QUERIES"), COLUMN_NUMBER("LISTED"),
		COLUMN_NUMBER("NXDOMAIN"), COLUMN_NUMBER("REFUSED"), COLUMN_NUMBER("DROPPED"),
		COLUMN_NUMBER("LIMITED")};
	struct table t = table_of(columns, ARRAY_LEN(columns));
	json_t *o;
	size_t i;

	json_array_foreach(json_object_get(s->status, "transports"), i, o)
	{
		const json_t *responses = json_object_get(o, "responses");
		struct slice address = reply_text(o, "address");
		table_cell(&t, reply_text(o, "transport"));
		table_cell(&t, address.len ? address : SLICE("all"));
		table_cellf(&t, "%d", (int)reply_number(o, "threads"));
		table_cellf(&t, "%s", dns_count(reply_number(o, "queries")).s);
		table_cellf(&t, "%s", dns_count(reply_number(o, "listed")).s);
		table_cellf(&t, "%s", dns_count(reply_number(responses, "nxdomain")).s);
		table_cellf(&t, "%s", dns_count(reply_number(responses, "refused")).s);
		table_cellf(&t, "%s", dns_count(reply_number(o, "dropped")).s);
		table_cellf(&t, "%s",
			dns_count(reply_number(o, "limited") + reply_number(o, "over_quota")).s);
	}
	print_table(&t, "Questions since the start", to);
	json_array_foreach(json_object_get(s->status, "xdp"), i, o)
		buf_addf(to, "  xdp on %s: %d queues, %s mode%s\n", reply_text(o, "interface").ptr,
			(int)reply_number(o, "queues"), reply_text(o, "mode").ptr,
			json_is_true(json_object_get(o, "zero_copy")) ? ", zero copy" : "");
	buf_addf(to, "  %s of at most %s TCP sessions, %d of at most %d transfers\n",
		dns_count(reply_number(s->status, "tcp_sessions")).s,
		dns_count(reply_number(s->status, "tcp_sessions_max")).s,
		(int)reply_number(s->status, "transfers"),
		(int)reply_number(s->status, "transfers_max"));
}

static void print_snapshot(const struct state *s, struct buf *to)
{
	const json_t *o = json_object_get(s->status, "snapshot"),
		     *theirs = json_object_get(o, "listd_serial");

	if (!json_is_object(o))
		return;
	buf_add_str(to, "\nLists\n");
	if (!json_is_true(json_object_get(o, "published"))) {
		buf_add_str(to, "  nothing is published\n");
		return;
	}
	buf_addf(to, "  snapshot %" PRId64 ", taken %s, %s entries\n", reply_number(o, "serial"),
		time_text(reply_number(o, "loaded")).s, dns_count(reply_number(o, "entries")).s);
	buf_addf(to, "  serial %" PRId64 ", %s changes since the snapshot",
		reply_number(o, "last_serial"), dns_count(reply_number(o, "changes")).s);
	if (json_is_integer(theirs))
		buf_addf(to, "; listd is at %" PRId64 "\n", (int64_t)json_integer_value(theirs));
	else
		buf_add_str(to, "; listd cannot be asked whether there is more\n");
}

static void add_sources(struct table *t, const json_t *zone)
{
	_cleanup_buf_ struct buf names = BUF_INIT((size_t)1 << 20);
	json_t *o;
	size_t i;

	json_array_foreach(json_object_get(zone, "sources"), i, o)
	{
		struct slice kind = reply_text(o, "kind");
		buf_add_str(&names, i ? ", " : "");
		if (!slice_eq(kind, SLICE("files")))
			buf_addf(&names, "%s ", kind.ptr);
		buf_add_slice(&names, reply_text(o, "name"));
	}
	table_cell(t, buf_slice(&names));
}

static void add_time(struct table *t, int64_t unix_ms)
{
	table_cell(t, unix_ms ? slice_str(time_text(unix_ms).s) : SLICE("-"));
}

static void print_zones(const struct state *s, struct buf *to)
{
	static const struct column columns[] = {COLUMN_TEXT("ZONE"), COLUMN_TEXT("STATE"),
		COLUMN_NUMBER("ENTRIES"), COLUMN_NUMBER("SERIAL"), COLUMN_TEXT("CHANGED"),
		COLUMN_TEXT("MADE OF")};
	static const struct column keys[] = {
		COLUMN_TEXT("ZONE"), COLUMN_NUMBER("KEY"), COLUMN_TEXT("DS")};
	struct table t = table_of(columns, ARRAY_LEN(columns)), k = table_of(keys, ARRAY_LEN(keys));
	json_t *o;
	size_t i;

	json_array_foreach(s->zones, i, o)
	{
		table_cell(&t, reply_text(o, "zone"));
		table_cell(&t, reply_text(o, "state"));
		table_cellf(&t, "%s", dns_count(reply_number(o, "entries")).s);
		table_cellf(&t, json_is_integer(json_object_get(o, "serial")) ? "%" PRId64 : "-",
			reply_number(o, "serial"));
		add_time(&t, reply_number(o, "stamp"));
		add_sources(&t, o);
		if (!json_object_get(o, "ds"))
			continue;
		table_cell(&k, reply_text(o, "zone"));
		table_cellf(&k, "%d", (int)reply_number(o, "key_tag"));
		table_cellf(
			&k, "%d 13 2 %s", (int)reply_number(o, "key_tag"), reply_text(o, "ds").ptr);
	}
	print_table(&t, "Zones", to);
	print_table(&k, "Signed zones", to);
}

static void print_data(const struct state *s, struct buf *to)
{
	static const struct column columns[] = {COLUMN_TEXT("DATA"), COLUMN_TEXT("STATE"),
		COLUMN_NUMBER("ENTRIES"), COLUMN_NUMBER("BYTES"), COLUMN_TEXT("READ"),
		COLUMN_NUMBER("IN ms"), COLUMN_NUMBER("WARNINGS")};
	struct table t = table_of(columns, ARRAY_LEN(columns));
	json_t *o;
	size_t i;

	json_array_foreach(s->data, i, o)
	{
		table_cell(&t, reply_text(o, "data"));
		table_cell(&t, reply_text(o, "state"));
		table_cellf(&t, "%s", dns_count(reply_number(o, "entries")).s);
		table_cellf(&t, "%s", dns_count(reply_number(o, "bytes")).s);
		add_time(&t, reply_number(o, "loaded"));
		table_cellf(&t, "%s", dns_count(reply_number(o, "load_ms")).s);
		table_cellf(&t, "%s", dns_count(reply_number(o, "warnings")).s);
	}
	print_table(&t, "Data files", to);
	json_array_foreach(s->data, i, o)
	{
		if (!reply_text(o, "warning").len)
			continue;
		buf_add_str(to, "  warning: ");
		words_add(to, reply_text(o, "warning"));
		buf_addf(to, reply_number(o, "warnings") > 1 ? ", and %s more\n" : "\n",
			dns_count(reply_number(o, "warnings") - 1).s);
	}
}

static void print_secondaries(const struct state *s, struct buf *to)
{
	static const struct column columns[] = {COLUMN_TEXT("SECONDARY"), COLUMN_TEXT("ADDRESS"),
		COLUMN_TEXT("ZONE"), COLUMN_TEXT("STATE"), COLUMN_NUMBER("SERIAL"),
		COLUMN_TEXT("NOTIFIED"), COLUMN_TEXT("FETCHED"), COLUMN_NUMBER("OF SERIAL")};
	struct table t = table_of(columns, ARRAY_LEN(columns));
	json_t *o;
	size_t i;

	json_array_foreach(s->secondaries, i, o)
	{
		const json_t *transfer = json_object_get(o, "transfer");
		struct slice name = reply_text(o, "secondary");
		table_cell(&t, name.len ? name : SLICE("-"));
		table_cell(&t, reply_text(o, "address"));
		table_cell(&t, reply_text(o, "zone"));
		table_cell(&t, reply_text(o, "state"));
		table_cellf(&t, json_object_get(o, "serial") ? "%" PRId64 : "-",
			reply_number(o, "serial"));
		add_time(&t, reply_number(o, "notified"));
		add_time(&t, reply_number(transfer, "at"));
		table_cellf(&t,
			json_is_integer(json_object_get(transfer, "serial")) ? "%" PRId64 : "-",
			reply_number(transfer, "serial"));
	}
	print_table(&t, "Secondaries", to);
}

static void print_state(const struct state *s, struct buf *to)
{
	int64_t up_ms = reply_number(s->status, "now") - reply_number(s->status, "started");
	size_t count = json_array_size(s->trouble), i;
	json_t *line;

	buf_addf(to, "sekisho-dnsd %s, up %s, %d zones: ", reply_text(s->status, "version").ptr,
		duration_text(MAX(up_ms, 0) / 1000).s, (int)reply_number(s->status, "zones"));
	if (count == 0)
		buf_add_str(to, "all is well\n");
	else
		buf_addf(to, count == 1 ? "one thing is wrong\n" : "%zu things are wrong\n", count);
	json_array_foreach(s->trouble, i, line)
	{
		buf_add_str(to, "  ! ");
		words_add(to, slice_str(json_string_value(line)));
		buf_add_char(to, '\n');
	}
	print_transports(s, to);
	print_snapshot(s, to);
	print_zones(s, to);
	print_data(s, to);
	print_secondaries(s, to);
}

static void print_json(const struct state *s)
{
	json_t *o = json_pack("{s:b, s:O, s:O, s:O, s:O, s:O}", "good",
		json_array_size(s->trouble) == 0, "trouble", s->trouble, "server", s->status,
		"zones", s->zones, "data", s->data, "secondaries", s->secondaries);

	json_object_del(s->status, "id");
	json_object_del(s->status, "ok");
	json_dumpf(o, stdout, JSON_COMPACT);
	putchar('\n');
	json_decref(o);
}

/* ---- the command ---- */

static int run(const struct config *config, int fd, bool json)
{
	_cleanup_buf_ struct buf out = BUF_INIT(OUT_MAX);
	struct state s = {.trouble = json_array()};
	int status = EXIT_COULD_NOT;

	if (ask_all(fd, &s)) {
		judge_zones(&s);
		judge_data(&s);
		judge_snapshot(&s, config, fd);
		judge_secondaries(&s);
		status = json_array_size(s.trouble) ? EXIT_FOUND : EXIT_CLEAN;
		if (json) {
			print_json(&s);
		} else {
			print_state(&s, &out);
			fwrite(buf_str(&out), 1, out.len, stdout);
		}
	}
	json_decref(s.status);
	json_decref(s.zones);
	json_decref(s.data);
	json_decref(s.secondaries);
	json_decref(s.trouble);
	return fflush(stdout) == 0 && !ferror(stdout) ? status : EXIT_COULD_NOT;
}

int dns_status_main(int argc, char **argv)
{
	static const struct option options[] = {{"config", required_argument, NULL, 'c'},
		{"json", no_argument, NULL, 'j'}, {"help", no_argument, NULL, 'h'}, {0}};
	const char *path = DEFAULT_CONFIG;
	int fd, status = EXIT_COULD_NOT;
	struct config *config;
	bool json = false;

	for (int c; (c = getopt_long(argc, argv, "c:jh", options, NULL)) != -1;) {
		if (c == 'c') {
			path = optarg;
		} else if (c == 'j') {
			json = true;
		} else {
			fputs(usage, c == 'h' ? stdout : stderr);
			return c == 'h' ? EXIT_CLEAN : EXIT_USAGE;
		}
	}
	if (optind != argc) {
		fputs(usage, stderr);
		return EXIT_USAGE;
	}
	setlocale(LC_CTYPE, "");
	config = config_or_tell(path);
	if (!config)
		return EXIT_COULD_NOT;
	fd = dns_connect("sekisho dns status", config);
	if (fd >= 0) {
		status = run(config, fd, json);
		close(fd);
	}
	config_free(config);
	return status;
}
