/* report_lists.c - the state of the server as JSON: zones, data files, secondaries; a piece at a time. */
#include "dnsd/control/report.h"

#include "dns/zone_key.h"
#include "dnsd/transfer/notify.h"
#include "io/clock.h"
#include "io/ipc.h"

#include <stdlib.h>

#define PIECE_BYTES                                                                                \
	((size_t)64 * 1024) /* of about IPC_RECORD_MAX: no item is longer than the rest */
#define ITEM_TEXT_MAX ((size_t)8 * 1024)
#define FAILURES_MAX 3	  /* of looks at primaries in a row */
#define PATIENCE_MS 60000 /* that a secondary has to answer, and then to fetch */

/* Adds an item; false: it fits, but no more does. */
static bool add(json_t *items, size_t *bytes, json_t *item)
{
	*bytes += json_dumpb(item, NULL, 0, JSON_COMPACT) + 1;
	json_array_append_new(items, item);
	return *bytes < PIECE_BYTES;
}

static json_t *text(const char *s)
{
	return ipc_text(slice_take(slice_str(s), ITEM_TEXT_MAX));
}

/* ---- data files ---- */

/* Words that begin with "file:line: ", of a file of this data. */
static bool split_place(const struct files_state *f, struct slice *ret_file, uint64_t *ret_line,
	struct slice *ret_words)
{
	struct slice rest = slice_str(f->name), name, number;

	if (!slice_cut(&rest, ':', &name))
		return false;
	while (slice_cut(&rest, ',', &name)) {
		struct slice words = slice_str(f->error);
		if (!slice_starts(words, name))
			continue;
		words = slice_skip(words, name.len);
		if (words.len == 0 || words.ptr[0] != ':')
			continue;
		words = slice_skip(words, 1);
		*ret_file = name;
		if (slice_cut(&words, ':', &number) && slice_u64(number, UINT32_MAX, ret_line)) {
			*ret_words = slice_trim(words);
			return true;
		}
	}
	return false;
}

static void set_error(json_t *o, const struct files_state *f)
{
	struct slice file, words;
	uint64_t line;

	if (!f->failed)
		return;
	json_object_set_new(o, "error", text(f->error));
	if (!split_place(f, &file, &line, &words))
		return;
	json_object_set_new(o, "file", ipc_text(file));
	json_object_set_new(o, "line", json_integer((json_int_t)line));
	json_object_set_new(o, "words", ipc_text(words));
}

size_t report_data(const struct report *r, size_t from, json_t *items)
{
	size_t bytes = 0;

	for (size_t i = from; i < files_state_count(r->files); i++) {
		struct files_state f = files_state(r->files, i);
		json_t *o = json_pack("{s:o, s:s, s:I, s:I, s:I, s:I, s:I}", "data", text(f.name),
			"state",
			!f.loaded  ? "none"
			: f.failed ? "old"
				   : "ok",
			"entries", (json_int_t)f.entries, "bytes", (json_int_t)f.bytes, "loaded",
			(json_int_t)f.loaded_s * 1000, "warnings", (json_int_t)f.warnings,
			"load_ms", (json_int_t)f.load_ms);
		set_error(o, &f);
		if (f.warnings)
			json_object_set_new(o, "warning", text(f.warning));
		if (!add(items, &bytes, o))
			return i + 1 < files_state_count(r->files) ? i + 1 : 0;
	}
	return 0;
}

/* ---- zones ---- */

/* What the configuration says that a zone is made of, and what became of it. */
struct parts {
	json_t *sources;
	uint64_t entries;
	const char *state; /* "ok" or what is wrong */
	struct files_state failed;
	bool has_failed;
	struct refresh_state copy; /* of another server's zone */
	bool is_copy;
};

static void add_list(const struct report *r, const struct config_list *list, struct parts *p)
{
	const struct index *ix = site_index(r->site);
	uint64_t entries = 0;
	size_t set;

	if (ix && snapshot_set_find(ix->snapshot, slice_str(list->name), &set))
		entries = snapshot_set_entries(ix->snapshot, set);
	else
		p->state = "unpublished";
	p->entries += entries;
	json_array_append_new(
		p->sources, json_pack("{s:s, s:o, s:I}", "kind", "list", "name", text(list->name),
				    "entries", (json_int_t)entries));
}

