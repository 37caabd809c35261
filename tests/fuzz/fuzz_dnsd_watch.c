/* fuzz_dnsd_watch.c - any message with a key anywhere in it: its sample is no longer than the message, and nothing
 * but header and what stands around the key. The first byte says where the key is. */
#include "dnsd/see/watch.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(void *ctx, const struct watch_sample *s)
{
	const struct slice *message = ctx;
	size_t len = MIN(message->len, WATCH_QUERY_MAX), i = DNS_HEADER_SIZE, cut = len - s->len;

	if (s->len > len)
		abort();
	while (i < s->len && s->query[i] == (uint8_t)message->ptr[i])
		i++;
	if (i < s->len && memcmp(s->query + i, message->ptr + i + cut, s->len - i) != 0)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct watches *w;
	struct slice message;

	if (!w) {
		w = watches_new(1);
		watches_start(w);
		watches_adapt(w, 1000);
	}
	if (size == 0)
		return 0;
	message = slice_of(data + 1, size - 1);
	if (watch_turn(watches_get(w, 0))) {
		const struct answer_note note = {.key_at = data[0]};
		const struct ip ip = {.family = 4};
		watch_take(watches_get(w, 0), ANSWER_UDP, &ip, message, 0, &note, 0);
	}
	watches_drain(w, check, &message);
	return 0;
}
