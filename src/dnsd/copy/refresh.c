/* refresh.c - one transferred zone: asks its primaries in turn, by the times in its SOA and when notified. */
#include "dnsd/copy/refresh.h"

#include "base/attr.h"
#include "base/log.h"
#include "base/mem.h"
#include "dnsd/copy/exchange.h"
#include "dnsd/copy/taken.h"
#include "io/clock.h"
#include "io/random.h"
#include "io/task.h"

#include <inttypes.h>
#include <stdlib.h>

#define ACTIVE_MAX 16	 /* zones at once */
#define BUSY_MS 500	 /* so long until the next look when there are more */
#define GAP_MS 100	 /* least time between two looks ... */
#define GAP_LONG_MS 1000 /* ... and as long as the last one took, where that is longer */
#define TIME_MIN_S 1	 /* whatever the SOA says */
#define TIME_MAX_S (28 * 86400)
#define FIRST_RETRY_S 1	 /* without a copy; doubled ... */
#define LAST_RETRY_S 300 /* ... up to this */

enum step { STEP_IDLE, STEP_ASKING, STEP_TRANSFERRING, STEP_TAKING };

struct refresh {
	struct refresh_room *room;
	struct refresh_setup setup;
	const struct domain *zone;
	struct domain_text name; /* for the log */
	struct loop_timer *timer, *expiry;
	struct task *task;
	struct taken_job job; /* the task's while it runs */
	struct taken *taken;  /* NULL: there is no copy */
	bool expired;
	enum step step;
	struct exchange *exchange;
	struct copy_changes changes;
	size_t at, tried; /* primaries */
	bool whole;	  /* changes were of no use */
	bool again;	  /* notified meanwhile */
	unsigned failures;
	int64_t confirmed_ms; /* since 1970; 0: never */
	char error[sizeof((struct err *)0)->text];
	int64_t done_ms, took_ms; /* when the last look ended; how long its taking over took */
};

static void ask(struct refresh *r);

static void set_look(struct refresh *r, int64_t delay_ms)
{
	loop_timer_set(r->timer, MAX(delay_ms, 0));
}

/* Three quarters of it to all of it, so that not all zones and not all secondaries come at once. */
static int64_t jitter_ms(uint32_t s, uint32_t least_s)
{
	uint32_t ms = MIN(MAX(s, least_s), TIME_MAX_S) * 1000u;

	return ms - random_below(ms / 4 + 1);
}

static int64_t gap_ms(const struct refresh *r)
{
	int64_t gap = r->took_ms > GAP_LONG_MS ? r->took_ms : GAP_MS;

	return r->done_ms + gap - clock_mono_ms();
}

static const char *primary_name(const struct refresh *r, struct socket_address_text *room)
{
	*room = socket_address_text(&r->setup.addresses[r->at]);
	return room->s;
}

/* ---- the end of a look ---- */

static void rest(struct refresh *r)
{
	r->step = STEP_IDLE;
	r->room->active--;
	r->done_ms = clock_mono_ms();
	r->whole = false;
	copy_changes_done(&r->changes);
	r->exchange = exchange_free(r->exchange);
}

static void look_again(struct refresh *r, int64_t delay_ms)
{
	if (r->again)
		delay_ms = gap_ms(r);
	r->again = false;
	set_look(r, delay_ms);
}

static void succeed(struct refresh *r)
{
	bool was_expired = r->expired;

	rest(r);
	r->failures = 0;
	r->confirmed_ms = clock_unix_ms();
	r->error[0] = '\0';
	r->expired = false;
	taken_confirm(r->taken);
	loop_timer_set(r->expiry, (int64_t)r->taken->copy.soa.expire_s * 1000);
	if (was_expired)
		r->room->changed(r->room->ctx);
	look_again(r, jitter_ms(r->taken->copy.soa.refresh_s, TIME_MIN_S));
}

static void fail(struct refresh *r)
{
	uint32_t first = FIRST_RETRY_S << MIN(r->failures, 16);

	rest(r);
	r->failures++;
	look_again(r, jitter_ms(r->taken ? r->taken->copy.soa.retry_s : MIN(first, LAST_RETRY_S),
			      TIME_MIN_S));
}

