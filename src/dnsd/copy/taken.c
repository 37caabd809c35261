/* taken.c - a transferred zone as it is kept and served. */
#include "dnsd/copy/taken.h"

#include "base/attr.h"
#include "base/mem.h"
#include "io/clock.h"
#include "io/file.h"
#include "io/random.h"

#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <stdlib.h>
#include <sys/stat.h>

#define FILE_MODE 0640

/* The index, which transfers out may hold longer than we. */
struct version {
	struct data data; /* first */
	struct buf bytes;
};

static void version_free(struct data *d)
{
	struct version *v = (struct version *)d;

	snapshot_close((struct snapshot *)v->data.index.snapshot);
	buf_done(&v->bytes);
	free(v);
}

void taken_job_init(
	struct taken_job *j, const char *folder, const struct domain *zone, size_t limit)
{
	_cleanup_buf_ struct buf path = BUF_INIT(0);
	struct domain_text name = domain_text(zone);

	path.limit = strlen(folder) + sizeof name.s + 2;
	for (char *p = name.s; *p; p++)
		if (*p == '/')
			*p = '%';
	buf_addf(&path, "%s/%s", folder, name.s);
	*j = (struct taken_job){.path = mem_str(buf_str(&path)), .zone = zone, .limit = limit};
}

void taken_job_done(struct taken_job *j)
{
	free(j->path);
}

void taken_drop(struct taken *t, struct grace *g)
{
	if (!t)
		return;
	if (g)
		grace_defer(g, data_drop, t->data);
	else
		data_drop(t->data);
	file_unload(t->mapped);
	free(t);
}

static bool make_index(struct taken *t, struct err *err)
{
	struct version *v = mem_new(1, sizeof *v);
	struct builder *b;
	uint8_t seed[16];
	bool ok;

	data_init(&v->data, version_free);
	t->data = &v->data;
	v->bytes = BUF_INIT(SIZE_MAX / 2);
	random_bytes(seed, sizeof seed);
	b = builder_new(t->copy.soa.serial, seed);
	copy_index(&t->copy, b, &t->told);
	ok = builder_write(b, &v->bytes, err);
	builder_free(b);
	if (ok)
		v->data.index.snapshot = snapshot_open(buf_slice(&v->bytes), err);
	return v->data.index.snapshot != NULL;
}

static struct taken *read_file(const struct taken_job *j, struct err *err)
{
	struct taken *t = mem_new(1, sizeof *t);

	t->path = j->path;
	if (file_load(j->path, &t->mapped, err) && copy_open(t->mapped, j->zone, &t->copy, err)
		&& make_index(t, err))
		return t;
	taken_drop(t, NULL);
	return NULL;
}

struct taken *taken_make(struct taken_job *j)
{
	_cleanup_buf_ struct buf bytes = BUF_INIT(j->limit);
	struct taken *t = NULL;
	struct copy checked;

	if (copy_merge(j->old ? &j->old->copy : NULL, j->changes, &bytes, &j->err)
		&& copy_open(buf_slice(&bytes), j->zone, &checked, &j->err)
		&& file_replace(j->path, buf_slice(&bytes), FILE_MODE, &j->err)) {
		buf_done(&bytes);
		t = read_file(j, &j->err);
	}
	malloc_trim(0);
	return t;
}

struct taken *taken_load(struct taken_job *j, int64_t *ret_age_s, struct err *err)
{
	struct stat st;

	if (stat(j->path, &st) != 0) {
		if (errno != ENOENT)
			err_errno(err, "cannot read %s", j->path);
		return NULL;
	}
	*ret_age_s = MAX(clock_unix_ms() / 1000 - (int64_t)st.st_mtim.tv_sec, 0);
	return read_file(j, err);
}

/* The file's time tells how old it is, also after a restart. */
void taken_confirm(const struct taken *t)
{
	(void)utimensat(AT_FDCWD, t->path, NULL, 0);
}

void taken_serve(const struct taken *t, struct served_zone *z)
{
	served_add_sets(z, &t->data->index, 0, snapshot_set_count(t->data->index.snapshot), 0);
	z->has_ip_list = t->told.has_addresses;
	z->has_name_list = t->told.has_names;
}
