/* metrics.c - numbers as text in Prometheus' exposition format, version 0.0.4. */
#include "dnsd/see/metrics.h"

#include "base/attr.h"

#include <inttypes.h>

#define PREFIX "sekisho_dnsd_"

static uint64_t get(const _Atomic uint64_t *counter)
{
	return atomic_load_explicit(counter, memory_order_relaxed);
}

static void family(struct buf *to, const char *name, const char *type, const char *help)
{
	buf_addf(to, "# HELP " PREFIX "%s %s\n# TYPE " PREFIX "%s %s\n", name, help, name, type);
}

static void gauge(struct buf *to, const char *name, const char *help, uint64_t v)
{
	family(to, name, "gauge", help);
	buf_addf(to, PREFIX "%s %" PRIu64 "\n", name, v);
}

static void counter(struct buf *to, const char *name, const char *help, uint64_t v)
{
	family(to, name, "counter", help);
	buf_addf(to, PREFIX "%s %" PRIu64 "\n", name, v);
}

/* ---- questions and answers ---- */

static const struct {
	const char *name, *help;
	size_t offset;
} by_transport[] = {
	{"queries_total", "Messages received.", offsetof(struct stats, queries)},
	{"dropped_total", "Messages that got no answer.", offsetof(struct stats, dropped)},
	{"listed_total", "Answers that say: listed.", offsetof(struct stats, listed)},
	{"truncated_total", "Answers that did not fit.", offsetof(struct stats, truncated)},
	{"limited_total", "Questions over the response rate limit.",
		offsetof(struct stats, limited)},
	{"over_quota_total", "Questions over a quota.", offsetof(struct stats, over_quota)},
	{"send_errors_total", "Answers that could not be sent.",
		offsetof(struct stats, send_errors)},
	{"received_bytes_total", "Bytes of the messages received.",
		offsetof(struct stats, bytes_in)},
	{"sent_bytes_total", "Bytes of the answers.", offsetof(struct stats, bytes_out)},
};

static void write_transports(struct buf *to, const struct metrics *m)
{
	for (size_t i = 0; i < ARRAY_LEN(by_transport); i++) {
		family(to, by_transport[i].name, "counter", by_transport[i].help);
		for (size_t t = 0; t < m->transport_count; t++)
			buf_addf(to, PREFIX "%s{transport=\"%s\"} %" PRIu64 "\n",
				by_transport[i].name, m->transports[t],
				get((const _Atomic uint64_t *)((const char *)&m->stats[t]
							       + by_transport[i].offset)));
	}
}

/* Those that we give; others do not occur. */
static const struct {
	unsigned rcode;
	const char *name;
} rcodes[] = {
	{DNS_NOERROR, "NOERROR"},
	{DNS_FORMERR, "FORMERR"},
	{DNS_SERVFAIL, "SERVFAIL"},
	{DNS_NXDOMAIN, "NXDOMAIN"},
	{DNS_NOTIMP, "NOTIMP"},
	{DNS_REFUSED, "REFUSED"},
	{DNS_NOTAUTH, "NOTAUTH"},
	{DNS_BADVERS, "BADVERS"},
	{DNS_BADCOOKIE, "BADCOOKIE"},
};

static void write_rcodes(struct buf *to, const struct metrics *m)
{
	family(to, "responses_total", "counter", "Answers by response code.");
	for (size_t t = 0; t < m->transport_count; t++)
		for (size_t i = 0; i < ARRAY_LEN(rcodes); i++)
			buf_addf(to,
				PREFIX "responses_total{transport=\"%s\",rcode=\"%s\"} %" PRIu64
				       "\n",
				m->transports[t], rcodes[i].name,
				get(&m->stats[t].rcode[rcodes[i].rcode]));
}

/* ---- data ---- */

