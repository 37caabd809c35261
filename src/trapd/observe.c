/* observe.c - one mail in, evidence out. */
#include "trapd/observe.h"
#include "base/mem.h"
#include "base/siphash.h"
#include "mail/links.h"
#include "mail/received.h"
#include "mail/redact.h"

#include <gnutls/crypto.h>
#include <stdlib.h>

#define SUBJECT_MAX 500
#define DOMAINS_MAX 100 /* sent; a mail with more links is no better evidence */

bool observer_init(struct observer *o, const struct config_trapd *config, const uint8_t key[16],
	const psl_ctx_t *psl, struct err *err)
{
	*o = (struct observer){.config = config, .psl = psl};
	memcpy(o->key, key, sizeof o->key);
	o->traps = traps_new(config, key, err);
	return o->traps != NULL;
}

void observer_done(struct observer *o)
{
	o->traps = traps_free(o->traps);
}

enum smtp_rcpt observer_recipient(const struct observer *o, const struct smtp_path *to)
{
	if (slice_eq_nocase(to->local, SLICE("postmaster"))
		|| slice_eq_nocase(to->local, SLICE("abuse")))
		return SMTP_RCPT_UNKNOWN;
	if (traps_find(o->traps, to))
		return SMTP_RCPT_OK;
	if (!to->domain.len || traps_have_domain(o->traps, to->domain))
		return SMTP_RCPT_UNKNOWN;
	return SMTP_RCPT_RELAYING;
}

struct trap_name observer_trap_name(const struct observer *o, const struct smtp_path *to)
{
	_cleanup_buf_ struct buf lower = BUF_INIT(SMTP_LINE_MAX);
	struct trap_name name;

	for (size_t i = 0; i < to->address.len; i++)
		buf_add_char(&lower, ascii_lower(to->address.ptr[i]));
	snprintf(name.s, sizeof name.s, "%016llx",
		(unsigned long long)siphash(o->key, buf_slice(&lower)));
	return name;
}

/* ---- the parts of a piece of evidence ---- */

/* A string of valid UTF-8, or nothing. */
static void set_text(json_t *to, const char *field, struct slice s)
{
	json_t *value = s.len ? json_stringn(s.ptr, s.len) : NULL;

	if (value)
		json_object_set_new(to, field, value);
}

/* Campaigns send the same body again and again: line ends and blanks at line ends do not count. */
static void set_body_hash(json_t *to, struct slice body)
{
	static const char digits[] = "0123456789abcdef";
	unsigned char sum[32];
	char text[33] = {0};
	gnutls_hash_hd_t hash;
	struct slice line;

	if (gnutls_hash_init(&hash, GNUTLS_DIG_SHA256) != 0)
		return;
	while (slice_cut_line(&body, &line)) {
		while (line.len && ascii_is_space(line.ptr[line.len - 1]))
			line.len--;
		gnutls_hash(hash, line.ptr, line.len);
		gnutls_hash(hash, "\n", 1);
	}
	gnutls_hash_deinit(hash, sum);
	for (size_t i = 0; i < 16; i++) {
		text[2 * i] = digits[sum[i] >> 4];
		text[2 * i + 1] = digits[sum[i] & 15];
	}
	json_object_set_new(to, "body_hash", json_string(text));
}

/* What must not show: recipients, and the names of this host and of the trap domains. */
struct secrets {
	struct slice items[REDACT_MAX_SECRETS + 1];
	size_t count;
	struct domain domains[REDACT_MAX_SECRETS + 1];
	size_t domain_count;
	const struct traps *traps; /* whose domains are no less secret */
};

static void add_secret_domain(struct secrets *s, struct slice text)
{
	struct domain d;

	if (s->domain_count == ARRAY_LEN(s->domains) || !domain_parse_idn(text, &d, NULL)
		|| d.len < 2)
		return;
	for (size_t i = 0; i < s->domain_count; i++)
		if (domain_eq(&s->domains[i], &d))
			return;
	s->domains[s->domain_count++] = d;
}

