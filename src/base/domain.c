/* domain.c - domain names in wire form and text. */
#include "base/domain.h"

#include <idn2.h>
#include <stdio.h>
#include <stdlib.h>

/* Reads one character of presentation form (RFC 1035, 5.1); *ret_plain is false for an escaped one. */
static bool take_char(struct slice *s, uint8_t *ret, bool *ret_plain)
{
	const char *p = s->ptr;

	*ret_plain = p[0] != '\\';
	if (*ret_plain) {
		*ret = (uint8_t)p[0];
		*s = slice_skip(*s, 1);
		return true;
	}
	if (s->len >= 4 && ascii_is_digit(p[1])) {
		int v;
		if (!ascii_is_digit(p[2]) || !ascii_is_digit(p[3]))
			return false;
		v = (p[1] - '0') * 100 + (p[2] - '0') * 10 + (p[3] - '0');
		if (v > 255)
			return false;
		*ret = (uint8_t)v;
		*s = slice_skip(*s, 4);
		return true;
	}
	if (s->len < 2 || ascii_is_digit(p[1]))
		return false;
	*ret = (uint8_t)p[1];
	*s = slice_skip(*s, 2);
	return true;
}

bool domain_parse(struct slice text, struct domain *ret, struct err *err)
{
	struct domain d = {0};
	struct slice s = text;
	size_t label_at = 0, n = 1; /* n: next free byte; label_at: its length byte */
	uint8_t c;
	bool plain;

	if (text.len == 0)
		return err_set(err, ERR_SYNTAX, "a domain name is missing");
	if (slice_eq(text, SLICE(".")))
		s = slice_skip(s, 1);
	while (s.len) {
		if (!take_char(&s, &c, &plain))
			return err_set(err, ERR_SYNTAX, "'%.*s': bad escape in a domain name",
				(int)MIN(text.len, 80), text.ptr);
		if (plain && c == '.') {
			if (n - label_at == 1)
				return err_set(err, ERR_SYNTAX, "'%.*s': empty label",
					(int)MIN(text.len, 80), text.ptr);
			d.wire[label_at] = (uint8_t)(n - label_at - 1);
			d.labels++;
			label_at = n++;
			continue;
		}
		if (plain && (c <= ' ' || c >= 0x7f))
			return err_set(err, ERR_SYNTAX, "'%.*s' is not a domain name",
				(int)MIN(text.len, 80), text.ptr);
		if (n - label_at > 63 || n >= DOMAIN_WIRE_MAX - 1)
			return err_set(err, ERR_LIMIT, "'%.*s': domain name or label too long",
				(int)MIN(text.len, 80), text.ptr);
		d.wire[n++] = (uint8_t)ascii_lower((char)c);
	}
	if (n - label_at > 1) { /* no final dot */
		d.wire[label_at] = (uint8_t)(n - label_at - 1);
		d.labels++;
		d.wire[n++] = 0;
	} else {
		d.wire[label_at] = 0;
	}
	d.len = (uint8_t)n;
	*ret = d;
	return true;
}

bool domain_parse_idn(struct slice text, struct domain *ret, struct err *err)
{
	char in[512], *out = NULL;
	bool ascii = true, ok;
	int rc;

	for (size_t i = 0; i < text.len; i++)
		ascii = ascii && (unsigned char)text.ptr[i] < 0x80;
	if (ascii)
		return domain_parse(text, ret, err);
	if (!slice_copy(text, in, sizeof in))
		return err_set(err, ERR_LIMIT, "domain name too long");
	rc = idn2_lookup_u8((uint8_t *)in, (uint8_t **)&out, IDN2_NFC_INPUT | IDN2_NONTRANSITIONAL);
	if (rc != IDN2_OK)
		return err_set(err, ERR_SYNTAX, "not an internationalized domain name: %s",
			idn2_strerror(rc));
	ok = domain_parse(slice_str(out), ret, err);
	idn2_free(out);
	return ok;
}

bool domain_from_wire(const uint8_t *wire, size_t len, struct domain *ret)
{
	struct domain d = {0};
	size_t at = 0;

	if (len == 0 || len > DOMAIN_WIRE_MAX)
		return false;
	while (wire[at] != 0) {
		size_t n = wire[at];
		if (n > 63 || at + 1 + n >= len)
			return false;
		d.wire[at] = (uint8_t)n;
		for (size_t i = at + 1; i <= at + n; i++)
			d.wire[i] = (uint8_t)ascii_lower((char)wire[i]);
		at += n + 1;
		d.labels++;
	}
	if (at + 1 != len)
		return false;
	d.len = (uint8_t)len;
	*ret = d;
	return true;
}

struct domain_text domain_text(const struct domain *d)
{
	struct domain_text t;
	size_t n = 0;

	for (size_t at = 0; at < d->len && d->wire[at] != 0; at += d->wire[at] + 1u) {
		if (n)
			t.s[n++] = '.';
		for (size_t i = at + 1; i <= at + d->wire[at]; i++) {
			uint8_t c = d->wire[i];
			if (c <= ' ' || c >= 0x7f)
				n += (size_t)snprintf(t.s + n, 5, "\\%03u", c);
			else if (c == '.' || c == '\\' || c == '"' || c == ';' || c == '('
				 || c == ')')
				n += (size_t)snprintf(t.s + n, 5, "\\%c", c);
			else
				t.s[n++] = (char)c;
		}
	}
	if (n == 0 && d->len)
		t.s[n++] = '.';
	t.s[n] = '\0';
	return t;
}

bool domain_eq(const struct domain *a, const struct domain *b)
{
	return a->len == b->len && memcmp(a->wire, b->wire, a->len) == 0;
}

struct domain domain_parent(const struct domain *d, unsigned n)
{
	struct domain p = {0};
	size_t at = 0;

	p.labels = d->labels;
	for (; n && at < d->len && d->wire[at] != 0; n--) {
		at += d->wire[at] + 1u;
		p.labels--;
	}
	p.len = (uint8_t)(d->len - at);
	memcpy(p.wire, d->wire + at, p.len);
	return p;
}

bool domain_is_under(const struct domain *d, const struct domain *ancestor)
{
	struct domain cut;

	if (d->labels < ancestor->labels)
		return false;
	cut = domain_parent(d, (unsigned)(d->labels - ancestor->labels));
	return domain_eq(&cut, ancestor);
}

bool domain_join(const struct domain *front, const struct domain *back, struct domain *ret)
{
	struct domain d = {0};

	if (front->len == 0 || front->len - 1 + back->len > DOMAIN_WIRE_MAX)
		return false;
	memcpy(d.wire, front->wire, front->len - 1u);
	memcpy(d.wire + front->len - 1, back->wire, back->len);
	d.len = (uint8_t)(front->len - 1 + back->len);
	d.labels = (uint8_t)(front->labels + back->labels);
	*ret = d;
	return true;
}