static void write_snapshot(struct buf *to, const struct metrics *m)
{
	if (!m->has_snapshot)
		return;
	gauge(to, "serial", "Serial of the last change taken.", m->serial);
	gauge(to, "snapshot_serial", "Serial of the snapshot served.", m->snapshot_serial);
	gauge(to, "snapshot_entries", "Entries in it.", m->snapshot_entries);
	gauge(to, "snapshot_loaded_timestamp_seconds", "When it was taken.",
		(uint64_t)m->snapshot_loaded_s);
	gauge(to, "overlay_entries", "Changes since, held in memory.", m->overlay_entries);
}

static void data_value(
	struct buf *to, const char *name, const struct metrics_data *d, uint64_t value)
{
	buf_addf(to, PREFIX "%s{data=\"", name);
	for (const char *c = d->name; *c; c++) {
		if (*c == '\\' || *c == '"')
			buf_add_char(to, '\\');
		buf_add_char(to, *c == '\n' ? ' ' : *c);
	}
	buf_addf(to, "\"} %" PRIu64 "\n", value);
}

static void write_data(struct buf *to, const struct metrics *m)
{
	if (m->data_count == 0)
		return;
	family(to, "data_loaded", "gauge", "1: the files were read well at least once.");
	for (size_t i = 0; i < m->data_count; i++)
		data_value(to, "data_loaded", &m->data[i], m->data[i].loaded);
	family(to, "data_failed", "gauge",
		"1: not at the last attempt; older data is served, or none.");
	for (size_t i = 0; i < m->data_count; i++)
		data_value(to, "data_failed", &m->data[i], m->data[i].failed);
	family(to, "data_entries", "gauge", "Entries that are served.");
	for (size_t i = 0; i < m->data_count; i++)
		data_value(to, "data_entries", &m->data[i], m->data[i].entries);
	family(to, "data_loaded_timestamp_seconds", "gauge", "When they were read.");
	for (size_t i = 0; i < m->data_count; i++)
		if (m->data[i].loaded)
			data_value(to, "data_loaded_timestamp_seconds", &m->data[i],
				(uint64_t)m->data[i].loaded_s);
}

void metrics_text(const struct metrics *m, struct buf *to)
{
	family(to, "build_info", "gauge", "Its version; always 1.");
	buf_add_str(to, PREFIX "build_info{version=\"" SEKISHO_VERSION "\"} 1\n");
	gauge(to, "start_time_seconds", "When it started.", (uint64_t)m->started_s);
	gauge(to, "zones", "Zones served.", m->zones);
	write_transports(to, m);
	write_rcodes(to, m);
	counter(to, "query_log_lost_total",
		"Samples that the query log's reader did not take in time.", m->query_log_lost);
	counter(to, "xdp_lost_total", "Frames that came while there was no room for them.",
		m->xdp_lost);
	write_snapshot(to, m);
	write_data(to, m);
}

/* ---- who asks for them ---- */

#define REQUEST_MAX 8192

enum metrics_request metrics_request_parse(struct slice bytes)
{
	size_t end = slice_find_nocase(bytes, SLICE("\r\n\r\n"));
	struct slice line, method, path, version;
	bool head;

	if (end == bytes.len)
		return bytes.len < REQUEST_MAX ? METRICS_MORE : METRICS_BAD;
	line = slice_take(bytes, slice_find(bytes, '\r'));
	if (!slice_cut(&line, ' ', &method) || !slice_cut(&line, ' ', &path))
		return METRICS_BAD;
	version = line;
	if (!slice_starts(version, SLICE("HTTP/1.")) || path.len == 0 || path.ptr[0] != '/')
		return METRICS_BAD;
	head = slice_eq(method, SLICE("HEAD"));
	if (!head && !slice_eq(method, SLICE("GET")))
		return METRICS_NOT_ALLOWED;
	path = slice_take(path, slice_find(path, '?'));
	if (!slice_eq(path, SLICE("/metrics")))
		return METRICS_NOT_FOUND;
	return head ? METRICS_HEAD : METRICS_GET;
}