static void add_files(const struct report *r, size_t zone, struct parts *p)
{
	const size_t *which = files_of_zone(r->files, zone);

	for (size_t k = 0; k < r->config->dnsd.zones[zone].data.count; k++) {
		struct files_state f = files_state(r->files, which[k]);
		p->entries += f.entries;
		if (f.failed && (!p->has_failed || p->failed.loaded)) {
			p->has_failed = true;
			p->failed = f;
			p->state = f.loaded ? "old" : "broken";
		}
		json_array_append_new(
			p->sources, json_pack("{s:s, s:o, s:I}", "kind", "files", "name",
					    text(f.name), "entries", (json_int_t)f.entries));
	}
}

/* Served as it was at the last transfer. */
static void add_copy(const struct report *r, size_t primary, struct parts *p)
{
	p->is_copy = true;
	p->copy = primaries_state(r->primaries, primary);
	p->entries += p->copy.entries;
	if (p->copy.failures >= FAILURES_MAX)
		p->state = "old";
	json_array_append_new(
		p->sources, json_pack("{s:s, s:s, s:I}", "kind", "primary", "name", p->copy.primary,
				    "entries", (json_int_t)p->copy.entries));
}

/* A zone of rules for resolvers. */
static void add_policy(const struct report *r, const struct config_rpz *rpz, struct parts *p)
{
	const struct config *c = r->config;

	for (size_t i = 0; i < rpz->lists.count; i++)
		for (size_t k = 0; k < c->list_count; k++)
			if (strcmp(rpz->lists.items[i], c->lists[k].name) == 0)
				add_list(r, &c->lists[k], p);
}

/* All zones that may be transferred; how many, nobody counts. */
static void add_catalog(struct parts *p)
{
	json_array_append_new(p->sources, json_pack("{s:s, s:s, s:i}", "kind", "catalog", "name",
						  "of all zones", "entries", 0));
}

static struct parts parts_of(const struct report *r, const struct served_zone *z)
{
	const struct config *c = r->config;
	struct parts p = {.sources = json_array(), .state = "ok"};

	for (size_t i = 0; i < c->list_count; i++)
		if (domain_eq(&c->lists[i].zone_name, &z->name))
			add_list(r, &c->lists[i], &p);
	for (size_t i = 0; i < c->dnsd.zone_count; i++)
		if (domain_eq(&c->dnsd.zones[i].zone_name, &z->name))
			add_files(r, i, &p);
	for (size_t i = 0; i < c->dnsd.primary_count; i++)
		if (domain_eq(&c->dnsd.primaries[i].zone_name, &z->name))
			add_copy(r, i, &p);
	for (size_t i = 0; i < c->dnsd.rpz_count; i++)
		if (domain_eq(&c->dnsd.rpz[i].zone_name, &z->name))
			add_policy(r, &c->dnsd.rpz[i], &p);
	if (c->dnsd.catalog_name.len && domain_eq(&c->dnsd.catalog_name, &z->name))
		add_catalog(&p);
	return p;
}

/* When the newest of its data was changed. */
static int64_t stamp_of(const struct served_zone *z)
{
	int64_t stamp_s = 0;

	for (size_t g = 0; g < z->group_count; g++)
		for (size_t i = 0; i < z->groups[g].place_count; i++) {
			const struct served_place *p = &z->groups[g].places[i];
			for (size_t k = 0; k < p->source_count; k++)
				stamp_s = MAX(stamp_s, p->sources[k].meta->stamp_s);
		}
	return stamp_s;
}

static json_t *hex(struct slice s)
{
	_cleanup_buf_ struct buf b = BUF_INIT(256);

	for (size_t i = 0; i < s.len; i++)
		buf_addf(&b, "%02x", (unsigned char)s.ptr[i]);
	return json_string(buf_str(&b));
}

static json_t *zone(const struct report *r, const struct served_zone *z)
{
	struct parts p = parts_of(r, z);
	json_t *o;

	if (z->expires_s && z->expires_s <= clock_unix_ms() / 1000)
		p.state = "expired";
	if (z->broken)
		p.state = "broken";
	o = json_pack("{s:s, s:s, s:o, s:I, s:o, s:I, s:I}", "zone", domain_text(&z->name).s,
		"state", p.state, "sources", p.sources, "entries", (json_int_t)p.entries, "serial",
		z->has_soa ? json_integer(served_serial(z)) : json_null(), "stamp",
		(json_int_t)stamp_of(z) * 1000, "expires", (json_int_t)z->expires_s * 1000);
	if (p.has_failed) {
		set_error(o, &p.failed);
		json_object_set_new(o, "data", text(p.failed.name));
	}
	if (p.is_copy) {
		json_object_set_new(o, "confirmed", json_integer(p.copy.confirmed_ms));
		json_object_set_new(o, "failures", json_integer((json_int_t)p.copy.failures));
		if (p.copy.error[0])
			json_object_set_new(o, "error", text(p.copy.error));
	}
	if (z->key) {
		json_object_set_new(o, "key_tag", json_integer(zone_key_tag(z->key)));
		json_object_set_new(o, "ds", hex(slice_skip(zone_key_ds(z->key), 4)));
	}
	return o;
}

