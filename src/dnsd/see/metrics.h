/* metrics.h - the state of the server in numbers, filled in by one function (dnsd.c) and told as Prometheus
 * reads them; what their names mean stands in sekisho-dnsd(8). */
#pragma once

#include "base/buf.h"
#include "dnsd/see/stats.h"

#define METRICS_TRANSPORTS 3

struct metrics_data {
	const char *name; /* "type:file,file" */
	bool loaded;	  /* read well at least once */
	bool failed;	  /* but not at the last attempt: what is served is old, or nothing */
	uint64_t entries;
	int64_t loaded_s; /* since 1970 */
};

struct metrics {
	int64_t started_s;
	const char *transports[METRICS_TRANSPORTS];
	struct stats stats[METRICS_TRANSPORTS];
	size_t transport_count;
	size_t zones;
	uint64_t query_log_lost, xdp_lost;
	/* what listd publishes */
	bool has_snapshot;
	uint64_t serial, snapshot_serial, snapshot_entries, overlay_entries;
	int64_t snapshot_loaded_s;
	struct metrics_data *data; /* of rbldnsd's files; from mem_new() */
	size_t data_count;
};

#define METRICS_TEXT_MAX ((size_t)1 << 22)

void metrics_text(const struct metrics *m, struct buf *to);

/* What a client of the metrics' address wants. */
enum metrics_request {
	METRICS_MORE, /* its request is not whole yet */
	METRICS_BAD,
	METRICS_NOT_ALLOWED, /* neither GET nor HEAD */
	METRICS_NOT_FOUND,
	METRICS_HEAD,
	METRICS_GET,
};
enum metrics_request metrics_request_parse(struct slice bytes);
