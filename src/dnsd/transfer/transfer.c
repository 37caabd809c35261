/* transfer.c - one zone transfer: which records, message by message. */
#include "dnsd/transfer/transfer_private.h"

#include "base/log.h"
#include "base/mem.h"
#include "dns/bulk.h"
#include "dnsd/data/data.h"
#include "dnsd/answer/rr_list.h"
#include "io/clock.h"

#include <inttypes.h>
#include <stdlib.h>

#define PENDING_BYTES ((size_t)32 << 10)

enum phase { PHASE_HEAD, PHASE_WALK, PHASE_STEPS, PHASE_TAIL, PHASE_END };

/* An index as it was when the transfer began. */
struct frozen {
	const struct index *from;
	struct data *data;
	struct index index;
};

struct transfer {
	struct transfers *owner;
	struct dns_bulk_head head;
	struct set_soa soa;
	uint32_t serial;
	bool lost; /* cannot be finished: the session ends, and they come again */
	enum phase phase;
	/* the whole zone */
	struct frozen *frozen;
	size_t frozen_count;
	struct content *content;
	struct content_walk *walk;
	/* its changes */
	struct journal *journal;
	struct journal_reader reader;
	struct buf pending;
	struct slice rest; /* of pending: not sent yet */
	struct tsig_chain chain;
	bool is_signed;
	struct ip peer;
	uint64_t records, bytes;
	int64_t began_ms;
};

/* ---- what is transferred ---- */

static const struct index *freeze(void *ctx, const struct index *ix)
{
	struct transfer *t = ctx;
	struct frozen *f;

	for (size_t i = 0; i < t->frozen_count; i++)
		if (t->frozen[i].from == ix)
			return &t->frozen[i].index;
	f = &t->frozen[t->frozen_count++];
	f->from = ix;
	f->data = data_hold(data_of(ix));
	f->index = *ix;
	if (!ix->overlay)
		return &f->index;
	pthread_mutex_lock(&f->data->changing);
	f->index.overlay = overlay_copy(ix->overlay);
	t->serial = (uint32_t)f->data->serial;
	pthread_mutex_unlock(&f->data->changing);
	return &f->index;
}

static bool begin_whole(struct transfer *t, const struct served_zone *z)
{
	size_t places = 0;

	for (size_t i = 0; i < z->group_count; i++)
		places += z->groups[i].place_count;
	t->frozen = mem_new(places + 1, sizeof *t->frozen);
	t->serial = served_serial(z);
	t->content = content_new(z, freeze, t);
	if (!t->content)
		return false;
	t->walk = content_walk_new(t->content);
	return true;
}

/* False: not one of which something can be said by changes. */
static bool begin_changes(struct transfer *t, const struct served_zone *z, uint32_t serial)
{
	t->journal = transfers_journal(t->owner, &z->name);
	if (!t->journal) {
		t->serial = served_serial(z);
		t->phase = PHASE_TAIL;
		return t->serial == serial;
	}
	switch (journal_read(t->journal, serial, &t->reader)) {
	case JOURNAL_SAME:
		t->serial = (uint32_t)t->reader.to;
		t->phase = PHASE_TAIL; /* one SOA */
		return true;
	case JOURNAL_STEPS:
		t->serial = (uint32_t)t->reader.to;
		return true;
	case JOURNAL_WHOLE:
		break;
	}
	t->journal = NULL;
	t->phase = PHASE_HEAD;
	return false;
}

static bool begin(struct transfer *t, const struct served_zone *z, struct slice message,
	const struct dns_question *q)
{
	uint32_t serial;

	t->head = (struct dns_bulk_head){.id = q->id,
		.flags = DNS_QR | DNS_AA | (q->flags & DNS_RD),
		.zone = z->name,
		.asked = dns_question_asked(message, q),
		.type = q->type};
	t->soa = z->soa;
	if (q->type == DNS_IXFR && dns_question_serial(message, q, &serial)
		&& begin_changes(t, z, serial))
		return true;
	t->journal = NULL;
	t->phase = PHASE_HEAD;
	return begin_whole(t, z);
}

static void transfer_free(struct transfer *t)
{
	content_walk_free(t->walk);
	content_free(t->content);
	for (size_t i = 0; i < t->frozen_count; i++) {
		if (t->frozen[i].index.overlay)
			overlay_free((struct overlay *)t->frozen[i].index.overlay);
		data_drop(t->frozen[i].data);
	}
	free(t->frozen);
	tsig_chain_done(&t->chain);
	buf_done(&t->pending);
	atomic_fetch_sub(&t->owner->running, 1);
	free(t);
}

/* ---- for TCP sessions ---- */

static bool can_be_transferred(const struct served_zone *z, int64_t now_s)
{
	return z && !served_lacks(z) && !(z->expires_s && z->expires_s <= now_s);
}

