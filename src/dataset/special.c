/* special.c - lines that begin with a dollar: what a data set says of itself. */
#include "base/mem.h"
#include "dataset/parts.h"

/* Every reader below takes one field off *s and the blanks behind it. */

static bool read_number(struct slice *s, uint32_t *ret)
{
	size_t n = 0;
	uint64_t v;

	while (n < s->len && ascii_is_digit(s->ptr[n]))
		n++;
	if (!slice_u64(slice_take(*s, n), UINT32_MAX, &v))
		return false;
	*s = slice_skip(*s, n);
	*ret = (uint32_t)v;
	return true;
}

static bool field_ends(struct slice *s)
{
	if (s->len && !ascii_is_blank(s->ptr[0]))
		return false;
	*s = skip_blanks(*s);
	return true;
}

bool take_number(struct slice *s, uint32_t *ret)
{
	return read_number(s, ret) && field_ends(s);
}

bool take_time(struct slice *s, uint32_t *ret)
{
	static const char units[] = "smhdw";
	static const uint32_t seconds[] = {1, 60, 3600, 86400, 604800};
	const char *unit;
	uint32_t v;

	if (!read_number(s, &v))
		return false;
	unit = s->len ? memchr(units, ascii_lower(s->ptr[0]), 5) : NULL;
	if (unit) {
		if (v > UINT32_MAX / seconds[unit - units])
			return false;
		v *= seconds[unit - units];
		*s = slice_skip(*s, 1);
	}
	*ret = v;
	return field_ends(s);
}

bool take_name(struct slice *s, struct domain *ret)
{
	struct slice word;

	return slice_cut_word(s, &word) && name_read(word, ret) && (*s = skip_blanks(*s), true);
}

bool take_ttl(struct dataset *d, struct slice *s, uint32_t fallback_s, uint32_t *ret)
{
	const struct dataset_options *o = &d->options;
	uint32_t ttl_s;

	if (!take_time(s, &ttl_s))
		return false;
	if (!ttl_s)
		ttl_s = fallback_s;
	else if (o->ttl_min_s && ttl_s < o->ttl_min_s)
		ttl_s = o->ttl_min_s;
	else if (o->ttl_max_s && ttl_s > o->ttl_max_s)
		ttl_s = o->ttl_max_s;
	*ret = ttl_s;
	return true;
}

/* Data sets that say who may ask have no zone of their own. */
static bool is_access(const struct dataset *d)
{
	return dataset_top(d)->type == DATASET_ACL || dataset_top(d)->type == DATASET_ACLKEY;
}

static bool special_soa(struct dataset *d, struct slice s)
{
	struct unit *top = dataset_top(d);
	struct set_soa soa = {0};
	uint32_t *const times[] = {&soa.refresh_s, &soa.retry_s, &soa.expire_s, &soa.minimum_s};

	if (top->meta.has_soa)
		return true; /* the first counts */
	if (is_access(d) || !take_ttl(d, &s, top->ttl_s, &soa.ttl_s) || !take_name(&s, &soa.origin) || !take_name(&s, &soa.person)
		|| !take_number(&s, &soa.serial))
		return false;
	for (size_t i = 0; i < ARRAY_LEN(times); i++)
		if (!take_time(&s, times[i]))
			return false;
	if (s.len)
		return false;
	top->meta.soa = soa;
	top->meta.has_soa = true;
	return true;
}

static bool special_ns(struct dataset *d, struct slice s)
{
	struct unit *top = dataset_top(d);
	struct domain names[META_NS_MAX];
	struct slice word;
	uint8_t count = 0;
	uint32_t ttl_s;

	if (top->meta.ns_count)
		return true; /* the first counts */
	if (is_access(d) || !take_ttl(d, &s, top->ttl_s, &ttl_s) || !s.len)
		return false;
	while (slice_cut_word(&s, &word)) {
		if (word.ptr[0] == '-' || count == META_NS_MAX)
			continue; /* "-name" is commented out */
		if (!name_read(word, &names[count++]))
			return false;
	}
	memcpy(top->meta.ns, names, count * sizeof names[0]);
	top->meta.ns_count = count;
	top->meta.ns_ttl_s = ttl_s;
	return true;
}

