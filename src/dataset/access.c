/* access.c - acl and aclkey data sets: who may ask, by address or by a label of the question. */
#include "dataset/parts.h"

#include "index/access.h"

#define LABEL_MAX 63

void access_default_restart(struct unit *u)
{
	/* Unknown keys meet the last default of all files; without any they are refused. */
	if (u->type == DATASET_ACLKEY && u->has_default)
		return;
	unit_default_set(u, u->type == DATASET_ACLKEY ? ACCESS_REFUSE : ACCESS_IGNORE, ACCESS_TEXT);
}

static bool take_action(struct slice s, enum access_action *ret)
{
	static const struct {
		const char *name;
		enum access_action action;
	} names[] = {{"ignore", ACCESS_IGNORE}, {"blackhole", ACCESS_IGNORE},
		{"refuse", ACCESS_REFUSE}, {"empty", ACCESS_EMPTY}, {"pass", ACCESS_PASS},
		{"accept", ACCESS_PASS}};

	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		struct slice name = slice_str(names[i].name);

		if (slice_starts_nocase(s, name)
			&& (s.len == name.len || ascii_is_blank(s.ptr[name.len])
				|| is_comment(s.ptr[name.len]) || s.ptr[name.len] == ':')) {
			*ret = names[i].action;
			return true;
		}
	}
	return false;
}

/* ":refuse", "=refuse" or a value as other data sets have it. */
static bool read_rule(struct dataset *d, struct unit *u, struct slice s, uint32_t *ret_code,
	struct slice *ret_text)
{
	bool template = !access_is_action(buf_slice(&u->default_text));
	enum access_action action;

	if (s.len && (s.ptr[0] == ':' || s.ptr[0] == '=')
		&& take_action(slice_skip(s, 1), &action)) {
		*ret_code = action;
		*ret_text = ACCESS_TEXT;
		return true;
	}
	if (s.len && s.ptr[0] == '=') {
		dataset_warn(d, "expected ignore, refuse, empty or pass behind the =");
		return false;
	}
	return read_value(d, s, template ? u->default_code : DEFAULT_CODE,
		template ? buf_slice(&u->default_text) : SLICE_EMPTY, ret_code, ret_text);
}

static void default_line(struct dataset *d, struct unit *u, struct slice line)
{
	char kept[TEXT_RAW_MAX];
	struct slice text;
	uint32_t code;

	if (!read_rule(d, u, line, &code, &text))
		return;
	memcpy(kept, text.ptr, text.len); /* it may be the old default's own */
	unit_default_set(u, code, slice_of(kept, text.len));
	u->has_default = true;
}

/* The value of an entry; `s` stands behind its key. False: warned of. */
static bool rule_value(struct dataset *d, struct unit *u, struct slice s, uint32_t *ret)
{
	struct slice text = buf_slice(&u->default_text);
	uint32_t code = u->default_code;

	s = skip_blanks(s);
	if (s.len && !is_comment(s.ptr[0]) && !read_rule(d, u, s, &code, &text))
		return false;
	*ret = builder_value(u->set, code, text);
	return true;
}

static bool key_ends(struct slice s)
{
	return !s.len || ascii_is_blank(s.ptr[0]) || is_comment(s.ptr[0]) || s.ptr[0] == ':';
}

static void line_address(struct dataset *d, struct unit *u, struct slice line)
{
	struct slice s = line;
	struct ip ip = {.family = 4};
	uint32_t address, value;
	struct prefix p;
	int bits = address_cidr4(&s, &address);

	if (bits != ADDRESS_BAD && key_ends(s)) {
		ip = ip4_of(address);
	} else {
		s = line;
		ip.family = 6;
		bits = address_cidr6(&s, ip.bytes);
		if (bits == ADDRESS_BAD || !key_ends(s)) {
			dataset_warn(d, "not an address or network");
			return;
		}
	}
	p = prefix_of(&ip, (unsigned)bits);
	if (!d->options.host_bits && !ip_eq(&p.ip, &ip)) {
		dataset_warn(d, "address bits behind /%d; write the network's first address", bits);
		return;
	}
	if (ip.family == 4 && d->max_range4 && ~mask4((unsigned)bits) >= d->max_range4) {
		dataset_warn(d, "range larger than $MAXRANGE4 %u", d->max_range4);
		return;
	}
	if (rule_value(d, u, s, &value))
		builder_add_prefix(u->set, &p, value, 0);
}

static void line_key(struct dataset *d, struct unit *u, struct slice s)
{
	struct domain key = {.labels = 1};
	uint32_t value;
	size_t n = 0;

	while (n < s.len && !ascii_is_blank(s.ptr[n]) && s.ptr[n] != ':' && s.ptr[n] != '=')
		n++;
	if (!n || n > LABEL_MAX || slice_find(slice_take(s, n), '.') < n) {
		/* Keys are secrets: none is ever told. */
		dataset_warn(d, "not a key; expected one label of 1 to %d bytes", LABEL_MAX);
		return;
	}
	key.wire[0] = (uint8_t)n;
	for (size_t i = 0; i < n; i++)
		key.wire[1 + i] = (uint8_t)ascii_lower(s.ptr[i]);
	key.len = (uint8_t)(n + 2);
	if (rule_value(d, u, slice_skip(s, n), &value))
		builder_add_name(u->set, &key, SCOPE_SELF, value, 0);
}

void access_line(struct dataset *d, struct unit *u, struct slice line)
{
	/* "::1" is an address, never a default. */
	if (line.ptr[0] == '=' || (line.ptr[0] == ':' && !slice_starts(line, SLICE("::"))))
		default_line(d, u, line);
	else if (u->type == DATASET_ACL)
		line_address(d, u, line);
	else
		line_key(d, u, line);
}

/* For keys that are not there, and for questions without one. */
void access_finish(struct unit *u)
{
	static const struct domain root = {.len = 1};

	builder_add_name(u->set, &root, SCOPE_BELOW,
		builder_value(u->set, u->default_code, buf_slice(&u->default_text)), 0);
}
