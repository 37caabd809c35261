/* fuzz_base.c - addresses, prefixes, domain names, spans of time: what is accepted prints and parses
 * back to the same. */
#include "base/domain.h"
#include "base/duration.h"
#include "base/ip.h"
#include "base/log.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice s = slice_of(data, size);
	struct prefix p, p2;
	struct domain d, d2;
	int64_t v, v2;

	if (prefix_parse(s, &p, NULL)
		&& (!prefix_parse(slice_str(prefix_text(&p).s), &p2, NULL) || p.len != p2.len
			|| !ip_eq(&p.ip, &p2.ip)))
		abort();
	if (domain_parse(s, &d, NULL)
		&& (!domain_parse(slice_str(domain_text(&d).s), &d2, NULL) || !domain_eq(&d, &d2)))
		abort();
	if (domain_from_wire(data, size, &d)
		&& (!domain_parse(slice_str(domain_text(&d).s), &d2, NULL) || !domain_eq(&d, &d2)))
		abort();
	domain_parse_idn(s, &d, NULL);
	if (duration_parse(s, &v) && v > 0
		&& (!duration_parse(slice_str(duration_text(v).s), &v2) || v != v2))
		abort();
	log_quote(s);
	return 0;
}
