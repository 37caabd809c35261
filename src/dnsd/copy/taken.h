/* taken.h - a transferred zone as it is kept and served: the copy in its file, and the index made of it. */
#pragma once

#include "dnsd/copy/copy.h"
#include "dnsd/copy/copy_index.h"
#include "dnsd/data/data.h"
#include "dnsd/data/grace.h"
#include "dnsd/answer/served.h"

/* Of the loop's thread, and never changed, but for the data, which outlives it. */
struct taken {
	struct slice mapped;
	struct copy copy;
	struct copy_index told;
	struct data *data;
	const char *path; /* borrowed */
};

/* How a new one is made: in any thread. */
struct taken_job {
	char *path;
	const struct domain *zone;
	size_t limit;
	const struct taken *old;      /* NULL: none */
	struct copy_changes *changes; /* to it, or whole */
	int64_t began_ms;
	struct taken *made; /* NULL: see err */
	struct err err;
};

void taken_job_init(
	struct taken_job *j, const char *folder, const struct domain *zone, size_t limit);
void taken_job_done(struct taken_job *j);
/* Merges, writes the file, reads it back, makes the index. NULL: nothing has changed, see j->err. */
struct taken *taken_make(struct taken_job *j);
/* The file that is there. *ret_age_s: since the last confirmation. NULL: none (err without a kind), or bad. */
struct taken *taken_load(struct taken_job *j, int64_t *ret_age_s, struct err *err);
/* A primary has just said that this is the newest. */
void taken_confirm(const struct taken *t);
/* g: its data are let go after a grace period; NULL: now. t NULL is fine. */
void taken_drop(struct taken *t, struct grace *g);
void taken_serve(const struct taken *t, struct served_zone *z);
