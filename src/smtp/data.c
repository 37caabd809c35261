/* data.c - dot-unstuffing as a machine of five states, so that any cut between reads is harmless. */
#include "smtp/data.h"

void smtp_data_start(struct smtp_data *d, size_t max_size)
{
	smtp_data_done(d);
	*d = (struct smtp_data){.content = BUF_INIT(max_size), .state = DATA_LINE_START};
}

void smtp_data_done(struct smtp_data *d)
{
	buf_done(&d->content);
}

static void keep(struct smtp_data *d, const char *bytes, size_t len)
{
	if (d->over)
		return;
	buf_add(&d->content, bytes, len);
	if (d->content.failed) {
		d->over = true;
		buf_done(&d->content); /* the memory is worth nothing any more */
	}
}

/* A run of text up to the next CR; returns its length (at least 1). */
static size_t keep_text(struct smtp_data *d, const char *p, size_t len)
{
	const char *cr = memchr(p, '\r', len);
	size_t n = cr ? (size_t)(cr - p) : len;

	if (!n) {
		keep(d, p, 1);
		d->state = DATA_CR;
		return 1;
	}
	if (!d->bare_lf && memchr(p, '\n', n))
		d->bare_lf = true;
	keep(d, p, n);
	d->state = DATA_TEXT;
	return n;
}

size_t smtp_data_feed(struct smtp_data *d, struct slice in, bool *ret_end)
{
	size_t i = 0;

	*ret_end = false;
	while (i < in.len && !*ret_end) {
		char c = in.ptr[i];

		switch (d->state) {
		case DATA_LINE_START:
			if (c == '.') {
				d->state = DATA_DOT;
				i++;
			} else {
				i += keep_text(d, in.ptr + i, in.len - i);
			}
			break;
		case DATA_DOT: /* its dot is dropped, whatever follows */
			if (c == '\r') {
				d->state = DATA_DOT_CR;
				i++;
			} else {
				i += keep_text(d, in.ptr + i, in.len - i);
			}
			break;
		case DATA_DOT_CR:
			if (c == '\n') {
				*ret_end = true;
				i++;
			} else {
				keep(d, "\r", 1);
				d->state = DATA_CR;
			}
			break;
		case DATA_CR:
			if (c == '\n') {
				keep(d, "\n", 1);
				d->state = DATA_LINE_START;
				i++;
				break;
			}
			d->state = DATA_TEXT;
			break;
		case DATA_TEXT:
			i += keep_text(d, in.ptr + i, in.len - i);
			break;
		}
	}
	d->total += i;
	return i;
}
