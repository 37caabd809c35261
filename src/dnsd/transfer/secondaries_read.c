/* secondaries_read.c - who may transfer zones, as the configuration says it. */
#include "base/mem.h"
#include "dnsd/answer/secondaries.h"
#include "io/file.h"

#include <stdlib.h>

#define SECRET_FILE_MAX 4096

static bool read_key(struct tsig_key *ret, const struct config_key *c, struct err *err)
{
	_cleanup_buf_ struct buf file = BUF_INIT(0);
	struct slice secret = slice_str(c->secret);

	if (*c->secret_file) {
		if (!file_read(c->secret_file, SECRET_FILE_MAX, &file, err))
			return false;
		secret = slice_trim(buf_slice(&file));
	}
	if (tsig_key_init(ret, &c->key_name, c->algorithm, secret, err))
		return true;
	return *c->secret_file ? err_prefix(err, "%s: ", c->secret_file) : false;
}

static void add_secondary(struct secondaries *s, const struct config_secondary *c)
{
	struct secondary *to = &s->items[s->count++];

	to->config = c;
	to->addresses = mem_new(c->address.count + 1, sizeof *to->addresses);
	to->ips = mem_new(c->address.count + 1, sizeof *to->ips);
	for (size_t i = 0; i < c->address.count; i++) {
		struct socket_address *a = &to->addresses[to->address_count];
		if (!socket_address_parse(slice_str(c->address.items[i]), a, NULL))
			continue;
		to->ips[to->address_count++] = ip_unmap(socket_address_ip(a, NULL));
	}
	to->zones = mem_new(c->zones.count + 1, sizeof *to->zones);
	for (size_t i = 0; i < c->zones.count; i++)
		if (domain_parse_idn(
			    slice_str(c->zones.items[i]), &to->zones[to->zone_count], NULL))
			to->zone_count++;
	for (size_t i = 0; i < s->key_count; i++) {
		struct domain name;
		if (*c->key && domain_parse(slice_str(c->key), &name, NULL)
			&& domain_eq(&name, &s->keys[i].name))
			to->key = &s->keys[i];
	}
}

bool secondaries_init(struct secondaries *s, const struct config_dnsd *config, struct err *err)
{
	*s = (struct secondaries){0};
	s->keys = mem_new(config->key_count + 1, sizeof *s->keys);
	s->items = mem_new(config->secondary_count + 1, sizeof *s->items);
	for (size_t i = 0; i < config->key_count; i++) {
		if (!read_key(&s->keys[i], &config->keys[i], err))
			return err_prefix(err, "dnsd: key \"%s\": ", config->keys[i].name);
		s->key_count++;
	}
	for (size_t i = 0; i < config->secondary_count; i++)
		add_secondary(s, &config->secondaries[i]);
	return true;
}

void secondaries_done(struct secondaries *s)
{
	for (size_t i = 0; i < s->count; i++) {
		free(s->items[i].addresses);
		free(s->items[i].ips);
		free(s->items[i].zones);
	}
	free(s->items);
	free(s->keys);
	*s = (struct secondaries){0};
}