size_t report_zones(const struct report *r, size_t from, json_t *items)
{
	struct served *s = atomic_load(r->served);
	size_t bytes = 0;

	for (size_t i = from; i < served_zone_count(s); i++)
		if (!add(items, &bytes, zone(r, served_zone_at(s, i))))
			return i + 1 < served_zone_count(s) ? i + 1 : 0;
	return 0;
}

/* ---- secondaries ---- */

static const struct transfer_seen *find_seen(
	const struct transfer_seen *seen, size_t count, const struct notify_state *n)
{
	struct ip ip = socket_address_ip(n->address, NULL);

	for (size_t i = 0; i < count; i++)
		if (ip_eq(&seen[i].peer, &ip) && domain_eq(&seen[i].zone, n->zone))
			return &seen[i];
	return NULL;
}

static const struct transfer_seen *is_told(const struct notify *n, const struct transfer_seen *seen)
{
	for (size_t i = 0; i < notify_state_count(n); i++) {
		struct notify_state state = notify_state(n, i);
		if (find_seen(seen, 1, &state))
			return seen;
	}
	return NULL;
}

/* "silent" and "behind" are the two that somebody should look at. A serial that it never fetched from here may
 * be one that it had already. */
static const char *state_of(const struct notify_state *n, const struct transfer_seen *seen)
{
	int64_t now_ms = clock_unix_ms();
	bool older = seen && seen->has_serial && (int32_t)(seen->serial - n->serial) < 0;

	if (!n->sent_ms)
		return "waiting";
	if (!n->answered_ms)
		return now_ms - n->sent_ms < PATIENCE_MS ? "waiting" : "silent";
	if (n->rcode)
		return "refused";
	if (older)
		return now_ms - n->answered_ms < PATIENCE_MS ? "fetching" : "behind";
	return "current";
}

static void set_seen(json_t *o, const struct transfer_seen *s)
{
	json_object_set_new(o, "transfer",
		json_pack("{s:I, s:b, s:s, s:o, s:I, s:I, s:I}", "at", (json_int_t)s->at_ms,
			"finished", s->finished, "kind", s->whole ? "whole" : "changes", "serial",
			s->has_serial ? json_integer(s->serial) : json_null(), "records",
			(json_int_t)s->records, "bytes", (json_int_t)s->bytes, "ms",
			(json_int_t)s->took_ms));
}

static json_t *told(const struct notify_state *n, const struct transfer_seen *seen)
{
	json_t *o = json_pack("{s:o, s:s, s:s, s:I, s:s, s:I, s:I, s:i}", "secondary",
		text(n->secondary), "address", socket_address_text(n->address).s, "zone",
		domain_text(n->zone).s, "serial", (json_int_t)n->serial, "state", state_of(n, seen),
		"notified", (json_int_t)n->sent_ms, "answered", (json_int_t)n->answered_ms, "rcode",
		(int)n->rcode);

	if (seen)
		set_seen(o, seen);
	return o;
}

/* Those that are notified, each with what it fetched; then what others fetched. */
size_t report_secondaries(const struct report *r, size_t from, json_t *items)
{
	const struct notify *n = transfers_notify(r->transfers);
	size_t bytes = 0, count, next = 0, notified = notify_state_count(n);
	struct transfer_seen *seen = transfers_seen(r->transfers, &count);

	for (size_t i = from; i < notified + count && !next; i++) {
		json_t *o = NULL;
		if (i < notified) {
			struct notify_state state = notify_state(n, i);
			o = told(&state, find_seen(seen, count, &state));
		} else if (!is_told(n, &seen[i - notified])) {
			const struct transfer_seen *s = &seen[i - notified];
			o = json_pack("{s:s, s:s, s:s}", "address", ip_text(&s->peer).s, "zone",
				domain_text(&s->zone).s, "state", "not-notified");
			set_seen(o, s);
		}
		if (o && !add(items, &bytes, o))
			next = i + 1 < notified + count ? i + 1 : 0;
	}
	free(seen);
	return next;
}