static void *transfer_open(void *ctx, const struct answer_from *from, struct slice message)
{
	struct transfers *owner = ctx;
	struct dns_question q;
	const struct served_zone *z;
	struct transfer *t;
	struct signer signer;

	if (dns_question_parse(message, &q) != DNS_QUESTION_OK || !q.end || q.class != DNS_IN
		|| (q.type != DNS_AXFR && q.type != DNS_IXFR))
		return NULL;
	z = served_find_exact(atomic_load(owner->served), q.name.wire, q.name.len);
	if (!can_be_transferred(z, from->now_s)
		|| !secondaries_check(owner->secondaries, message, from->now_s, &signer))
		return NULL;
	if (signer.error
		|| !secondaries_allow(owner->secondaries, &from->peer, &signer, &z->name)) {
		tsig_chain_done(&signer.chain);
		return NULL;
	}
	if (atomic_fetch_add(&owner->running, 1) >= owner->limit) {
		atomic_fetch_sub(&owner->running, 1);
		tsig_chain_done(&signer.chain);
		return NULL;
	}
	t = mem_new(1, sizeof *t);
	t->owner = owner;
	t->chain = signer.chain;
	t->is_signed = signer.is_signed;
	t->pending = BUF_INIT((size_t)64 << 20);
	t->peer = from->peer;
	t->began_ms = clock_mono_ms();
	if (begin(t, z, message, &q))
		return t;
	transfer_free(t);
	return NULL;
}

/* The next records to send; false: there are none any more. */
static bool fill(struct transfer *t)
{
	bool last;

	buf_reset(&t->pending);
	switch (t->phase) {
	case PHASE_HEAD:
		rr_put_soa(&t->pending, &t->head.zone, &t->soa, t->serial);
		if (t->content)
			content_put_ns(t->content, &t->pending);
		t->phase = t->content ? PHASE_WALK : PHASE_STEPS;
		break;
	case PHASE_WALK:
		if (!content_walk_more(t->walk, PENDING_BYTES, &t->pending))
			t->phase = PHASE_TAIL;
		break;
	case PHASE_STEPS:
		t->lost = !journal_next(t->journal, &t->reader, &t->pending, &last);
		if (last)
			t->phase = PHASE_TAIL;
		break;
	case PHASE_TAIL:
		rr_put_soa(&t->pending, &t->head.zone, &t->soa, t->serial);
		t->phase = PHASE_END;
		break;
	case PHASE_END:
		return false;
	}
	t->lost = t->lost || t->pending.failed;
	t->rest = buf_slice(&t->pending);
	return !t->lost;
}

static size_t transfer_next(void *ctx, uint8_t *out)
{
	struct transfer *t = ctx;
	size_t size = DNS_BULK_SIZE - (t->is_signed ? TSIG_SIZE_MAX : 0), n;
	struct dns_bulk b;
	struct rr rr;

	dns_bulk_start(&b, out, size, &t->head);
	for (;;) {
		struct slice before = t->rest;
		if (!rr_next(&t->rest, &rr)) {
			if (!fill(t))
				break;
			continue;
		}
		if (!dns_bulk_add(&b, &rr.owner, rr.type, rr.ttl, rr.rdata)) {
			t->rest = before;
			break;
		}
		t->records++;
	}
	if (t->lost)
		return TCP_TRANSFER_LOST;
	if (b.answers == 0)
		return 0;
	n = dns_bulk_finish(&b);
	if (t->is_signed)
		n = tsig_chain_sign(&t->chain, out, n, DNS_BULK_SIZE, clock_unix_ms() / 1000);
	t->bytes += n;
	return n;
}

static void transfer_close(void *ctx)
{
	struct transfer *t = ctx;
	bool done = t->phase == PHASE_END && t->rest.len == 0 && !t->lost;

	log_event(done ? LOG_INFO : LOG_WARN, "dnsd.transfer",
		"zone=%s peer=%s kind=%s serial=%" PRIu32 " records=%" PRIu64 " bytes=%" PRIu64
		" ms=%" PRId64 " done=%s",
		domain_text(&t->head.zone).s, ip_text(&t->peer).s, t->content ? "whole" : "changes",
		t->serial, t->records, t->bytes, clock_mono_ms() - t->began_ms,
		done ? "yes" : "no");
	transfers_note(t->owner, &(struct transfer_seen){.peer = t->peer,
					 .zone = t->head.zone,
					 .serial = t->serial,
					 .has_serial = done,
					 .finished = done,
					 .whole = t->content != NULL,
					 .at_ms = clock_unix_ms(),
					 .took_ms = clock_mono_ms() - t->began_ms,
					 .records = t->records,
					 .bytes = t->bytes});
	transfer_free(t);
}

void transfers_tcp_init(struct tcp_transfers *tcp, struct transfers *t)
{
	*tcp = (struct tcp_transfers){transfer_open, transfer_next, transfer_close, t};
}
