/* charset.c - charsets to UTF-8, over iconv for all but the plain ones. */
#include "mail/charset.h"

#include "base/attr.h"

#include <errno.h>
#include <iconv.h>

#define REPLACEMENT 0xfffd

enum charset_state { CHARSET_UNTRIED, CHARSET_OPEN, CHARSET_MISSING };

/* Mail's name of a charset, and the converter for it: often the superset that senders really use.
 * Left out on purpose: ISO-2022-CN-EXT and the like, whose converters had holes and whose users are
 * none. */
static struct charset {
	const char *name, *converter;
	enum charset_state state;
	iconv_t cd;
} charsets[] = {
	{.name = "iso-8859-2", .converter = "ISO-8859-2"},
	{.name = "iso-8859-3", .converter = "ISO-8859-3"},
	{.name = "iso-8859-4", .converter = "ISO-8859-4"},
	{.name = "iso-8859-5", .converter = "ISO-8859-5"},
	{.name = "iso-8859-6", .converter = "ISO-8859-6"},
	{.name = "iso-8859-7", .converter = "ISO-8859-7"},
	{.name = "iso-8859-8", .converter = "ISO-8859-8"},
	{.name = "iso-8859-8-i", .converter = "ISO-8859-8"},
	{.name = "iso-8859-9", .converter = "WINDOWS-1254"},
	{.name = "iso-8859-10", .converter = "ISO-8859-10"},
	{.name = "iso-8859-13", .converter = "ISO-8859-13"},
	{.name = "iso-8859-14", .converter = "ISO-8859-14"},
	{.name = "iso-8859-15", .converter = "ISO-8859-15"},
	{.name = "iso-8859-16", .converter = "ISO-8859-16"},
	{.name = "windows-874", .converter = "CP874"},
	{.name = "tis-620", .converter = "CP874"},
	{.name = "windows-1250", .converter = "WINDOWS-1250"},
	{.name = "windows-1251", .converter = "WINDOWS-1251"},
	{.name = "windows-1253", .converter = "WINDOWS-1253"},
	{.name = "windows-1254", .converter = "WINDOWS-1254"},
	{.name = "windows-1255", .converter = "WINDOWS-1255"},
	{.name = "windows-1256", .converter = "WINDOWS-1256"},
	{.name = "windows-1257", .converter = "WINDOWS-1257"},
	{.name = "windows-1258", .converter = "WINDOWS-1258"},
	{.name = "koi8-r", .converter = "KOI8-R"},
	{.name = "koi8-u", .converter = "KOI8-U"},
	{.name = "ibm866", .converter = "IBM866"},
	{.name = "cp866", .converter = "IBM866"},
	{.name = "macintosh", .converter = "MACINTOSH"},
	{.name = "iso-2022-jp", .converter = "ISO-2022-JP"},
	{.name = "shift_jis", .converter = "CP932"},
	{.name = "shift-jis", .converter = "CP932"},
	{.name = "x-sjis", .converter = "CP932"},
	{.name = "windows-31j", .converter = "CP932"},
	{.name = "euc-jp", .converter = "EUC-JP"},
	{.name = "gb2312", .converter = "GBK"},
	{.name = "gb_2312-80", .converter = "GBK"},
	{.name = "gbk", .converter = "GBK"},
	{.name = "gb18030", .converter = "GB18030"},
	{.name = "big5", .converter = "BIG5"},
	{.name = "big5-hkscs", .converter = "BIG5-HKSCS"},
	{.name = "euc-kr", .converter = "CP949"},
	{.name = "ks_c_5601-1987", .converter = "CP949"},
	{.name = "iso-2022-kr", .converter = "ISO-2022-KR"},
	{.name = "utf-16", .converter = "UTF-16"},
	{.name = "utf-16le", .converter = "UTF-16LE"},
	{.name = "utf-16be", .converter = "UTF-16BE"},
};

/* What windows-1252 has at 0x80..0x9f, where ISO 8859-1 has controls (0: nothing). */
static const uint16_t windows_1252[32] = {0x20ac, 0, 0x201a, 0x0192, 0x201e, 0x2026, 0x2020, 0x2021,
	0x02c6, 0x2030, 0x0160, 0x2039, 0x0152, 0, 0x017d, 0, 0, 0x2018, 0x2019, 0x201c, 0x201d,
	0x2022, 0x2013, 0x2014, 0x02dc, 0x2122, 0x0161, 0x203a, 0x0153, 0, 0x017e, 0x0178};

void utf8_add(struct buf *out, uint32_t c)
{
	if (c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff))
		c = REPLACEMENT;
	if (c < 0x80) {
		buf_add_u8(out, (uint8_t)c);
	} else if (c < 0x800) {
		buf_add(out, (uint8_t[]){(uint8_t)(0xc0 | c >> 6), (uint8_t)(0x80 | (c & 0x3f))},
			2);
	} else if (c < 0x10000) {
		buf_add(out,
			(uint8_t[]){(uint8_t)(0xe0 | c >> 12), (uint8_t)(0x80 | (c >> 6 & 0x3f)),
				(uint8_t)(0x80 | (c & 0x3f))},
			3);
	} else {
		buf_add(out,
			(uint8_t[]){(uint8_t)(0xf0 | c >> 18), (uint8_t)(0x80 | (c >> 12 & 0x3f)),
				(uint8_t)(0x80 | (c >> 6 & 0x3f)), (uint8_t)(0x80 | (c & 0x3f))},
			4);
	}
}

