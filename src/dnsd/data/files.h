/* files.h - zones from rbldnsd's files and from compiled snapshots: read into memory, again when a file changes, in a thread of
 * their own while workers go on answering from the old data. A bad file keeps the old data. */
#pragma once

#include "config/config.h"
#include "dnsd/data/grace.h"
#include "dnsd/answer/served.h"

struct files;

/* The configuration must outlive it. NULL: a "type:file,file" that is none, with words in err. */
struct files *files_new(
	struct loop *l, struct grace *g, const struct config *config, struct err *err);
struct files *files_free(struct files *f); /* waits for its thread; NULL is fine */

/* Each file name once for every place it is named in; for the sandbox. */
size_t files_count(const struct files *f);
const char *files_path(const struct files *f, size_t i);

/* Reads all files now, in this thread; logs what is wrong. */
void files_load(struct files *f);
bool files_complete(const struct files *f); /* each data set was read well at least once */
/* From here on: changed(ctx) from the loop whenever files_serve() would give something else. Data that
 * was replaced stays until one grace period after changed() returned. */
void files_watch(struct files *f, loop_fn *changed, void *ctx);
void files_reload(struct files *f); /* all of them, changed or not */

struct files_state {
	const char *name;  /* "type:file,file" */
	bool loaded;	   /* read well at least once */
	bool failed;	   /* but not at the last attempt */
	const char *error; /* of the last attempt, in words; "" without one */
	size_t warnings; /* lines that were left out, and what else they told, of what is served; ... */
	const char *warning; /* ... the first, as "file:line: what"; "" without one */
	uint64_t entries;
	size_t bytes;	  /* that it takes in memory */
	int64_t loaded_s; /* since 1970 */
	int64_t load_ms;  /* that the last attempt took */
};

size_t files_state_count(const struct files *f);
struct files_state files_state(const struct files *f, size_t i);
/* Whose index that is that is served now; NULL: of none. */
const char *files_name_of(const struct files *f, const struct index *ix);
/* Which of them the configuration's zone in this place is made of: as many as it names. */
const size_t *files_of_zone(const struct files *f, size_t zone);

/* Adds the zones with the newest good data, and the rules of who may ask; zones that lack any are broken. */
void files_serve(const struct files *f, struct served *to);
