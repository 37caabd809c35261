/* stream.h - one buffered, non-blocking byte stream with limits, a deadline and, on demand, TLS
 * (GnuTLS). The protocol above sees bytes in and writes bytes out. */
#pragma once

#include "base/err.h"
#include "base/slice.h"
#include "io/loop.h"

struct stream;
struct tls_server; /* a certificate and its key */

struct stream_handler {
	/* New bytes. Return how many were consumed; the rest comes again with what follows. */
	size_t (*input)(void *ctx, struct slice bytes);
	/* The stream is gone (why: "closed", "timeout", "error", "tls", "limit"); free ctx here. The
	 * stream frees itself after this call. */
	void (*closed)(void *ctx, const char *why);
};

/* Takes fd over. in_limit: unconsumed input at once; out_limit: unsent output at once. */
struct stream *stream_new(struct loop *l, int fd, size_t in_limit, size_t out_limit,
	const struct stream_handler *handler, void *ctx);
void stream_write(struct stream *s, struct slice bytes);
size_t stream_unsent(const struct stream *s);
/* Closes with "timeout" when `ms` pass without another call of this; 0 takes the deadline away. */
void stream_deadline(struct stream *s, int64_t ms);
/* Input is not read while paused. */
void stream_pause(struct stream *s, bool paused);
/* After what was written so far has left, the handshake begins (STARTTLS). Input received in plain
 * before it is thrown away (RFC 3207, 4.2; the command injection of CVE-2011-0411). */
void stream_start_tls(struct stream *s, struct tls_server *tls);
/* Sends what is written, then closes. `closed` is called when done. */
void stream_finish(struct stream *s);
/* Closes now; `closed` is called from the loop, not from here. */
void stream_abort(struct stream *s);

struct tls_server *tls_server_new(const char *cert_file, const char *key_file, struct err *err);
/* A self-signed certificate made at start: what a trap shows when none is configured. */
struct tls_server *tls_server_selfsigned(const char *host_name, struct err *err);
struct tls_server *tls_server_free(struct tls_server *tls);
