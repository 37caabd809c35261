/* classify.c - spam, or a machine's answer to a forged sender. */
#include "mail/classify.h"

#include "base/attr.h"

static const char *const names[] = {
	[MAIL_SPAM] = "spam",
	[MAIL_BACKSCATTER] = "backscatter",
	[MAIL_AUTO_REPLY] = "auto-reply",
	[MAIL_CHALLENGE] = "challenge",
};

const char *mail_class_name(enum mail_class c)
{
	return names[c];
}

static bool is_daemon(struct slice address)
{
	static const char *const daemons[] = {"mailer-daemon", "postmaster", "mail-daemon",
		"mdaemon", "mailerdaemon", "mail_daemon", "mailer_daemon", "mailsystem"};
	struct slice local = address_local(address);

	for (size_t i = 0; i < ARRAY_LEN(daemons); i++)
		if (slice_eq_nocase(local, slice_str(daemons[i])))
			return true;
	return false;
}

static bool is_from_daemon(struct slice head)
{
	struct slice rest = header_value(head, "From"), address;

	/* Some bounces have "From: MAILER-DAEMON" and no address at all. */
	return address_next(&rest, &address) ? is_daemon(address)
					     : is_daemon(header_value(head, "From"));
}

/* A report about delivery (RFC 3464, RFC 6522) or reading (RFC 8098); not ARF, which is no bounce. */
static bool is_report(const struct mime_tree *t)
{
	_cleanup_buf_ struct buf type = BUF_INIT(100);
	const struct mime_part *root = &t->parts[0];
	struct slice value = header_value(root->head, "Content-Type");

	if (mime_is(root, "multipart/report") && header_param(value, "report-type", &type)
		&& (slice_eq_nocase(buf_slice(&type), SLICE("delivery-status"))
			|| slice_eq_nocase(buf_slice(&type), SLICE("disposition-notification"))))
		return true;
	for (size_t i = 0; i < t->count; i++)
		if (!t->parts[i].in_message && t->parts[i].depth <= 2
			&& (mime_is(&t->parts[i], "message/delivery-status")
				|| mime_is(&t->parts[i], "message/global-delivery-status")
				|| mime_is(&t->parts[i], "message/disposition-notification")))
			return true;
	return false;
}

static bool is_challenge(bool null_sender, struct slice head, const char **ret_why)
{
	/* Fields of challenge-response systems. Their users' ordinary mail has them too: only with the
	 * null sender do they mark the challenge itself. */
	static const char *const fields[] = {"X-TMDA-Fingerprint", "X-Delivery-Agent", "X-ASK-Auth",
		"X-ASK-Action", "X-BoxTrapper", "X-Spamarrest-speedcode",
		"X-Choicemail-Registration-Request", "X-Qconfirm", "X-Challenge-Response"};
	struct slice rest, address, local;

	for (size_t i = 0; null_sender && i < ARRAY_LEN(fields); i++)
		if (header_has(head, fields[i])) {
			*ret_why = "null sender, a challenge-response system's header";
			return true;
		}
	/* Mailman, and those that followed it: From or Reply-To list-confirm+token@, marked as the list's
	 * administration. */
	if (!header_has(head, "X-List-Administrivia") && !header_has(head, "List-Id")
		&& !header_has(head, "Mailing-List"))
		return false;
	for (int i = 0; i < 3; i++) {
		rest = header_value(head, i == 0 ? "From" : i == 1 ? "Reply-To" : "Return-Path");
		if (!address_next(&rest, &address))
			continue;
		local = address_local(address);
		if (slice_find_nocase(local, SLICE("-confirm+")) < local.len
			|| slice_find_nocase(local, SLICE("-sc."))
				   < local.len /* ezmlm's subscribe token */
			|| slice_find_nocase(local, SLICE("-confirm-")) < local.len) {
			*ret_why = "a mailing list asks for confirmation";
			return true;
		}
	}
	return false;
}

static bool is_auto_reply(struct slice mail_from, struct slice head, const char **ret_why)
{
	struct slice submitted = header_main(header_value(head, "Auto-Submitted"));
	static const char *const fields[] = {"X-Autoreply", "X-Autorespond", "X-Autoresponder",
		"X-Auto-Reply", "X-Vacation", "X-Mail-Autoreply", "X-AutoReply-From"};
	struct slice precedence = header_value(head, "Precedence");

	if (slice_eq_nocase(submitted, SLICE("auto-replied"))) {
		*ret_why = "Auto-Submitted: auto-replied";
		return true;
	}
	for (size_t i = 0; i < ARRAY_LEN(fields); i++)
		if (header_has(head, fields[i])) {
			*ret_why = "an autoresponder's header";
			return true;
		}
	if (slice_eq_nocase(precedence, SLICE("auto_reply"))) {
		*ret_why = "Precedence: auto_reply";
		return true;
	}
	/* A null sender and a reference to what it answers: what RFC 3834 asks of responders. */
	if (mail_from.len == 0
		&& (header_has(head, "In-Reply-To") || header_has(head, "References"))) {
		*ret_why = "null sender, answers another mail";
		return true;
	}
	if (mail_from.len == 0 && slice_starts_nocase(submitted, SLICE("auto-"))) {
		*ret_why = "null sender, Auto-Submitted";
		return true;
	}
	return false;
}

enum mail_class mail_classify(
	struct slice mail_from, const struct mime_tree *tree, const char **ret_why)
{
	struct slice head = tree->count ? tree->parts[0].head : SLICE_EMPTY;
	const char *unused, **why = ret_why ? ret_why : &unused;
	bool null_sender = mail_from.len == 0;

	if (tree->count && (null_sender || is_daemon(mail_from) || is_from_daemon(head))
		&& is_report(tree)) {
		*why = "a delivery report";
		return MAIL_BACKSCATTER;
	}
	if (null_sender && (is_from_daemon(head) || header_has(head, "X-Failed-Recipients"))) {
		*why = "null sender, from a mail system";
		return MAIL_BACKSCATTER;
	}
	if (is_challenge(null_sender, head, why))
		return MAIL_CHALLENGE;
	if (is_auto_reply(mail_from, head, why))
		return MAIL_AUTO_REPLY;
	/* A null sender alone exempts nobody: it costs a spammer nothing. */
	*why = null_sender ? "null sender, but nothing that bounces or replies have"
			   : "nothing says otherwise";
	return MAIL_SPAM;
}