static void log_trouble(struct refresh *r, const char *what)
{
	struct socket_address_text room;

	slice_copy(slice_str(what), r->error, sizeof r->error);
	log_event(LOG_WARN, "dnsd.refresh", "zone=%s primary=%s error=%s", r->name.s,
		primary_name(r, &room), log_quote(slice_str(what)).s);
}

static void next_primary(struct refresh *r)
{
	r->at = (r->at + 1) % r->setup.address_count;
	r->whole = false;
	if (++r->tried == r->setup.address_count)
		fail(r);
	else
		ask(r);
}

/* ---- taking over ---- */

static void take(void *ctx)
{
	struct refresh *r = ctx;

	r->job.made = taken_make(&r->job);
}

static void log_taken(const struct refresh *r, const struct taken *t, int64_t ms)
{
	struct socket_address_text room;

	log_event(LOG_INFO, "dnsd.transfer",
		"zone=%s primary=%s kind=%s serial=%" PRIu32 " changes=%" PRIu32 " records=%" PRIu64
		" entries=%" PRIu64 " kept=%" PRIu64 " dropped=%" PRIu64 " ms=%" PRId64,
		r->name.s, primary_name(r, &room), r->changes.whole ? "whole" : "changes",
		t->copy.soa.serial, r->changes.count, t->copy.count, t->told.entries, t->told.kept,
		t->told.dropped, ms);
}

static void took(void *ctx)
{
	struct refresh *r = ctx;
	struct taken *old = r->taken, *made = r->job.made;

	r->job.made = NULL;
	r->took_ms = clock_mono_ms() - r->job.began_ms;
	if (!made) {
		log_trouble(r, r->job.err.text);
		if (r->changes.whole) {
			next_primary(r);
		} else {
			r->whole = true;
			ask(r);
		}
		return;
	}
	log_taken(r, made, r->took_ms);
	r->taken = made;
	r->expired = false;
	r->room->changed(r->room->ctx);
	taken_drop(old, r->room->grace);
	succeed(r);
}

static void take_over(struct refresh *r)
{
	r->exchange = exchange_free(r->exchange);
	r->step = STEP_TAKING;
	r->job.old = r->taken;
	r->job.changes = &r->changes;
	r->job.began_ms = clock_mono_ms();
	if (!task_start(r->task)) { /* rather late answers than old ones */
		take(r);
		took(r);
	}
}

/* ---- asking ---- */

static void transferred(void *ctx, const struct exchange_end *end)
{
	struct refresh *r = ctx;
	bool by_changes = r->taken && !r->whole;
	enum exchange_result result = end->result;

	if (result == EXCHANGE_BAD || result == EXCHANGE_LOST)
		log_trouble(r, end->err.text);
	r->exchange = exchange_free(r->exchange); /* and end with it */
	if (result == EXCHANGE_CHANGES) {
		take_over(r);
	} else if (result == EXCHANGE_SAME) {
		succeed(r);
	} else if (result == EXCHANGE_BAD && by_changes) {
		r->whole = true; /* servers that know no IXFR, or no changes that we can use */
		ask(r);
	} else {
		next_primary(r);
	}
}

static struct exchange_ask ask_of(struct refresh *r)
{
	return (struct exchange_ask){.to = &r->setup.addresses[r->at],
		.key = r->setup.key,
		.zone = r->zone,
		.changes = &r->changes};
}

static void transfer(struct refresh *r)
{
	struct exchange_ask ask = ask_of(r);

	if (r->taken && !r->whole) {
		ask.our_soa = r->taken->copy.soa_record.rdata;
		ask.our_serial = r->taken->copy.soa.serial;
	}
	copy_changes_done(&r->changes);
	copy_changes_init(&r->changes, r->zone, (size_t)r->setup.config->max_size);
	r->step = STEP_TRANSFERRING;
	r->exchange = exchange_transfer(r->room->loop, &ask, transferred, r);
}

static void asked(void *ctx, const struct exchange_end *end)
{
	struct refresh *r = ctx;
	enum exchange_result result = end->result;
	uint32_t serial = end->serial;

	if (result == EXCHANGE_BAD)
		log_trouble(r, end->err.text);
	r->exchange = exchange_free(r->exchange);
	if (result == EXCHANGE_BAD)
		next_primary(r);
	else if (result == EXCHANGE_SOA && !dns_serial_after(serial, r->taken->copy.soa.serial))
		succeed(r);
	else
		transfer(r);
}

