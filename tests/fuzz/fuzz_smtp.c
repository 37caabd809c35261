/* fuzz_smtp.c - an SMTP session from any bytes: the first byte says how the rest is cut into reads.
 * However it is cut, the replies, the mails and the end are the same. */
#include "base/mem.h"
#include "smtp/session.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool claim)
{
	if (!claim)
		abort();
}

static void note_mail(const struct smtp_mail *m, struct buf *said)
{
	check(m->recipient_count >= 1 && m->recipient_count <= 3);
	check(m->content.len <= 4000 && m->helo.len < 256);
	buf_addf(said, "mail from %.*s in %.*s lf %d:", SLICE_FMT(m->mail_from), SLICE_FMT(m->helo),
		m->bare_lf);
	for (size_t i = 0; i < m->recipient_count; i++)
		buf_add_slice(said, m->recipients[i].address);
	buf_add_slice(said, m->content);
}

/* Every reply is whole lines of three digits. */
static void check_replies(struct slice out)
{
	struct slice line;

	check(!out.len || out.ptr[out.len - 1] == '\n');
	while (slice_cut_line(&out, &line)) {
		check(line.len >= 4 && line.len < 1000
			&& (line.ptr[3] == ' ' || line.ptr[3] == '-'));
		for (int i = 0; i < 3; i++)
			check(ascii_is_digit(line.ptr[i]));
		check(slice_find(line, '\r') == line.len);
	}
}

static void play(struct slice in, uint8_t cutting, struct buf *said)
{
	struct smtp_settings settings = {.host_name = "mx.example",
		.lmtp = cutting & 0x80,
		.starttls = true,
		.max_size = 4000,
		.max_recipients = 3,
		.max_errors = 20,
		.max_junk = 20,
		.max_mails = 5,
		.command_ms = 1000,
		.data_ms = 5000};
	struct smtp_session *s = smtp_session_new(&settings, 0);
	struct smtp_event e;
	size_t step = cutting & 0x7f;
	int64_t now = 0;

	smtp_session_tick(s, now, said);
	while (in.len) {
		_cleanup_buf_ struct buf out = BUF_INIT(1 << 20);
		struct slice piece = slice_take(in, step ? step : in.len);
		struct slice copy = slice_of(mem_str_len(piece.ptr, piece.len), piece.len);

		smtp_session_feed(s, copy, ++now, &out);
		free((void *)copy.ptr);
		in = slice_skip(in, piece.len);
		while (smtp_session_next_event(s, &e)) {
			check_replies(buf_slice(&out));
			buf_add_slice(said, buf_slice(&out));
			buf_reset(&out);
			if (e.kind == SMTP_EVENT_MAIL) {
				note_mail(e.mail, said);
				smtp_session_drop_content(s);
				smtp_session_answer(s,
					e.mail->number % 2 ? SMTP_ACCEPTED : SMTP_TEMPFAIL,
					SLICE("1"), now, &out);
			} else if (e.kind == SMTP_EVENT_STARTTLS) {
				/* Bytes of this read are lost to the session, by its rule: the same in every cutting
				 * only if nothing follows. */
				buf_add_str(said, "starttls");
				in = SLICE_EMPTY;
			} else {
				buf_addf(said, "close %s", e.why);
			}
		}
		check_replies(buf_slice(&out));
		buf_add_slice(said, buf_slice(&out));
	}
	smtp_session_tick(s, INT64_MAX - 1, said);
	smtp_session_free(s);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct buf whole = BUF_INIT(8 << 20), cut = BUF_INIT(8 << 20);

	/* What waits behind a mail is limited; stay below, so that the cutting cannot show. */
	if (size < 2 || size > 100000)
		return 0;
	play(slice_of(data + 1, size - 1), data[0] & 0x80, &whole);
	play(slice_of(data + 1, size - 1), data[0], &cut);
	check(slice_eq(buf_slice(&whole), buf_slice(&cut)));
	buf_done(&whole);
	buf_done(&cut);
	return 0;
}
