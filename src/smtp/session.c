/* session.c - the session as a machine: bytes, time, events, limits. */
#include "smtp/session_internal.h"
#include "base/mem.h"

#include <stdarg.h>

struct smtp_session *smtp_session_new(const struct smtp_settings *settings, int64_t now_ms)
{
	struct smtp_session *s = mem_new(1, sizeof *s);

	s->settings = *settings;
	s->state = STATE_BANNER;
	s->now_ms = now_ms;
	s->deadline_ms = now_ms + settings->greet_delay_ms;
	s->in = BUF_INIT(SMTP_HELD_MAX);
	/* The sender and each recipient at full length at once: more than any honest mail has. */
	s->envelope = arena_new(SMTP_LINE_MAX * (4 + (size_t)settings->max_recipients / 4));
	s->recipients = mem_new(settings->max_recipients, sizeof *s->recipients);
	return s;
}

struct smtp_session *smtp_session_free(struct smtp_session *s)
{
	if (!s)
		return NULL;
	buf_done(&s->in);
	smtp_data_done(&s->data);
	arena_free(s->envelope);
	free(s->recipients);
	free(s);
	return NULL;
}

void smtp_reply(struct smtp_session *s, unsigned code, const char *enhanced, const char *fmt, ...)
{
	char text[512];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof text, fmt, args);
	va_end(args);
	for (char *p = text; *p; p++) /* what the client wrote comes back in some replies */
		if ((unsigned char)*p < 0x20 || *p == 0x7f)
			*p = '?';
	buf_addf(s->out, "%u %s%s%s\r\n", code, enhanced, *enhanced ? " " : "", text);
	if (code >= 400)
		s->errors++;
}

void smtp_close(struct smtp_session *s, const char *why)
{
	if (s->state == STATE_CLOSED)
		return;
	s->state = STATE_CLOSED;
	s->event = (struct smtp_event){.kind = SMTP_EVENT_CLOSE, .why = why};
	buf_done(&s->in);
	s->in_at = 0;
	smtp_data_done(&s->data);
}

void smtp_reset_mail(struct smtp_session *s)
{
	arena_reset(s->envelope);
	s->has_sender = false;
	s->mail = (struct smtp_mail){0};
	smtp_data_done(&s->data);
}

static void mail_complete(struct smtp_session *s)
{
	if (s->data.over) {
		smtp_reply(s, 552, "5.3.4", "Message too big");
		smtp_reset_mail(s);
		s->state = STATE_COMMAND;
		return;
	}
	s->mail.helo = slice_of(s->helo, s->helo_len);
	s->mail.esmtp = s->esmtp;
	s->mail.tls = s->tls;
	s->mail.early_talker = s->early_talker;
	s->mail.bare_lf = s->data.bare_lf;
	s->mail.recipients = s->recipients;
	s->mail.content = buf_slice(&s->data.content);
	s->mail.number = ++s->mails;
	s->state = STATE_ANSWER;
	s->event = (struct smtp_event){.kind = SMTP_EVENT_MAIL, .mail = &s->mail};
}

static struct slice waiting(const struct smtp_session *s)
{
	return slice_skip(buf_slice(&s->in), s->in_at);
}

/* A client that sends on and on after the limit is not read for ever. */
static bool content_too_long(const struct smtp_session *s)
{
	return s->data.over && s->data.total > 2 * (uint64_t)s->settings.max_size + 1024 * 1024;
}

static bool run_content(struct smtp_session *s)
{
	bool end;
	size_t n = smtp_data_feed(&s->data, waiting(s), &end);

	s->in_at += n;
	if (end) {
		mail_complete(s);
	} else if (content_too_long(s)) {
		smtp_reply(s, 421, "4.3.4", "Message too big");
		smtp_close(s, "limit");
	}
	return end;
}

/* One command line; LF alone ends it too: what is smuggled is content, not commands. */
static bool run_command(struct smtp_session *s)
{
	struct slice in = waiting(s), line;
	size_t lf = slice_find(slice_take(in, SMTP_LINE_MAX), '\n');

	if (s->skip_line) { /* the rest of a line that was too long */
		lf = slice_find(in, '\n');
		s->skip_line = lf == in.len;
		s->in_at += MIN(lf + 1, in.len);
		return in.len > 0;
	}
	if (lf == in.len)
		return false;
	if (lf == SMTP_LINE_MAX) {
		smtp_reply(s, 500, "5.5.2", "Line too long");
		s->skip_line = true;
		return true;
	}
	s->in_at += lf + 1;
	line = slice_take(in, lf);
	if (line.len && line.ptr[line.len - 1] == '\r')
		line.len--;
	smtp_command(s, line);
	return true;
}

static bool over_limit(struct smtp_session *s)
{
	if (s->out->failed) {
		smtp_close(s, "limit");
		return true;
	}
	if (s->state != STATE_COMMAND)
		return false;
	if (s->errors > s->settings.max_errors || s->junk > s->settings.max_junk) {
		bool errors = s->errors > s->settings.max_errors;

		smtp_reply(s, 421, "4.7.0", "%s too many %s, closing", s->settings.host_name,
			errors ? "errors" : "commands");
		smtp_close(s, errors ? "errors" : "junk");
		return true;
	}
	return false;
}

