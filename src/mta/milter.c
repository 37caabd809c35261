/* milter.c - milter packets in, events and packets out. Pure.
 * Numbers and flags: sendmail's include/libmilter/mfdef.h and mfapi.h, Postfix's MILTER_README. */
#include "mta/milter.h"

#include "base/reader.h"

/* What the filter may do to a message. */
enum { ACTION_ADD_HEADERS = 0x01, ACTION_CHANGE_HEADERS = 0x10 };

/* Steps the MTA may leave out, and steps after which it need not wait. */
enum {
	STEP_NO_HELO = 0x02,
	STEP_NO_BODY = 0x10,
	STEP_NO_HEADERS = 0x20,
	STEP_NO_EOH = 0x40,
	STEP_HEADER_UNANSWERED = 0x80,
	STEP_NO_UNKNOWN = 0x100,
	STEP_NO_DATA = 0x200,
	STEP_CONNECT_UNANSWERED = 0x1000,
	STEP_HELO_UNANSWERED = 0x2000,
	STEP_MAIL_UNANSWERED = 0x4000,
	STEP_DATA_UNANSWERED = 0x10000,
	STEP_UNKNOWN_UNANSWERED = 0x20000,
	STEP_EOH_UNANSWERED = 0x40000,
	STEP_BODY_UNANSWERED = 0x80000,
};

void milter_init(struct milter *m, const char *header)
{
	*m = (struct milter){0};
	if (header)
		slice_copy(slice_str(header), m->header, sizeof m->header);
}

static void packet_write(struct buf *out, char command, struct slice data)
{
	buf_add_u32(out, (uint32_t)(1 + data.len));
	buf_add_char(out, command);
	buf_add_slice(out, data);
}

/* A NUL-terminated word of a packet; without its NUL the packet is bad. */
static struct slice reader_word(struct reader *r)
{
	size_t left = reader_left(r);
	const char *end = left ? memchr(r->at, 0, left) : NULL;
	struct slice word;

	if (!end) {
		r->bad = true;
		return SLICE_EMPTY;
	}
	word = slice_of(r->at, (size_t)(end - (const char *)r->at));
	r->at += word.len + 1;
	return word;
}

/* For logs: what does not fit is cut. */
static void keep(struct slice s, char *dst, size_t size)
{
	slice_copy(slice_take(s, size - 1), dst, size);
}

static enum milter_event milter_bad(struct err *err, const char *what)
{
	err_set(err, ERR_SYNTAX, "milter: %s", what);
	return MILTER_BAD;
}

static enum milter_event take_options(
	struct milter *m, struct reader *r, struct buf *out, struct err *err)
{
	uint32_t version = reader_u32(r), actions = reader_u32(r), steps = reader_u32(r);
	uint32_t wanted_actions = 0;
	uint32_t wanted_steps = STEP_NO_HELO | STEP_NO_BODY | STEP_NO_EOH | STEP_NO_UNKNOWN
				| STEP_NO_DATA | STEP_CONNECT_UNANSWERED | STEP_HELO_UNANSWERED
				| STEP_MAIL_UNANSWERED | STEP_DATA_UNANSWERED
				| STEP_UNKNOWN_UNANSWERED | STEP_EOH_UNANSWERED
				| STEP_BODY_UNANSWERED | STEP_HEADER_UNANSWERED;

	if (r->bad || version < 2)
		return milter_bad(err, "the MTA's options are cut short or older than version 2");
	if (m->header[0])
		wanted_actions = ACTION_ADD_HEADERS | ACTION_CHANGE_HEADERS;
	else
		wanted_steps |= STEP_NO_HEADERS;
	m->version = MIN(version, 6);
	m->actions = wanted_actions & actions;
	m->steps = wanted_steps & steps;
	m->negotiated = true;
	buf_add_u32(out, 13);
	buf_add_char(out, 'O');
	buf_add_u32(out, m->version);
	buf_add_u32(out, m->actions);
	buf_add_u32(out, m->steps);
	return MILTER_NOTHING;
}

/* host NUL family [port address NUL] */
static enum milter_event take_connect(struct milter *m, struct reader *r, struct err *err)
{
	struct slice name = reader_word(r), address;
	uint8_t family = reader_u8(r);

	m->client = (struct ip){0};
	m->authenticated = false;
	m->connected = true;
	keep(name, m->client_name, sizeof m->client_name);
	if (r->bad)
		return milter_bad(err, "a connect packet is cut short");
	if (family != '4' && family != '6')
		return MILTER_CONNECT;
	reader_u16(r);
	address = reader_word(r);
	if (r->bad || !ip_parse(address, &m->client))
		return milter_bad(err, "a connect packet holds no address");
	m->client = ip_unmap(m->client);
	return MILTER_CONNECT;
}

/* command, then name NUL value NUL ... */
static enum milter_event take_macros(struct milter *m, struct reader *r, struct err *err)
{
	uint8_t command = reader_u8(r);

	if (command == 'M')
		m->authenticated = false;
	while (!r->bad && reader_left(r) > 0) {
		struct slice name = reader_word(r), value = reader_word(r);

		if (r->bad)
			break;
		if (command == 'M' && slice_eq(name, SLICE("{auth_authen}")))
			m->authenticated = value.len > 0;
		else if (slice_eq(name, SLICE("i")) || slice_eq(name, SLICE("{i}")))
			keep(value, m->queue_id, sizeof m->queue_id);
	}
	return r->bad ? milter_bad(err, "a macro packet is cut short") : MILTER_NOTHING;
}

static enum milter_event take_header(struct milter *m, struct reader *r, struct err *err)
{
	struct slice name = reader_word(r);

