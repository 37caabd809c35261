/* token.c - signs and checks removal forms. */
#include "webd/token.h"

#include "base/buf.h"

#include <gnutls/crypto.h>

#define TIME_DIGITS 12
#define SUBJECT_MAX 2048

static bool token_sign(const uint8_t *key, struct slice list, struct slice subject, int64_t made_ms,
	struct token_text *ret)
{
	_cleanup_buf_ struct buf text = BUF_INIT(SUBJECT_MAX);
	uint8_t mac[32];

	/* Lengths in front, so that no two pairs of list and subject give the same bytes. */
	buf_addf(&text, "removal %lld %zu %zu ", (long long)made_ms, list.len, subject.len);
	buf_add_slice(&text, list);
	buf_add_slice(&text, subject);
	if (text.failed
		|| gnutls_hmac_fast(
			   GNUTLS_MAC_SHA256, key, TOKEN_KEY_BYTES, text.ptr, text.len, mac)
			   != 0)
		return false;
	snprintf(ret->s, sizeof ret->s, "%0*llx", TIME_DIGITS, (unsigned long long)made_ms);
	for (size_t i = 0; i < sizeof mac; i++)
		snprintf(ret->s + TIME_DIGITS + 2 * i, 3, "%02x", mac[i]);
	return true;
}

struct token_text token_make(
	const uint8_t key[TOKEN_KEY_BYTES], struct slice list, struct slice subject, int64_t now_ms)
{
	struct token_text t = {""};

	if (!token_sign(key, list, subject, now_ms & 0xffffffffffff, &t))
		t.s[0] = '\0';
	return t;
}

enum token_verdict token_check(const uint8_t key[TOKEN_KEY_BYTES], struct slice token,
	struct slice list, struct slice subject, int64_t now_ms)
{
	struct token_text want;
	int64_t made_ms = 0;

	if (token.len != sizeof want.s - 1)
		return TOKEN_BAD;
	for (size_t i = 0; i < TIME_DIGITS; i++) {
		if (ascii_hex(token.ptr[i]) < 0)
			return TOKEN_BAD;
		made_ms = made_ms << 4 | ascii_hex(token.ptr[i]);
	}
	if (!token_sign(key, list, subject, made_ms, &want)
		|| gnutls_memcmp(want.s, token.ptr, token.len) != 0)
		return TOKEN_BAD;
	/* Signed by us, so the time is ours too; the clock may have been set back a little. */
	return now_ms - made_ms > TOKEN_LIFE_MS || made_ms - now_ms > TOKEN_LIFE_MS ? TOKEN_OLD
										    : TOKEN_GOOD;
}
