/* links.h - whom a mail advertises: the hosts in its links, and the domains that someone registered. */
#pragma once

#include "base/arena.h"
#include "base/domain.h"
#include "base/ip.h"
#include "mail/mime.h"

#include <libpsl.h>

#define LINKS_MAX_HOSTS 500
#define LINKS_MAX_URLS 20000 /* looked at, in one mail */
#define LINKS_ARENA_SIZE ((size_t)1024 * 1024)

enum link_kind {
	LINK_CLICK = 1, /* href, action, meta refresh: where the reader is led */
	LINK_LOAD = 2,	/* src, background ...: what the mail program fetches */
	LINK_TEXT = 4,	/* written in the text */
};

struct link_host {
	struct domain name;
	unsigned kinds; /* of all links to it */
	int domain;	/* of a host: index of its registrable domain, -1 when it has none */
};

struct links {
	struct arena *arena;
	struct link_host *hosts;   /* as linked; each once */
	struct link_host *domains; /* registrable (public suffix + 1 label); each once */
	struct ip *ips;		   /* links to bare addresses; each once */
	size_t host_count, domain_count, ip_count;
	size_t urls;			     /* looked at */
	bool cut;			     /* a limit was met */
	uint16_t *host_slots, *domain_slots; /* hash tables: index + 1 */
	const psl_ctx_t *psl;
};

/* psl NULL: the list built into libpsl. False when the arena is full. */
bool links_init(struct links *l, struct arena *a, const psl_ctx_t *psl);
/* Every text part of the mail, those of mails it carries along included. */
void links_add_mail(struct links *l, const struct mime_tree *tree);
/* Tokenized as WHATWG HTML says, without a tree; linear time whatever it holds. */
void links_add_html(struct links *l, struct slice html);
/* "http://...", "https://...", "ftp://...", "www.name.known-suffix". */
void links_add_text(struct links *l, struct slice text);
/* One URL as an HTML attribute holds it (entities decoded). Relative ones and other schemes add nothing. */
void links_add_url(struct links *l, struct slice url, enum link_kind kind);

/* Host of an absolute or scheme-relative URL as browsers see it (WHATWG URL): userinfo, port, "\",
 * percent escapes, IDN, http://3232235777/. Exactly one of the two is set on true. */
bool url_host(struct slice url, struct domain *ret_name, struct ip *ret_ip);
/* The registrable part of a name; false for a public suffix itself and single labels. */
bool domain_registrable(const psl_ctx_t *psl, const struct domain *name, struct domain *ret);
