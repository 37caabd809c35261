/* redact.h - a mail as evidence that may be shown: no trap address, no one else's address, no link
 * paths (they can name the recipient), little text. */
#pragma once

#include "mail/mime.h"

#define REDACT_SAMPLE_MAX ((size_t)16 * 1024)
#define REDACT_MAX_SECRETS 200

/* Appends a sample of at most REDACT_SAMPLE_MAX bytes (out's own limit if that is less) of valid UTF-8.
 * secrets: trap addresses, and host names of the sensor that must not show. Each is removed
 * wherever it stands, also as VERP (user=host), URL-escaped, in base64 and in hex; of an address the
 * local part also by itself. Secrets over REDACT_MAX_SECRETS: no sample at all (false). */
bool redact_sample(const struct mime_tree *tree, const struct slice *secrets, size_t secret_count,
	struct buf *out);
/* One line of outside text (a subject, a HELO) without the secrets, local parts of addresses hidden. */
bool redact_line(
	struct slice text, const struct slice *secrets, size_t secret_count, struct buf *out);
