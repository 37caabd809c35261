/* servers.c - addresses of name servers from the configuration and from resolv.conf(5). */
#include "resolve/servers.h"

bool server_parse(struct slice text, struct socket_address *ret, struct err *err)
{
	struct ip ip;
	uint16_t port;

	if (ip_parse(text, &ip))
		return socket_address_of(&ip, 53, ret);
	if (slice_starts_nocase(text, SLICE("unix:")))
		return err_set(err, ERR_SYNTAX, "'%.*s': a DNS server has an address and a port",
			SLICE_FMT(slice_take(text, 100)));
	if (!socket_address_parse(text, ret, err))
		return false;
	socket_address_ip(ret, &port);
	if (port == 0)
		return err_set(err, ERR_SYNTAX, "'%.*s': port 0 answers nobody",
			SLICE_FMT(slice_take(text, 100)));
	return true;
}

size_t servers_of_resolv_conf(struct slice text, struct socket_address *ret, size_t max)
{
	struct slice line, word;
	struct ip ip;
	size_t n = 0;

	while (n < max && slice_cut_line(&text, &line)) {
		if (!slice_cut_word(&line, &word) || !slice_eq(word, SLICE("nameserver")))
			continue;
		if (slice_cut_word(&line, &word) && ip_parse(word, &ip)
			&& socket_address_of(&ip, 53, &ret[n]))
			n++;
	}
	return n;
}
