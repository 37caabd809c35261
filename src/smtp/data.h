/* data.h - the content behind DATA: dots unstuffed, the end found (RFC 5321, 4.5.2).
 *
 * Only CR LF . CR LF ends a mail. LF . LF, LF . CR LF, CR LF . LF and CR . CR are content: servers
 * that disagreed about them let one mail be smuggled inside another. A bare LF is kept as it came,
 * since much spam has it, and noted; a line that follows a bare LF is no line of SMTP, so a dot at
 * its start is neither an end nor stuffed. */
#pragma once

#include "base/buf.h"

struct smtp_data {
	struct buf
		content; /* its limit is the greatest mail; over it content is emptied, `over` stays */
	uint64_t total; /* bytes taken so far, kept or not */
	bool bare_lf, over;
	enum { DATA_LINE_START, DATA_DOT, DATA_DOT_CR, DATA_TEXT, DATA_CR } state;
};

void smtp_data_start(struct smtp_data *d, size_t max_size);
/* Takes bytes up to the end of the mail; returns how many. *ret_end: the end was among them. */
size_t smtp_data_feed(struct smtp_data *d, struct slice in, bool *ret_end);
void smtp_data_done(struct smtp_data *d);
