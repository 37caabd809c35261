/* fuzz_dnsd_access.c - any message from any asker to zones with rules, keys and whole records: replies are well
 * formed and fit. The first byte picks who asks. */
#include "../unit/access_world.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_reply(const uint8_t *data, struct slice reply)
{
	const uint8_t *out = (const uint8_t *)reply.ptr;
	size_t at = DNS_HEADER_SIZE;
	struct dns_record rec;
	struct domain d;

	ACCESS_NEED(reply.len >= DNS_HEADER_SIZE && memcmp(out, data, 2) == 0);
	if (dns_u16(out + 4)) {
		ACCESS_NEED((at = dns_name_read(reply, at, &d)) != 0);
		at += 4;
	}
	for (unsigned n = dns_u16(out + 6) + dns_u16(out + 8) + dns_u16(out + 10) + 0u; n; n--) {
		ACCESS_NEED((at = dns_record_read(reply, at, &rec)) != 0);
		ACCESS_NEED(dns_name_read(reply, rec.owner, &d) != 0);
		if (rec.type == DNS_MX)
			ACCESS_NEED(dns_name_read(reply, rec.rdata + 2, &d) != 0);
	}
	ACCESS_NEED(at == reply.len);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const peers[] = {"192.0.2.1", "192.0.2.2", "192.0.2.3", "192.0.2.4",
		"192.0.2.6", "198.51.100.7", "203.0.113.2", "203.0.113.1", "2001:db8:1::5",
		"192.0.2.99"};
	static struct world w;
	struct answer_from from = {.transport = ANSWER_UDP, .now_s = NOW};
	uint8_t *out = malloc(ANSWER_SIZE_UDP);
	struct answer_note note;
	size_t n;

	if (!w.served)
		world_init(&w);
	if (size)
		ip_parse(slice_str(peers[data[0] % ARRAY_LEN(peers)]), &from.peer);
	n = answer(w.served, &from, slice_skip(slice_of(data, size), 1), out, &note);
	ACCESS_NEED(n <= ANSWER_SIZE_UDP);
	if (n) {
		check_reply(data + 1, slice_of(out, n));
		ACCESS_NEED(!note.key_at || note.key_at < DOMAIN_WIRE_MAX);
	}
	free(out);
	return 0;
}
