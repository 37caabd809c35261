/* fuzz_dns_dnstap.c - what the reader of the query log may say: any bytes as a control frame. */
#include "dns/dnstap.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define CHECK(x) ((x) ? (void)0 : abort())

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	enum dnstap_control control, again;
	struct buf b = BUF_INIT(1024);
	int n = dnstap_read_control(slice_of(data, size), &control);

	CHECK(n >= -1 && (n < 0 || (size_t)n <= size));
	if (n > 0) {
		CHECK(control >= DNSTAP_ACCEPT && control <= DNSTAP_FINISH);
		dnstap_write_control(&b, control);
		CHECK(dnstap_read_control(buf_slice(&b), &again) == (int)b.len && again == control);
	}
	buf_done(&b);
	return 0;
}
