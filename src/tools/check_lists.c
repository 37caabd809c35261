/* check_lists.c - which lists `sekisho check` asks, where, and what their answers mean. */
#include "tools/check_private.h"

#include "base/mem.h"
#include "io/socket.h"

#include <stdio.h>
#include <stdlib.h>

static struct check_list *find(struct check_lists *lists, const struct domain *zone)
{
	for (size_t i = 0; i < lists->count; i++)
		if (domain_eq(&lists->items[i].dnsbl.zone, zone))
			return &lists->items[i];
	return NULL;
}

static struct check_list *add(
	struct check_lists *lists, const char *zone, const struct domain *name)
{
	struct check_list *l;

	lists->items = mem_resize(lists->items, (lists->count + 1) * sizeof *lists->items);
	l = &lists->items[lists->count++];
	*l = (struct check_list){.zone = mem_str(zone)};
	l->dnsbl.zone = *name;
	return l;
}

/* A server of ours that listens everywhere answers on loopback. */
static char *own_server(const struct config *config)
{
	const struct strings *listen = &config->dnsd.listen;
	struct socket_address a;
	struct ip ip;
	uint16_t port;
	char text[32];

	if (listen->count == 0 || !socket_address_parse(slice_str(listen->items[0]), &a, NULL))
		return NULL;
	ip = socket_address_ip(&a, &port);
	for (size_t i = 0; i < sizeof ip.bytes; i++)
		if (ip.bytes[i])
			return mem_str(listen->items[0]);
	snprintf(text, sizeof text, ip.family == 4 ? "127.0.0.1:%u" : "[::1]:%u", port);
	return mem_str(text);
}

static bool take_gate_list(struct check_list *l, const struct config_gate_list *g, struct err *err)
{
	if (!l->server && g->server && g->server[0])
		l->server = mem_str(g->server);
	l->addresses = true;
	l->ip6 = g->ip6;
	l->allow = g->kind == GATE_ALLOW;
	if (code_set_parse((const char *const *)g->codes.items, g->codes.count, &l->codes, err)
		&& code_set_parse((const char *const *)g->error_codes.items, g->error_codes.count,
			&l->error_codes, err))
		return true;
	return err_prefix(err, "gated: list \"%s\": ", g->zone);
}

/* What the configuration says of this zone. */
static bool take_config(struct check_list *l, const struct config *config, struct err *err)
{
	bool known = false;

	for (size_t i = 0; i < config->gated.list_count; i++) {
		const struct config_gate_list *g = &config->gated.lists[i];

		if (!domain_eq(&g->zone_name, &l->dnsbl.zone))
			continue;
		known = true;
		if (!take_gate_list(l, g, err))
			return false;
		break;
	}
	for (size_t i = 0; i < config->list_count; i++) {
		const struct config_list *own = &config->lists[i];

		if (!domain_eq(&own->zone_name, &l->dnsbl.zone))
			continue;
		known = true;
		if (!l->server)
			l->server = own_server(config);
		if (own->kind == LIST_IP)
			l->addresses = l->ip6 = true;
		else
			l->domains = true;
	}
	if (!known)
		l->addresses = l->ip6 = l->domains = true;
	return true;
}

bool check_lists_add(
	struct check_lists *lists, const struct config *config, const char *text, struct err *err)
{
	struct slice s = slice_str(text);
	size_t at = slice_find(s, '@');
	struct socket_address address;
	struct domain zone;
	struct check_list *l;

	if (lists->count == CHECK_LISTS_MAX)
		return err_set(err, ERR_LIMIT, "more than %d lists", CHECK_LISTS_MAX);
	if (!domain_parse_idn(slice_take(s, at), &zone, err) || zone.labels == 0)
		return err_set(err, ERR_SYNTAX,
			"'%.100s' is no list: write its zone, \"bl.example\" or "
			"\"bl.example@127.0.0.1:53\"",
			text);
	if (at < s.len && !socket_address_parse(slice_skip(s, at + 1), &address, err))
		return err_prefix(err, "list '%.100s': ", text);
	if (find(lists, &zone))
		return true;
	l = add(lists, domain_text(&zone).s, &zone);
	if (at < s.len)
		l->server = mem_str(text + at + 1);
	if (config)
		return take_config(l, config, err);
	l->addresses = l->ip6 = l->domains = true;
	return true;
}

bool check_lists_of_config(struct check_lists *lists, const struct config *config, struct err *err)
{
	for (size_t i = 0; i < config->check.lists.count; i++)
		if (!check_lists_add(lists, config, config->check.lists.items[i], err))
			return false;
	for (size_t i = 0; config->check.lists.count == 0 && i < config->gated.list_count; i++)
		if (config->gated.lists[i].enabled
			&& !check_lists_add(lists, config, config->gated.lists[i].zone, err))
			return false;
	if (lists->count == 0)
		for (size_t i = 0; i < config->list_count; i++)
			if (!check_lists_add(lists, config, config->lists[i].zone, err))
				return false;
	if (lists->count == 0)
		return err_set(err, ERR_MISSING,
			"no list to ask: name one with --list ZONE or in check { lists = {...} }");
	return true;
}

void check_lists_done(struct check_lists *lists)
{
	for (size_t i = 0; i < lists->count; i++) {
		free(lists->items[i].zone);
		free(lists->items[i].server);
		code_set_done(&lists->items[i].codes);
		code_set_done(&lists->items[i].error_codes);
	}
	free(lists->items);
	*lists = (struct check_lists){0};
}

enum check_outcome check_outcome(const struct check_list *list, const struct check_result *r)
{
	long weight;

	if (!r->asked)
		return CHECK_NOT_ASKED;
	if (r->answer.status == DNSBL_CLEAR)
		return CHECK_CLEAR;
	if (r->answer.status != DNSBL_LISTED)
		return CHECK_NO_ANSWER;
	if (!code_set_weight(&list->codes, r->answer.codes, r->answer.code_count, 1, &weight))
		return CHECK_OTHER_CODE;
	return list->allow ? CHECK_ALLOWED : CHECK_LISTED;
}
