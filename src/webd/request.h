/* request.h - one HTTP request as the pages see it, taken apart without the server's help: target,
 * who asks, where the form was made, which form of answer is wanted. Pure. */
#pragma once

#include "config/config.h"
#include "webd/form.h"

#define REQUEST_TARGET_MAX 4096
#define REQUEST_BODY_MAX 16384

enum method { METHOD_GET, METHOD_POST, METHOD_OTHER }; /* HEAD counts as GET */

struct request {
	enum method method;
	struct buf path_text;
	struct slice path; /* decoded, without ".json"; begins with '/' */
	struct form query;
	struct slice body;
	/* headers; empty when missing */
	struct slice accept, accept_language, content_type, origin, referer, host, fetch_site;
	struct ip client; /* family 0: unknown (a Unix socket without X-Forwarded-For) */
	bool json;	  /* the answer shall be JSON */
};

/* "/path?query" into path and query; sets json from ".json", ?format= and Accept. */
bool request_parse_target(struct request *r, struct slice target, struct err *err);
void request_done(struct request *r);

/* The client: the peer, or, when the peer is a trusted proxy, the last address of X-Forwarded-For
 * that is none. What a proxy of ours did not write is not believed. peer with family 0 (a Unix
 * socket) is trusted. */
struct ip request_client(
	const struct ip *peer, struct slice forwarded_for, const struct prefixes *trusted);

/* False when the browser says that another site made it post this. */
bool request_is_ours(const struct request *r, const char *base_url);
/* Content-Type without its parameters. */
bool request_has_type(const struct request *r, const char *type);
