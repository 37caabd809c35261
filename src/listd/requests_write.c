/* requests_write.c - the messages that change something. */
#include "listd/requests_private.h"

#include "io/ipc.h"

#include "base/mem.h"

#define IMPORT_MAX 1000
#define TIME_MAX ((int64_t)1 << 53)

/* ---- evidence ---- */

static bool evidence_words(struct request *q, struct fields *f, struct evidence *e)
{
	struct slice kind = field_text(f, "kind", 32, true),
		     class = field_text(f, "class", 32, true);

	e->at_ms = field_number(f, "at", 0, TIME_MAX, q->now_ms);
	e->port = (uint16_t)field_number(f, "port", 0, 65535, 0);
	e->share = (unsigned)field_number(f, "share", 0, 100, 100);
	e->size = (uint64_t)field_number(f, "size", 0, TIME_MAX, 0);
	e->uid = field_text(f, "uid", 128, true);
	e->sensor = field_text(f, "sensor", 64, false);
	e->trap = field_text(f, "trap", 64, false);
	e->body_hash = field_text(f, "body_hash", 128, false);
	e->helo = field_words(f, "helo", 255);
	e->mail_from_domain = field_words(f, "mail_from_domain", 255);
	e->subject_line = field_words(f, "subject_line", 500);
	e->sample = field_words(f, "sample", STORE_SAMPLE_MAX);
	if (!request_fields_ok(q, f))
		return false;
	if (!evidence_kind_parse(kind, &e->kind)) {
		err_set(&q->err, ERR_SYNTAX,
			"'kind' is none of trap-hit, abuse-report, auth-failure, manual");
		return request_fail(q, "field");
	}
	if (!evidence_class_parse(class, &e->class)) {
		err_set(&q->err, ERR_SYNTAX,
			"'class' is none of spam, backscatter, auto-reply, challenge");
		return request_fail(q, "field");
	}
	return true;
}

static bool evidence_ip(struct request *q, struct fields *f, struct subject *ret, bool *ret_given)
{
	struct slice text = field_text(f, "ip", 64, false);

	*ret_given = text.len > 0;
	if (!request_fields_ok(q, f))
		return false;
	if (!*ret_given)
		return true;
	if (!subject_parse(text, ret, &q->err))
		return request_fail(q, "field");
	if (ret->kind != SUBJECT_PREFIX || ret->prefix.len != ip_bits(ret->prefix.ip.family)) {
		err_set(&q->err, ERR_SYNTAX, "'ip' must be one address");
		return request_fail(q, "field");
	}
	return true;
}

/* What is no domain, or comes twice, is left out: links in spam hold all kinds of things. */
static size_t evidence_domains(struct fields *f, struct subject *ret)
{
	const json_t *array = field_array(f, "domains", 1000, false);
	size_t count = 0;

	for (size_t i = 0; i < json_array_size(array) && count < LEDGER_DOMAINS_MAX; i++) {
		const json_t *item = json_array_get(array, i);
		struct slice text = slice_of(json_string_value(item), json_string_length(item));
		bool again = false;

		if (!json_is_string(item) || !subject_parse(text, &ret[count], NULL)
			|| ret[count].kind != SUBJECT_DOMAIN)
			continue;
		for (size_t k = 0; k < count; k++)
			again |= domain_eq(&ret[k].domain, &ret[count].domain);
		count += !again;
	}
	return count;
}

static json_t *made_array(const struct ledger_evidence_result *result)
{
	json_t *array = json_array();

	for (size_t i = 0; i < result->made_count; i++) {
		const struct ledger_made *m = &result->made[i];

		json_array_append_new(array,
			json_pack("{s:s, s:s, s:I}", "list", m->list->config->name, "subject",
				m->listing.subject, "expires", (json_int_t)m->listing.expires_ms));
	}
	return array;
}

