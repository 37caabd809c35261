/* value.c - one option's values: from text into a struct, and back. */
#include "base/duration.h"
#include "base/mem.h"
#include "config/options.h"
#include "io/socket.h"

#include <limits.h>

union member {
	char **text;
	struct strings *texts;
	long *number;
	bool *yesno;
	int *word;
	struct prefixes *prefixes;
	uint32_t *code;
};

static union member member_of(const struct option *o, const void *base)
{
	return (union member){.text = (char **)((char *)base + o->offset)};
}

bool option_is_many(const struct option *o)
{
	return o->type == OPTION_TEXTS || o->type == OPTION_PREFIXES || o->type == OPTION_ADDRESSES
	       || o->type == OPTION_DOMAINS;
}

static bool check_text(const struct option *o, const char *v, struct err *err)
{
	struct socket_address address;
	struct domain domain;

	for (const char *p = v; *p; p++)
		if ((unsigned char)*p < ' ' || *p == 0x7f)
			return err_set(err, ERR_SYNTAX, "control characters are not allowed");
	if (*v && (o->type == OPTION_ADDRESS || o->type == OPTION_ADDRESSES))
		return socket_address_parse(slice_str(v), &address, err);
	if (*v && (o->type == OPTION_DOMAIN || o->type == OPTION_DOMAINS))
		return domain_parse_idn(slice_str(v), &domain, err);
	return true;
}

static bool set_number(const struct option *o, const char *v, long *ret, struct err *err)
{
	bool negative = o->min < 0 && v[0] == '-';
	uint64_t n;
	int64_t seconds;

	if (o->type == OPTION_DURATION) {
		if (!duration_parse(slice_str(v), &seconds))
			return err_set(err, ERR_SYNTAX,
				"'%.40s' is not a time: write 90s, 15m, 12h or 7d", v);
		if (seconds < o->min || seconds > o->max)
			return err_set(err, ERR_LIMIT, "must be %s to %s", duration_text(o->min).s,
				duration_text(o->max).s);
		*ret = (long)seconds;
		return true;
	}
	if (!slice_u64(slice_str(v + negative), LONG_MAX, &n))
		return err_set(err, ERR_SYNTAX, "'%.40s' is not a whole number", v);
	if ((negative ? -(long)n : (long)n) < o->min || (negative ? -(long)n : (long)n) > o->max)
		return err_set(err, ERR_LIMIT, "must be %ld to %ld", o->min, o->max);
	*ret = negative ? -(long)n : (long)n;
	return true;
}

static bool set_word(const struct option *o, const char *v, int *ret, struct err *err)
{
	char known[200];
	size_t n = 0;

	for (int i = 0; o->words[i]; i++) {
		if (strcmp(o->words[i], v) == 0) {
			*ret = i;
			return true;
		}
		n += (size_t)snprintf(
			known + n, sizeof known - n, "%s%s", i ? ", " : "", o->words[i]);
	}
	return err_set(err, ERR_SYNTAX, "'%.40s' is none of: %s", v, known);
}

static bool set_yesno(const char *v, bool *ret, struct err *err)
{
	if (strcmp(v, "yes") != 0 && strcmp(v, "no") != 0)
		return err_set(err, ERR_SYNTAX, "'%.40s': write yes or no", v);
	*ret = v[0] == 'y';
	return true;
}

static bool set_code(const char *v, uint32_t *ret, struct err *err)
{
	struct ip ip;
	uint32_t code;

	if (!ip_parse(slice_str(v), &ip) || ip.family != 4)
		return err_set(err, ERR_SYNTAX, "'%.40s' is not an IPv4 address", v);
	code = ip4_value(&ip);
	/* RFC 5782, 2.1: inside 127.0.0.0/8; 127.0.0.1 would look like a local answer, and
	 * 127.255.255.x is what lists say when they refuse. */
	if (code >> 24 != 127 || code < 0x7f000002 || code >> 8 == 0x7fffff)
		return err_set(
			err, ERR_LIMIT, "must be 127.0.0.2 to 127.255.254.255 (RFC 5782, 2.1)");
	*ret = code;
	return true;
}

static bool set_texts(const struct option *o, const char *const *values, size_t count,
	struct strings *ret, struct err *err)
{
	for (size_t i = 0; i < count; i++)
		if (!check_text(o, values[i], err))
			return false;
	for (size_t i = 0; i < ret->count; i++)
		free(ret->items[i]);
	free(ret->items);
	ret->items = mem_new(count, sizeof *ret->items);
	for (ret->count = 0; ret->count < count; ret->count++)
		ret->items[ret->count] = mem_str(values[ret->count]);
	return true;
}

