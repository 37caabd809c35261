/* site.h - what listd publishes, followed live: the snapshot is mapped and checked whole, the change log
 * beside it replayed, and both watched. A snapshot that is not as it was written is refused and the old
 * one stays. Files there are replaced by renaming, never rewritten in place. */
#pragma once

#include "base/err.h"
#include "dnsd/grace.h"
#include "index/index.h"

struct site;

/* changed(ctx): site_index() is another one now. From the loop, never from inside site_new(). The old
 * index stays until one grace period after changed() returned. */
struct site *site_new(
	struct loop *l, struct grace *g, const char *publish_dir, loop_fn *changed, void *ctx);
struct site *site_free(struct site *s);

/* NULL while nothing was published. */
const struct index *site_index(const struct site *s);
/* Of the last change seen; lives as long as the site. */
const _Atomic uint64_t *site_serial(const struct site *s);
/* Looks at the folder; logs what it finds. A new snapshot is opened in a thread, changed() comes later. */
void site_check(struct site *s);
/* The same at the start, before the loop runs: when it returns, what is there has been taken. */
void site_load(struct site *s);
