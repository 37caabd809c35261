/* exchange.c - one talk with one primary. */
#include "dnsd/copy/exchange.h"

#include "base/attr.h"
#include "base/mem.h"
#include "dns/query.h"
#include "dns/xfr.h"
#include "io/clock.h"
#include "io/random.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define UDP_WAIT_MS 1500
#define UDP_TRIES 3
#define TCP_IDLE_MS 30000
#define TCP_ALL_MS (6 * 3600 * (int64_t)1000)
#define READ_SIZE 65536
#define READS_AT_ONCE 4 /* then others have their turn */

struct exchange {
	struct exchange_ask ask;
	exchange_fn *done;
	void *ctx;
	int fd;
	struct loop_watch *watch;
	struct loop_timer *timer;
	struct tsig_chain chain;
	uint16_t id;
	bool transfer;
	unsigned tries;
	int64_t end_ms; /* of a transfer, however it goes on */
	size_t len, sent;
	uint8_t question[2 + XFR_QUESTION_MAX + TSIG_SIZE_MAX]; /* TCP: its length in front */
	struct xfr xfr;
	struct buf in;
};

struct exchange *exchange_free(struct exchange *x)
{
	if (!x)
		return NULL;
	loop_watch_free(x->watch);
	loop_timer_free(x->timer);
	if (x->fd >= 0)
		close(x->fd);
	tsig_chain_done(&x->chain);
	if (x->transfer)
		xfr_done(&x->xfr);
	buf_done(&x->in);
	free(x);
	return NULL;
}

/* The last thing done with x. */
static void end(
	struct exchange *x, enum exchange_result result, uint32_t serial, const struct err *err)
{
	struct exchange_end e = {.result = result, .serial = serial};

	if (err)
		e.err = *err;
	x->done(x->ctx, &e);
}

static void end_with(struct exchange *x, enum exchange_result result, const char *words)
{
	struct err err = {0};

	err_set(&err, ERR_REFUSED, "%s", words);
	end(x, result, 0, &err);
}

static void sign_question(struct exchange *x, uint8_t *message)
{
	size_t room = sizeof x->question - 2;

	tsig_chain_start(&x->chain, x->ask.key);
	if (x->ask.key)
		x->len = tsig_chain_sign(&x->chain, message, x->len, room, clock_unix_ms() / 1000);
}

/* ---- SOA over UDP ---- */

static void send_udp(struct exchange *x)
{
	/* What cannot be sent now is sent again. */
	(void)!write(x->fd, x->question, x->len);
	x->tries++;
	loop_timer_set(x->timer, UDP_WAIT_MS);
}

static void udp_timeout(void *ctx)
{
	struct exchange *x = ctx;

	if (x->fd < 0 || x->tries == UDP_TRIES)
		end(x, EXCHANGE_TCP, 0, NULL);
	else
		send_udp(x);
}

/* A message that is not signed as it must be may be anybody's: it is passed over. */
static bool is_signed(const struct exchange *x, struct slice message, const char **ret_refused)
{
	struct tsig_chain chain = x->chain;
	struct tsig_record record;
	bool ok;

	if (!x->ask.key)
		return true;
	if (tsig_find(message, &record) != TSIG_PRESENT)
		return false;
	if (record.error)
		*ret_refused = record.error == TSIG_BADTIME  ? "BADTIME: the clocks differ"
			       : record.error == TSIG_BADKEY ? "BADKEY: it does not know the key"
							     : "BADSIG: its secret is another one";
	ok = tsig_chain_check(&chain, message, &record, clock_unix_ms() / 1000) == TSIG_OK;
	tsig_chain_done(&chain);
	return ok && !record.error;
}

/* The SOA that a reply answers with. */
static bool find_soa(const struct exchange *x, struct slice message, struct dns_soa *ret)
{
	const uint8_t *p = (const uint8_t *)message.ptr;
	_cleanup_buf_ struct buf rdata = BUF_INIT(DNS_MESSAGE_MAX);
	struct domain name;
	struct dns_record rec;
	size_t at = dns_name_read(message, DNS_HEADER_SIZE, &name);

	if (at == 0 || message.len - at < 4)
		return false;
	at = dns_record_read(message, at + 4, &rec);
	return dns_u16(p + 6) > 0 && at && rec.type == DNS_SOA && rec.class == DNS_IN
	       && dns_name_read(message, rec.owner, &name) && domain_eq(&name, x->ask.zone)
	       && dns_rdata_read(message, &rec, &rdata) && dns_soa_read(buf_slice(&rdata), ret);
}

