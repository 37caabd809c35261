/* source.c - files of a data set, read through a window and compiled into a snapshot. */
#include "source/source.h"

#include "base/mem.h"
#include "io/file.h"
#include "io/random.h"
#include "source/gunzip.h"

#include <sys/stat.h>

#define FILE_LIMIT ((size_t)4 << 30)  /* of a compressed file, unpacked */
#define FILE_WINDOW ((size_t)2 << 20) /* bytes of a file in memory at once */
#define SNAPSHOT_LIMIT ((size_t)8 << 30)

bool source_spec_parse(struct slice text, struct source_spec *ret, struct err *err)
{
	static const struct slice word = {"snapshot:", 9};
	struct dataset_spec dataset;

	if (slice_starts(text, word)) {
		struct slice file = slice_skip(text, word.len);

		if (!file.len || slice_find(file, ',') != file.len)
			return err_set(
				err, ERR_SYNTAX, "'%.*s': a snapshot is one file", SLICE_FMT(text));
		*ret = (struct source_spec){.snapshot = true, .files = file};
		return true;
	}
	if (!dataset_spec_parse(text, false, &dataset, err))
		return false;
	*ret = (struct source_spec){.type = dataset.type, .files = dataset.files};
	return true;
}

struct reading {
	const struct source_options *options;
	struct dataset *d;
	uint64_t bytes; /* read so far, of all files */
	bool started, gzip;
};

static void progress(struct reading *r, size_t bytes)
{
	r->bytes += bytes;
	if (r->options->progress)
		r->options->progress(r->options->ctx, r->bytes);
}

static bool take_part(void *ctx, struct slice part, bool last, size_t *ret_used, struct err *err)
{
	struct reading *r = ctx;

	r->gzip = !r->started && gunzip_is(part);
	r->started = true;
	if (r->gzip || !dataset_file_part(r->d, part, last, ret_used, err))
		return false;
	progress(r, *ret_used);
	return true;
}

/* Compressed files are unpacked whole; the others go through a window. */
static bool add_file(struct reading *r, const char *path, struct err *err)
{
	struct buf text = BUF_INIT(0);
	struct stat st = {0};
	size_t used;
	bool ok;

	(void)stat(path, &st); /* looked at before reading; without a file reading says so */
	if (!dataset_file_begin(r->d, slice_str(path), st.st_mtim.tv_sec, err))
		return false;
	r->started = false;
	if (file_read_parts(path, FILE_WINDOW, take_part, r, err))
		return true;
	if (!r->gzip)
		return false;
	if (r->options->no_gunzip)
		return err_set(err, ERR_REFUSED, "%s: is compressed, and -C refuses that", path);
	ok = file_read(path, FILE_LIMIT, &text, err);
	if (ok && !gunzip(buf_slice(&text), FILE_LIMIT, &text, err))
		ok = err_prefix(err, "%s: ", path);
	ok = ok && dataset_file_part(r->d, buf_slice(&text), true, &used, err);
	buf_done(&text);
	progress(r, (size_t)st.st_size);
	return ok;
}

static bool add_files(struct reading *r, struct slice files, struct err *err)
{
	struct slice file;
	char path[4096];

	while (slice_cut(&files, ',', &file)) {
		if (!slice_copy(file, path, sizeof path))
			return err_set(err, ERR_LIMIT, "a file name longer than %zu bytes",
				sizeof path - 1);
		if (!add_file(r, path, err))
			return false;
	}
	return dataset_finish(r->d, err);
}

static bool compile(const char *text, const struct source_spec *spec,
	const struct source_options *options, struct buf *ret, struct source_warnings *warnings,
	struct err *err)
{
	struct reading r = {.options = options};
	struct builder *b;
	uint8_t seed[16];
	bool ok;

	random_bytes(seed, sizeof seed);
	b = builder_new(options->serial, seed);
	builder_set_parallel(b, options->help);
	r.d = dataset_new(b, spec->type, slice_str(text), &options->dataset);
	ok = add_files(&r, spec->files, err);
	buf_add_slice(&warnings->text, dataset_warnings(r.d));
	warnings->count = dataset_warning_count(r.d);
	dataset_free(r.d);
	ok = ok && builder_write(b, ret, err);
	warnings->doubles = ok ? builder_doubles(b) : 0;
	builder_free(b);
	return ok;
}

bool source_read(const char *text, const struct source_options *options, struct buf *ret,
	struct source_warnings *warnings, struct err *err)
{
	struct source_spec spec;
	bool ok;

	*ret = BUF_INIT(SNAPSHOT_LIMIT);
	*warnings = (struct source_warnings){.text = BUF_INIT((size_t)1 << 20)};
	if (!source_spec_parse(slice_str(text), &spec, err))
		return false;
	ok = spec.snapshot
		     ? file_read(spec.files.ptr, SNAPSHOT_LIMIT, ret, err) /* text ends with it */
		     : compile(text, &spec, options, ret, warnings, err);
	if (!ok)
		buf_done(ret);
	return ok;
}