static bool special_ttl(struct dataset *d, struct slice s)
{
	uint32_t ttl_s;

	if (!take_ttl(d, &s, d->options.ttl_s, &ttl_s) || s.len)
		return false;
	dataset_scope(d)->ttl_s = ttl_s;
	return true;
}

static bool special_maxrange4(struct dataset *d, struct slice s)
{
	bool cidr = s.len && s.ptr[0] == '/';
	uint32_t range;

	if (cidr)
		s = slice_skip(s, 1);
	if (!take_number(&s, &range) || s.len || !range || (cidr && range > 32))
		return false;
	if (cidr)
		range = ~mask4(range) + 1;
	if (d->max_range4 && range > d->max_range4)
		dataset_warn(d, "$MAXRANGE4 may not grow from %u to %u", d->max_range4, range);
	else
		d->max_range4 = range;
	return true;
}

static bool special_subst(struct dataset *d, char which, struct slice s)
{
	char **place = &dataset_scope(d)->subst[which == '=' ? BASE_TEMPLATE : which - '0'];

	s = skip_blanks(s);
	if (*place)
		return true; /* the first counts */
	if (!s.len)
		return false;
	*place = mem_str_len(s.ptr, s.len);
	return true;
}

/* width digits at most, between low and high, and one delimiter behind them. */
static bool take_part(struct slice *s, int width, int low, int high, int *ret)
{
	int v = 0, n = 0;

	for (; n < width && s->len && ascii_is_digit(s->ptr[0]); n++) {
		v = v * 10 + (s->ptr[0] - '0');
		*s = slice_skip(*s, 1);
	}
	if (s->len && (s->ptr[0] == ':' || s->ptr[0] == '-'))
		*s = slice_skip(*s, 1);
	*ret = v;
	return n && v >= low && v <= high;
}

static int64_t days_since_1970(int year, int month, int day)
{
	/* Months from March on, so that a leap day is the last of its year. */
	int64_t y = month > 2 ? year : year - 1, m = (month + 9) % 12;

	return y * 365 + y / 4 - y / 100 + y / 400 + (153 * m + 2) / 5 + day - 1 - 719468;
}

static bool at_field_end(struct slice s)
{
	return !s.len || ascii_is_blank(s.ptr[0]);
}

/* yyyy:mm:dd[:hh[:mi[:ss]]] with ':', '-' or nothing between; a lone 0 or - is no time (0). */
static bool take_stamp(struct slice *s, int64_t *ret)
{
	static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
	int year, month, day, last, clock[3] = {0}, highs[3] = {23, 59, 59};

	if (s->len && memchr("0-:", s->ptr[0], 3) && at_field_end(slice_skip(*s, 1))) {
		*s = skip_blanks(slice_skip(*s, 1));
		*ret = 0;
		return true;
	}
	if (!take_part(s, 4, 1970, 2038, &year) || !take_part(s, 2, 1, 12, &month))
		return false;
	last = days[month - 1]
	       + (month == 2 && year % 4 == 0); /* 2000 was one, 2100 is out of range */
	if (!take_part(s, 2, 1, last, &day))
		return false;
	for (size_t i = 0; i < 3 && !at_field_end(*s); i++)
		if (!take_part(s, 2, 0, highs[i], &clock[i]))
			return false;
	*ret = ((days_since_1970(year, month, day) * 24 + clock[0]) * 60 + clock[1]) * 60
	       + clock[2];
	return field_ends(s);
}

