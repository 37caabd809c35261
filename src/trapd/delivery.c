/* delivery.c - one mail on its way to listd: the answer to the client waits until listd has it on disk. */
#include "base/log.h"
#include "base/mem.h"
#include "io/clock.h"
#include "trapd/internal.h"

#include <stdlib.h>

#define ANSWER_WITHIN_MS 30000 /* well below the 10 min a client waits (RFC 5321, 4.5.3.2.6) */
#define AGAIN_MS 50	       /* between tries while listd is away */

struct part {
	struct delivery *delivery;
	enum { PART_WAITS, PART_SENT, PART_KEPT } state;
};

struct delivery {
	struct delivery *next, **link;
	struct trapd *trapd;
	struct connection *connection; /* NULL: gone, or answered */
	struct observation seen;
	struct part parts[OBSERVE_MAX_TRAPS];
	struct loop_timer *timer;
	int64_t start_ms, deadline_ms;
	uint64_t fingerprint;
	char uid[UID_SIZE];
	char mail_from_domain[128];
	size_t recipients, size;
	struct ip peer;
	bool refused; /* listd will not have it: trying again is of no use */
	bool over;    /* answered or given up; freed when no call is open */
};

static size_t count_parts(const struct delivery *d, int state)
{
	size_t n = 0;

	for (size_t i = 0; i < d->seen.count; i++)
		n += (int)d->parts[i].state == state;
	return n;
}

static void log_delivery(const struct delivery *d, const char *answer)
{
	log_event(LOG_INFO, "trap.mail",
		"uid=%s peer=%s sender=%s hops=%u class=%s why=%s from_domain=%s recipients=%zu "
		"traps=%zu size=%zu domains=%zu answer=%s ms=%lld",
		d->uid, d->peer.family ? ip_text(&d->peer).s : "local",
		d->seen.ip.family ? ip_text(&d->seen.ip).s : "none", d->seen.hops,
		mail_class_name(d->seen.class), log_quote(slice_str(d->seen.why)).s,
		log_quote(slice_str(d->mail_from_domain)).s, d->recipients, d->seen.count, d->size,
		d->seen.domain_count, answer, (long long)(clock_mono_ms() - d->start_ms));
}

static void delivery_free(struct delivery *d)
{
	if (d->next)
		d->next->link = d->link;
	*d->link = d->next;
	loop_timer_free(d->timer);
	observation_done(&d->seen);
	free(d);
}

static void free_when_quiet(struct delivery *d)
{
	if (d->over && !count_parts(d, PART_SENT))
		delivery_free(d);
}

static void finish(struct delivery *d, bool kept)
{
	struct connection *c = d->connection;
	const char *answer = kept ? "kept" : d->refused ? "refused" : "later";

	if (d->over)
		return;
	d->over = true;
	d->connection = NULL;
	loop_timer_stop(d->timer);
	/* Whoever did not get our 250 comes again with the same mail. */
	if (c && !kept)
		retry_remember(&d->trapd->retries, d->fingerprint, d->uid, clock_mono_ms());
	log_delivery(d, c ? answer : "client-gone");
	if (c)
		connection_answer(c, kept, d->uid);
}

static void replied(void *ctx, json_t *reply)
{
	struct part *part = ctx;
	struct delivery *d = part->delivery;
	const char *error = json_string_value(json_object_get(reply, "error"));

	if (json_is_true(json_object_get(reply, "ok"))) {
		part->state = PART_KEPT;
		if (count_parts(d, PART_KEPT) == d->seen.count)
			finish(d, true);
	} else {
		part->state =
			PART_WAITS; /* the connection broke: perhaps kept, perhaps not; again, same uid */
		if (reply && !d->over) {
			log_event(LOG_ERROR, "trap.refused", "uid=%s error=%s", d->uid,
				log_quote(slice_str(error ? error : "no reason given")).s);
			d->refused = true;
			finish(d, false);
		}
	}
	free_when_quiet(d);
}

/* Sends what waits. From the timer only: never inside a reply or the session's own code. */
static void attempt(void *ctx)
{
	struct delivery *d = ctx;
	int64_t now = clock_mono_ms();

	if (now >= d->deadline_ms) {
		finish(d, false);
		free_when_quiet(d);
		return;
	}
	for (size_t i = 0; i < d->seen.count; i++) {
		if (d->parts[i].state != PART_WAITS)
			continue;
		if (!ipc_client_call(
			    d->trapd->listd, json_copy(d->seen.evidence[i]), replied, &d->parts[i]))
			break;
		d->parts[i].state = PART_SENT;
	}
	/* Waiting for replies we look again too: a broken connection leaves parts that wait. */
	loop_timer_set(d->timer, MIN(AGAIN_MS, d->deadline_ms - now));
}

struct delivery *delivery_start(struct trapd *t, struct connection *c, const struct smtp_mail *mail,
	const struct ip *ip, uint16_t port)
{
	struct delivery *d = mem_new(1, sizeof *d);
	int64_t now = clock_mono_ms();

	*d = (struct delivery){.trapd = t,
		.connection = c,
		.start_ms = now,
		.peer = *ip,
		.deadline_ms = now + ANSWER_WITHIN_MS,
		.recipients = mail->recipient_count,
		.size = mail->content.len,
		.next = t->deliveries,
		.link = &t->deliveries};
	if (d->next)
		d->next->link = &d->next;
	t->deliveries = d;
	for (size_t i = 0; i < OBSERVE_MAX_TRAPS; i++)
		d->parts[i].delivery = d;
	(void)slice_copy(slice_take(mail->mail_from_domain, sizeof d->mail_from_domain - 1),
		d->mail_from_domain, sizeof d->mail_from_domain);
	d->fingerprint = retry_fingerprint(t->observer.key, ip, mail);
	if (!retry_recall(&t->retries, d->fingerprint, now, d->uid))
		retry_uid(&t->retries, t->observer.key, d->fingerprint, clock_unix_ms(), d->uid);
	observe_mail(&t->observer, mail, ip, port, d->uid, clock_unix_ms(), &d->seen);
	d->timer = loop_timer_new(t->loop, attempt, d);
	loop_timer_set(d->timer, 0);
	return d;
}

void delivery_forget_client(struct delivery *d)
{
	d->connection = NULL;
	/* Now, not when listd has answered: the client may be back before. */
	retry_remember(&d->trapd->retries, d->fingerprint, d->uid, clock_mono_ms());
}

void delivery_free_all(struct trapd *t)
{
	while (t->deliveries)
		delivery_free(t->deliveries);
}