static void ask(struct refresh *r)
{
	struct exchange_ask ask = ask_of(r);

	if (!r->taken || r->whole) {
		transfer(r);
		return;
	}
	r->step = STEP_ASKING;
	r->exchange = exchange_soa(r->room->loop, &ask, asked, r);
}

static void look(void *ctx)
{
	struct refresh *r = ctx;

	if (r->step != STEP_IDLE)
		return;
	if (r->room->active >= ACTIVE_MAX) {
		set_look(r, BUSY_MS);
		return;
	}
	r->room->active++;
	r->tried = 0;
	ask(r);
}

static void expire(void *ctx)
{
	struct refresh *r = ctx;

	r->expired = true;
	log_event(LOG_ERROR, "dnsd.expired", "zone=%s serial=%" PRIu32, r->name.s,
		r->taken->copy.soa.serial);
	r->room->changed(r->room->ctx);
}

/* ---- for primaries.c ---- */

struct refresh *refresh_new(struct refresh_room *room, const struct refresh_setup *setup)
{
	struct refresh *r = mem_new(1, sizeof *r);

	r->room = room;
	r->setup = *setup;
	r->zone = &setup->config->zone_name;
	r->name = domain_text(r->zone);
	r->timer = loop_timer_new(room->loop, look, r);
	r->expiry = loop_timer_new(room->loop, expire, r);
	r->task = task_new(room->loop, take, took, r);
	taken_job_init(&r->job, setup->folder, r->zone, (size_t)setup->config->max_size);
	return r;
}

struct refresh *refresh_free(struct refresh *r)
{
	if (!r)
		return NULL;
	task_free(r->task);
	taken_drop(r->job.made, NULL);
	taken_drop(r->taken, NULL);
	taken_job_done(&r->job);
	exchange_free(r->exchange);
	copy_changes_done(&r->changes);
	loop_timer_free(r->timer);
	loop_timer_free(r->expiry);
	free(r);
	return NULL;
}

void refresh_load(struct refresh *r)
{
	struct err err = {0};
	int64_t age_s, left_s;

	r->taken = taken_load(&r->job, &age_s, &err);
	if (!r->taken) {
		if (err.kind != ERR_NONE)
			log_event(LOG_WARN, "dnsd.copy", "zone=%s error=%s", r->name.s,
				log_quote(slice_str(err.text)).s);
		return;
	}
	r->confirmed_ms = clock_unix_ms() - age_s * 1000;
	left_s = (int64_t)r->taken->copy.soa.expire_s - age_s;
	r->expired = left_s <= 0;
	if (!r->expired)
		loop_timer_set(r->expiry, left_s * 1000);
	log_event(LOG_INFO, "dnsd.copy",
		"zone=%s serial=%" PRIu32 " records=%" PRIu64 " age=%" PRId64 "s%s", r->name.s,
		r->taken->copy.soa.serial, r->taken->copy.count, age_s,
		r->expired ? " expired=yes" : "");
}

void refresh_start(struct refresh *r)
{
	set_look(r, 0);
}

void refresh_notified(struct refresh *r, size_t primary)
{
	if (r->step != STEP_IDLE) {
		r->again = true;
		return;
	}
	if (primary < r->setup.address_count)
		r->at = primary;
	set_look(r, gap_ms(r));
}

void refresh_serve(const struct refresh *r, struct served *to)
{
	struct served_zone *z = served_zone(to, r->zone);

	if (!r->taken) {
		z->broken = true;
		return;
	}
	taken_serve(r->taken, z);
	if (r->expired)
		z->expires_s = 1;
}

struct refresh_state refresh_state(const struct refresh *r)
{
	static struct socket_address_text room;

	return (struct refresh_state){.primary = primary_name(r, &room),
		.has_copy = r->taken != NULL,
		.expired = r->expired,
		.serial = r->taken ? r->taken->copy.soa.serial : 0,
		.entries = r->taken ? r->taken->told.entries : 0,
		.confirmed_ms = r->confirmed_ms,
		.failures = r->failures,
		.error = r->error};
}