/* Takes what waits as far as the state allows. */
static void run(struct smtp_session *s)
{
	bool more = true;
	size_t before;

	while (more && !over_limit(s)) {
		before = s->in_at;
		if (s->state == STATE_COMMAND)
			more = run_command(s);
		else if (s->state == STATE_DATA)
			more = run_content(s);
		else
			break;
		if (s->in_at != before && !s->skip_line)
			s->deadline_ms = s->now_ms + s->settings.command_ms;
	}
	if (s->in_at) {
		buf_consume(&s->in, s->in_at);
		s->in_at = 0;
	}
	if (s->state == STATE_TLS) /* RFC 3207, 4.2: nothing said in plain counts under TLS */
		buf_reset(&s->in);
}

static void banner(struct smtp_session *s)
{
	smtp_reply(s, 220, "", "%s %s", s->settings.host_name, s->settings.lmtp ? "LMTP" : "ESMTP");
	s->state = STATE_COMMAND;
	s->deadline_ms = s->now_ms + s->settings.command_ms;
}

void smtp_session_feed(struct smtp_session *s, struct slice in, int64_t now_ms, struct buf *out)
{
	s->now_ms = now_ms;
	s->out = out;
	if (s->state == STATE_CLOSED || !in.len)
		return;
	if (s->state == STATE_BANNER)
		s->early_talker = true;
	/* Content goes straight through; only commands and what must wait are held. */
	while (in.len && s->state != STATE_CLOSED && s->state != STATE_TLS) {
		size_t n = MIN(in.len, SMTP_HELD_MAX - s->in.len);

		if (!n) {
			smtp_reply(s, 421, "4.7.0", "%s too much input, closing",
				s->settings.host_name);
			smtp_close(s, "limit");
			break;
		}
		buf_add_slice(&s->in, slice_take(in, n));
		in = slice_skip(in, n);
		run(s);
	}
	s->out = NULL;
}

bool smtp_session_wants_input(const struct smtp_session *s)
{
	return s->state == STATE_COMMAND || s->state == STATE_DATA
	       || (s->state == STATE_BANNER && !s->in.len);
}

int64_t smtp_session_deadline(const struct smtp_session *s)
{
	switch (s->state) {
	case STATE_BANNER:
	case STATE_COMMAND:
		return s->deadline_ms;
	case STATE_DATA:
		return MIN(s->deadline_ms, s->data_deadline_ms);
	default:
		return INT64_MAX;
	}
}

void smtp_session_tick(struct smtp_session *s, int64_t now_ms, struct buf *out)
{
	if (now_ms < smtp_session_deadline(s))
		return;
	s->now_ms = now_ms;
	s->out = out;
	if (s->state == STATE_BANNER) {
		banner(s);
		run(s);
	} else {
		smtp_reply(s, 421, "4.4.2", "%s timed out, closing", s->settings.host_name);
		smtp_close(s, "timeout");
	}
	s->out = NULL;
}

bool smtp_session_next_event(struct smtp_session *s, struct smtp_event *ret)
{
	*ret = s->event;
	s->event = (struct smtp_event){.kind = SMTP_EVENT_NONE};
	return ret->kind != SMTP_EVENT_NONE;
}

void smtp_session_answer(struct smtp_session *s, enum smtp_answer answer, struct slice id,
	int64_t now_ms, struct buf *out)
{
	size_t replies = s->settings.lmtp ? s->mail.recipient_count : 1;

	if (s->state != STATE_ANSWER)
		return;
	s->now_ms = now_ms;
	s->out = out;
	for (size_t i = 0; i < replies; i++)
		if (answer == SMTP_ACCEPTED)
			smtp_reply(s, 250, "2.0.0", "Ok: queued as %.*s", SLICE_FMT(id));
		else
			smtp_reply(s, 451, "4.3.0", "Temporary problem here, try again later");
	smtp_reset_mail(s);
	s->state = STATE_COMMAND;
	s->deadline_ms = now_ms + s->settings.command_ms;
	if (answer == SMTP_ACCEPTED)
		s->junk = s->errors = 0;
	if (s->mails >= s->settings.max_mails) {
		smtp_reply(s, 421, "4.7.0", "%s enough mail for one session, closing",
			s->settings.host_name);
		smtp_close(s, "mails");
	}
	run(s);
	s->out = NULL;
}

void smtp_session_drop_content(struct smtp_session *s)
{
	if (s->state != STATE_ANSWER)
		return;
	smtp_data_done(&s->data);
	s->mail.content = SLICE_EMPTY;
}

void smtp_session_tls(struct smtp_session *s, int64_t now_ms)
{
	if (s->state != STATE_TLS)
		return;
	smtp_reset_mail(s);
	buf_reset(&s->in);
	s->tls = true;
	s->greeted = s->esmtp = false;
	s->helo_len = 0;
	s->state = STATE_COMMAND;
	s->now_ms = now_ms;
	s->deadline_ms = now_ms + s->settings.command_ms;
}

void smtp_session_end(struct smtp_session *s, const char *enhanced, const char *words,
	const char *why, struct buf *out)
{
	if (s->state == STATE_CLOSED)
		return;
	s->out = out;
	smtp_reply(s, 421, enhanced, "%s %s, closing", s->settings.host_name, words);
	smtp_close(s, why);
	s->out = NULL;
}

size_t smtp_session_held(const struct smtp_session *s)
{
	return s->in.cap + s->data.content.cap;
}
