/* top_private.h - shared by the files of `sekisho top`: two replies of dnsd become rates, rates become text. All
 * but top.c and top_live.c is pure. */
#pragma once

#include "base/buf.h"
#include "base/err.h"
#include "config/config.h"

#include <jansson.h>

enum top_part { TOP_LISTS, TOP_ZONES, TOP_CLIENTS, TOP_NAMES, TOP_PARTS };

struct top_transport {
	const char *name; /* borrowed of the reply */
	double queries;	  /* all in a second, as below */
};

#define TOP_TRANSPORTS_MAX 8
#define TOP_QUANTILES 4

/* What happened between two replies, in a second; the later reply must outlive it. */
struct top_rates {
	const json_t *now;
	double seconds; /* 0: there is nothing to tell yet (the first reply, the server started anew) */
	struct top_transport transports[TOP_TRANSPORTS_MAX]; /* addresses summed up */
	size_t transport_count;
	double queries, listed, nxdomain, refused, errors, dropped, limited, received_bytes,
		sent_bytes;
	bool has_latency;
	double latency_us[TOP_QUANTILES]; /* of UDP; see top_quantiles */
};

extern const double top_quantiles[TOP_QUANTILES];

/* before: NULL: none. */
void top_rates_of(const json_t *before, const json_t *now, struct top_rates *ret);
json_t *top_json(const struct top_rates *r);

/* In front of text that stands out; never part of it. */
#define TOP_REVERSE '\1'
#define TOP_BOLD '\2'
#define TOP_PLAIN '\3'

struct top_screen {
	size_t width, height;
	bool marks; /* with the signs above */
};
/* At most s->height lines, none longer than s->width, each ended by "\n" but the last. */
void top_draw(const struct top_rates *r, const struct top_screen *s, struct buf *to);
/* The same as one table under the other. */
void top_print(const struct top_rates *r, struct buf *to);

#define TOP_TEXT_MAX ((size_t)4 << 20)
#define TOP_RAMP_UP_MS 300 /* until sampling has found its rate */

/* dnsd's next reply; NULL: err says why there is none. */
json_t *top_ask(int fd, struct err *err);
/* On the terminal until the user ends it; closes fd. The exit code. */
int top_live(const struct config *config, int fd, int64_t interval_ms);
