/* command.c - the verbs of SMTP: a table, and one function each. */
#include "smtp/session_internal.h"

static void command_hello(struct smtp_session *s, struct slice arg, bool esmtp)
{
	arg = slice_trim(arg);
	if (!arg.len) {
		smtp_reply(s, 501, "5.5.4", "Syntax: %s hostname",
			s->settings.lmtp ? "LHLO"
			: esmtp		 ? "EHLO"
					 : "HELO");
		return;
	}
	smtp_reset_mail(s);
	if (s->greeted)
		s->junk++;
	s->greeted = true;
	s->esmtp = esmtp;
	s->helo_len = MIN(arg.len, sizeof s->helo - 1);
	memcpy(s->helo, arg.ptr, s->helo_len);
	if (!esmtp) {
		smtp_reply(s, 250, "", "%s", s->settings.host_name);
		return;
	}
	buf_addf(s->out, "250-%s\r\n250-PIPELINING\r\n250-SIZE %zu\r\n", s->settings.host_name,
		s->settings.max_size);
	if (s->settings.starttls && !s->tls)
		buf_add_str(s->out, "250-STARTTLS\r\n");
	buf_add_str(s->out, "250-ENHANCEDSTATUSCODES\r\n250-8BITMIME\r\n250 SMTPUTF8\r\n");
}

static void command_helo(struct smtp_session *s, struct slice arg)
{
	command_hello(s, arg, false);
}

static void command_ehlo(struct smtp_session *s, struct slice arg)
{
	command_hello(s, arg, true);
}

/* "FROM:" or "TO:" at the front, as MAIL and RCPT have it. */
static bool cut_word_colon(struct slice *arg, struct slice word)
{
	struct slice rest = slice_trim(*arg);

	if (!slice_starts_nocase(rest, word))
		return false;
	rest = slice_skip(rest, word.len);
	while (rest.len && ascii_is_blank(rest.ptr[0]))
		rest = slice_skip(rest, 1);
	if (!rest.len || rest.ptr[0] != ':')
		return false;
	*arg = slice_skip(rest, 1);
	return true;
}

static bool mail_parameter(struct smtp_session *s, struct slice keyword, struct slice value)
{
	uint64_t size;

	if (slice_eq_nocase(keyword, SLICE("SIZE"))) {
		if (!slice_u64(value, UINT64_MAX, &size)) {
			smtp_reply(s, 501, "5.5.4", "Bad SIZE value");
			return false;
		}
		if (size > s->settings.max_size) {
			smtp_reply(s, 552, "5.3.4", "Message too big");
			return false;
		}
		return true;
	}
	if (slice_eq_nocase(keyword, SLICE("BODY"))
		&& (slice_eq_nocase(value, SLICE("7BIT"))
			|| slice_eq_nocase(value, SLICE("8BITMIME"))))
		return true;
	if (slice_eq_nocase(keyword, SLICE("SMTPUTF8")) && !value.len) {
		s->mail.utf8 = true;
		return true;
	}
	smtp_reply(s, 555, "5.5.4", "Unsupported option: %.*s", SLICE_FMT(slice_take(keyword, 64)));
	return false;
}

/* The address copied for as long as the mail lasts. */
static bool path_copy(struct smtp_session *s, const struct smtp_path *from, struct smtp_path *to)
{
	struct slice copy = arena_copy(s->envelope, from->address);

	if (arena_failed(s->envelope))
		return false;
	to->address = copy;
	to->local = slice_take(copy, from->local.len);
	to->domain = slice_skip(copy, copy.len - from->domain.len);
	return true;
}

