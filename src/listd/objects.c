/* objects.c - store rows as the JSON objects of docs/messages.md. */
#include "listd/objects.h"

#include "io/ipc.h"

static const char *leave_word(enum list_leave leave)
{
	switch (leave) {
	case LEAVE_AUTO:
		return "auto";
	case LEAVE_REQUEST:
		return "request";
	case LEAVE_NONE:
		return "none";
	}
	return "none";
}

static json_t *code_text(uint32_t code)
{
	struct ip ip = ip4_of(code);

	return json_string(ip_text(&ip).s);
}

json_t *object_reason(const struct reason *r)
{
	json_t *o = json_pack("{s:s}", "code", reason_word(r->code));
	const char *name;
	int64_t value;

	for (size_t n = 0; reason_number(r, n, &name, &value); n++)
		json_object_set_new(o, name, json_integer(value));
	if (reason_text_name(r->code))
		json_object_set_new(o, reason_text_name(r->code), ipc_text(slice_str(r->text)));
	return o;
}

json_t *object_listing(const struct ledger_list *list, const struct listing *g, int64_t now_ms)
{
	const struct config_list *c = list->config;
	enum listing_state state = g->state;
	bool own_text = g->text[0] != '\0';

	if (state == LISTING_ACTIVE && g->expires_ms > 0 && g->expires_ms <= now_ms)
		state = LISTING_EXPIRED;
	return json_pack("{s:s, s:s, s:s, s:s, s:o, s:o, s:I, s:I, s:I, s:I, s:I, s:o, s:s}",
		"list", c->name, "subject", g->subject, "kind",
		c->kind == LIST_IP ? "ip" : "domain", "state", listing_state_word(state), "code",
		code_text(g->code ? g->code : c->code), "text",
		ipc_text(slice_str(own_text ? g->text : c->text)), "since", (json_int_t)g->since_ms,
		"last", (json_int_t)g->last_ms, "expires", (json_int_t)g->expires_ms, "relist",
		(json_int_t)g->relist, "removals", (json_int_t)g->removals, "cause",
		object_reason(&g->cause), "leave", leave_word(c->leave));
}

json_t *object_evidence(const struct evidence *e, size_t sample_max)
{
	struct slice sample = e->sample;

	if (sample.len > sample_max) {
		while (sample_max > 0 && ((unsigned char)sample.ptr[sample_max] & 0xc0) == 0x80)
			sample_max--;
		sample = slice_take(sample, sample_max);
	}
	return json_pack("{s:I, s:s, s:s, s:o, s:o, s:o, s:o, s:o}", "at", (json_int_t)e->at_ms,
		"kind", evidence_kind_word(e->kind), "class", evidence_class_word(e->class),
		"sensor", ipc_text(e->sensor), "helo", ipc_text(e->helo), "mail_from_domain",
		ipc_text(e->mail_from_domain), "subject_line", ipc_text(e->subject_line), "sample",
		ipc_text(sample));
}

json_t *object_journal(const struct journal_entry *e, bool full)
{
	struct slice who = full ? e->who : slice_take(e->who, slice_find(e->who, ':'));

	return json_pack("{s:I, s:I, s:o, s:s, s:o, s:o, s:o}", "number", (json_int_t)e->number,
		"at", (json_int_t)e->at_ms, "who", ipc_text(who), "action",
		journal_action_word(e->action), "list", ipc_text(e->list_name), "subject",
		ipc_text(e->subject), "reason", object_reason(&e->reason));
}

size_t object_size(const json_t *o)
{
	return json_dumpb(o, NULL, 0, JSON_COMPACT);
}