/* True: it was an answer, and x is over. */
static bool take_udp(struct exchange *x, struct slice message)
{
	const uint8_t *p = (const uint8_t *)message.ptr;
	const char *refused = NULL;
	struct domain name;
	struct dns_soa soa;
	unsigned flags;

	if (message.len < DNS_HEADER_SIZE || dns_u16(p) != x->id || dns_u16(p + 4) != 1
		|| dns_name_read(message, DNS_HEADER_SIZE, &name) == 0
		|| !domain_eq(&name, x->ask.zone))
		return false;
	flags = dns_u16(p + 2);
	if ((flags & (DNS_QR | DNS_OPCODE)) != DNS_QR)
		return false;
	if (!is_signed(x, message, &refused) && !refused)
		return false;
	if (refused) {
		end_with(x, EXCHANGE_BAD, refused);
	} else if (flags & DNS_RCODE) {
		char words[40];
		snprintf(
			words, sizeof words, "rcode %u to the question for SOA", flags & DNS_RCODE);
		end_with(x, EXCHANGE_BAD, words);
	} else if (flags & DNS_TC) {
		end(x, EXCHANGE_TCP, 0, NULL);
	} else if (!(flags & DNS_AA) || !find_soa(x, message, &soa)) {
		end_with(x, EXCHANGE_BAD, "it has no authority over the zone");
	} else {
		end(x, EXCHANGE_SOA, soa.serial, NULL);
	}
	return true;
}

static void udp_readable(void *ctx, int fd, unsigned events)
{
	struct exchange *x = ctx;
	uint8_t reply[DNS_MESSAGE_MAX];
	ssize_t n;

	(void)events;
	while ((n = read(fd, reply, sizeof reply)) > 0)
		if (take_udp(x, slice_of(reply, (size_t)n)))
			return;
}

static struct exchange *exchange_new(struct loop *l, const struct exchange_ask *ask,
	loop_fn *timeout, exchange_fn *done, void *ctx)
{
	struct exchange *x = mem_new(1, sizeof *x);

	x->ask = *ask;
	x->done = done;
	x->ctx = ctx;
	x->id = (uint16_t)random_below(65536);
	x->timer = loop_timer_new(l, timeout, x);
	return x;
}

struct exchange *exchange_soa(
	struct loop *l, const struct exchange_ask *ask, exchange_fn *done, void *ctx)
{
	struct exchange *x = exchange_new(l, ask, udp_timeout, done, ctx);
	const struct dns_query q = {.name = *ask->zone, .type = DNS_SOA, .id = x->id};

	x->len = dns_query_write(&q, x->question);
	sign_question(x, x->question);
	x->fd = socket_connect_udp(ask->to, NULL);
	if (x->fd < 0) {
		loop_timer_set(x->timer, 0);
		return x;
	}
	x->watch = loop_watch_new(l, x->fd, LOOP_READ, udp_readable, x);
	send_udp(x);
	return x;
}

/* ---- transfer over TCP ---- */

static void tcp_timeout(void *ctx)
{
	struct exchange *x = ctx;

	end_with(x, EXCHANGE_LOST, x->fd < 0 ? "cannot connect" : "it says nothing for 30 seconds");
}

static bool check_signature(struct exchange *x, struct slice message, struct err *err)
{
	struct tsig_record record;
	enum tsig_found found;
	enum tsig_error error;

	if (!x->ask.key)
		return true;
	found = tsig_find(message, &record);
	error = found == TSIG_MALFORMED
			? TSIG_BADSIG
			: tsig_chain_check(&x->chain, message,
				found == TSIG_PRESENT ? &record : NULL, clock_unix_ms() / 1000);
	if (error == TSIG_OK)
		return true;
	if (found == TSIG_PRESENT && record.error)
		return err_set(err, ERR_REFUSED, "it refuses our signature with TSIG error %u",
			record.error);
	return err_set(err, ERR_REFUSED, "a message is not signed as it must be (TSIG error %d)",
		(int)error);
}

