/* notify.c - tells secondaries that a zone has changed. */
#include "dnsd/transfer/notify.h"

#include "base/log.h"
#include "base/mem.h"
#include "dns/bulk.h"
#include "dnsd/answer/rr_list.h"
#include "io/clock.h"
#include "io/random.h"

#include <inttypes.h>
#include <stdlib.h>
#include <unistd.h>

#define OPCODE_NOTIFY (4 << 11)
#define FIRST_WAIT_MS 1000 /* for an answer; doubled each time ... */
#define LAST_WAIT_MS 60000 /* ... up to this */
#define AGAIN_MS 15000	   /* and once more so long after the answer */
#define NEVER INT64_MAX

struct target { /* an address of a secondary */
	struct notify *owner;
	const struct secondary *secondary;
	const struct socket_address *address;
	int fd;
	struct loop_watch *watch;
};

struct errand { /* a zone to a target */
	struct target *target;
	struct domain zone;
	struct set_soa soa;
	uint32_t serial;
	uint16_t id;
	int64_t due_ms; /* NEVER: answered */
	int64_t wait_ms;
	bool sent;
	bool again;		      /* it was answered: once more, to be sure */
	int64_t told_ms, answered_ms; /* since 1970; 0: not yet */
	unsigned rcode;
};

struct notify {
	const struct secondaries *secondaries;
	int64_t delay_ms;
	struct loop_timer *timer;
	struct target *targets;
	size_t target_count;
	struct errand *errands;
	size_t count;
};

static void set_timer(struct notify *n)
{
	int64_t due = NEVER, now = clock_mono_ms();

	for (size_t i = 0; i < n->count; i++)
		due = MIN(due, n->errands[i].due_ms);
	if (due != NEVER)
		loop_timer_set(n->timer, due > now ? due - now : 0);
}

static void send_one(struct errand *e, int64_t now_ms)
{
	const struct dns_bulk_head head = {
		.id = e->id, .flags = OPCODE_NOTIFY | DNS_AA, .zone = e->zone, .type = DNS_SOA};
	const struct tsig_key *key = e->target->secondary->key;
	_cleanup_buf_ struct buf record = BUF_INIT(2048);
	uint8_t message[2048];
	struct tsig_chain chain;
	struct slice rest;
	struct dns_bulk b;
	struct rr rr;
	size_t n;

	rr_put_soa(&record, &e->zone, &e->soa, e->serial);
	rest = buf_slice(&record);
	dns_bulk_start(&b, message, sizeof message - TSIG_SIZE_MAX, &head);
	if (rr_next(&rest, &rr))
		dns_bulk_add(&b, &rr.owner, rr.type, rr.ttl, rr.rdata);
	n = dns_bulk_finish(&b);
	tsig_chain_start(&chain, key);
	if (key)
		n = tsig_chain_sign(&chain, message, n, sizeof message, clock_unix_ms() / 1000);
	/* What cannot be sent now is sent again. */
	(void)!write(e->target->fd, message, n);
	e->sent = true;
	if (!e->told_ms)
		e->told_ms = clock_unix_ms();
	e->due_ms = now_ms + e->wait_ms;
	if (e->wait_ms == FIRST_WAIT_MS * 8) /* told once: it goes on all the same */
		log_event(LOG_WARN, "dnsd.notify", "zone=%s secondary=%s answered=no",
			domain_text(&e->zone).s, e->target->secondary->config->name);
	e->wait_ms = MIN(e->wait_ms * 2, LAST_WAIT_MS);
}

static void send_due(void *ctx)
{
	struct notify *n = ctx;
	int64_t now_ms = clock_mono_ms();

	for (size_t i = 0; i < n->count; i++)
		if (n->errands[i].due_ms <= now_ms)
			send_one(&n->errands[i], now_ms);
	set_timer(n);
}

/* The socket takes datagrams from that address alone; who forges one must guess port and id, and gains a
 * secondary that learns of a change at its next refresh. So signatures of answers are not looked at. */
