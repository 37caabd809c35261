/* url.c - the host of a URL as browsers find it (WHATWG URL, 4.4 and 3.5). */
#include "mail/links.h"

#define URL_MAX 8192 /* looked at */

/* s without blanks and controls at its ends, and without tabs and line ends anywhere. */
static void clean(struct slice s, struct buf *out)
{
	while (s.len && (unsigned char)s.ptr[0] <= ' ')
		s = slice_skip(s, 1);
	s = slice_take(s, URL_MAX);
	for (size_t i = 0; i < s.len; i++)
		if (s.ptr[i] != '\t' && s.ptr[i] != '\n' && s.ptr[i] != '\r')
			buf_add_char(out, s.ptr[i]);
	while (out->len && (unsigned char)out->ptr[out->len - 1] <= ' ')
		out->len--;
}

static bool is_slash(struct slice s, size_t at)
{
	return at < s.len && (s.ptr[at] == '/' || s.ptr[at] == '\\');
}

/* What stands between the scheme's slashes and the path. False for relative URLs and schemes that lead
 * to no host of the web. */
static bool authority(struct slice s, struct slice *ret)
{
	static const struct slice schemes[] = {{"http", 4}, {"https", 5}, {"ftp", 3}};
	size_t n = 0, colon = slice_find(s, ':');
	bool known = false;

	for (size_t i = 0; i < ARRAY_LEN(schemes); i++)
		known = known || slice_eq_nocase(slice_take(s, colon), schemes[i]);
	if (known && colon < s.len)
		s = slice_skip(s, colon + 1);
	else if (!is_slash(s, 0) || !is_slash(s, 1))
		return false;
	while (is_slash(s, 0))
		s = slice_skip(s, 1);
	while (n < s.len && !is_slash(s, n) && s.ptr[n] != '?' && s.ptr[n] != '#')
		n++;
	*ret = slice_take(s, n);
	return n > 0;
}

static struct slice without_user_and_port(struct slice s)
{
	size_t i = s.len;

	while (i && s.ptr[i - 1] != '@')
		i--;
	s = slice_skip(s, i);
	if (s.len && s.ptr[0] == '[') {
		i = slice_find(s, ']');
		return slice_take(s, i + 1);
	}
	return slice_take(s, slice_find(s, ':'));
}

/* "123", "0x7f", "0177"; false when it is no number or more than 32 bits. */
static bool ip4_number(struct slice s, uint64_t *ret)
{
	unsigned base = 10;
	uint64_t v = 0;

	if (s.len == 0)
		return false;
	if (s.len >= 2 && s.ptr[0] == '0') {
		base = ascii_lower(s.ptr[1]) == 'x' ? 16 : 8;
		s = slice_skip(s, base == 16 ? 2 : 1);
	}
	for (size_t i = 0; i < s.len; i++) {
		int d = ascii_hex(s.ptr[i]);

		if (d < 0 || d >= (int)base)
			return false;
		v = v * base + (unsigned)d;
		if (v > UINT32_MAX)
			return false;
	}
	*ret = v;
	return true;
}

/* True when the last label makes browsers take the host for an IPv4 address. */
static bool ends_in_number(struct slice host)
{
	struct slice last = host, rest = host;
	uint64_t v;
	bool digits = true;

	if (rest.len && rest.ptr[rest.len - 1] == '.')
		rest.len--;
	while (slice_cut(&rest, '.', &last))
		;
	for (size_t i = 0; i < last.len; i++)
		digits = digits && ascii_is_digit(last.ptr[i]);
	return last.len && (digits || ip4_number(last, &v));
}

/* 1 to 4 numbers; the last one fills what is left: 127.1, 0x7f000001. */
static bool ip4_of_host(struct slice host, struct ip *ret)
{
	uint64_t parts[4], v = 0;
	unsigned count = 0;
	struct slice part;

	if (host.len && host.ptr[host.len - 1] == '.')
		host.len--;
	while (slice_cut(&host, '.', &part))
		if (count == 4 || !ip4_number(part, &parts[count++]))
			return false;
	for (unsigned i = 0; i + 1 < count; i++) {
		if (parts[i] > 255)
			return false;
		v |= parts[i] << (24 - 8 * i);
	}
	if (count == 0 || parts[count - 1] >= (uint64_t)1 << (8 * (5 - count)))
		return false;
	*ret = ip4_of((uint32_t)(v + parts[count - 1]));
	return true;
}

static void percent_decode(struct slice s, struct buf *out)
{
	for (size_t i = 0; i < s.len; i++) {
		int high = i + 2 < s.len && s.ptr[i] == '%' ? ascii_hex(s.ptr[i + 1]) : -1;
		int low = i + 2 < s.len && s.ptr[i] == '%' ? ascii_hex(s.ptr[i + 2]) : -1;

		if (high >= 0 && low >= 0) {
			buf_add_u8(out, (uint8_t)(high << 4 | low));
			i += 2;
		} else {
			buf_add_char(out, s.ptr[i]);
		}
	}
}

/* Letters, digits, '-', '_' (which hosts have all the same), '.': what such hosts are made of. */
static bool is_host_text(struct slice s)
{
	for (size_t i = 0; i < s.len; i++)
		if (!ascii_is_alpha(s.ptr[i]) && !ascii_is_digit(s.ptr[i]) && s.ptr[i] != '-'
			&& s.ptr[i] != '_' && s.ptr[i] != '.')
			return false;
	return s.len > 0;
}

static bool name_or_ip(struct slice host, struct domain *ret_name, struct ip *ret_ip)
{
	struct domain name;
	struct domain_text text;
	struct slice t;

	if (!domain_parse_idn(host, &name, NULL) || name.labels == 0)
		return false;
	text = domain_text(&name);
	t = slice_str(text.s);
	if (!is_host_text(t))
		return false;
	if (ends_in_number(t))
		return ip4_of_host(t, ret_ip);
	*ret_name = name;
	return true;
}

bool url_host(struct slice url, struct domain *ret_name, struct ip *ret_ip)
{
	_cleanup_buf_ struct buf text = BUF_INIT(URL_MAX);
	_cleanup_buf_ struct buf host = BUF_INIT(1024);
	struct slice a;

	ret_name->len = 0;
	ret_ip->family = 0;
	clean(url, &text);
	if (!authority(buf_slice(&text), &a))
		return false;
	a = without_user_and_port(a);
	if (a.len > 2 && a.ptr[0] == '[' && a.ptr[a.len - 1] == ']')
		return ip_parse(slice_of(a.ptr + 1, a.len - 2), ret_ip);
	percent_decode(a, &host);
	return !host.failed && name_or_ip(buf_slice(&host), ret_name, ret_ip);
}

bool domain_registrable(const psl_ctx_t *psl, const struct domain *name, struct domain *ret)
{
	struct domain_text text = domain_text(name);
	const char *cut = psl_registrable_domain(psl ? psl : psl_builtin(), text.s);

	return cut && domain_parse(slice_str(cut), ret, NULL);
}
