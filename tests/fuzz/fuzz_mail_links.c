/* fuzz_mail_links.c - HTML, text and URLs: each host once, made of host characters, its registrable
 * domain above it. */
#include "base/arena.h"
#include "mail/charset.h"
#include "mail/html.h"
#include "mail/links.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must_be_hosts(const struct links *l)
{
	if (l->host_count > LINKS_MAX_HOSTS || l->domain_count > l->host_count
		|| l->ip_count > LINKS_MAX_HOSTS)
		abort();
	for (size_t i = 0; i < l->host_count; i++) {
		const struct link_host *h = &l->hosts[i];
		struct domain_text text = domain_text(&h->name);

		if (h->kinds == 0
			|| strspn(text.s, "abcdefghijklmnopqrstuvwxyz0123456789-_.")
				   != strlen(text.s))
			abort();
		if (h->domain >= 0 && !domain_is_under(&h->name, &l->domains[h->domain].name))
			abort();
		for (size_t k = 0; k < i && i < 50; k++)
			if (domain_eq(&h->name, &l->hosts[k].name))
				abort();
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct slice s = slice_of(data, size);
	struct arena *a = arena_new(LINKS_ARENA_SIZE);
	struct buf text = BUF_INIT((size_t)1 << 20);
	struct html_iter it = html_iter_of(s);
	struct html_token t;
	struct domain name;
	struct links l;
	struct ip ip;
	size_t tokens = 0;

	if (!links_init(&l, a, NULL))
		abort();
	links_add_html(&l, s);
	links_add_text(&l, s);
	must_be_hosts(&l);
	if (url_host(s, &name, &ip) && (name.len != 0) == (ip.family != 0))
		abort();
	while (html_next(&it, &t))
		if (++tokens > size)
			abort();
	html_to_text(s, &text);
	html_unescape(s, &text);
	if (utf8_is_valid(s) && !utf8_is_valid(buf_slice(&text)) && !text.failed)
		abort();
	buf_done(&text);
	arena_free(a);
	return 0;
}
