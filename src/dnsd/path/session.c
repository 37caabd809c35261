/* session.c - one TCP connection: questions in, answers out. */
#include "dnsd/path/session.h"

#include "base/mem.h"
#include "dnsd/see/query_log.h"

#include <errno.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

static void leftover_drop(struct leftover **l, struct session_room *room)
{
	if (*l)
		atomic_fetch_sub(room->leftover_bytes, (*l)->len);
	free(*l);
	*l = NULL;
}

/* False: all sessions together keep too much already. */
static bool leftover_keep(
	struct leftover **l, struct session_room *room, const uint8_t *bytes, size_t len)
{
	if (len == 0)
		return true;
	if (atomic_fetch_add(room->leftover_bytes, len) + len > room->leftover_max) {
		atomic_fetch_sub(room->leftover_bytes, len);
		return false;
	}
	*l = mem_new(1, sizeof **l + len);
	(*l)->len = (uint32_t)len;
	memcpy((*l)->bytes, bytes, len);
	return true;
}

static ssize_t give(int fd, const uint8_t *bytes, size_t len)
{
	ssize_t n = send(fd, bytes, len, MSG_NOSIGNAL);

	if (n >= 0)
		return n;
	return errno == EAGAIN || errno == EINTR ? 0 : -1;
}

/* Sends the first *len bytes of room->out; what the peer does not take is kept. */
static bool flush(struct session *s, struct session_room *room, size_t *len)
{
	ssize_t n = *len ? give(s->fd, room->out, *len) : 0;
	size_t rest = *len - (size_t)n;

	*len = 0;
	return n >= 0 && leftover_keep(&s->out, room, room->out + n, rest);
}

static bool flush_leftover(struct session *s, struct session_room *room)
{
	struct leftover *l = s->out;
	ssize_t n = give(s->fd, l->bytes + l->at, l->len - l->at);

	if (n < 0)
		return false;
	l->at += (uint32_t)n;
	if (l->at == l->len)
		leftover_drop(&s->out, room);
	return true;
}

static void end_transfer(struct session *s, struct session_room *room)
{
	if (s->transfer)
		room->transfers->close(s->transfer);
	s->transfer = NULL;
}

/* Adds the transfer's next messages until it is over or the peer does not keep up. */
static bool go_on_transfer(struct session *s, struct session_room *room, size_t *out)
{
	while (s->transfer && !s->out) {
		size_t n = room->transfers->next(s->transfer, room->out + *out + 2);
		if (n == TCP_TRANSFER_LOST)
			return false;
		if (n == 0) {
			end_transfer(s, room);
			break;
		}
		dns_put_u16(room->out + *out, (uint16_t)n);
		*out += 2 + n;
		stats_bump(&room->stats->bytes_out, n);
		if (*out >= SESSION_FLUSH && !flush(s, room, out))
			return false;
	}
	return true;
}

static bool answer_one(
	struct session *s, struct session_room *room, struct slice message, size_t *out)
{
	struct answer_note note;
	size_t n;

	if (room->transfers
		&& (s->transfer = room->transfers->open(
			    room->transfers->ctx, &room->from, message))) {
		stats_bump(&room->stats->queries, 1);
		stats_bump(&room->stats->bytes_in, message.len);
		return go_on_transfer(s, room, out);
	}
	n = answer(room->served, &room->from, message, room->out + *out + 2, &note);
	stats_count(room->stats, message.len, n, &note);
	if (!note.key_at) /* a secret */
		tap_note(room->tap, ANSWER_TCP, &s->peer, s->port, message,
			slice_of(room->out + *out + 2, n));
	if (watch_on(room->watch) && watch_turn(room->watch))
		watch_take(room->watch, ANSWER_TCP, &s->peer, message, n, &note, 0);
	if (room->log)
		query_log_add(room->log, &s->peer, room->from.now_s, message,
			slice_of(room->out + *out + 2, n), &note);
	if (n == 0) /* no DNS: whatever comes next would not be either */
		return false;
	dns_put_u16(room->out + *out, (uint16_t)n);
	*out += 2 + n;
	return *out < SESSION_FLUSH || flush(s, room, out);
}

/* Answers the whole questions at the start of room->in, and keeps the rest. */
static enum session_step take_questions(struct session *s, struct session_room *room, size_t len)
{
	size_t used = 0, out = 0;

	room->from.peer = s->peer;
	if (!go_on_transfer(s, room, &out))
		return SESSION_OVER;
	while (!s->out && !s->transfer && len - used >= 2) {
		const uint8_t *p = room->in + used;
		size_t n = dns_u16(p);
		if (len - used - 2 < n)
			break;
		if (!answer_one(s, room, slice_of(p + 2, n), &out))
			return SESSION_OVER;
		used += 2 + n;
	}
	if (!flush(s, room, &out) || !leftover_keep(&s->in, room, room->in + used, len - used))
		return SESSION_OVER;
	/* Only whole questions count as activity, so that single bytes keep nothing open. */
	return used ? SESSION_SPOKE : SESSION_QUIET;
}

/* What was left over goes back to the front of the thread's buffer. */
static size_t unpack_input(struct session *s, struct session_room *room)
{
	size_t len = s->in ? s->in->len : 0;

	if (len)
		memcpy(room->in, s->in->bytes, len);
	leftover_drop(&s->in, room);
	return len;
}

static enum session_step read_questions(struct session *s, struct session_room *room)
{
	size_t len = unpack_input(s, room);
	ssize_t n = recv(s->fd, room->in + len, SESSION_IN - len, 0);

	if (n < 0 && errno != EAGAIN && errno != EINTR)
		return SESSION_OVER;
	s->ended = n == 0;
	return take_questions(s, room, len + (n > 0 ? (size_t)n : 0));
}

static enum session_step go_on_sending(struct session *s, struct session_room *room)
{
	bool transfer = s->transfer != NULL;

	if (!flush_leftover(s, room))
		return SESSION_OVER;
	if (s->out)
		return SESSION_QUIET;
	return MAX(take_questions(s, room, unpack_input(s, room)),
		transfer ? SESSION_SPOKE : SESSION_QUIET);
}

enum session_step session_step(struct session *s, struct session_room *room, uint32_t happened)
{
	enum session_step step;

	if (happened & EPOLLERR)
		return SESSION_OVER;
	step = s->out ? go_on_sending(s, room) : read_questions(s, room);
	if (step == SESSION_OVER || (s->ended && !s->out))
		return SESSION_OVER;
	/* No new questions from those who do not take their answers. */
	s->events = s->out ? EPOLLOUT : EPOLLIN;
	return step;
}

void session_done(struct session *s, struct session_room *room)
{
	end_transfer(s, room);
	leftover_drop(&s->in, room);
	leftover_drop(&s->out, room);
	close(s->fd);
}
