/* request.c - takes a request apart. */
#include "webd/request.h"

#include "webd/negotiate.h"

bool request_parse_target(struct request *r, struct slice target, struct err *err)
{
	struct slice path, format;

	r->path_text = BUF_INIT(REQUEST_TARGET_MAX);
	r->json = negotiate_json(r->accept);
	if (target.len > REQUEST_TARGET_MAX)
		return err_set(
			err, ERR_LIMIT, "an address of more than %d bytes", REQUEST_TARGET_MAX);
	slice_cut(&target, '?', &path);
	if (!form_decode(path, false, &r->path_text, err))
		return false;
	r->path = buf_slice(&r->path_text);
	if (!r->path.len || r->path.ptr[0] != '/')
		return err_set(err, ERR_SYNTAX, "an address that does not begin with '/'");
	if (!form_parse(target, &r->query, err))
		return false;
	format = form_value(&r->query, "format");
	if (format.len)
		r->json = slice_eq(format, SLICE("json"));
	if (slice_ends_nocase(r->path, SLICE(".json"))) {
		r->path.len -= strlen(".json");
		r->json = true;
	}
	return true;
}

void request_done(struct request *r)
{
	buf_done(&r->path_text);
	form_done(&r->query);
}

static bool is_trusted(const struct ip *ip, const struct prefixes *trusted)
{
	for (size_t i = 0; i < trusted->count; i++)
		if (prefix_contains(&trusted->items[i], ip))
			return true;
	return false;
}

/* "192.0.2.1", "192.0.2.1:99", "[2001:db8::1]:99", as proxies write them. */
static bool forwarded_parse(struct slice s, struct ip *ret)
{
	s = slice_trim(s);
	if (ip_parse(s, ret))
		return true;
	if (s.len && s.ptr[0] == '[')
		return ip_parse(slice_take(slice_skip(s, 1), slice_find(s, ']') - 1), ret);
	return ip_parse(slice_take(s, slice_find(s, ':')), ret);
}

struct ip request_client(
	const struct ip *peer, struct slice forwarded_for, const struct prefixes *trusted)
{
	struct ip client = *peer, hop;

	while (forwarded_for.len && (!client.family || is_trusted(&client, trusted))) {
		size_t start = forwarded_for.len;

		while (start && forwarded_for.ptr[start - 1] != ',')
			start--;
		if (!forwarded_parse(slice_skip(forwarded_for, start), &hop))
			break;
		client = ip_unmap(hop);
		forwarded_for = slice_take(forwarded_for, start ? start - 1 : 0);
	}
	return client;
}

/* "https://host:port" of a URL, without what follows. */
static struct slice origin_of(struct slice url)
{
	size_t at = slice_find_nocase(url, SLICE("://"));

	if (at == url.len)
		return url;
	return slice_take(url, at + 3 + slice_find(slice_skip(url, at + 3), '/'));
}

static bool same_origin(struct slice url, struct slice host, const char *base_url)
{
	struct slice origin = origin_of(url);
	size_t at = slice_find_nocase(origin, SLICE("://"));

	if (slice_eq_nocase(origin, origin_of(slice_str(base_url))))
		return true;
	/* Also under another name of ours: what the browser itself put into Host. */
	return at < origin.len && host.len && slice_eq_nocase(slice_skip(origin, at + 3), host);
}

bool request_is_ours(const struct request *r, const char *base_url)
{
	if (slice_eq_nocase(r->fetch_site, SLICE("cross-site")))
		return false;
	if (r->origin.len)
		return same_origin(r->origin, r->host, base_url);
	if (r->referer.len)
		return same_origin(r->referer, r->host, base_url);
	return true; /* says nothing: the token in the form must do */
}

bool request_has_type(const struct request *r, const char *type)
{
	return slice_eq_nocase(
		slice_trim(slice_take(r->content_type, slice_find(r->content_type, ';'))),
		slice_str(type));
}
