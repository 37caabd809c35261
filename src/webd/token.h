/* token.h - what a removal form carries to show that this portal made it, for this list and subject
 * and not long ago (against cross-site request forgery): HMAC-SHA256 over all three. Pure. */
#pragma once

#include "base/slice.h"

#define TOKEN_KEY_BYTES 32
#define TOKEN_LIFE_MS ((int64_t)2 * 60 * 60 * 1000)

struct token_text {
	char s[12 + 64 + 1]; /* milliseconds since 1970 and the HMAC, both in hexadecimal */
};

struct token_text token_make(const uint8_t key[TOKEN_KEY_BYTES], struct slice list,
	struct slice subject, int64_t now_ms);

enum token_verdict { TOKEN_GOOD, TOKEN_OLD, TOKEN_BAD };
enum token_verdict token_check(const uint8_t key[TOKEN_KEY_BYTES], struct slice token,
	struct slice list, struct slice subject, int64_t now_ms);