bool request_evidence(struct request *q)
{
	struct fields f = fields_of(q->message, &q->err);
	struct ledger_evidence_result *result = NULL;
	struct subject *domains = mem_new(LEDGER_DOMAINS_MAX, sizeof *domains);
	struct evidence e = {0};
	struct subject ip;
	bool has_ip, ok;
	size_t count = 0;

	ok = evidence_words(q, &f, &e) && evidence_ip(q, &f, &ip, &has_ip);
	if (ok) {
		count = evidence_domains(&f, domains);
		ok = request_fields_ok(q, &f);
	}
	/* Without 'ip' and 'domains' it lists nobody, and still is a mail that the trap took: kept. */
	if (ok) {
		result = mem_new(1, sizeof *result);
		e.ip = slice_str(has_ip ? ip.text : "");
		ok = request_changed(
			q, ledger_evidence(q->desk->ledger, &e, has_ip ? &ip : NULL, domains, count,
				   q->who, q->now_ms, result, &q->err));
	}
	if (ok) {
		json_object_set_new(q->reply, "evidence", json_integer(result->id));
		json_object_set_new(q->reply, "known", json_boolean(result->known));
		json_object_set_new(q->reply, "listings", made_array(result));
	}
	free(result);
	free(domains);
	return ok;
}

/* ---- leaving ---- */

bool request_removal(struct request *q)
{
	struct fields f = fields_of(q->message, &q->err);
	struct policy_removal_decision decision;
	struct subject subject;
	struct ledger_removal r = {.list = request_list(q, &f), .subject = &subject, .who = q->who};

	r.requester = field_optional(&f, "requester", 128);
	r.fcrdns = field_optional(&f, "fcrdns", 255);
	r.language = field_optional(&f, "language", 35);
	if (f.bad)
		return request_fail(q, "field");
	if (!r.list || !request_subject(q, &f, &subject))
		return false;
	struct slice note = field_words(&f, "note", STORE_TEXT_MAX);
	char *note_copy = mem_str_len(note.ptr, note.len);

	r.note = note.len > 0 ? note_copy : NULL;
	bool ok = request_changed(
		q, ledger_request_removal(q->desk->ledger, &r, q->now_ms, &decision, &q->err));

	free(note_copy);
	if (!ok)
		return false;
	json_object_set_new(q->reply, "removed", json_boolean(decision.outcome == REMOVAL_GRANTED));
	if (decision.outcome != REMOVAL_GRANTED)
		json_object_set_new(
			q->reply, "reason", json_string(policy_removal_word(decision.outcome)));
	if (decision.until_ms > 0)
		json_object_set_new(q->reply, "until", json_integer(decision.until_ms));
	return true;
}

bool request_remove(struct request *q)
{
	struct fields f = fields_of(q->message, &q->err);
	const struct ledger_list *list = request_list(q, &f);
	struct slice reason = field_text(&f, "reason", 200, true);
	struct subject subject;
	bool removed;

	if (f.bad)
		return request_fail(q, "field");
	if (!list || !request_subject(q, &f, &subject)
		|| !request_changed(q, ledger_remove(q->desk->ledger, list, &subject, q->who,
					       reason.ptr, q->now_ms, &removed, &q->err)))
		return false;
	json_object_set_new(q->reply, "removed", json_boolean(removed));
	return true;
}

/* ---- by hand and from feeds ---- */

static bool field_code(struct request *q, struct fields *f, uint32_t *ret)
{
	struct slice text = field_text(f, "code", 15, false);
	struct ip ip;

	*ret = 0;
	if (text.len == 0)
		return true;
	if (!ip_parse(text, &ip) || ip.family != 4 || ip4_value(&ip) >> 24 != 127) {
		err_set(&q->err, ERR_SYNTAX,
			"'code' must be an address in 127.0.0.0/8, such as 127.0.0.2");
		return request_fail(q, "field");
	}
	*ret = ip4_value(&ip);
	return true;
}