static void command_mail(struct smtp_session *s, struct slice arg)
{
	struct slice keyword, value;
	struct smtp_path path, kept;

	if (s->has_sender) {
		smtp_reply(s, 503, "5.5.1", "Sender already given");
		return;
	}
	if (s->settings.lmtp && !s->greeted) {
		smtp_reply(s, 503, "5.5.1", "Say LHLO first");
		return;
	}
	if (!cut_word_colon(&arg, SLICE("FROM"))) {
		smtp_reply(s, 501, "5.5.4", "Syntax: MAIL FROM:<address>");
		return;
	}
	if (!smtp_path_cut(&arg, &path)) {
		smtp_reply(s, 501, "5.1.7", "Bad sender address syntax");
		return;
	}
	smtp_reset_mail(s);
	while (smtp_parameter_cut(&arg, &keyword, &value))
		if (!mail_parameter(s, keyword, value)) {
			smtp_reset_mail(s);
			return;
		}
	if (s->mail.utf8 && !smtp_is_utf8(path.address)) {
		smtp_reset_mail(s);
		smtp_reply(s, 553, "5.6.7", "Sender address is not UTF-8");
		return;
	}
	path_copy(s, &path, &kept); /* the arena holds more than one line */
	s->mail.mail_from = kept.address;
	s->mail.mail_from_domain = kept.domain;
	s->has_sender = true;
	smtp_reply(s, 250, "2.1.0", "Ok");
}

/* Says why not, or nothing. */
static bool recipient_taken(struct smtp_session *s, const struct smtp_path *path)
{
	enum smtp_rcpt verdict = SMTP_RCPT_OK;

	if (!path->address.len) {
		smtp_reply(s, 501, "5.1.3", "Bad recipient address syntax");
		return false;
	}
	if (s->mail.utf8 && !smtp_is_utf8(path->address)) {
		smtp_reply(s, 553, "5.6.7", "Recipient address is not UTF-8");
		return false;
	}
	if (s->settings.recipient)
		verdict = s->settings.recipient(s->settings.ctx, path);
	if (verdict == SMTP_RCPT_UNKNOWN)
		smtp_reply(s, 550, "5.1.1", "User unknown");
	else if (verdict == SMTP_RCPT_RELAYING)
		smtp_reply(s, 550, "5.7.1", "Relaying denied");
	return verdict == SMTP_RCPT_OK;
}

static void command_rcpt(struct smtp_session *s, struct slice arg)
{
	struct slice keyword, value;
	struct smtp_path path;

	if (!s->has_sender) {
		smtp_reply(s, 503, "5.5.1", "Give a sender first (MAIL)");
		return;
	}
	if (!cut_word_colon(&arg, SLICE("TO"))) {
		smtp_reply(s, 501, "5.5.4", "Syntax: RCPT TO:<address>");
		return;
	}
	if (!smtp_path_cut(&arg, &path)) {
		smtp_reply(s, 501, "5.1.3", "Bad recipient address syntax");
		return;
	}
	if (smtp_parameter_cut(&arg, &keyword, &value)) {
		smtp_reply(s, 555, "5.5.4", "Unsupported option: %.*s",
			SLICE_FMT(slice_take(keyword, 64)));
		return;
	}
	if (!recipient_taken(s, &path))
		return;
	if (s->mail.recipient_count >= s->settings.max_recipients
		|| !path_copy(s, &path, &s->recipients[s->mail.recipient_count])) {
		smtp_reply(s, 452, "4.5.3", "Too many recipients");
		return;
	}
	s->mail.recipient_count++;
	smtp_reply(s, 250, "2.1.5", "Ok");
}

static void command_data(struct smtp_session *s, struct slice arg)
{
	if (slice_trim(arg).len) {
		smtp_reply(s, 501, "5.5.4", "Syntax: DATA");
		return;
	}
	if (!s->has_sender || !s->mail.recipient_count) {
		smtp_reply(s, s->has_sender ? 554 : 503, "5.5.1",
			s->has_sender ? "No valid recipients" : "Give a recipient first (RCPT)");
		return;
	}
	if (s->in.len > s->in_at)
		s->early_talker = true; /* content that did not wait for the 354 */
	smtp_data_start(&s->data, s->settings.max_size);
	s->state = STATE_DATA;
	s->data_deadline_ms = s->now_ms + s->settings.data_ms;
	smtp_reply(s, 354, "", "Go ahead, end with <CRLF>.<CRLF>");
}

static void command_rset(struct smtp_session *s, struct slice arg)
{
	s->junk++;
	if (slice_trim(arg).len) {
		smtp_reply(s, 501, "5.5.4", "Syntax: RSET");
		return;
	}
	smtp_reset_mail(s);
	smtp_reply(s, 250, "2.0.0", "Ok");
}

