/* fuzz_catalogue.c - the table of refusals, and replies read with it: keys never show, what is cut out
 * stays inside. The input is a table, an empty line, a reply; without a table of its own a small one. */
#include "base/arena.h"
#include "catalogue/refusal.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char table[] = "recv\tOp\tOp codes\treceiver\terror: open resolver\t\t\t\t\tx\n"
			    "ip\tOp\tOp\tip\tzone=bl.op.example | keyed=dq.op.example | words of "
			    "op\t%IP%\t%DOMAIN%\t\t\tx\n"
			    "dom\tDom\tDom\tdomain\tzone=dbl.dom.example\t\t\t\t\tx\n"
			    "loc\t\tlocal\tlocal\tblacklisted\t\t\t\t\tx\n"
			    "dns\t\trdns\tdns\tno reverse dns\t\t\t\t\tx\n";

static void read_reply(const struct signatures *s, struct slice reply)
{
	struct arena *a = arena_new(MIME_ARENA_SIZE);
	struct buf once = BUF_INIT((size_t)4 << 20), twice = BUF_INIT((size_t)16 << 20);
	struct refusals all;

	if (refusals_read(s, reply, a, &all)) {
		if (all.count > REFUSAL_MAX)
			abort();
		for (size_t i = 0; i < all.count; i++) {
			buf_reset(&once);
			refusal_url(SLICE("%IP%/%DOMAIN%"), &all.items[i], &once);
			if (all.items[i].list.len == 0)
				abort();
		}
	}
	buf_reset(&once);
	signatures_mask(s, reply, &once);
	signatures_mask(s, buf_slice(&once), &twice);
	if (!once.failed && !twice.failed && !slice_eq(buf_slice(&once), buf_slice(&twice)))
		abort();
	buf_done(&once);
	buf_done(&twice);
	arena_free(a);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct signatures *fixed;
	struct slice all = slice_of(data, size);
	struct signatures *own;
	size_t cut = slice_find_nocase(all, SLICE("\n\n"));

	if (!fixed)
		fixed = signatures_parse(slice_of(table, sizeof table - 1), NULL);
	if (!fixed)
		abort();
	read_reply(fixed, all);
	own = signatures_parse(slice_take(all, cut), NULL);
	if (own)
		read_reply(own, slice_skip(all, cut));
	signatures_free(own);
	return 0;
}
