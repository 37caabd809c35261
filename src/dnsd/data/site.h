/* site.h - what listd publishes, followed live: the snapshot is read and checked whole, the change log
 * beside it replayed, and both watched. A snapshot that is not as it was written is refused and the old
 * one stays. Files there are replaced by renaming; one rewritten in place
 * harms nobody who has read it. */
#pragma once

#include "base/err.h"
#include "dnsd/data/grace.h"
#include "index/changelog.h"
#include "index/index.h"

struct site;

/* Who wants to know what changes. Called around each change of the overlay (with words about lists that
 * are not published left out), and when those that were there are done. */
struct site_watcher {
	void (*before)(void *ctx, const struct change *c);
	void (*after)(void *ctx, const struct index *ix, size_t set, const struct change *c);
	void (*done)(void *ctx, uint64_t serial);
	void *ctx;
};

/* changed(ctx): site_index() is another one now. From the loop, never from inside site_new(). The old
 * index stays until one grace period after changed() returned. */
struct site *site_new(
	struct loop *l, struct grace *g, const char *publish_dir, loop_fn *changed, void *ctx);
struct site *site_free(struct site *s);

/* From now on; the watcher sees every change once, in order, of the index that changed() was called for.
 * NULL: nobody. */
void site_watch(struct site *s, const struct site_watcher *w);
/* NULL while nothing was published. It is the first member of its data (data.h). */
const struct index *site_index(const struct site *s);
/* Of the last change seen; lives as long as the site. */
const _Atomic uint64_t *site_serial(const struct site *s);
/* When the snapshot of site_index() was taken over, in seconds since 1970; 0: none was. */
int64_t site_loaded_s(const struct site *s);
/* Why something that is there is not served: the newest snapshot was refused, or the change log is damaged
 * and the next snapshot must help; "" while all is well. */
const char *site_error(const struct site *s);
/* Looks at the folder; logs what it finds. A new snapshot is opened in a thread, changed() comes later. */
void site_check(struct site *s);
/* The same at the start, before the loop runs: when it returns, what is there has been taken. */
void site_load(struct site *s);
