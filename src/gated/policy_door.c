/* policy_door.c - Postfix asks about one recipient at a time; the answer is an access(5) action. */
#include "gated/door.h"

#include "base/log.h"
#include "base/mem.h"
#include "mta/policy.h"

#include <stdlib.h>

/* Postfix keeps a connection for up to 1000 s (smtpd_policy_service_max_ttl). */
#define IDLE_MS ((int64_t)1200 * 1000)

struct policy_session {
	struct session s; /* first */
	struct ip client;
	/* of the request that is open */
	char helo[128], sender[256], recipient[256], instance[64];
	char tagged_instance[64]; /* the message that has its header already */
};

static void keep(struct slice s, char *dst, size_t size)
{
	if (!slice_copy(slice_take(s, size - 1), dst, size))
		dst[0] = 0;
}

static void policy_answer(struct policy_session *p, const char *action)
{
	_cleanup_buf_ struct buf out = BUF_INIT(4096);

	policy_write(&out, slice_str(action));
	stream_write(p->s.stream, buf_slice(&out));
	stream_deadline(p->s.stream, IDLE_MS);
}

static void policy_tag(struct policy_session *p, const struct verdict *v)
{
	char action[VERDICT_REPLY_MAX + 200];

	/* The header belongs to the message, the request to a recipient. */
	if (p->instance[0] && strcmp(p->instance, p->tagged_instance) == 0) {
		policy_answer(p, "DUNNO");
		return;
	}
	memcpy(p->tagged_instance, p->instance, sizeof p->instance);
	snprintf(action, sizeof action, "PREPEND %.100s: %s", p->s.house->config->header, v->tag);
	policy_answer(p, action);
}

static void policy_verdict(void *ctx, const struct verdict *v)
{
	struct policy_session *p = ctx;

	verdict_log("policy", &p->client, v, judgement_took_ms(p->s.judgement), slice_str(p->helo),
		slice_str(p->sender), slice_str(p->recipient));
	if (v->action == VERDICT_TAG)
		policy_tag(p, v);
	else
		policy_answer(p, v->action == VERDICT_ACCEPT ? "DUNNO" : v->reply);
	p->s.judgement = judgement_free(p->s.judgement);
	stream_pause(p->s.stream, false);
}

static void policy_request(struct policy_session *p, const struct policy_request *r)
{
	struct ip client;

	if (r->sasl_username.len > 0 || !ip_parse(r->client_address, &client)) {
		policy_answer(p, "DUNNO");
		return;
	}
	p->client = ip_unmap(client);
	if (judge_passes(p->s.house->judge, &p->client)) {
		policy_answer(p, "DUNNO");
		return;
	}
	keep(r->helo_name, p->helo, sizeof p->helo);
	keep(r->sender, p->sender, sizeof p->sender);
	keep(r->recipient, p->recipient, sizeof p->recipient);
	keep(r->instance, p->instance, sizeof p->instance);
	stream_pause(p->s.stream, true);
	stream_deadline(p->s.stream, 0);
	p->s.judgement = judgement_start(p->s.house->judge, &p->client);
	judgement_wait(p->s.judgement, policy_verdict, p);
}

static size_t policy_input(void *ctx, struct slice bytes)
{
	struct policy_session *p = ctx;
	struct policy_request r;
	struct err err;
	size_t used;

	switch (policy_read(bytes, &r, &used, &err)) {
	case POLICY_READY:
		policy_request(p, &r);
		return used;
	case POLICY_BAD:
		log_event(LOG_WARN, "gate.bad-request", "door=policy error=%s",
			log_quote(slice_str(err.text)).s);
		stream_abort(p->s.stream);
		return bytes.len;
	case POLICY_MORE:
		break;
	}
	return 0;
}

static void policy_closed(void *ctx, const char *why)
{
	session_end(ctx);
}

static void policy_free(struct session *s)
{
	free(s);
}

void policy_door_accept(struct door_house *h, int fd)
{
	static const struct stream_handler handler = {policy_input, policy_closed};
	struct policy_session *p = mem_new(1, sizeof *p);

	session_begin(&p->s, h, policy_free);
	p->s.stream = stream_new(h->loop, fd, POLICY_REQUEST_MAX + 1, 8192, &handler, p);
	stream_deadline(p->s.stream, IDLE_MS);
}
