/* report.c - the state of the server as JSON: what there is one of, and what is counted. */
#include "dnsd/control/report.h"

#include "io/clock.h"
#include "io/ipc.h"

static uint64_t get(const _Atomic uint64_t *counter)
{
	return atomic_load_explicit(counter, memory_order_relaxed);
}

static json_t *number(uint64_t v)
{
	return json_integer((json_int_t)v);
}

/* ---- counters ---- */

static const struct {
	const char *name;
	size_t offset;
} counters[] = {
	{"queries", offsetof(struct stats, queries)},
	{"dropped", offsetof(struct stats, dropped)},
	{"listed", offsetof(struct stats, listed)},
	{"truncated", offsetof(struct stats, truncated)},
	{"limited", offsetof(struct stats, limited)},
	{"over_quota", offsetof(struct stats, over_quota)},
	{"send_errors", offsetof(struct stats, send_errors)},
	{"received_bytes", offsetof(struct stats, bytes_in)},
	{"sent_bytes", offsetof(struct stats, bytes_out)},
};

static const struct {
	unsigned rcode;
	const char *name;
} rcodes[] = {
	{DNS_NOERROR, "noerror"},
	{DNS_FORMERR, "formerr"},
	{DNS_SERVFAIL, "servfail"},
	{DNS_NXDOMAIN, "nxdomain"},
	{DNS_NOTIMP, "notimp"},
	{DNS_REFUSED, "refused"},
	{DNS_NOTAUTH, "notauth"},
	{DNS_BADVERS, "badvers"},
	{DNS_BADCOOKIE, "badcookie"},
};

static json_t *transport(
	const char *name, const char *address, size_t threads, const struct stats *s)
{
	json_t *o = json_pack("{s:s, s:o, s:o}", "transport", name, "address",
		address ? ipc_text(slice_str(address)) : json_null(), "threads", number(threads));
	json_t *responses = json_object();

	for (size_t i = 0; i < ARRAY_LEN(counters); i++)
		json_object_set_new(o, counters[i].name,
			number(get(
				(const _Atomic uint64_t *)((const char *)s + counters[i].offset))));
	for (size_t i = 0; i < ARRAY_LEN(rcodes); i++)
		json_object_set_new(
			responses, rcodes[i].name, number(get(&s->rcode[rcodes[i].rcode])));
	json_object_set_new(o, "responses", responses);
	return o;
}

/* Threads of TCP share all addresses, and those of XDP see them all, so these are not told one by one. */
json_t *report_transports(const struct report *r)
{
	const struct strings *listen = &r->config->dnsd.listen;
	json_t *all = json_array();
	struct stats sum;

	for (size_t i = 0; i < listen->count; i++) {
		memset(&sum, 0, sizeof sum);
		for (size_t k = 0; k < r->workers_each; k++)
			stats_add(&sum, worker_stats(r->workers[i * r->workers_each + k]));
		json_array_append_new(
			all, transport("udp", listen->items[i], r->workers_each, &sum));
	}
	memset(&sum, 0, sizeof sum);
	tcp_stats_add(&sum, r->tcp);
	json_array_append_new(all, transport("tcp", NULL, tcp_threads(r->tcp), &sum));
	if (xdp_thread_count(r->xdp) == 0)
		return all;
	memset(&sum, 0, sizeof sum);
	for (size_t i = 0; i < xdp_thread_count(r->xdp); i++)
		stats_add(&sum, xdp_stats(r->xdp, i));
	json_array_append_new(all, transport("xdp", NULL, xdp_thread_count(r->xdp), &sum));
	return all;
}

/* ---- what there is one of ---- */

static json_t *snapshot(const struct report *r)
{
	const struct index *ix = r->site ? site_index(r->site) : NULL;
	uint64_t entries = 0;
	json_t *o;

	if (!r->site)
		return json_null();
	o = json_pack("{s:b, s:o}", "published", ix != NULL, "error",
		ipc_text(slice_str(site_error(r->site))));
	if (!ix)
		return o;
	for (size_t i = 0; i < snapshot_set_count(ix->snapshot); i++)
		entries += snapshot_set_entries(ix->snapshot, i);
	json_object_set_new(o, "serial", number(snapshot_serial(ix->snapshot)));
	json_object_set_new(o, "loaded", json_integer(site_loaded_s(r->site) * 1000));
	json_object_set_new(o, "entries", number(entries));
	json_object_set_new(o, "changes", number(ix->overlay ? overlay_count(ix->overlay) : 0));
	json_object_set_new(o, "last_serial", number(get(site_serial(r->site))));
	return o;
}

static json_t *interfaces(const struct report *r)
{
	json_t *all = json_array();

	for (size_t i = 0; i < xdp_interface_count(r->xdp); i++) {
		struct xdp_interface x = xdp_interface(r->xdp, i);
		json_array_append_new(
			all, json_pack("{s:s, s:i, s:s, s:b}", "interface",
				     r->config->dnsd.xdp.items[i], "queues", (int)x.queues, "mode",
				     x.in_driver ? "driver" : "generic", "zero_copy", x.zero_copy));
	}
	return all;
}

void report_status(const struct report *r, json_t *reply)
{
	json_object_set_new(reply, "version", json_string(SEKISHO_VERSION));
	json_object_set_new(reply, "now", json_integer(clock_unix_ms()));
	json_object_set_new(reply, "started", json_integer(r->started_ms));
	json_object_set_new(reply, "transports", report_transports(r));
	json_object_set_new(reply, "xdp", interfaces(r));
	json_object_set_new(reply, "xdp_lost", number(xdp_lost(r->xdp)));
	json_object_set_new(reply, "query_log_lost", number(taps_lost(r->taps)));
	json_object_set_new(reply, "tcp_sessions", number(tcp_sessions(r->tcp)));
	json_object_set_new(reply, "tcp_sessions_max", number(tcp_sessions_max(r->tcp)));
	json_object_set_new(reply, "transfers", number(transfers_running(r->transfers)));
	json_object_set_new(reply, "transfers_max", json_integer(r->config->dnsd.transfers));
	json_object_set_new(reply, "snapshot", snapshot(r));
	json_object_set_new(reply, "zones", number(served_zone_count(atomic_load(r->served))));
}