static void command_noop(struct smtp_session *s, struct slice arg)
{
	s->junk++;
	smtp_reply(s, 250, "2.0.0", "Ok");
}

static void command_vrfy(struct smtp_session *s, struct slice arg)
{
	s->junk++;
	if (!slice_trim(arg).len)
		smtp_reply(s, 501, "5.5.4", "Syntax: VRFY address");
	else /* RFC 5321, 3.5.3: cannot say, will try */
		smtp_reply(s, 252, "2.0.0", "Cannot verify the user; mail will be tried");
}

static void command_help(struct smtp_session *s, struct slice arg)
{
	s->junk++;
	smtp_reply(s, 214, "2.0.0", "See RFC 5321");
}

static void command_quit(struct smtp_session *s, struct slice arg)
{
	smtp_reply(s, 221, "2.0.0", "Bye");
	smtp_close(s, "quit");
}

static void command_starttls(struct smtp_session *s, struct slice arg)
{
	if (slice_trim(arg).len) {
		smtp_reply(s, 501, "5.5.4", "Syntax: STARTTLS");
	} else if (s->tls) {
		smtp_reply(s, 503, "5.5.1", "TLS is already active");
	} else if (!s->settings.starttls) {
		smtp_reply(s, 502, "5.5.1", "Command not implemented");
	} else {
		smtp_reply(s, 220, "2.0.0", "Ready to start TLS");
		s->state = STATE_TLS;
		s->event = (struct smtp_event){.kind = SMTP_EVENT_STARTTLS};
	}
}

static void command_refused(struct smtp_session *s, struct slice arg)
{
	smtp_reply(s, 502, "5.5.1", "Command not implemented");
}

/* A browser or a proxy test: nothing that follows can be mail. */
static void command_not_smtp(struct smtp_session *s, struct slice arg)
{
	smtp_reply(s, 221, "2.7.0", "This is a mail server");
	smtp_close(s, "not-smtp");
}

enum protocol { BOTH, ONLY_SMTP, ONLY_LMTP };

static const struct command {
	struct slice verb;
	enum protocol protocol;
	void (*run)(struct smtp_session *s, struct slice arg);
} commands[] = {
	{{"HELO", 4}, ONLY_SMTP, command_helo},
	{{"EHLO", 4}, ONLY_SMTP, command_ehlo},
	{{"LHLO", 4}, ONLY_LMTP, command_ehlo},
	{{"MAIL", 4}, BOTH, command_mail},
	{{"RCPT", 4}, BOTH, command_rcpt},
	{{"DATA", 4}, BOTH, command_data},
	{{"RSET", 4}, BOTH, command_rset},
	{{"NOOP", 4}, BOTH, command_noop},
	{{"QUIT", 4}, BOTH, command_quit},
	{{"VRFY", 4}, BOTH, command_vrfy},
	{{"HELP", 4}, BOTH, command_help},
	{{"STARTTLS", 8}, BOTH, command_starttls},
	{{"EXPN", 4}, BOTH, command_refused},
	{{"AUTH", 4}, BOTH, command_refused},
	{{"BDAT", 4}, BOTH, command_refused},
	{{"ETRN", 4}, BOTH, command_refused},
	{{"GET", 3}, BOTH, command_not_smtp},
	{{"POST", 4}, BOTH, command_not_smtp},
	{{"CONNECT", 7}, BOTH, command_not_smtp},
};

void smtp_command(struct smtp_session *s, struct slice line)
{
	struct slice verb, rest = line;
	bool spoken;

	if (!slice_cut_word(&rest, &verb)) {
		smtp_reply(s, 500, "5.5.2", "Syntax error");
		return;
	}
	for (size_t i = 0; i < ARRAY_LEN(commands); i++) {
		if (!slice_eq_nocase(verb, commands[i].verb))
			continue;
		spoken = commands[i].protocol == BOTH
			 || (commands[i].protocol == ONLY_LMTP) == s->settings.lmtp;
		if (!spoken)
			break;
		commands[i].run(s, rest);
		return;
	}
	smtp_reply(s, 500, "5.5.2", "Command not recognized");
}
