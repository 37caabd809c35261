/* report.h - the state of the server as the JSON objects of docs/messages.md, for the control socket. In the
 * loop. */
#pragma once

#include "config/config.h"
#include "dnsd/data/files.h"
#include "dnsd/copy/primaries.h"
#include "dnsd/data/site.h"
#include "dnsd/see/tap.h"
#include "dnsd/path/tcp.h"
#include "dnsd/transfer/transfer.h"
#include "dnsd/path/worker.h"
#include "dnsd/path/xdp.h"

#include <jansson.h>

/* What is told of; all borrowed. */
struct report {
	const struct config *config;
	_Atomic(struct served *) *served;
	const struct site *site; /* NULL: no lists */
	const struct files *files;
	struct transfers *transfers;
	const struct primaries *primaries;
	struct worker *const *workers; /* of each address of `listen`, one after the other */
	size_t workers_each;
	const struct tcp *tcp;
	const struct xdp *xdp;
	const struct taps *taps; /* NULL: no query log */
	int64_t started_ms;	 /* since 1970 */
};

/* Counters of each address and transport, for `status` and `top`. */
json_t *report_transports(const struct report *r);
/* Adds what there is one of. */
void report_status(const struct report *r, json_t *reply);

/* What there are many of: the `from`-th and as many more as fit into `items`; 0 when they are all told, else
 * where to go on. */
typedef size_t report_list_fn(const struct report *r, size_t from, json_t *items);
report_list_fn report_zones, report_data, report_secondaries;
