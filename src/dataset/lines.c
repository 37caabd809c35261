/* lines.c - entries and default lines of each type. What rbldnsd warns of is warned of and passed over. */
#include "dataset/parts.h"

bool entry_plain_quad(struct slice line, uint32_t *ret)
{
	const char *p = line.ptr, *end = p + line.len;
	uint32_t address = 0;

	for (int i = 0; i < 4; i++) {
		uint32_t octet;

		if (i && (p == end || *p++ != '.'))
			return false;
		if (p == end || !ascii_is_digit(*p))
			return false;
		octet = (uint32_t)(*p++ - '0');
		if (p < end && ascii_is_digit(*p))
			octet = octet * 10 + (uint32_t)(*p++ - '0');
		if (p < end && ascii_is_digit(*p))
			octet = octet * 10 + (uint32_t)(*p++ - '0');
		if (octet > 255)
			return false;
		address = address << 8 | octet;
	}
	*ret = address;
	return p == end;
}

/* ---- values ---- */

void unit_default_set(struct unit *u, uint32_t code, struct slice text)
{
	u->default_code = code;
	buf_reset(&u->default_text);
	buf_add_slice(&u->default_text, text);
	u->default_known = false;
}

uint32_t unit_default(struct unit *u)
{
	if (!u->default_known) {
		u->default_id = builder_value(u->set, u->default_code, buf_slice(&u->default_text));
		u->default_known = true;
	}
	return u->default_id;
}

/* A lone number is the last octet of 127.0.0.x. */
static bool read_code(struct slice *s, uint32_t *ret)
{
	struct slice digits = *s;
	uint32_t a;

	if (!address_host4(s, &a) || !a)
		return false;
	digits = slice_take(digits, digits.len - s->len);
	*ret = slice_find(digits, '.') == digits.len ? a | 0x7f000000u : a;
	return true;
}

bool read_value(struct dataset *d, struct slice s, uint32_t default_code,
	struct slice default_text, uint32_t *ret_code, struct slice *ret_text)
{
	uint32_t code = default_code;
	struct slice text = s;

	if (s.len && s.ptr[0] == ':') {
		s = slice_skip(s, 1);
		if (!read_code(&s, &code)) {
			dataset_warn(d, "invalid A value; expected :127.0.0.2 or :2");
			return false;
		}
		s = skip_blanks(s);
		if (s.len && s.ptr[0] != ':') {
			dataset_warn(d, "value not understood; expected :code:text");
			return false;
		}
		text = s.len ? skip_blanks(slice_skip(s, 1)) : default_text;
	}
	if (text.len > TEXT_RAW_MAX) {
		dataset_warn(d, "text cut to %d bytes", TEXT_RAW_MAX);
		text = slice_take(text, TEXT_RAW_MAX);
	}
	*ret_code = code;
	*ret_text = text;
	return true;
}

/* What an entry answers: `s` stands behind its key. False: a warning was given, skip the entry. */
static bool entry_value(
	struct dataset *d, struct unit *u, struct slice s, bool excluded, uint32_t *ret)
{
	struct slice text;
	uint32_t code;

	if (excluded) {
		*ret = BUILDER_EXCLUDED;
		return true;
	}
	s = skip_blanks(s);
	if (!s.len || is_comment(s.ptr[0])) {
		*ret = unit_default(u);
		return true;
	}
	if (!read_value(d, s, u->default_code, buf_slice(&u->default_text), &code, &text))
		return false;
	*ret = builder_value(u->set, code, text);
	return true;
}

static void default_line(struct dataset *d, struct unit *u, struct slice line)
{
	bool first_counts = u->type == DATASET_IP4TSET || u->type == DATASET_IP6TSET;
	struct slice text;
	uint32_t code;

	if (first_counts && u->has_default)
		return;
	if (!read_value(d, line, DEFAULT_CODE, SLICE_EMPTY, &code, &text))
		return;
	unit_default_set(u, code, text);
	u->has_default = true;
}

/* ---- keys ---- */

static bool take_exclusion(struct slice *s)
{
	if (!s->len || s->ptr[0] != '!')
		return false;
	*s = skip_blanks(slice_skip(*s, 1));
	return true;
}

/* What may stand behind an address. */
static bool key_ends(struct slice s)
{
	return !s.len || ascii_is_blank(s.ptr[0]) || is_comment(s.ptr[0]) || s.ptr[0] == ':';
}

static void line_ip4tset(struct dataset *d, struct unit *u, struct slice s)
{
	uint32_t address;

	if (address_prefix4(&s, &address) != 32 || !key_ends(s)) {
		dataset_warn(d, "not an IPv4 address");
		return;
	}
	/* The first default line rules, also for entries before it: see unit_finish(). */
	builder_add_ip4(u->set, address, 32, 0, 0);
}

static void line_ip4set(struct dataset *d, struct unit *u, struct slice s)
{
	bool excluded = take_exclusion(&s);
	uint32_t first, last, value;
	int bits = address_range4(&s, &first, &last);

	if (bits <= 0 || !key_ends(s)) {
		dataset_warn(d, "not an IPv4 address or range");
		return;
	}
	if (d->options.host_bits) {
		first &= mask4((unsigned)bits);
	} else if (first & ~mask4((unsigned)bits)) {
		dataset_warn(d, "address bits behind /%d; write the network's first address", bits);
		return;
	}
	if (d->max_range4 && last - first >= d->max_range4) {
		dataset_warn(d, "range larger than $MAXRANGE4 %u", d->max_range4);
		return;
	}
	if (entry_value(d, u, s, excluded, &value))
		builder_add_range4(u->set, first, last, value, 0);
}

