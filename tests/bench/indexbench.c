/* indexbench.c - one list as a snapshot: how long it takes to make and to open, how large it is, what a
 * question costs. indexbench TYPE LIST QUESTIONS [ROUNDS [SETS]]: the list is a file of rbldnsd's type, the
 * questions are lines "name type" below a zone of three labels. SETS: the same list so many times over. */
#include "base/mem.h"
#include "dataset/dataset.h"
#include "index/builder.h"
#include "index/index.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define NOW_S 1790000000

static double now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

static struct slice mapped(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct stat st;
	void *p;

	if (fd < 0 || fstat(fd, &st) != 0
		|| (p = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0))
			   == MAP_FAILED) {
		perror(path);
		exit(2);
	}
	close(fd);
	return slice_of(p, (size_t)st.st_size);
}

static int number(const char *text)
{
	uint64_t v = 0;

	return slice_u64(slice_str(text), 1000000, &v) ? (int)v : 1;
}

static void fail(const struct err *err)
{
	fprintf(stderr, "%s\n", err->text);
	exit(1);
}

static struct builder *built(enum dataset_type type, struct slice text, unsigned sets)
{
	struct builder *b = builder_new(1, (const uint8_t *)"0123456789abcdef");
	struct dataset_options options = {.now_s = NOW_S};
	struct err err;

	for (unsigned i = 0; i < sets; i++) {
		struct dataset *d = dataset_new(b, type, SLICE("list"), &options);

		if (!dataset_file(d, SLICE("list"), text, NOW_S, &err) || !dataset_finish(d, &err))
			fail(&err);
		dataset_free(d);
	}
	return b;
}

/* What stands before the zone's three labels, as a question each. Lives on. */
static struct asked *questions_of(struct slice text, size_t *ret_count)
{
	struct asked *all = mem_new(2000000, sizeof *all);
	struct slice line, name;
	size_t n = 0;

	while (n < 2000000 && slice_cut_line(&text, &line)) {
		struct domain *d = mem_new(1, sizeof *d);

		if (!slice_cut_word(&line, &name))
			continue;
		for (int dots = 0; name.len && dots < 3; name.len--)
			dots += name.ptr[name.len - 1] == '.';
		if (!domain_parse(name, d, NULL))
			continue;
		all[n++] = asked_of(d->wire, d->len, d->labels);
	}
	*ret_count = n;
	return all;
}

static double ask_all(
	const struct index *ix, const struct asked *q, size_t n, int rounds, size_t *ret_hits)
{
	struct hit hits[SNAPSHOT_HITS_MAX];
	double start = now_ms();

	*ret_hits = 0;
	for (int r = 0; r < rounds; r++)
		for (size_t i = 0; i < n; i++)
			*ret_hits += index_find(ix, &q[i], NOW_S, hits);
	return (now_ms() - start) * 1e6 / ((double)n * rounds + 1e-9);
}

int main(int argc, char **argv)
{
	int rounds = argc > 4 ? number(argv[4]) : 3;
	unsigned sets = argc > 5 ? (unsigned)number(argv[5]) : 1;
	struct buf bytes = BUF_INIT((size_t)1 << 34);
	struct hit hits[SNAPSHOT_HITS_MAX];
	struct asked *q, *listed, *unlisted;
	size_t n, n_listed = 0, n_unlisted = 0, sum;
	enum dataset_type type;
	struct index ix = {0};
	struct builder *b;
	struct err err;
	double t0, t1, t2, t3;

	if (argc < 4 || !dataset_type_named(slice_str(argv[1]), &type)) {
		fprintf(stderr, "usage: indexbench TYPE LIST QUESTIONS [ROUNDS [SETS]]\n");
		return 2;
	}
	t0 = now_ms();
	b = built(type, mapped(argv[2]), sets);
	t1 = now_ms();
	if (!builder_write(b, &bytes, &err))
		fail(&err);
	builder_free(b);
	t2 = now_ms();
	ix.snapshot = snapshot_open(buf_slice(&bytes), &err);
	if (!ix.snapshot)
		fail(&err);
	t3 = now_ms();
	q = questions_of(mapped(argv[3]), &n);
	listed = mem_new(n + 1, sizeof *listed);
	unlisted = mem_new(n + 1, sizeof *unlisted);
	for (size_t i = 0; i < n; i++) {
		if (index_find(&ix, &q[i], NOW_S, hits))
			listed[n_listed++] = q[i];
		else
			unlisted[n_unlisted++] = q[i];
	}
	printf("entries %llu, bytes %zu, %.2f each\n",
		(unsigned long long)snapshot_set_entries(ix.snapshot, 0), bytes.len,
		(double)bytes.len / (double)snapshot_set_entries(ix.snapshot, 0));
	printf("read %.0f ms, write %.0f ms, open %.1f ms\n", t1 - t0, t2 - t1, t3 - t2);
	printf("hit %.0f ns (%zu questions)", ask_all(&ix, listed, n_listed, rounds, &sum),
		n_listed);
	printf(", miss %.0f ns (%zu)\n", ask_all(&ix, unlisted, n_unlisted, rounds, &sum),
		n_unlisted);
	return 0;
}