static void take_answer(struct target *t, const uint8_t *p, size_t len)
{
	struct notify *n = t->owner;
	struct domain zone;

	if (len < DNS_HEADER_SIZE
		|| (dns_u16(p + 2) & (DNS_QR | DNS_OPCODE)) != (DNS_QR | OPCODE_NOTIFY))
		return;
	if (dns_u16(p + 4) == 1 && dns_name_read(slice_of(p, len), DNS_HEADER_SIZE, &zone) == 0)
		return;
	for (size_t i = 0; i < n->count; i++) {
		struct errand *e = &n->errands[i];
		if (e->target != t || !e->sent || e->id != dns_u16(p)
			|| (dns_u16(p + 4) == 1 && !domain_eq(&zone, &e->zone)))
			continue;
		if (dns_u16(p + 2) & DNS_RCODE && !e->again)
			log_event(LOG_WARN, "dnsd.notify", "zone=%s secondary=%s rcode=%d",
				domain_text(&e->zone).s, t->secondary->config->name,
				dns_u16(p + 2) & DNS_RCODE);
		/* Some forget what they are told while a transfer of the zone is under way. */
		e->sent = false;
		e->due_ms = e->again ? NEVER : clock_mono_ms() + AGAIN_MS;
		e->again = !e->again;
		e->wait_ms = FIRST_WAIT_MS;
		if (!e->answered_ms)
			e->answered_ms = clock_unix_ms();
		e->rcode = dns_u16(p + 2) & DNS_RCODE;
	}
}

static void readable(void *ctx, int fd, unsigned events)
{
	struct target *t = ctx;
	uint8_t answer[2048];
	ssize_t n;

	(void)events;
	while ((n = read(fd, answer, sizeof answer)) > 0)
		take_answer(t, answer, (size_t)n);
	set_timer(t->owner);
}

static bool target_open(
	struct notify *n, struct loop *l, const struct secondary *s, size_t i, struct err *err)
{
	struct target *t = &n->targets[n->target_count];

	t->fd = socket_connect_udp(&s->addresses[i], err);
	if (t->fd < 0)
		return err_prefix(err, "dnsd: secondary \"%s\": ", s->config->name);
	t->owner = n;
	t->secondary = s;
	t->address = &s->addresses[i];
	t->watch = loop_watch_new(l, t->fd, LOOP_READ, readable, t);
	n->target_count++;
	return true;
}

struct notify *notify_new(
	struct loop *l, const struct secondaries *secondaries, int64_t delay_ms, struct err *err)
{
	struct notify *n = mem_new(1, sizeof *n);
	size_t addresses = 0;

	for (size_t i = 0; i < secondaries->count; i++)
		addresses += secondaries->items[i].address_count;
	n->secondaries = secondaries;
	n->delay_ms = delay_ms;
	n->timer = loop_timer_new(l, send_due, n);
	n->targets = mem_new(addresses + 1, sizeof *n->targets);
	for (size_t i = 0; i < secondaries->count; i++) {
		const struct secondary *s = &secondaries->items[i];
		for (size_t k = 0; s->config->notify && k < s->address_count; k++)
			if (!target_open(n, l, s, k, err))
				return notify_free(n);
	}
	return n;
}

struct notify *notify_free(struct notify *n)
{
	if (!n)
		return NULL;
	for (size_t i = 0; i < n->target_count; i++) {
		loop_watch_free(n->targets[i].watch);
		close(n->targets[i].fd);
	}
	loop_timer_free(n->timer);
	free(n->targets);
	free(n->errands);
	free(n);
	return NULL;
}

static struct errand *errand_of(struct notify *n, struct target *t, const struct domain *zone)
{
	for (size_t i = 0; i < n->count; i++)
		if (n->errands[i].target == t && domain_eq(&n->errands[i].zone, zone))
			return &n->errands[i];
	n->errands = mem_resize(n->errands, (n->count + 1) * sizeof *n->errands);
	n->errands[n->count] = (struct errand){.target = t, .zone = *zone, .due_ms = NEVER};
	return &n->errands[n->count++];
}

size_t notify_state_count(const struct notify *n)
{
	return n->count;
}

struct notify_state notify_state(const struct notify *n, size_t i)
{
	const struct errand *e = &n->errands[i];

	return (struct notify_state){.secondary = e->target->secondary->config->name,
		.address = e->target->address,
		.zone = &e->zone,
		.serial = e->serial,
		.sent_ms = e->told_ms,
		.answered_ms = e->answered_ms,
		.rcode = e->rcode};
}

void notify_zone(
	struct notify *n, const struct domain *zone, const struct set_soa *soa, uint32_t serial)
{
	int64_t now_ms = clock_mono_ms();

	for (size_t i = 0; i < n->target_count; i++) {
		struct errand *e;
		if (!secondary_has_zone(n->targets[i].secondary, zone))
			continue;
		e = errand_of(n, &n->targets[i], zone);
		e->soa = *soa;
		e->serial = serial;
		/* News under way: an answer to what was sent before is not about this. */
		if (e->due_ms == NEVER || e->sent || e->again) {
			e->id = (uint16_t)random_below(65536);
			e->due_ms = now_ms + n->delay_ms;
			e->wait_ms = FIRST_WAIT_MS;
			e->sent = e->again = false;
			e->told_ms = e->told_ms && !e->answered_ms ? e->told_ms : 0;
			e->answered_ms = 0;
		}
	}
	set_timer(n);
}
