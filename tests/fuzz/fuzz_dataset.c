/* fuzz_dataset.c - any text as a data set of the type its first byte names: refused, or a snapshot that
 * opens and answers. */
#include "dataset/dataset.h"
#include "index/index.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void ask(const struct snapshot *s)
{
	static const uint8_t names[][12] = {
		"\1a\0", "\1b\1a\0", "\2bb\3ccc\1a\0", "\1x\1y\1z\1a\0"};
	static const uint8_t lens[][2] = {{3, 1}, {5, 2}, {10, 3}, {9, 4}};
	struct hit hits[SNAPSHOT_HITS_MAX];
	struct index ix = {s, NULL};
	char subject[INDEX_SUBJECT_MAX], text[VALUE_TEXT_MAX];

	for (size_t set = 0; set < snapshot_set_count(s); set++) {
		for (size_t i = 0; i < 4 + 8; i++) {
			struct ip ip =
				i % 2 ? ip4_of(0x0a000000u + (uint32_t)i)
				      : (struct ip){.family = 6, .bytes = {0x20, 1, 0x0d, 0xb8}};
			struct asked q =
				i < 4 ? asked_of(names[i], lens[i][0], lens[i][1]) : asked_ip(&ip);
			size_t n = index_find_in(&ix, set, &q, 1, hits);

			for (size_t k = 0; k < n; k++) {
				size_t len = index_subject(
					snapshot_set_meta(s, set), &q, &hits[k], subject);

				if (value_expand(hits[k].value.text, slice_of(subject, len), text)
					> VALUE_TEXT_MAX)
					abort();
			}
		}
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const uint8_t seed[16];
	struct dataset_options options = {.now_s = 1700000000};
	struct buf bytes = BUF_INIT((size_t)1 << 30);
	struct builder *b = builder_new(1, seed);
	struct dataset *d;
	struct err err;
	struct slice text = slice_of(data, size);

	options.host_bits = size && data[0] & 0x80;
	d = dataset_new(
		b, size ? (data[0] & 0x7f) % (DATASET_ACLKEY + 1) : 0, SLICE("x"), &options);
	text = slice_skip(text, 1);
	if (dataset_file(d, SLICE("one"), slice_take(text, text.len / 2), 1, &err)
		&& dataset_file(d, SLICE("two"), slice_skip(text, text.len / 2), 2, &err)
		&& dataset_finish(d, &err)) {
		struct snapshot *s;

		if (!builder_write(b, &bytes, &err))
			abort();
		s = snapshot_open(buf_slice(&bytes), &err);
		if (!s)
			abort();
		ask(s);
		snapshot_close(s);
	}
	dataset_free(d);
	builder_free(b);
	buf_done(&bytes);
	return 0;
}