static void add_secret(struct secrets *s, struct slice text)
{
	if (text.len && s->count < ARRAY_LEN(s->items))
		s->items[s->count++] = text;
}

/* When they are more than redaction takes, one too many makes it give no sample at all. */
static struct secrets *collect_secrets(const struct observer *o, const struct smtp_mail *mail)
{
	struct secrets *s = mem_new(1, sizeof *s);

	add_secret(s, slice_str(o->config->host_name));
	add_secret_domain(s, slice_str(o->config->host_name));
	s->traps = o->traps;
	for (size_t i = 0; traps_domain(o->traps, i); i++)
		add_secret(s, slice_str(traps_domain(o->traps, i)));
	for (size_t i = 0; i < mail->recipient_count; i++) {
		add_secret(s, mail->recipients[i].address);
		add_secret_domain(s, mail->recipients[i].domain);
	}
	return s;
}

/* A spammer's HELO, sender or link often has the recipient's own domain, or a name beside it: that would
 * tell the trap, and would list its owner's site. */
static bool tells_trap(const struct secrets *s, const struct domain *d)
{
	for (size_t i = 0; i < s->domain_count; i++)
		if (domain_is_under(d, &s->domains[i]) || domain_is_under(&s->domains[i], d))
			return true;
	return traps_are_near(s->traps, d);
}

/* A host name as hosts have it; a domain in general may hold any byte, an '@' too. */
static bool parse_host(struct slice text, struct domain *ret)
{
	for (size_t i = 0; i < text.len; i++)
		if (!ascii_is_alpha(text.ptr[i]) && !ascii_is_digit(text.ptr[i])
			&& !strchr("-._", text.ptr[i]) && (unsigned char)text.ptr[i] < 0x80)
			return false;
	return domain_parse_idn(text, ret, NULL);
}

static void set_line(
	json_t *to, const char *field, struct slice text, const struct secrets *secrets)
{
	_cleanup_buf_ struct buf line = BUF_INIT(SUBJECT_MAX);

	redact_line(text, secrets->items, secrets->count, &line);
	set_text(to, field, buf_slice(&line));
}

static void set_hosts(
	json_t *to, const struct smtp_mail *mail, struct slice helo, const struct secrets *secrets)
{
	struct domain d;

	if (helo.len && !(parse_host(helo, &d) && tells_trap(secrets, &d)))
		set_line(to, "helo", helo, secrets);
	if (parse_host(mail->mail_from_domain, &d) && !tells_trap(secrets, &d))
		json_object_set_new(to, "mail_from_domain", json_string(domain_text(&d).s));
}

/* Domains of links. */
static size_t set_domains(json_t *to, const struct observer *o, const struct mime_tree *tree,
	const struct secrets *secrets)
{
	struct arena *a = arena_new(LINKS_ARENA_SIZE);
	json_t *domains = json_array();
	struct links links;

	if (links_init(&links, a, o->psl)) {
		links_add_mail(&links, tree);
		for (size_t i = 0; i < links.domain_count && json_array_size(domains) < DOMAINS_MAX;
			i++)
			if (!tells_trap(secrets, &links.domains[i].name))
				json_array_append_new(domains,
					json_string(domain_text(&links.domains[i].name).s));
	}
	arena_free(a);
	json_object_set_new(to, "domains", domains);
	return json_array_size(domains);
}

static void find_sender(const struct observer *o, struct slice head, const struct ip *peer,
	struct received_sender *ret)
{
	static const struct ip loopback = {
		4, {127, 0, 0, 1}}; /* a Unix socket: a program of this machine */
	struct received_trust trust = {
		.relays = o->config->relays.items, .relay_count = o->config->relays.count};

	if (!received_sender(head, peer->family ? peer : &loopback, &trust, ret))
		*ret = (struct received_sender){.helo = SLICE_EMPTY, .rdns = SLICE_EMPTY};
	ret->ip = ip_unmap(ret->ip);
	if (ret->ip.family && ip_is_special(&ret->ip))
		ret->ip = (struct ip){0};
}

