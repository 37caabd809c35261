/* webd.c - puts the portal together. */
#include "webd/webd.h"

#include "base/mem.h"
#include "io/random.h"
#include "webd/server.h"

#define CLIENTS_REMEMBERED 16384

static char *base_url_of(const struct config_webd *c)
{
	char text[200];
	size_t len = c->base_url ? strlen(c->base_url) : 0;

	while (len && c->base_url[len - 1] == '/')
		len--;
	if (len)
		return mem_str_len(c->base_url, len);
	snprintf(text, sizeof text, "http://%s", c->listen);
	return mem_str(text);
}

struct webd *webd_open(struct loop *loop, const struct config *config, struct err *err)
{
	struct webd *w = mem_new(1, sizeof *w);
	const struct config_webd *c = &config->webd;
	/* Who has just mended the DNS and comes back must not meet our memory; the resolver has its own. */
	struct resolver_limits limits = {.cache_entries = 10000, .max_ttl_s = 1};
	uint8_t key[16];

	random_bytes(key, sizeof key);
	w->loop = loop;
	w->config = config;
	w->base_url = base_url_of(c);
	w->lookups = limiter_new(CLIENTS_REMEMBERED, c->lookup_rate, 60000 / c->lookup_rate, key);
	w->removals =
		limiter_new(CLIENTS_REMEMBERED, c->removal_rate, 3600000 / c->removal_rate, key);
	w->resolver = resolver_new(loop, &limits);
	w->upstream = upstream_new(
		w->resolver, (const char *const *)c->resolver.items, c->resolver.count, err);
	if (!w->upstream || !site_open(&w->site, config, err))
		return webd_free(w);
	w->listd = ipc_client_new(loop, config->socket_path, "webd");
	w->server = server_open(w, err);
	if (!w->server)
		return webd_free(w);
	return w;
}

struct webd *webd_free(struct webd *w)
{
	if (!w)
		return NULL;
	w->server = server_free(w->server);
	w->listd = ipc_client_free(w->listd);
	w->resolver = resolver_free(w->resolver);
	limiter_free(w->lookups);
	limiter_free(w->removals);
	site_close(&w->site);
	free(w->base_url);
	free(w);
	return NULL;
}

uint16_t webd_port(const struct webd *w)
{
	return server_port(w->server);
}

struct exchange *exchange_new(struct webd *w)
{
	struct exchange *x = mem_new(1, sizeof *x);

	x->webd = w;
	x->references = 1;
	return x;
}

void exchange_stop_waiting(struct exchange *x)
{
	x->fcrdns = fcrdns_cancel(x->fcrdns);
	x->deadline = loop_timer_free(x->deadline);
}

void exchange_release(struct exchange *x)
{
	if (--x->references > 0)
		return;
	exchange_stop_waiting(x);
	request_done(&x->request);
	buf_done(&x->answer.body);
	json_decref(x->reply);
	free(x->asked);
	free(x->note);
	free(x);
}
