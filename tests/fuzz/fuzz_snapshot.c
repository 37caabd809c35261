/* fuzz_snapshot.c - any bytes as a snapshot, with size and checksum put right so that what lies behind
 * them is reached: opened or refused, and what was opened answers within its bytes. */
#include "base/attr.h"
#include "index/crc32c.h"
#include "index/format.h"
#include "index/index.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static volatile uint8_t sink;

/* Every byte of an answer must be readable. */
static void read_hits(const struct hit hits[], size_t n)
{
	if (n > SNAPSHOT_HITS_MAX)
		abort();
	for (size_t i = 0; i < n; i++)
		for (size_t k = 0; k < hits[i].value.text.len; k++)
			sink ^= (uint8_t)hits[i].value.text.ptr[k];
}

static bool read_prefix(const struct snapshot_prefix *p, void *ctx)
{
	size_t *left = ctx;

	if (p->prefix.len > ip_bits(p->prefix.ip.family))
		abort();
	for (size_t k = 0; k < p->value.text.len; k++)
		sink ^= (uint8_t)p->value.text.ptr[k];
	return --*left > 0;
}

static void walk(const struct snapshot *s)
{
	static const struct ip from[] = {{.family = 4}, {.family = 4, .bytes = {10, 0, 0, 3}},
		{.family = 6, .bytes = {0x20, 0x01, 0x0d, 0xb8}}};

	for (size_t i = 0; i < ARRAY_LEN(from); i++) {
		size_t left = 1000;

		snapshot_each_prefix(s, &from[i], read_prefix, &left);
	}
}

static void ask(const struct snapshot *s, const uint8_t *data, size_t size)
{
	static const uint8_t names[][12] = {
		"\1a\0", "\1b\1a\0", "\2bb\3ccc\1a\0", "\1x\1y\1z\1a\0", "\7example\1c\0"};
	static const uint8_t lens[][2] = {{3, 1}, {5, 2}, {10, 3}, {9, 4}, {11, 2}};
	struct hit hits[SNAPSHOT_HITS_MAX];
	struct overlay *o = overlay_new(s);
	struct index ix = {s, o};
	struct prefix p = {.ip = ip4_of(0x0a000001), .len = 32};

	for (size_t set = 0; set < snapshot_set_count(s); set++) {
		overlay_put_prefix(o, set, &p, &(struct value){1, SLICE("over $")}, 0);
		for (size_t i = 0; i < 64; i++) {
			uint32_t address = i * 4 + 4 <= size
						   ? (uint32_t)data[i * 4] << 24 | data[i * 4 + 3]
						   : 0x0a000000u + (uint32_t)i;
			uint8_t ip6[16] = {0x20, 0x01, 0x0d, 0xb8};

			ip6[i % 16] ^= (uint8_t)i;
			read_hits(hits, snapshot_find_ip4(s, address, (int64_t)i, hits));
			read_hits(hits, snapshot_find_ip6(s, ip6, (int64_t)i, hits));
			if (i < 5) {
				struct asked q = asked_of(names[i], lens[i][0], lens[i][1]);

				read_hits(hits, index_find_in(&ix, set, &q, 1, hits));
			}
		}
		read_hits(
			hits, index_find_in(&ix, set,
				      &(struct asked){.is_ip4 = true, .ip4 = 0x0a000001}, 1, hits));
		sink ^= (uint8_t)snapshot_set_name(s, set).len;
	}
	overlay_free(o);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *copy = malloc(size ? size : 1); /* aligned, and of exact size */
	struct file_head h;
	struct snapshot *s;

	memcpy(copy, data, size);
	if (size >= sizeof h) {
		memcpy(&h, copy, sizeof h);
		memcpy(h.magic, FORMAT_MAGIC, sizeof h.magic);
		h.version = FORMAT_VERSION;
		h.order = FORMAT_ORDER;
		h.size = size;
		h.crc = 0;
		memcpy(copy, &h, sizeof h);
		h.crc = crc32c(0, slice_of(copy, size));
		memcpy(copy, &h, sizeof h);
	}
	s = snapshot_open(slice_of(copy, size), NULL);
	if (s) {
		ask(s, data, size);
		walk(s);
	}
	snapshot_close(s);
	free(copy);
	return 0;
}
