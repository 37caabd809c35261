/* namesbench.c - what a name costs in a snapshot (bytes, nanoseconds a question) and what changes cost on
 * top: namesbench LIST QUESTIONS ZONE. LIST: a name or ".name" (with all below it) a line; QUESTIONS: a
 * name below ZONE and a type a line. One question waits for the answer of the one before it. */
#include "base/mem.h"
#include "index/builder.h"
#include "index/index.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define SETS 5
#define CHANGES 200000
#define ADDRESSES 1000000
#define ROUNDS 5

static const uint8_t seed[16] = "namesbench";
static struct hit hits[SNAPSHOT_HITS_MAX];

/* Of this thread: other work on the machine counts less. */
static double now_s(void)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static struct slice file_bytes(const char *path)
{
	int fd = open(path, O_RDONLY);
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

/* Many names, one behind the other: length, labels, wire form. */
struct asked_names {
	uint8_t *bytes;
	size_t len, cap, count;
};

static void names_add(struct asked_names *n, const struct domain *d)
{
	if (n->len + 2 + d->len > n->cap) {
		n->cap = n->cap ? n->cap * 2 : 1024;
		n->bytes = mem_resize(n->bytes, n->cap);
	}
	n->bytes[n->len++] = d->len;
	n->bytes[n->len++] = d->labels;
	memcpy(n->bytes + n->len, d->wire, d->len);
	n->len += d->len;
	n->count++;
}

static struct asked names_next(const struct asked_names *n, size_t *at)
{
	const uint8_t *p = n->bytes + *at;

	*at += 2u + p[0];
	return (struct asked){.name = p + 2, .name_len = p[0], .labels = p[1]};
}

/* Through a file, as a server has it: mapped, not on the heap. */
static struct snapshot *snapshot_of(struct builder *b, size_t *ret_size)
{
	struct buf bytes = BUF_INIT((size_t)4 << 30);
	struct err err;
	FILE *f = tmpfile();
	struct snapshot *s;
	double began;
	void *p;

	if (!f || !builder_write(b, &bytes, &err)
		|| fwrite(bytes.ptr, 1, bytes.len, f) != bytes.len || fflush(f) != 0
		|| (p = mmap(NULL, bytes.len, PROT_READ, MAP_SHARED, fileno(f), 0)) == MAP_FAILED)
		exit(2);
	builder_free(b);
	*ret_size = bytes.len;
	began = now_s();
	s = snapshot_open(slice_of(p, bytes.len), &err);
	printf("open %.1f ms\n", (now_s() - began) * 1e3);
	buf_done(&bytes);
	fclose(f);
	return s ? s : (puts(err.text), exit(2), NULL);
}

static struct snapshot *snapshot_of_list(const char *path)
{
	struct builder *b = builder_new(1, seed);
	struct set_meta meta = meta_plain(SET_NAME, SET_ALL, 300);
	struct builder_set *set = builder_set_new(b, SLICE("names"), &meta);
	struct slice rest = file_bytes(path), line;
	uint32_t value = builder_value(set, 0x7f000002, SLICE("listed: $"));
	struct snapshot *s;
	double began = now_s();
	size_t count = 0, size;

	while (slice_cut_line(&rest, &line)) {
		bool wild = slice_starts(line, SLICE("."));
		struct domain d;

		if (!line.len || line.ptr[0] == '$' || line.ptr[0] == ':'
			|| !domain_parse(slice_skip(line, wild), &d, NULL))
			continue;
		builder_add_name(set, &d, wild ? SCOPE_BOTH : SCOPE_SELF, value, 0);
		count++;
	}
	printf("%zu names collected in %.2f s; ", count, now_s() - began);
	began = now_s();
	s = snapshot_of(b, &size);
	printf("written and opened in %.2f s; %.1f bytes a name\n", now_s() - began,
		(double)size / (double)count);
	return s;
}

static double ns_a_name(const struct index *ix, const struct asked_names *n)
{
	double best = 1e9, took;

	for (int round = 0; round < ROUNDS; round++) {
		double began = now_s();

		for (size_t at = 0; at < n->len;) {
			struct asked q = names_next(n, &at);

			at += index_find(ix, &q, 1, hits) >> 20;
		}
		took = (now_s() - began) / (double)n->count * 1e9;
		best = took < best ? took : best;
	}
	return best;
}

static void ask_names(const struct snapshot *s, const char *path, const char *zone)
{
	struct slice rest = file_bytes(path), line, word;
	struct asked_names hit = {0}, miss = {0};
	struct index ix = {.snapshot = s};
	struct domain origin, d;

	if (!domain_parse(slice_str(zone), &origin, NULL))
		exit(2);
	while (slice_cut_line(&rest, &line)) {
		struct asked q;

		if (!slice_cut_word(&line, &word) || !domain_parse(word, &d, NULL)
			|| !domain_is_under(&d, &origin))
			continue;
		d.len = (uint8_t)(d.len - origin.len + 1);
		d.labels = (uint8_t)(d.labels - origin.labels);
		d.wire[d.len - 1] = 0;
		q = (struct asked){.name = d.wire, .name_len = d.len, .labels = d.labels};
		names_add(index_find(&ix, &q, 1, hits) ? &hit : &miss, &d);
	}
	printf("names: %zu listed %.0f ns, %zu unlisted %.0f ns\n", hit.count, ns_a_name(&ix, &hit),
		miss.count, ns_a_name(&ix, &miss));
	ix.overlay = overlay_new(s);
	printf("  under an empty overlay: %.0f and %.0f ns\n", ns_a_name(&ix, &hit),
		ns_a_name(&ix, &miss));
	for (size_t i = 0, at = 0; i < CHANGES && i < miss.count; i++) {
		struct asked q = names_next(&miss, &at);

		if (domain_from_wire(q.name, q.name_len, &d))
			overlay_put_name((struct overlay *)ix.overlay, 0, &d, SCOPE_BOTH,
				i % 2 ? &(struct value){0x7f000002, SLICE("new")} : NULL, 0);
	}
	printf("  under %zu changes: %.0f and %.0f ns\n", overlay_count(ix.overlay),
		ns_a_name(&ix, &hit), ns_a_name(&ix, &miss));
	overlay_free((struct overlay *)ix.overlay);
	free(hit.bytes);
	free(miss.bytes);
}

static uint32_t address_of(uint64_t i)
{
	i = (i + 1) * 0x9e3779b97f4a7c15;
	return (uint32_t)((i ^ i >> 29) * 0xbf58476d1ce4e5b9 >> 32);
}

static double ns_an_address(const struct index *ix)
{
	double best = 1e9, took;

	for (int round = 0; round < ROUNDS; round++) {
		double began = now_s();

		for (size_t i = 0, k = 0; i < ADDRESSES; i++, k++) {
			struct asked q = {.name = (const uint8_t *)"",
				.name_len = 1,
				.is_ip4 = true,
				.ip4 = address_of(k * 2)};

			k += index_find(ix, &q, 1, hits) >> 20;
		}
		took = (now_s() - began) / ADDRESSES * 1e9;
		best = took < best ? took : best;
	}
	return best;
}

static void ask_addresses(void)
{
	struct builder *b = builder_new(1, seed);
	struct set_meta meta = meta_plain(SET_IP, SET_FIRST, 300);
	struct index ix = {0};
	struct overlay *o;
	double began, took;
	size_t size;

	for (size_t s = 0; s < SETS; s++) {
		struct builder_set *set = builder_set_new(b, SLICE("addresses"), &meta);
		uint32_t value = builder_value(set, 0x7f000002, SLICE("listed"));

		for (size_t i = s; i < ADDRESSES; i += SETS)
			builder_add_ip4(set, address_of(i), 32, value, 0);
	}
	ix.snapshot = snapshot_of(b, &size);
	printf("addresses: %d in %d sets, half of those asked: %.0f ns\n", ADDRESSES, SETS,
		ns_an_address(&ix));
	ix.overlay = o = overlay_new(ix.snapshot);
	printf("  under an empty overlay: %.0f ns\n", ns_an_address(&ix));
	began = now_s();
	for (uint64_t i = 0; i < CHANGES; i++) {
		struct prefix p = {.ip = ip4_of(address_of(i * 5)), .len = 32};

		overlay_put_prefix(o, i % SETS, &p,
			i % 3 ? &(struct value){0x7f000002, SLICE("new")} : NULL, 0);
	}
	took = now_s() - began;
	printf("  under %zu changes, put at %.2f million a second: %.0f ns\n", overlay_count(o),
		CHANGES / took / 1e6, ns_an_address(&ix));
	overlay_free(o);
	snapshot_close((struct snapshot *)ix.snapshot);
}

int main(int argc, char **argv)
{
	struct snapshot *s;

	if (argc != 4) {
		fputs("usage: namesbench LIST QUESTIONS ZONE\n", stderr);
		return 2;
	}
	s = snapshot_of_list(argv[1]);
	ask_names(s, argv[2], argv[3]);
	snapshot_close(s);
	ask_addresses();
	return 0;
}
