/* journal.c - what changed in a zone, for incremental transfers. */
#include "dnsd/transfer/journal.h"

#include "base/mem.h"
#include "dnsd/answer/rr_list.h"

#include <stdlib.h>

#define SUM_BYTES ((size_t)64 << 10) /* steps of a transfer that are summed up */
#define RENDER_MAX ((size_t)8 << 20) /* records around one change; more: begin anew */

struct journal *journal_new(const struct domain *zone, size_t limit)
{
	struct journal *j = mem_new(1, sizeof *j);
	size_t render = limit < RENDER_MAX ? limit + 1 : RENDER_MAX;

	j->zone = *zone;
	j->limit = limit;
	j->before = BUF_INIT(render);
	j->after = BUF_INIT(render);
	j->removed = BUF_INIT(limit + 1);
	j->added = BUF_INIT(limit + 1);
	pthread_mutex_init(&j->lock, NULL);
	return j;
}

static size_t step_size(const struct journal_step *s)
{
	return sizeof *s + 16 + s->removed_len + s->added_len;
}

static struct journal_step *step_at(const struct journal *j, size_t i)
{
	return &j->steps[(j->first + i) % j->cap];
}

static void drop_first(struct journal *j)
{
	struct journal_step *s = step_at(j, 0);

	j->first_serial = s->to;
	j->bytes -= step_size(s);
	free(s->bytes);
	j->first = (j->first + 1) % j->cap;
	j->first_number++;
	j->count--;
}

static void begin_anew(struct journal *j, uint64_t serial)
{
	while (j->count)
		drop_first(j);
	j->first_serial = j->serial = serial;
}

struct journal *journal_free(struct journal *j)
{
	if (!j)
		return NULL;
	begin_anew(j, 0);
	content_free(j->content);
	buf_done(&j->before);
	buf_done(&j->after);
	buf_done(&j->removed);
	buf_done(&j->added);
	pthread_mutex_destroy(&j->lock);
	free(j->steps);
	free(j);
	return NULL;
}

/* ---- the loop ---- */

void journal_serve(
	struct journal *j, const struct served_zone *z, const struct index *ix, uint64_t serial)
{
	content_free(j->content);
	j->content = ix ? content_new(z, NULL, NULL) : NULL;
	if (j->content)
		content_watch_names(j->content);
	pthread_mutex_lock(&j->lock);
	j->soa = z->soa;
	if (!ix || j->serial != serial)
		begin_anew(j, serial);
	pthread_mutex_unlock(&j->lock);
}

static void put_around(struct journal *j, const struct change *c, struct buf *to)
{
	bool ok;

	buf_reset(to);
	if (!j->content || j->overflow)
		return;
	ok = c->is_name ? content_put_around_name(j->content, &c->name, to)
			: content_put_around_prefix(j->content, &c->prefix, to);
	j->overflow = !ok;
}

void journal_before(struct journal *j, const struct change *c)
{
	put_around(j, c, &j->before);
}

static void make_room(struct journal *j)
{
	size_t cap = j->cap ? j->cap * 2 : 64;
	struct journal_step *steps;

	if (j->count < j->cap)
		return;
	steps = mem_new(cap, sizeof *steps);
	for (size_t i = 0; i < j->count; i++)
		steps[i] = *step_at(j, i);
	free(j->steps);
	j->steps = steps;
	j->cap = cap;
	j->first = 0;
}

static void add_step(struct journal *j, uint64_t serial)
{
	struct journal_step *s;

	make_room(j);
	s = step_at(j, j->count++);
	*s = (struct journal_step){.to = serial,
		.removed_len = (uint32_t)j->removed.len,
		.added_len = (uint32_t)j->added.len,
		.bytes = mem_new(1, j->removed.len + j->added.len)};
	if (j->removed.len)
		memcpy(s->bytes, j->removed.ptr, j->removed.len);
	if (j->added.len)
		memcpy(s->bytes + j->removed.len, j->added.ptr, j->added.len);
	j->bytes += step_size(s);
	while (j->count && j->bytes > j->limit)
		drop_first(j);
}

