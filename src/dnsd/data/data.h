/* data.h - an index and those who use it: the one who serves it, and transfers that go on with it after it
 * was replaced. The last one frees it, in whatever thread. */
#pragma once

#include "index/index.h"

#include <pthread.h>
#include <stdatomic.h>

struct data {
	struct index index; /* first: from a served index to its data */
	_Atomic unsigned users;
	void (*free)(struct data *d);
	/* Held while the overlay changes and while it is copied: what is copied belongs to `serial`. */
	pthread_mutex_t changing;
	uint64_t serial; /* of the last change; 0: files, which do not change */
};

static inline void data_init(struct data *d, void (*free_fn)(struct data *d))
{
	atomic_init(&d->users, 1);
	d->free = free_fn;
	pthread_mutex_init(&d->changing, NULL);
}

/* Every index that is served is the first member of its data. */
static inline struct data *data_of(const struct index *ix)
{
	return (struct data *)ix;
}

/* By who knows that somebody else holds it meanwhile (a grace reader, inside). */
static inline struct data *data_hold(struct data *d)
{
	atomic_fetch_add(&d->users, 1);
	return d;
}

static inline void data_drop(void *d)
{
	struct data *data = d;

	if (data && atomic_fetch_sub(&data->users, 1) == 1)
		data->free(data);
}
