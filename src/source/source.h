/* source.h - a data set as its files: "type:file,file" of rbldnsd's types, read and compiled, or
 * "snapshot:file", compiled before (sekisho compile) and only loaded. Either gives the bytes of a snapshot. */
#pragma once

#include "base/parallel.h"
#include "dataset/dataset.h"

struct source_spec {
	bool snapshot; /* else of this type: */
	enum dataset_type type;
	struct slice
		files; /* cut it at ',' with slice_cut(); at least one, one exactly of a snapshot */
};

bool source_spec_parse(struct slice text, struct source_spec *ret, struct err *err);

struct source_options {
	struct dataset_options dataset;
	bool no_gunzip;		     /* compressed files are refused: rbldnsd -C */
	uint64_t serial;	     /* of the snapshot made */
	const struct parallel *help; /* NULL: none */
	/* Told now and then how many bytes of the files have been read; NULL: nobody asks. */
	void (*progress)(void *ctx, uint64_t bytes);
	void *ctx;
};

struct source_warnings {
	struct buf text; /* "file:line: what" each on a line; at most DATASET_WARNINGS_MAX */
	size_t count;
	uint64_t doubles; /* keys that stood in the files more than once, see builder_doubles() */
};

/* The snapshot's bytes, to be opened with snapshot_open(), which checks them. They are memory of ours and
 * no mapping of the file, so that a file cut short while it is served ends nobody's process; in huge pages
 * where the system has them, which lookups are faster in. ret and warnings must be empty; on false ret
 * still is, and warnings may say why. */
bool source_read(const char *text, const struct source_options *options, struct buf *ret,
	struct source_warnings *warnings, struct err *err);