bool request_add(struct request *q)
{
	struct fields f = fields_of(q->message, &q->err);
	struct subject subject;
	struct listing listing;
	struct ledger_entry e = {.list = request_list(q, &f), .subject = &subject, .who = q->who};
	bool fresh;

	e.reason = field_text(&f, "reason", 200, true).ptr;
	e.text = field_text(&f, "text", 254, false).ptr;
	e.expires_ms = field_number(&f, "expires", 0, TIME_MAX, 0);
	if (f.bad)
		return request_fail(q, "field");
	if (!e.list || !field_code(q, &f, &e.code) || !request_subject(q, &f, &subject)
		|| !request_changed(
			q, ledger_add(q->desk->ledger, &e, q->now_ms, &listing, &fresh, &q->err)))
		return false;
	json_object_set_new(q->reply, "new", json_boolean(fresh));
	json_object_set_new(q->reply, "listing", object_listing(e.list, &listing, q->now_ms));
	return true;
}

struct import {
	struct request *q;
	struct ledger_entry entry;
	json_t *refused;
	size_t refused_bytes;
	int64_t added, kept, refused_more;
};

static void import_refuse(struct import *im, size_t item, struct slice text, const char *why)
{
	json_t *o = json_pack("{s:I, s:o, s:o}", "item", (json_int_t)item, "subject",
		ipc_text(slice_take(text, 100)), "error",
		ipc_text(slice_take(slice_str(why), 150)));

	im->refused_bytes += object_size(o);
	if (im->refused_bytes < REPLY_MAX) {
		json_array_append_new(im->refused, o);
		return;
	}
	im->refused_more++;
	json_decref(o);
}

/* False only when the store fails: the items before it are undone with the whole group then. */
static bool import_item(struct import *im, size_t n, const json_t *item)
{
	struct slice text = slice_of(json_string_value(item), json_string_length(item));
	struct ledger_entry entry = im->entry;
	struct subject subject;
	struct listing listing;
	struct err err = {0};
	bool fresh;

	if (!json_is_string(item)) {
		import_refuse(im, n, SLICE_EMPTY, "not text");
		return true;
	}
	entry.subject = &subject;
	if (!subject_parse(text, &subject, &err)) {
		import_refuse(im, n, text, err.text);
		return true;
	}
	if (!ledger_add(im->q->desk->ledger, &entry, im->q->now_ms, &listing, &fresh, &err)) {
		im->q->err = err;
		if (err.kind == ERR_SYSTEM)
			return false;
		import_refuse(im, n, text, err.text);
		return true;
	}
	im->added += fresh;
	im->kept += !fresh;
	return true;
}

bool request_import(struct request *q)
{
	struct fields f = fields_of(q->message, &q->err);
	struct import im = {
		.q = q, .entry = {.list = request_list(q, &f), .who = q->who, .imported = true}};
	const json_t *items = field_array(&f, "items", IMPORT_MAX, true);
	bool ok = true;

	im.entry.reason = field_text(&f, "feed", 100, true).ptr;
	im.entry.text = field_text(&f, "text", 254, false).ptr;
	im.entry.expires_ms = field_number(&f, "expires", 0, TIME_MAX, 0);
	if (f.bad)
		return request_fail(q, "field");
	if (!im.entry.list || !field_code(q, &f, &im.entry.code))
		return false;
	if (!store_save(ledger_store(q->desk->ledger), &q->err))
		return request_fail(q, "store");
	im.refused = json_array();
	for (size_t i = 0; ok && i < json_array_size(items); i++)
		ok = import_item(&im, i, json_array_get(items, i));
	if (!ok || !store_release(ledger_store(q->desk->ledger), &q->err)) {
		store_undo(ledger_store(q->desk->ledger));
		json_decref(im.refused);
		return request_fail(q, "store");
	}
	json_object_set_new(q->reply, "added", json_integer(im.added));
	json_object_set_new(q->reply, "kept", json_integer(im.kept));
	json_object_set_new(q->reply, "refused", im.refused);
	json_object_set_new(q->reply, "refused_more", json_integer(im.refused_more));
	return true;
}
