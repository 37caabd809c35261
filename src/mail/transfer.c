/* transfer.c - MIME's transfer encodings, undone: base64, quoted-printable, uuencode. */
#include "mail/mime.h"

static int base64_value(char c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	return c == '+' ? 62 : c == '/' ? 63 : -1;
}

/* Other characters are skipped (RFC 2045, 6.8); "=" ends a quantum, and what follows starts a new
 * one: some mails hold several encodings, one after the other. */
void mime_decode_base64(struct slice in, struct buf *out)
{
	uint32_t bits = 0;
	unsigned have = 0;

	for (size_t i = 0; i < in.len && !out->failed; i++) {
		int v = base64_value(in.ptr[i]);

		if (in.ptr[i] == '=')
			bits = have = 0;
		if (v < 0)
			continue;
		bits = bits << 6 | (uint32_t)v;
		have += 6;
		if (have >= 8) {
			have -= 8;
			buf_add_u8(out, (uint8_t)(bits >> have));
		}
	}
}

void mime_decode_quoted_printable(struct slice in, struct buf *out)
{
	size_t blanks = 0; /* at the end of what was added: not content when the line ends here */

	for (size_t i = 0; i < in.len && !out->failed; i++) {
		char c = in.ptr[i];
		size_t end = i + 1;
		int high, low;

		if (c == '\r' || c == '\n') {
			out->len -= blanks;
			blanks = 0;
			buf_add_char(out, c);
			continue;
		}
		if (c != '=') {
			blanks = ascii_is_blank(c) ? blanks + 1 : 0;
			buf_add_char(out, c);
			continue;
		}
		blanks = 0;
		high = i + 2 < in.len ? ascii_hex(in.ptr[i + 1]) : -1;
		low = i + 2 < in.len ? ascii_hex(in.ptr[i + 2]) : -1;
		if (high >= 0 && low >= 0) {
			buf_add_u8(out, (uint8_t)(high << 4 | low));
			i += 2;
			continue;
		}
		while (end < in.len && ascii_is_blank(in.ptr[end]))
			end++;
		if (end == in.len || in.ptr[end] == '\n'
			|| in.ptr[end] == '\r') { /* soft line break */
			if (end + 1 < in.len && in.ptr[end] == '\r' && in.ptr[end + 1] == '\n')
				end++;
			i = end;
		} else {
			buf_add_char(out, c); /* broken: as it stands */
		}
	}
}

static void uu_line(struct slice line, struct buf *out)
{
	unsigned len = ((unsigned)line.ptr[0] - ' ') & 63;
	const char *p = line.ptr + 1;
	size_t left = line.len - 1;

	for (; len && left; p += MIN(left, 4), left -= MIN(left, 4)) {
		uint32_t bits = 0;

		for (size_t i = 0; i < 4; i++)
			bits = bits << 6 | (i < left ? ((uint32_t)(uint8_t)p[i] - ' ') & 63 : 0);
		for (int shift = 16; shift >= 0 && len; shift -= 8, len--)
			buf_add_u8(out, (uint8_t)(bits >> shift));
	}
}

static void decode_uuencode(struct slice in, struct buf *out)
{
	struct slice line;
	bool begun = false;

	while (slice_cut_line(&in, &line) && !out->failed) {
		if (!begun)
			begun = slice_starts(line, SLICE("begin "));
		else if (slice_eq(line, SLICE("end")))
			return;
		else if (line.len)
			uu_line(line, out);
	}
}

void mime_decode(const struct mime_part *p, struct buf *out)
{
	switch (p->encoding) {
	case MIME_IDENTITY:
		buf_add_slice(out, slice_take(p->body, out->limit - out->len));
		break;
	case MIME_BASE64:
		mime_decode_base64(p->body, out);
		break;
	case MIME_QUOTED_PRINTABLE:
		mime_decode_quoted_printable(p->body, out);
		break;
	case MIME_UUENCODE:
		decode_uuencode(p->body, out);
		break;
	}
}