/* Bytes of the valid character at the start of s; 0 when there is none (Unicode, table 3-7). */
static size_t utf8_len(struct slice s)
{
	const uint8_t *p = (const uint8_t *)s.ptr;
	uint8_t low = 0x80, high = 0xbf;
	size_t len;

	if (s.len == 0)
		return 0;
	if (p[0] < 0x80)
		return 1;
	if (p[0] < 0xc2 || p[0] > 0xf4)
		return 0;
	len = p[0] < 0xe0 ? 2 : p[0] < 0xf0 ? 3 : 4;
	if (p[0] == 0xe0)
		low = 0xa0;
	else if (p[0] == 0xed)
		high = 0x9f;
	else if (p[0] == 0xf0)
		low = 0x90;
	else if (p[0] == 0xf4)
		high = 0x8f;
	if (s.len < len || p[1] < low || p[1] > high)
		return 0;
	for (size_t i = 2; i < len; i++)
		if ((p[i] & 0xc0) != 0x80)
			return 0;
	return len;
}

bool utf8_is_valid(struct slice s)
{
	size_t at = 0, n;

	while (at < s.len && (n = utf8_len(slice_skip(s, at))))
		at += n;
	return at == s.len;
}

/* What fits: a text that is too long is cut, not lost. */
static void add_fitting(struct buf *out, const char *p, size_t len)
{
	size_t fits = MIN(len, out->limit - out->len);

	while (fits && fits < len && ((unsigned char)p[fits] & 0xc0) == 0x80)
		fits--;
	buf_add(out, p, fits);
	if (fits < len)
		out->failed = true;
}

static void add_utf8(struct slice in, struct buf *out)
{
	size_t at = 0, n;

	while (at < in.len && !out->failed) {
		size_t run = at;

		while (run < in.len && (n = utf8_len(slice_skip(in, run))))
			run += n;
		add_fitting(out, in.ptr + at, run - at);
		at = run;
		if (at < in.len) {
			utf8_add(out, REPLACEMENT);
			at++;
		}
	}
}

static void add_windows_1252(struct slice in, struct buf *out)
{
	for (size_t i = 0; i < in.len; i++) {
		uint8_t c = (uint8_t)in.ptr[i];

		if (c < 0x80 || c >= 0xa0)
			utf8_add(out, c);
		else
			utf8_add(
				out, windows_1252[c - 0x80] ? windows_1252[c - 0x80] : REPLACEMENT);
	}
}

static bool charset_open(struct charset *c)
{
	if (c->state == CHARSET_UNTRIED) {
		c->cd = iconv_open("UTF-8", c->converter);
		c->state = c->cd == (iconv_t)-1 ? CHARSET_MISSING : CHARSET_OPEN;
	}
	return c->state == CHARSET_OPEN;
}

void charset_prepare(void)
{
	for (size_t i = 0; i < ARRAY_LEN(charsets); i++)
		charset_open(&charsets[i]);
}

/* Converts through a chunk on the stack, so that the output meets `out`'s limit like any other. */
static void convert(iconv_t cd, struct slice in, struct buf *out)
{
	char chunk[4096], *from = (char *)in.ptr, *to;
	size_t left = in.len, room;
	bool flushed = false;

	iconv(cd, NULL, NULL, NULL, NULL);
	while (!flushed && !out->failed) {
		to = chunk;
		room = sizeof chunk;
		flushed = left == 0;
		if (iconv(cd, flushed ? NULL : &from, flushed ? NULL : &left, &to, &room)
				== (size_t)-1
			&& errno != E2BIG) {
			/* A byte that means nothing (EILSEQ) or a character cut off (EINVAL). */
			buf_add(out, chunk, sizeof chunk - room);
			utf8_add(out, REPLACEMENT);
			from++;
			left--;
			continue;
		}
		buf_add(out, chunk, sizeof chunk - room);
	}
}

static bool is_any(struct slice s, const char *const *names)
{
	for (; *names; names++)
		if (slice_eq_nocase(s, slice_str(*names)))
			return true;
	return false;
}

void charset_to_utf8(struct slice charset, struct slice in, struct buf *out)
{
	static const char *const plain[] = {
		"", "us-ascii", "ascii", "x-unknown", "unknown-8bit", "default", NULL};
	static const char *const latin1[] = {"iso-8859-1", "iso8859-1", "iso_8859-1", "latin1",
		"latin-1", "windows-1252", "cp1252", "x-cp1252", NULL};
	struct slice name = slice_trim(charset);

	if (is_any(name, latin1) || (is_any(name, plain) && !utf8_is_valid(in))) {
		add_windows_1252(in, out);
		return;
	}
	for (size_t i = 0; i < ARRAY_LEN(charsets); i++)
		if (slice_eq_nocase(name, slice_str(charsets[i].name))
			&& charset_open(&charsets[i])) {
			convert(charsets[i].cd, in, out);
			return;
		}
	add_utf8(in, out);
}
