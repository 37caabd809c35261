/* fuzz_mail_mime.c - a whole mail: its tree keeps to the limits, its texts are UTF-8, and what is said of
 * it (kind, report, sample) holds. */
#include "base/arena.h"
#include "mail/charset.h"
#include "mail/classify.h"
#include "mail/dsn.h"
#include "mail/redact.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must_be_tree(const struct mime_tree *t)
{
	struct buf text = BUF_INIT(MIME_MAX_DECODED);

	if (t->count == 0 || t->count > MIME_MAX_PARTS)
		abort();
	for (size_t i = 0; i < t->count; i++) {
		const struct mime_part *p = &t->parts[i];

		if (p->parent >= (int)i || p->depth > MIME_MAX_DEPTH || (i > 0) != (p->parent >= 0))
			abort();
		if (p->parent >= 0
			&& (t->parts[p->parent].is_leaf
				|| t->parts[p->parent].depth + 1 != p->depth))
			abort();
		buf_reset(&text);
		mime_decode(p, &text); /* also of containers */
		buf_reset(&text);
		mime_text(p, &text);
		if (!utf8_is_valid(buf_slice(&text)))
			abort();
		mime_file_name(p, &text);
	}
	buf_done(&text);
}

static void must_be_redacted(const struct mime_tree *t)
{
	struct slice secrets[] = {SLICE("hugo.trap@traps.example"), SLICE("sensor.example")};
	struct buf out = BUF_INIT(REDACT_SAMPLE_MAX);

	if (!redact_sample(t, secrets, 2, &out) || out.len > REDACT_SAMPLE_MAX
		|| !utf8_is_valid(buf_slice(&out)))
		abort();
	for (size_t i = 0; i < 2; i++)
		if (slice_find_nocase(buf_slice(&out), secrets[i]) < out.len)
			abort();
	buf_done(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *a = arena_new(MIME_ARENA_SIZE);
	struct mime_tree t;
	struct dsn d;

	if (mime_parse(slice_of(data, size), a, &t)) {
		must_be_tree(&t);
		mail_classify(SLICE_EMPTY, &t, NULL);
		mail_classify(SLICE("a@b"), &t, NULL);
		if (dsn_parse(&t, a, &d)
			&& (d.recipient_count > DSN_MAX_RECIPIENTS || !utf8_is_valid(d.text)))
			abort();
		must_be_redacted(&t);
	}
	arena_free(a);
	return 0;
}