static bool set_prefixes(
	const char *const *values, size_t count, struct prefixes *ret, struct err *err)
{
	struct prefix *items = mem_new(count, sizeof *items);

	for (size_t i = 0; i < count; i++) {
		if (!prefix_parse(slice_str(values[i]), &items[i], err)) {
			free(items);
			return false;
		}
	}
	free(ret->items);
	*ret = (struct prefixes){items, count};
	return true;
}

bool option_set(const struct option *o, const char *const *values, size_t count, void *base,
	struct err *err)
{
	union member m = member_of(o, base);

	if (!option_is_many(o) && count != 1)
		return err_set(err, ERR_SYNTAX, "takes one value");
	switch (o->type) {
	case OPTION_TEXT:
	case OPTION_ADDRESS:
	case OPTION_DOMAIN:
		if (!check_text(o, values[0], err))
			return false;
		free(*m.text);
		*m.text = mem_str(values[0]);
		return true;
	case OPTION_TEXTS:
	case OPTION_ADDRESSES:
	case OPTION_DOMAINS:
		return set_texts(o, values, count, m.texts, err);
	case OPTION_PREFIXES:
		return set_prefixes(values, count, m.prefixes, err);
	case OPTION_COUNT:
	case OPTION_DURATION:
		return set_number(o, values[0], m.number, err);
	case OPTION_YESNO:
		return set_yesno(values[0], m.yesno, err);
	case OPTION_WORD:
		return set_word(o, values[0], m.word, err);
	case OPTION_CODE:
		return set_code(values[0], m.code, err);
	}
	return false;
}

bool option_set_fallback(const struct option *o, void *base, struct err *err)
{
	char text[256], *values[16];
	struct slice rest = slice_str(o->fallback), word;
	size_t count = 0, at = 0;
	bool ok;

	if (!option_is_many(o))
		return option_set(o, &o->fallback, 1, base, err);
	while (count < ARRAY_LEN(values) && slice_cut_word(&rest, &word)) {
		values[count++] = text + at;
		slice_copy(word, text + at, sizeof text - at);
		at += word.len + 1;
	}
	ok = option_set(o, (const char *const *)values, count, base, err);
	return ok;
}

static void print_quoted(const char *s, FILE *to)
{
	fputc('"', to);
	for (; *s; s++) {
		if (*s == '"' || *s == '\\' || (*s == '$' && s[1] == '{'))
			fputc('\\', to);
		fputc(*s, to);
	}
	fputc('"', to);
}

void option_print(const struct option *o, const void *base, FILE *to)
{
	union member m = member_of(o, base);
	size_t count = o->type == OPTION_PREFIXES ? m.prefixes->count
		       : option_is_many(o)	  ? m.texts->count
						  : 1;

	fprintf(to, "%s = %s", o->name, option_is_many(o) ? "{" : "");
	for (size_t i = 0; i < count; i++) {
		struct ip ip;

		fputs(i ? ", " : "", to);
		switch (o->type) {
		case OPTION_TEXT:
		case OPTION_ADDRESS:
		case OPTION_DOMAIN:
			print_quoted(*m.text, to);
			break;
		case OPTION_TEXTS:
		case OPTION_ADDRESSES:
		case OPTION_DOMAINS:
			print_quoted(m.texts->items[i], to);
			break;
		case OPTION_PREFIXES:
			print_quoted(prefix_text(&m.prefixes->items[i]).s, to);
			break;
		case OPTION_COUNT:
			fprintf(to, "%ld", *m.number);
			break;
		case OPTION_DURATION:
			fputs(duration_text(*m.number).s, to);
			break;
		case OPTION_YESNO:
			fputs(*m.yesno ? "yes" : "no", to);
			break;
		case OPTION_WORD:
			fputs(o->words[*m.word], to);
			break;
		case OPTION_CODE:
			ip = ip4_of(*m.code);
			fputs(ip_text(&ip).s, to);
			break;
		}
	}
	fputs(option_is_many(o) ? "}\n" : "\n", to);
}

void option_done(const struct option *o, void *base)
{
	union member m = member_of(o, base);

	if (o->type == OPTION_PREFIXES) {
		free(m.prefixes->items);
	} else if (option_is_many(o)) {
		for (size_t i = 0; i < m.texts->count; i++)
			free(m.texts->items[i]);
		free(m.texts->items);
	} else if (o->type == OPTION_TEXT || o->type == OPTION_ADDRESS
		   || o->type == OPTION_DOMAIN) {
		free(*m.text);
	}
}