	reader_word(r);
	if (r->bad)
		return milter_bad(err, "a header packet is cut short");
	if (m->header[0] && slice_eq_nocase(slice_trim(name), slice_str(m->header)))
		m->old_headers++;
	return MILTER_NOTHING;
}

static void message_reset(struct milter *m)
{
	m->sender[0] = m->recipient[0] = m->queue_id[0] = 0;
	m->old_headers = 0;
}

static enum milter_event take_envelope(
	struct milter *m, struct reader *r, char command, struct err *err)
{
	struct slice address = reader_word(r);

	if (r->bad)
		return milter_bad(err, "an envelope packet holds no address");
	if (command == 'R') {
		keep(address, m->recipient, sizeof m->recipient);
		return MILTER_RCPT;
	}
	/* The macros of MAIL came before it and stay. */
	m->recipient[0] = 0;
	m->old_headers = 0;
	keep(address, m->sender, sizeof m->sender);
	return MILTER_MAIL;
}

/* Answers for itself where the MTA waits. */
static enum milter_event answered(
	struct milter *m, enum milter_event event, uint32_t unanswered, struct buf *out)
{
	if (event != MILTER_BAD && !(m->steps & unanswered))
		milter_continue(out);
	return event;
}

static enum milter_event take_packet(
	struct milter *m, char command, struct reader *r, struct buf *out, struct err *err)
{
	if (!m->negotiated && command != 'O' && command != 'Q')
		return milter_bad(err, "a command before the options");
	if (!m->connected && strchr("HMRTLNBEU", command))
		return milter_bad(err, "a command before the connect packet");
	switch (command) {
	case 'O':
		return take_options(m, r, out, err);
	case 'C':
		message_reset(m);
		return answered(m, take_connect(m, r, err), STEP_CONNECT_UNANSWERED, out);
	case 'D':
		return take_macros(m, r, err);
	case 'H':
		return answered(m, MILTER_NOTHING, STEP_HELO_UNANSWERED, out);
	case 'M':
		return answered(m, take_envelope(m, r, command, err), STEP_MAIL_UNANSWERED, out);
	case 'R':
		return take_envelope(m, r, command, err);
	case 'T':
		return answered(m, MILTER_NOTHING, STEP_DATA_UNANSWERED, out);
	case 'U':
		return answered(m, MILTER_NOTHING, STEP_UNKNOWN_UNANSWERED, out);
	case 'L':
		return answered(m, take_header(m, r, err), STEP_HEADER_UNANSWERED, out);
	case 'N':
		return answered(m, MILTER_NOTHING, STEP_EOH_UNANSWERED, out);
	case 'B':
		return answered(m, MILTER_NOTHING, STEP_BODY_UNANSWERED, out);
	case 'E':
		return MILTER_END;
	case 'A':
		message_reset(m);
		m->authenticated = false;
		return MILTER_NOTHING;
	case 'K': /* the MTA goes on with another client */
		message_reset(m);
		m->connected = m->authenticated = false;
		return MILTER_NOTHING;
	case 'Q':
		return MILTER_QUIT;
	default:
		return milter_bad(err, "an unknown command");
	}
}

enum milter_event milter_read(
	struct milter *m, struct slice bytes, size_t *ret_used, struct buf *out, struct err *err)
{
	struct reader r = reader_of(bytes), body;
	uint32_t length = reader_u32(&r);

	*ret_used = 0;
	if (r.bad)
		return MILTER_MORE;
	if (length == 0 || length > MILTER_PACKET_MAX - 4)
		return milter_bad(err, "a packet of no or too many bytes");
	if (reader_left(&r) < length)
		return MILTER_MORE;
	body = reader_of(reader_slice(&r, length));
	*ret_used = 4 + (size_t)length;
	return take_packet(m, (char)reader_u8(&body), &body, out, err);
}

void milter_continue(struct buf *out)
{
	packet_write(out, 'c', SLICE_EMPTY);
}

void milter_reply(struct buf *out, struct slice text)
{
	_cleanup_buf_ struct buf data = BUF_INIT(4096);

	for (size_t i = 0; i < text.len; i++) {
		char c = text.ptr[i];

		buf_add_char(&data, c >= ' ' && c <= '~' ? c : '?');
		if (c == '%') /* MTAs take the text for a format */
			buf_add_char(&data, c);
	}
	buf_add_char(&data, 0);
	packet_write(out, 'y', buf_slice(&data));
}

/* A header cannot end in the middle of its value. */
static void add_line(struct buf *data, struct slice s)
{
	for (size_t i = 0; i < s.len; i++)
		buf_add_char(data, s.ptr[i] >= ' ' && s.ptr[i] <= '~' ? s.ptr[i] : '?');
	buf_add_char(data, 0);
}

bool milter_add_header(struct milter *m, struct buf *out, struct slice name, struct slice value)
{
	_cleanup_buf_ struct buf data = BUF_INIT(4096);

	if (!(m->actions & ACTION_ADD_HEADERS))
		return false;
	add_line(&data, name);
	add_line(&data, value);
	if (data.failed)
		return false;
	packet_write(out, 'h', buf_slice(&data));
	return true;
}

bool milter_delete_old_headers(struct milter *m, struct buf *out)
{
	if (!(m->actions & ACTION_CHANGE_HEADERS))
		return m->old_headers == 0;
	/* from the last one up, so that the numbers of the others stay */
	for (uint32_t i = MIN(m->old_headers, 100); i > 0; i--) {
		_cleanup_buf_ struct buf data = BUF_INIT(4096);

		buf_add_u32(&data, i);
		add_line(&data, slice_str(m->header));
		add_line(&data, SLICE_EMPTY);
		packet_write(out, 'm', buf_slice(&data));
	}
	return true;
}
