/* content_names.c - domain names as records. */
#include "dnsd/content_private.h"

#include "base/mem.h"

#include <stdlib.h>

struct names_walk {
	const struct content *content;
	const struct content_place *place;
};

struct names_walk *names_walk_new(const struct content *c, const struct content_place *p)
{
	struct names_walk *w = mem_new(1, sizeof *w);

	*w = (struct names_walk){c, p};
	return w;
}

struct names_walk *names_walk_free(struct names_walk *w)
{
	free(w);
	return NULL;
}

bool names_walk_more(struct names_walk *w, size_t least, struct buf *to)
{
	(void)w;
	(void)least;
	(void)to;
	return false;
}

void content_changed_name(struct content *c, const struct domain *name)
{
	(void)c;
	(void)name;
}

bool content_put_around_name(const struct content *c, const struct domain *name, struct buf *to)
{
	(void)c;
	(void)name;
	return !to->failed;
}