/* *ret_refused: the file is from the future. */
static bool special_timestamp(struct dataset *d, struct slice s, bool *ret_refused)
{
	struct set_meta *meta = &dataset_top(d)->meta;
	int64_t stamp, expires = 0;
	uint32_t span;

	if (!take_stamp(&s, &stamp))
		return false;
	if (s.len && s.ptr[0] == '+') {
		s = slice_skip(s, 1);
		if (!take_time(&s, &span) || s.len || !stamp || !span)
			return false;
		expires = stamp + span;
	} else if (s.len && (!take_stamp(&s, &expires) || s.len)) {
		return false;
	}
	*ret_refused = stamp > d->options.now_s;
	if (expires && (!meta->expires_s || expires < meta->expires_s))
		meta->expires_s = expires;
	return true;
}

/* ---- sections of a combined data set ---- */

static void add_places(struct dataset *d, struct unit *u, struct slice words)
{
	struct slice word;
	struct domain name;

	while (slice_cut_word(&words, &word)) {
		if (slice_eq(word, SLICE("@")))
			buf_add_u8(&u->places, 0);
		else if (name_read(word, &name))
			buf_add(&u->places, name.wire, name.len);
		else
			dataset_warn(d, "not a domain name in $DATASET");
	}
	if (!u->places.len)
		dataset_warn(d, "$DATASET names no place; its entries are never asked");
}

static bool special_dataset(struct dataset *d, struct slice s, struct err *err)
{
	enum dataset_type type = DATASET_IP4SET;
	struct slice word, name;
	struct unit *u;

	/* A comment begins at a # or ; behind a blank. */
	for (size_t i = 0; i < s.len; i++) {
		if (is_comment(s.ptr[i]) && (i == 0 || ascii_is_blank(s.ptr[i - 1]))) {
			s = slice_take(s, i);
			break;
		}
	}
	if (!slice_cut_word(&s, &word)) {
		dataset_warn(d, "$DATASET without a type");
		return true;
	}
	slice_cut(&word, ':', &name); /* type[:name] */
	if (!dataset_type_named(name, &type) || type >= DATASET_COMBINED)
		return err_set(err, ERR_SYNTAX, "%.*s:%llu: $DATASET cannot be of type '%.*s'",
			SLICE_FMT(d->file), (unsigned long long)d->line, (int)MIN(name.len, 40),
			name.ptr);
	u = dataset_unit_add(d, type);
	add_places(d, u, s);
	return true;
}

/* s behind a word and at least one blank, ASCII case ignored. */
static bool take_keyword(struct slice *s, const char *word)
{
	size_t n = strlen(word);

	if (s->len <= n || !slice_starts_nocase(*s, slice_str(word)) || !ascii_is_blank(s->ptr[n]))
		return false;
	*s = skip_blanks(slice_skip(*s, n));
	return true;
}

bool special_line(struct dataset *d, struct slice s, struct err *err)
{
	bool ok = false, refused = false;

	if (take_keyword(&s, "dataset")) {
		if (dataset_top(d)->type == DATASET_COMBINED)
			return special_dataset(d, s, err);
	} else if (take_keyword(&s, "soa")) {
		ok = special_soa(d, s);
	} else if (take_keyword(&s, "ns") || take_keyword(&s, "nameserver")) {
		ok = special_ns(d, s);
	} else if (take_keyword(&s, "ttl")) {
		ok = special_ttl(d, s);
	} else if (take_keyword(&s, "maxrange4")) {
		ok = special_maxrange4(d, s);
	} else if (take_keyword(&s, "timestamp")) {
		ok = special_timestamp(d, s, &refused);
	} else if (s.len > 1 && (ascii_is_digit(s.ptr[0]) || s.ptr[0] == '=')
		   && ascii_is_blank(s.ptr[1])) {
		ok = special_subst(d, s.ptr[0], slice_skip(s, 1));
	}
	if (refused)
		return err_set(err, ERR_REFUSED,
			"%.*s:%llu: $TIMESTAMP lies in the future; check the clock",
			SLICE_FMT(d->file), (unsigned long long)d->line);
	if (!ok)
		dataset_warn(d, "$ line not understood");
	return true;
}
