/* fuzz_mail_received.c - Received fields. What a spammer writes below them never changes whom we hold
 * for the sender. */
#include "mail/received.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char forged[] =
		"\nReceived: from bank (bank [198.51.100.1]) by mx.ours.example (Postfix); d\n";
	struct prefix relay = {ip4_of(0x0a000000), 8};
	struct received_trust trust = {.relays = &relay, .relay_count = 1};
	struct buf head = BUF_INIT((size_t)2 << 20);
	struct received_sender alone, with;
	struct ip peer = ip4_of(0x0a000001);
	struct slice value = slice_of(data, size);
	struct received r;
	struct slice parts[4];

	if (received_parse(value, &r)) {
		parts[0] = r.helo, parts[1] = r.rdns, parts[2] = r.by, parts[3] = r.for_address;
		for (int i = 0; i < 4; i++)
			if (parts[i].len
				&& (parts[i].ptr < value.ptr
					|| parts[i].ptr + parts[i].len > value.ptr + value.len))
				abort();
	}
	buf_add_str(&head, "Received: ");
	buf_add_slice(&head, value);
	if (received_sender(buf_slice(&head), &peer, &trust, &alone)) {
		if (prefix_contains(&relay, &alone.ip))
			abort();
		/* A fold, or a field that has no end: then the input decides, as it does for any MTA. */
		if (memchr(data, '\r', size) == NULL) {
			struct ip first = alone.ip;

			buf_add_str(&head, forged);
			if (!received_sender(buf_slice(&head), &peer, &trust, &with)
				|| !ip_eq(&first, &with.ip))
				abort();
		}
	}
	buf_done(&head);
	return 0;
}