/* Everything that does not differ between the traps of one mail. */
static json_t *common_evidence(const struct observer *o, const struct smtp_mail *mail,
	const struct mime_tree *tree, struct slice head, struct slice body,
	const struct received_sender *sender, struct observation *ob)
{
	_cleanup_buf_ struct buf subject = BUF_INIT(HEADER_MAX_VALUE),
				 sample = BUF_INIT(REDACT_SAMPLE_MAX);
	json_t *e = json_object();
	struct secrets *secrets = collect_secrets(o, mail);

	json_object_set_new(e, "type", json_string("evidence"));
	json_object_set_new(e, "kind", json_string("trap-hit"));
	json_object_set_new(e, "class", json_string(mail_class_name(ob->class)));
	if (sender->ip.family)
		json_object_set_new(e, "ip", json_string(ip_text(&sender->ip).s));
	set_text(e, "sensor", slice_str(o->config->sensor));
	ob->domain_count = set_domains(e, o, tree, secrets);
	set_hosts(e, mail, sender->hops ? sender->helo : mail->helo, secrets);
	header_decode(header_value(head, "Subject"), &subject);
	set_line(e, "subject_line", buf_slice(&subject), secrets);
	json_object_set_new(e, "size", json_integer((json_int_t)mail->content.len));
	set_body_hash(e, body);
	if (redact_sample(tree, secrets->items, secrets->count, &sample))
		set_text(e, "sample", buf_slice(&sample));
	free(secrets);
	return e;
}

/* One message for each trap that is not yet among those before it. */
static void split_by_trap(const struct observer *o, const struct smtp_mail *mail, json_t *common,
	const char *uid, struct observation *ob)
{
	struct trap_name names[OBSERVE_MAX_TRAPS];
	char own_uid[64];

	for (size_t i = 0; i < mail->recipient_count && ob->count < OBSERVE_MAX_TRAPS; i++) {
		struct trap_name name = observer_trap_name(o, &mail->recipients[i]);
		const struct trap_rule *rule = traps_find(o->traps, &mail->recipients[i]);
		bool seen = !rule;
		json_t *e;

		for (size_t k = 0; k < ob->count && !seen; k++)
			seen = strcmp(names[k].s, name.s) == 0;
		if (seen)
			continue;
		e = json_copy(common);
		snprintf(own_uid, sizeof own_uid, ob->count ? "%.40s-%zu" : "%.40s", uid,
			ob->count + 1);
		json_object_set_new(e, "trap", json_string(name.s));
		json_object_set_new(e, "uid", json_string(own_uid));
		json_object_set_new(e, "trap_type", json_string(config_trap_types[rule->type]));
		set_text(e, "trap_group", slice_str(rule->group));
		json_object_set_new(e, "share", json_integer(rule->weight));
		names[ob->count] = name;
		ob->evidence[ob->count++] = e;
	}
}

void observe_mail(const struct observer *o, const struct smtp_mail *mail, const struct ip *peer,
	uint16_t port, const char *uid, int64_t at_ms, struct observation *ret)
{
	struct arena *a = arena_new(MIME_ARENA_SIZE);
	struct received_sender sender;
	struct slice head, body;
	struct mime_tree tree;
	json_t *common;

	*ret = (struct observation){0};
	header_split(mail->content, &head, &body);
	mime_parse(mail->content, a, &tree);
	ret->class = mail_classify(mail->mail_from, &tree, &ret->why);
	find_sender(o, head, peer, &sender);
	ret->ip = sender.ip;
	ret->hops = sender.hops;
	common = common_evidence(o, mail, &tree, head, body, &sender, ret);
	json_object_set_new(common, "at", json_integer(at_ms));
	if (!sender.hops && sender.ip.family && port)
		json_object_set_new(common, "port", json_integer(port));
	split_by_trap(o, mail, common, uid, ret);
	json_decref(common);
	arena_free(a);
}

void observation_done(struct observation *ob)
{
	for (size_t i = 0; i < ob->count; i++)
		json_decref(ob->evidence[i]);
	ob->count = 0;
}