/* True: x goes on. */
static bool take_message(struct exchange *x, struct slice message)
{
	struct err err = {0};
	unsigned rcode;

	if (!check_signature(x, message, &err) || !xfr_take(&x->xfr, message, &rcode, &err)) {
		end(x, EXCHANGE_BAD, 0, &err);
		return false;
	}
	if (!xfr_is_over(&x->xfr))
		return true;
	if (x->ask.key && !tsig_chain_is_signed(&x->chain))
		end_with(x, EXCHANGE_BAD, "the last message is not signed");
	else
		end(x, x->xfr.state == XFR_SAME ? EXCHANGE_SAME : EXCHANGE_CHANGES, x->xfr.serial,
			NULL);
	return false;
}

static bool take_messages(struct exchange *x)
{
	struct slice rest = buf_slice(&x->in);
	size_t len;

	while (rest.len >= 2 && rest.len - 2 >= (len = dns_u16((const uint8_t *)rest.ptr))) {
		if (!take_message(x, slice_of(rest.ptr + 2, len)))
			return false;
		rest = slice_skip(rest, 2 + len);
	}
	buf_consume(&x->in, x->in.len - rest.len);
	return true;
}

static void tcp_read(struct exchange *x)
{
	ssize_t n = 0;

	if (clock_mono_ms() > x->end_ms) {
		end_with(x, EXCHANGE_LOST, "it takes hours");
		return;
	}
	for (unsigned i = 0; i < READS_AT_ONCE; i++) {
		char *room = buf_room(&x->in, READ_SIZE);
		n = room ? read(x->fd, room, READ_SIZE) : -1;
		if (n <= 0)
			break;
		x->in.len += (size_t)n;
		if (!take_messages(x))
			return;
	}
	if (n == 0)
		end_with(x, EXCHANGE_LOST, "it closed the connection in the middle");
	else if (n < 0 && errno != EAGAIN && errno != EINTR)
		end_with(x, EXCHANGE_LOST, strerror(errno));
	else
		loop_timer_set(x->timer, TCP_IDLE_MS);
}

static void tcp_happened(void *ctx, int fd, unsigned events)
{
	struct exchange *x = ctx;

	if (x->sent < x->len) {
		ssize_t n = write(fd, x->question + x->sent, x->len - x->sent);
		if (n < 0 && errno != EAGAIN && errno != EINTR) {
			end_with(x, EXCHANGE_LOST, strerror(errno));
			return;
		}
		x->sent += n > 0 ? (size_t)n : 0;
		if (x->sent == x->len)
			loop_watch_set(x->watch, LOOP_READ);
		return;
	}
	if (events & LOOP_READ)
		tcp_read(x);
}

struct exchange *exchange_transfer(
	struct loop *l, const struct exchange_ask *ask, exchange_fn *done, void *ctx)
{
	struct exchange *x = exchange_new(l, ask, tcp_timeout, done, ctx);

	x->transfer = true;
	x->in = BUF_INIT(2 + DNS_MESSAGE_MAX + READ_SIZE);
	x->end_ms = clock_mono_ms() + TCP_ALL_MS;
	xfr_start(&x->xfr, ask->zone, x->id, ask->our_soa.len ? &ask->our_serial : NULL,
		copy_changes_take, ask->changes);
	x->len = xfr_question(&x->xfr, ask->our_soa, x->question + 2);
	sign_question(x, x->question + 2);
	dns_put_u16(x->question, (uint16_t)x->len);
	x->len += 2;
	x->fd = socket_connect_stream(ask->to, NULL);
	if (x->fd >= 0)
		x->watch = loop_watch_new(l, x->fd, LOOP_READ | LOOP_WRITE, tcp_happened, x);
	loop_timer_set(x->timer, x->fd < 0 ? 0 : TCP_IDLE_MS);
	return x;
}