static void line_ip6trie(struct dataset *d, struct unit *u, struct slice s)
{
	bool excluded = take_exclusion(&s);
	struct ip ip = {.family = 6};
	struct prefix p;
	uint32_t value;
	int bits = address_cidr6(&s, ip.bytes);

	if (bits == ADDRESS_BAD || !key_ends(s)) {
		dataset_warn(d, u->type == DATASET_IP4TRIE
					? "not an address or network"
					: "not an IPv6 address or network");
		return;
	}
	p = prefix_of(&ip, (unsigned)bits);
	if (!d->options.host_bits && !ip_eq(&p.ip, &ip)) {
		dataset_warn(d, "address bits behind /%d; write the network's first address", bits);
		return;
	}
	if (entry_value(d, u, s, excluded, &value))
		builder_add_prefix(u->set, &p, value, 0);
}

static void line_ip4trie(struct dataset *d, struct unit *u, struct slice s)
{
	struct slice line = s;
	bool excluded = take_exclusion(&s);
	uint32_t address, value;
	int bits = address_cidr4(&s, &address);

	if (bits == ADDRESS_BAD || !key_ends(s)) {
		line_ip6trie(d, u, line); /* as Rspamd's rbldnsd takes it */
		return;
	}
	if (d->options.host_bits) {
		address &= mask4((unsigned)bits);
	} else if (address & ~mask4((unsigned)bits)) {
		dataset_warn(d, "address bits behind /%d; write the network's first address", bits);
		return;
	}
	if (d->max_range4 && ~mask4((unsigned)bits) >= d->max_range4) {
		dataset_warn(d, "range larger than $MAXRANGE4 %u", d->max_range4);
		return;
	}
	if (entry_value(d, u, s, excluded, &value))
		builder_add_ip4(u->set, address, (unsigned)bits, value, 0);
}

static void line_ip6tset(struct dataset *d, struct unit *u, struct slice s)
{
	bool excluded = take_exclusion(&s);
	uint8_t address[16];
	int bits = address_prefix6(&s, address), want = excluded ? 128 : 64;

	if (bits == ADDRESS_BAD || !key_ends(s)) {
		dataset_warn(d, "not an IPv6 address");
		return;
	}
	if (bits != want) {
		dataset_warn(d, "%s needs %d bits", excluded ? "an exclusion" : "an entry", want);
		return;
	}
	builder_add_ip6(u->set, address, (unsigned)bits, excluded ? BUILDER_EXCLUDED : 0, 0);
}

static void line_dnset(struct dataset *d, struct unit *u, struct slice s)
{
	bool excluded = take_exclusion(&s);
	enum scope scope = SCOPE_SELF;
	struct slice word;
	struct domain name;
	size_t end = 0;
	uint32_t value;

	if (s.len && s.ptr[0] == '.') {
		scope = SCOPE_BOTH;
		s = slice_skip(s, 1);
	} else if (slice_starts(s, SLICE("*."))) {
		scope = SCOPE_BELOW;
		s = slice_skip(s, 2);
	}
	while (end < s.len && !ascii_is_blank(s.ptr[end]))
		end++;
	word = slice_take(s, end);
	if (!name_read(word, &name) || !name.labels) {
		dataset_warn(d, "not a domain name");
		return;
	}
	if (entry_value(d, u, slice_skip(s, end), excluded, &value))
		builder_add_name(u->set, &name, scope, value, 0);
}

bool entry_line(struct dataset *d, struct unit *u, struct slice line, struct err *err)
{
	if (u->type == DATASET_COMBINED)
		return err_set(err, ERR_SYNTAX, "%.*s:%llu: an entry before any $DATASET line",
			SLICE_FMT(d->file), (unsigned long long)d->line);
	if (u->type == DATASET_GENERIC)
		return records_line(d, u, line, err);
	if (u->type == DATASET_ACL || u->type == DATASET_ACLKEY) {
		access_line(d, u, line);
		return true;
	}
	/* "::1" is an address where addresses may be written so. */
	if (line.ptr[0] == ':'
		&& (u->type != DATASET_IP6TRIE || !slice_starts(line, SLICE("::")))) {
		default_line(d, u, line);
		return true;
	}
	switch (u->type) {
	case DATASET_IP4TSET:
		line_ip4tset(d, u, line);
		break;
	case DATASET_IP4SET:
		line_ip4set(d, u, line);
		break;
	case DATASET_IP4TRIE:
		line_ip4trie(d, u, line);
		break;
	case DATASET_IP6TRIE:
		line_ip6trie(d, u, line);
		break;
	case DATASET_IP6TSET:
		line_ip6tset(d, u, line);
		break;
	case DATASET_DNSET:
		line_dnset(d, u, line);
		break;
	case DATASET_GENERIC:
	case DATASET_COMBINED:
	case DATASET_ACL:
	case DATASET_ACLKEY:
		break;
	}
	return true;
}
