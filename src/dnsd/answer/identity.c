/* identity.c - what the server says of itself. */
#include "dnsd/answer/identity.h"

#include "base/attr.h"
#include "base/siphash.h"

#define NSID_MAX 128
#define TEXT_MAX 255
#define SECRET_LIFE_S 86400 /* of a random one; the one before it is still understood */

static bool parse_secret(struct slice hex, uint8_t dst[DNS_COOKIE_SECRET], struct err *err)
{
	bool ok = hex.len == 2 * DNS_COOKIE_SECRET;

	for (size_t i = 0; ok && i < DNS_COOKIE_SECRET; i++) {
		int high = ascii_hex(hex.ptr[2 * i]), low = ascii_hex(hex.ptr[2 * i + 1]);
		ok = high >= 0 && low >= 0;
		dst[i] = (uint8_t)((unsigned)high << 4 | (unsigned)low);
	}
	return ok ? true
		  : err_set(err, ERR_SYNTAX,
			  "dnsd: cookie-secrets: each is 32 hexadecimal digits: make one with "
			  "openssl rand -hex 16");
}

bool identity_init(struct identity *id, const struct config_dnsd *config, const uint8_t random[16],
	struct err *err)
{
	*id = (struct identity){.nsid = slice_str(config->nsid),
		.version = slice_str(config->version),
		.id = slice_str(config->identity),
		.keepalive = (uint16_t)MIN(config->tcp_idle * 10, UINT16_MAX),
		.cookies = config->cookies,
		.secret_count = config->cookie_secrets.count};
	memcpy(id->random, random, sizeof id->random);
	if (id->nsid.len > NSID_MAX || id->version.len > TEXT_MAX || id->id.len > TEXT_MAX)
		return err_set(err, ERR_LIMIT,
			"dnsd: nsid may have %d bytes, version and identity %d", NSID_MAX,
			TEXT_MAX);
	if (id->secret_count > IDENTITY_SECRETS)
		return err_set(
			err, ERR_LIMIT, "dnsd: cookie-secrets: more than %d", IDENTITY_SECRETS);
	for (size_t i = 0; i < id->secret_count; i++)
		if (!parse_secret(slice_str(config->cookie_secrets.items[i]), id->secrets[i], err))
			return false;
	return true;
}

/* ---- cookies ---- */

/* Secret number n of this time; 0 makes cookies. False: there is none. */
static bool secret(
	const struct identity *id, int64_t now_s, size_t n, uint8_t dst[DNS_COOKIE_SECRET])
{
	uint64_t from[2];

	if (id->secret_count) {
		if (n < id->secret_count)
			memcpy(dst, id->secrets[n], DNS_COOKIE_SECRET);
		return n < id->secret_count;
	}
	from[0] = (uint64_t)(now_s / SECRET_LIFE_S) - n;
	for (from[1] = 0; from[1] < 2; from[1]++) {
		uint64_t half = siphash(id->random, slice_of(from, sizeof from));
		memcpy(dst + 8 * from[1], &half, 8);
	}
	return n < 2;
}

static bool answer_cookie(
	const struct answer_from *from, const struct dns_options *o, struct dns_writer *w)
{
	enum dns_cookie_state state = DNS_COOKIE_BAD;
	uint8_t key[DNS_COOKIE_SECRET], cookie[DNS_COOKIE_SIZE];
	uint32_t now_s = (uint32_t)from->now_s;
	size_t n = 0;

	while (o->cookie_len > DNS_COOKIE_CLIENT && state == DNS_COOKIE_BAD
		&& secret(from->identity, from->now_s, n, key)) {
		state = dns_cookie_check(key, &from->peer, now_s, o);
		n++;
	}
	memcpy(cookie, o->cookie, DNS_COOKIE_CLIENT);
	if (state == DNS_COOKIE_GOOD && n == 1) {
		memcpy(cookie, o->cookie, sizeof cookie);
	} else {
		secret(from->identity, from->now_s, 0, key);
		dns_cookie_make(key, &from->peer, now_s, cookie);
	}
	dns_writer_option(w, DNS_OPTION_COOKIE, slice_of(cookie, sizeof cookie));
	return state != DNS_COOKIE_BAD;
}

/* ---- for answer() ---- */

bool identity_options(
	const struct answer_from *from, const struct dns_question *q, struct dns_writer *w)
{
	const struct identity *id = from->identity;
	uint8_t tenths[2];

	if (!id)
		return false;
	if (q->options.nsid && id->nsid.len)
		dns_writer_option(w, DNS_OPTION_NSID, id->nsid);
	if (q->options.keepalive && from->transport == ANSWER_TCP) {
		dns_put_u16(tenths, id->keepalive);
		dns_writer_option(w, DNS_OPTION_KEEPALIVE, slice_of(tenths, sizeof tenths));
	}
	return id->cookies && q->options.cookie_len && from->peer.family
	       && answer_cookie(from, &q->options, w);
}

static struct slice chaos_text(const struct identity *id, const struct domain *name)
{
	static const struct {
		const char *name;
		bool version;
	} names[] = {{"version.bind", true}, {"version.server", true}, {"id.server", false},
		{"hostname.bind", false}};
	struct domain_text text = domain_text(name);

	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if (strcmp(text.s, names[i].name) == 0)
			return names[i].version ? id->version : id->id;
	return SLICE_EMPTY;
}

bool identity_chaos(const struct identity *id, const struct dns_question *q, struct dns_writer *w)
{
	struct slice text = id ? chaos_text(id, &q->name) : SLICE_EMPTY;
	uint8_t *record = w->at;

	if (text.len == 0)
		return false;
	if (q->type != DNS_TXT && q->type != DNS_ANY)
		return true;
	dns_record_begin(w, DNS_HEADER_SIZE, DNS_TXT, 0);
	dns_record_text(w, text);
	if (dns_record_end(w, DNS_ANSWER))
		dns_put_u16(record + 4, DNS_CH);
	return true;
}

void identity_error(struct dns_writer *w, enum dns_ede code, const char *text)
{
	uint8_t value[2 + 64];
	size_t len = MIN(strlen(text), sizeof value - 2);

	dns_put_u16(value, (uint16_t)code);
	memcpy(value + 2, text, len);
	dns_writer_option(w, DNS_OPTION_EDE, slice_of(value, 2 + len));
}