void journal_after(struct journal *j, const struct index *ix, size_t set, const struct change *c)
{
	if (!j->content)
		return;
	if (c->is_name)
		content_changed_name(j->content, &c->name);
	else
		content_changed_prefix(j->content, ix, set, &c->prefix, c->op == CHANGE_ADD);
	put_around(j, c, &j->after);
	buf_reset(&j->removed);
	buf_reset(&j->added);
	if (!j->overflow)
		rr_differences(buf_slice(&j->before), buf_slice(&j->after), &j->removed, &j->added);
	j->overflow = j->overflow || j->removed.failed || j->added.failed;
	pthread_mutex_lock(&j->lock);
	if (j->overflow)
		begin_anew(j, c->serial);
	else if (j->removed.len || j->added.len)
		add_step(j, c->serial);
	j->serial = c->serial;
	pthread_mutex_unlock(&j->lock);
	j->changed = j->changed || j->overflow || j->removed.len || j->added.len;
	j->overflow = false;
}

bool journal_done(struct journal *j, uint64_t serial)
{
	bool changed = j->changed;

	pthread_mutex_lock(&j->lock);
	j->serial = serial;
	pthread_mutex_unlock(&j->lock);
	j->changed = false;
	if (j->content)
		content_rest(j->content);
	return changed;
}

/* ---- readers ---- */

enum journal_answer journal_read(struct journal *j, uint32_t serial, struct journal_reader *ret)
{
	enum journal_answer answer = JOURNAL_WHOLE;
	uint32_t behind;
	size_t lo = 0, hi;

	pthread_mutex_lock(&j->lock);
	behind = (uint32_t)j->serial - serial; /* RFC 1982 */
	*ret = (struct journal_reader){.to = j->serial, .soa = j->soa};
	if (behind == 0 || behind >= 0x80000000u) {
		answer = JOURNAL_SAME;
	} else if (behind <= j->serial && j->serial - behind >= j->first_serial) {
		ret->from = ret->at = j->serial - behind;
		for (hi = j->count; lo < hi;) { /* the first step behind it */
			size_t mid = lo + (hi - lo) / 2;
			if (step_at(j, mid)->to <= ret->from)
				lo = mid + 1;
			else
				hi = mid;
		}
		ret->number = j->first_number + lo;
		answer = JOURNAL_STEPS;
	}
	pthread_mutex_unlock(&j->lock);
	return answer;
}

/* Serials that changed nothing here belong to the last step. */
bool journal_next(struct journal *j, struct journal_reader *r, struct buf *to, bool *ret_last)
{
	_cleanup_buf_ struct buf removed = BUF_INIT(0), added = BUF_INIT(0), less = BUF_INIT(0),
				 more = BUF_INIT(0);
	uint64_t before = r->at;
	bool ok;

	removed.limit = added.limit = less.limit = more.limit = SIZE_MAX;
	pthread_mutex_lock(&j->lock);
	*ret_last = true;
	ok = r->number >= j->first_number;
	for (size_t i = (size_t)(r->number - j->first_number); ok && i < j->count; i++) {
		const struct journal_step *s = step_at(j, i);
		*ret_last = s->to > r->to;
		if (*ret_last || removed.len + added.len > SUM_BYTES)
			break;
		buf_add(&removed, s->bytes, s->removed_len);
		buf_add(&added, s->bytes + s->removed_len, s->added_len);
		r->number++;
		r->at = s->to;
		*ret_last = true;
	}
	pthread_mutex_unlock(&j->lock);
	if (!ok)
		return false;
	if (*ret_last)
		r->at = r->to;
	rr_net(buf_slice(&removed), buf_slice(&added), &less, &more);
	rr_put_soa(to, &j->zone, &r->soa, (uint32_t)before);
	buf_add_slice(to, buf_slice(&less));
	rr_put_soa(to, &j->zone, &r->soa, (uint32_t)r->at);
	buf_add_slice(to, buf_slice(&more));
	return true;
}
