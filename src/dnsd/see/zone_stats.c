/* zone_stats.c - counters of each zone of files, and rbldnsd's statistics file: a line is the time, then
 * " zone:questions:answered:nxdomain:bytes in:bytes out" for each zone and for all ("*"). */
#include "dnsd/see/zone_stats.h"

#include "base/log.h"
#include "base/mem.h"
#include "io/file.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <unistd.h>

#define LINE_BYTES_MAX ((size_t)64 << 20)

/* What a line tells of one zone. */
struct counts {
	uint64_t ok, nxdomain, errors, in, out;
};

struct stats_file {
	const struct config_dnsd *config;
	struct zone_stats *zones;
	/* counters are told from here: for each zone, the last for all */
	struct counts *since, *last;
	bool failed; /* the last attempt: told once */
};

struct stats_file *stats_file_new(const struct config_dnsd *c)
{
	struct stats_file *f;

	if (!c->rbldnsd.stats_file)
		return NULL;
	f = mem_new(1, sizeof *f);
	f->config = c;
	f->zones = mem_new(c->zone_count + 1, sizeof *f->zones);
	f->since = mem_new(c->zone_count + 1, sizeof *f->since);
	f->last = mem_new(c->zone_count + 1, sizeof *f->last);
	return f;
}

struct stats_file *stats_file_free(struct stats_file *f)
{
	if (!f)
		return NULL;
	free(f->zones);
	free(f->since);
	free(f->last);
	free(f);
	return NULL;
}

struct zone_stats *stats_file_zone(struct stats_file *f, size_t zone)
{
	return f ? &f->zones[zone] : NULL;
}

static void append(struct stats_file *f, struct slice line)
{
	const char *path = f->config->rbldnsd.stats_file;
	int fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0644);
	struct err err;
	bool ok = fd >= 0 ? file_write_all(fd, line, &err) : err_errno(&err, "%s", path);

	if (fd >= 0)
		close(fd);
	if (!ok && !f->failed)
		log_event(LOG_WARN, "dnsd.statsfile", "error=%s", log_quote(slice_str(err.text)).s);
	f->failed = !ok;
}

void stats_file_mark(struct stats_file *f, int64_t now_s)
{
	_cleanup_buf_ struct buf line = BUF_INIT(64);

	if (!f)
		return;
	buf_addf(&line, "%" PRId64 "\n", now_s);
	append(f, buf_slice(&line));
}

static uint64_t get(const _Atomic uint64_t *counter)
{
	return atomic_load_explicit(counter, memory_order_relaxed);
}

static struct counts counts_of(const struct zone_stats *z)
{
	return (struct counts){
		get(&z->ok), get(&z->nxdomain), get(&z->errors), get(&z->in), get(&z->out)};
}

static struct counts counts_of_all(const struct stats *s)
{
	struct counts c = {get(&s->rcode[DNS_NOERROR]), get(&s->rcode[DNS_NXDOMAIN]), 0,
		get(&s->bytes_in), get(&s->bytes_out)};

	c.errors = get(&s->queries) - c.ok - c.nxdomain;
	return c;
}

static struct counts minus(struct counts a, struct counts b)
{
	return (struct counts){a.ok - b.ok, a.nxdomain - b.nxdomain, a.errors - b.errors,
		a.in - b.in, a.out - b.out};
}

static void add(
	struct stats_file *f, struct buf *line, size_t i, const char *name, struct counts now)
{
	struct counts c = minus(now, f->last[i]);

	buf_addf(line, " %s:%" PRIu64 ":%" PRIu64 ":%" PRIu64 ":%" PRIu64 ":%" PRIu64, name,
		c.ok + c.nxdomain + c.errors, c.ok, c.nxdomain, c.in, c.out);
	if (f->config->rbldnsd.stats_are_deltas)
		f->last[i] = now;
}

void stats_file_write(struct stats_file *f, int64_t now_s, const struct stats *total)
{
	_cleanup_buf_ struct buf line = BUF_INIT(LINE_BYTES_MAX);
	size_t n = f ? f->config->zone_count : 0;

	if (!f)
		return;
	buf_addf(&line, "%" PRId64, now_s);
	for (size_t i = 0; i < n; i++)
		add(f, &line, i, f->config->zones[i].name,
			minus(counts_of(&f->zones[i]), f->since[i]));
	add(f, &line, n, "*", counts_of_all(total));
	buf_add_char(&line, '\n');
	append(f, buf_slice(&line));
}

void stats_file_log(const struct stats_file *f)
{
	for (size_t i = 0; f && i < f->config->zone_count; i++) {
		struct counts c = minus(counts_of(&f->zones[i]), f->since[i]);
		log_event(LOG_INFO, "dnsd.zone",
			"zone=%s queries=%" PRIu64 " noerror=%" PRIu64 " nxdomain=%" PRIu64
			" errors=%" PRIu64 " bytes_in=%" PRIu64 " bytes_out=%" PRIu64,
			f->config->zones[i].name, c.ok + c.nxdomain + c.errors, c.ok, c.nxdomain,
			c.errors, c.in, c.out);
	}
}

void stats_file_reset(struct stats_file *f)
{
	for (size_t i = 0; f && i < f->config->zone_count; i++)
		f->since[i] = counts_of(&f->zones[i]);
	if (f)
		memset(f->last, 0, (f->config->zone_count + 1) * sizeof *f->last);
}
