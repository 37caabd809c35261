/* fuzz_dns_tsig.c - signed messages from strangers: what is found lies inside the message, nobody without
 * the key gets through, and a refusal is a message. */
#include "base/attr.h"
#include "dns/tsig.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define CHECK(x) ((x) ? (void)0 : abort())

static bool inside(struct slice part, const uint8_t *data, size_t size)
{
	const uint8_t *p = (const uint8_t *)part.ptr;

	return part.len == 0 || (p >= data && p + part.len <= data + size);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct tsig_key key = {
		.name = {.len = 3, .labels = 1, .wire = "\1k"}, .algorithm = 4, .secret_len = 3};
	struct tsig_chain c;
	struct tsig_record r, again;
	enum tsig_error error;

	if (tsig_find(slice_of(data, size), &r) != TSIG_PRESENT)
		return 0;
	CHECK(r.at >= DNS_HEADER_SIZE && r.at < size);
	CHECK(inside(r.mac, data, size) && inside(r.other, data, size));
	tsig_chain_start(&c, &key);
	error = tsig_chain_check(&c, slice_of(data, size), &r, (int64_t)r.time_s);
	CHECK(error != TSIG_BADTIME);
	if (error != TSIG_OK) {
		size_t room = r.at + TSIG_SIZE_MAX + DOMAIN_WIRE_MAX, n;
		uint8_t *reply = malloc(room);

		memcpy(reply, data, r.at);
		dns_put_u16(reply + 10, (uint16_t)(dns_u16(reply + 10) - 1));
		n = tsig_refuse(&c, &r, error, reply, r.at, room, 0);
		CHECK(n > 0 && tsig_find(slice_of(reply, n), &again) == TSIG_PRESENT);
		CHECK(again.error == error && again.mac.len == 0);
		free(reply);
	}
	tsig_chain_done(&c);
	return 0;
}
