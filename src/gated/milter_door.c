/* milter_door.c - the lists are asked when the client connects, the verdict is told at each
 * recipient, and the header that tags is put in at the end of the message. */
#include "gated/door.h"

#include "base/log.h"
#include "base/mem.h"
#include "mta/milter.h"

#include <stdlib.h>

/* An SMTP session may sleep for long between its commands; RFC 5321, 4.5.3.2 allows minutes each. */
#define IDLE_MS ((int64_t)2 * 3600 * 1000)
/* A client that stays in session is asked about again for a message that begins so much later. */
#define JUDGE_AGAIN_MS 30000

struct milter_session {
	struct session s; /* first */
	struct milter milter;
	bool logged; /* the verdict for this message */
};

static void milter_send(struct milter_session *m, const struct buf *out)
{
	stream_write(m->s.stream, buf_slice(out));
}

static bool milter_passes(const struct milter_session *m)
{
	return m->milter.authenticated || !m->s.judgement;
}

static void milter_client(struct milter_session *m)
{
	m->s.judgement = judgement_free(m->s.judgement);
	if (!judge_passes(m->s.house->judge, &m->milter.client))
		m->s.judgement = judgement_start(m->s.house->judge, &m->milter.client);
}

static void milter_message(struct milter_session *m)
{
	m->logged = false;
	if (m->s.judgement && judgement_age_ms(m->s.judgement) > JUDGE_AGAIN_MS)
		milter_client(m);
}

static void milter_verdict(void *ctx, const struct verdict *v)
{
	struct milter_session *m = ctx;
	_cleanup_buf_ struct buf out = BUF_INIT(4096);

	if (!m->logged || v->action >= VERDICT_DEFER)
		verdict_log("milter", &m->milter.client, v, judgement_took_ms(m->s.judgement),
			SLICE_EMPTY, slice_str(m->milter.sender), slice_str(m->milter.recipient));
	m->logged = true;
	if (v->action >= VERDICT_DEFER)
		milter_reply(&out, slice_str(v->reply));
	else
		milter_continue(&out);
	milter_send(m, &out);
	stream_deadline(m->s.stream, IDLE_MS);
	stream_pause(m->s.stream, false);
}

static void milter_recipient(struct milter_session *m)
{
	_cleanup_buf_ struct buf out = BUF_INIT(64);

	if (milter_passes(m)) {
		milter_continue(&out);
		milter_send(m, &out);
		return;
	}
	stream_pause(m->s.stream, true);
	judgement_wait(m->s.judgement, milter_verdict, m);
}

static void milter_message_end(struct milter_session *m)
{
	_cleanup_buf_ struct buf out = BUF_INIT((size_t)64 * 1024);
	const struct verdict *v = milter_passes(m) ? NULL : judgement_verdict(m->s.judgement);

	/* Only who is judged can have written our header to mislead. */
	if (!milter_passes(m))
		milter_delete_old_headers(&m->milter, &out);
	if (v && v->action == VERDICT_TAG)
		milter_add_header(
			&m->milter, &out, slice_str(m->s.house->config->header), slice_str(v->tag));
	milter_continue(&out);
	milter_send(m, &out);
}

static void milter_broken(struct milter_session *m, const struct err *err)
{
	log_event(LOG_WARN, "gate.bad-request", "door=milter error=%s",
		log_quote(slice_str(err->text)).s);
	stream_abort(m->s.stream);
}

static size_t milter_input(void *ctx, struct slice bytes)
{
	struct milter_session *m = ctx;
	_cleanup_buf_ struct buf out = BUF_INIT(256);
	struct err err;
	size_t used;
	enum milter_event event = milter_read(&m->milter, bytes, &used, &out, &err);

	if (out.len > 0)
		milter_send(m, &out);
	switch (event) {
	case MILTER_MORE:
	case MILTER_NOTHING:
		break;
	case MILTER_CONNECT:
		milter_client(m);
		break;
	case MILTER_MAIL:
		milter_message(m);
		break;
	case MILTER_RCPT:
		milter_recipient(m);
		break;
	case MILTER_END:
		milter_message_end(m);
		break;
	case MILTER_QUIT:
		stream_abort(m->s.stream);
		break;
	case MILTER_BAD:
		milter_broken(m, &err);
		return bytes.len;
	}
	return used;
}

static void milter_closed(void *ctx, const char *why)
{
	session_end(ctx);
}

static void milter_free(struct session *s)
{
	free(s);
}

void milter_door_accept(struct door_house *h, int fd)
{
	static const struct stream_handler handler = {milter_input, milter_closed};
	struct milter_session *m = mem_new(1, sizeof *m);

	session_begin(&m->s, h, milter_free);
	milter_init(&m->milter, h->config->header);
	m->s.stream =
		stream_new(h->loop, fd, MILTER_PACKET_MAX + 1, (size_t)256 * 1024, &handler, m);
	stream_deadline(m->s.stream, IDLE_MS);
}
