/* compile.c - `sekisho compile`: rbldnsd's files into one snapshot, ahead of the server that loads it. */
#include "index/snapshot.h"
#include "io/clock.h"
#include "io/crew.h"
#include "io/file.h"
#include "source/source.h"
#include "tools/tools.h"

#include <getopt.h>
#include <inttypes.h>
#include <sys/stat.h>
#include <unistd.h>

static const char usage[] =
	"usage: sekisho compile [--json] [--host-bits] TYPE:FILE[,FILE...] --output SNAPSHOT\n\n"
	"Compiles rbldnsd's files into a snapshot, which a server loads at once:\n"
	"  zone \"bl.example\" { data = {\"snapshot:SNAPSHOT\"} }\n\n"
	"  -o, --output FILE   written beside it first and put in its place when it is whole\n"
	"  -e, --host-bits     127.2.3.4/24 means 127.2.3.0/24 instead of a warning\n"
	"      --json          what was done as JSON\n"
	"Exit codes: 0 done, 1 done with warnings, 2 usage, 3 could not.\n";

#define FILE_MODE 0644
#define PROGRESS_MS 200

struct compile {
	const char *output;
	bool json, host_bits;
	/* of its progress */
	bool told, shows;
	int64_t began_ms, told_ms;
	uint64_t size; /* of all files together */
};

/* ---- progress ---- */

static void tell(void *ctx, uint64_t bytes)
{
	struct compile *c = ctx;
	int64_t now_ms = clock_mono_ms();

	if (!c->shows || now_ms - c->told_ms < PROGRESS_MS)
		return;
	c->told = true;
	c->told_ms = now_ms;
	fprintf(stderr, "\r%" PRIu64 " of %" PRIu64 " MB read", bytes / 1000000, c->size / 1000000);
}

static void progress_end(struct compile *c)
{
	if (c->told)
		fputs("\r\033[K", stderr);
	c->told = false;
}

static uint64_t size_of_files(struct slice files)
{
	uint64_t sum = 0;
	struct slice file;
	struct stat st;
	char path[4096];

	while (slice_cut(&files, ',', &file))
		if (slice_copy(file, path, sizeof path) && stat(path, &st) == 0)
			sum += (uint64_t)st.st_size;
	return sum;
}

/* ---- the work ---- */

static uint64_t entries_of(const struct snapshot *s)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < snapshot_set_count(s); i++)
		sum += snapshot_set_entries(s, i);
	return sum;
}

static void print_done(const struct compile *c, uint64_t entries, size_t bytes, size_t warnings)
{
	int64_t ms = clock_mono_ms() - c->began_ms;

	if (c->json)
		printf("{\"entries\":%" PRIu64 ",\"bytes\":%zu,\"warnings\":%zu,\"ms\":%" PRId64
		       "}\n",
			entries, bytes, warnings, ms);
	else
		printf("%s: %" PRIu64 " entries, %zu bytes, %zu lines passed over, %" PRId64
		       " ms\n",
			c->output, entries, bytes, warnings, ms);
}

/* Lines of somebody else's file go to a terminal: no control characters. */
static void print_warnings(const struct source_warnings *w)
{
	for (size_t i = 0; i < w->text.len; i++) {
		char ch = w->text.ptr[i];

		fputc((unsigned char)ch < ' ' && ch != '\n' ? '?' : ch, stderr);
	}
	if (w->count > DATASET_WARNINGS_MAX)
		fprintf(stderr, "and %zu more lines passed over\n",
			w->count - DATASET_WARNINGS_MAX);
}

static bool compile(struct compile *c, const char *text, size_t *ret_warnings, struct err *err)
{
	struct crew *crew = crew_new();
	struct source_options options = {
		.dataset = {.now_s = clock_unix_ms() / 1000, .host_bits = c->host_bits},
		.serial = (uint64_t)(clock_unix_ms() / 1000),
		.help = crew_parallel(crew),
		.progress = tell,
		.ctx = c,
	};
	struct source_warnings warnings;
	struct snapshot *s = NULL;
	struct buf bytes;
	bool ok;

	ok = source_read(text, &options, &bytes, &warnings, err);
	crew_free(crew);
	progress_end(c);
	print_warnings(&warnings);
	/* Opened as its reader will: what is put in place is good. */
	s = ok ? snapshot_open(buf_slice(&bytes), err) : NULL;
	ok = s && file_replace(c->output, buf_slice(&bytes), FILE_MODE, err);
	if (ok)
		print_done(c, entries_of(s), bytes.len, warnings.count);
	*ret_warnings = warnings.count;
	snapshot_close(s);
	buf_done(&bytes);
	buf_done(&warnings.text);
	return ok;
}

int compile_main(int argc, char **argv)
{
	static const struct option options[] = {{"output", required_argument, NULL, 'o'},
		{"host-bits", no_argument, NULL, 'e'}, {"json", no_argument, NULL, 'j'},
		{"help", no_argument, NULL, 'h'}, {0}};
	struct compile c = {.shows = isatty(STDERR_FILENO) == 1, .began_ms = clock_mono_ms()};
	struct source_spec spec;
	size_t warnings = 0;
	struct err err;
	int opt;

	while ((opt = getopt_long(argc, argv, "o:eh", options, NULL)) != -1) {
		if (opt == 'o') {
			c.output = optarg;
		} else if (opt == 'e') {
			c.host_bits = true;
		} else if (opt == 'j') {
			c.json = true;
		} else {
			fputs(usage, opt == 'h' ? stdout : stderr);
			return opt == 'h' ? EXIT_CLEAN : EXIT_USAGE;
		}
	}
	if (optind != argc - 1 || !c.output || !c.output[0]) {
		fputs(usage, stderr);
		return EXIT_USAGE;
	}
	if (!source_spec_parse(slice_str(argv[optind]), &spec, &err)) {
		fprintf(stderr, "sekisho compile: %s\n", err.text);
		return EXIT_USAGE;
	}
	c.size = size_of_files(spec.files);
	c.told_ms = c.began_ms;
	if (!compile(&c, argv[optind], &warnings, &err)) {
		fprintf(stderr, "sekisho compile: %s\n", err.text);
		return EXIT_COULD_NOT;
	}
	return warnings ? EXIT_FOUND : EXIT_CLEAN;
}
