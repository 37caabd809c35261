/* db_pg.c - the database as a PostgreSQL server, through libpq in pipeline mode: what needs no answer is
 * sent and not waited for, so a request of ten statements costs two or three ways there and back. */
#include "base/buf.h"
#include "base/mem.h"
#include "io/clock.h"
#include "ledger/db_private.h"

#include <libpq-fe.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>

#define PARAMS_MAX 16
#define BOUND_MAX ((size_t)1 << 20) /* bytes of one statement's texts */
#define UNREAD_MAX 200		    /* answers that nobody waited for yet */
#define ANSWER_MS 30000		    /* a server that says nothing for so long is lost */
#define RETRY_MS 1000

/* What a statement does to the transaction. */
enum pg_kind { PG_PLAIN, PG_BEGIN, PG_END };

struct pg_db {
	struct db db;
	char *url;
	enum db_use use;
	PGconn *conn;	  /* NULL: lost */
	unsigned session; /* counts connections: each knows only its own prepared statements */
	unsigned named;
	unsigned unread;
	bool in_transaction;
	int64_t tried_ms; /* monotonic; the latest attempt to connect */
	struct err away;  /* why it failed */
};

struct pg_param {
	size_t at, len; /* in texts; at SIZE_MAX: NULL */
	bool is_number;
};

struct pg_statement {
	struct db_statement st;
	char name[16], *sql;
	enum pg_kind kind;
	unsigned session;
	struct pg_param params[PARAMS_MAX];
	int param_count;
	struct buf texts;
	PGresult *result;
	int row;
};

static struct pg_db *self(const struct db *db)
{
	return (struct pg_db *)db;
}

static struct pg_statement *own(const struct db_statement *st)
{
	return (struct pg_statement *)st;
}

/* libpq's words: one line, without the end of line. */
static struct slice first_line(const char *words)
{
	struct slice rest = slice_str(words), line = SLICE_EMPTY;

	(void)slice_cut_line(&rest, &line);
	return line;
}

/* The connection is of no use any more: all that was open is gone. Returns false. */
static bool lost(struct pg_db *p, const char *words, struct err *err)
{
	err_set(&p->away, ERR_SYSTEM, "store: the database is away, try again: %.*s",
		SLICE_FMT(first_line(words)));
	PQfinish(p->conn);
	p->conn = NULL;
	p->in_transaction = false;
	p->unread = 0;
	if (err)
		*err = p->away;
	return false;
}

/* ---- connecting ---- */

static void no_notice(void *ctx, const char *words)
{
	(void)ctx;
	(void)words;
}

static bool plain(struct pg_db *p, const char *sql, struct err *err)
{
	PGresult *r = PQexec(p->conn, sql);
	ExecStatusType status = PQresultStatus(r);
	bool ok = status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK;

	if (!ok && PQstatus(p->conn) == CONNECTION_BAD)
		lost(p, PQerrorMessage(p->conn), err);
	else if (!ok)
		err_set(err, ERR_SYSTEM, "store: %.*s",
			SLICE_FMT(first_line(PQresultErrorMessage(r))));
	PQclear(r);
	return ok;
}

/* What stands before the URL can be said otherwise in it. */
static PGconn *connection_new(const char *url)
{
	static const char *const names[] = {"connect_timeout", "tcp_user_timeout",
		"keepalives_idle", "fallback_application_name", "dbname", "client_encoding", NULL};
	const char *values[] = {"3", "10000", "10", "sekisho-listd", url, "UTF8", NULL};

	return PQconnectdbParams(names, values, 1);
}

static bool session_begin(struct pg_db *p, struct err *err)
{
	static const char *const set_up[] = {
		/* A writer that stands still must not hold up those at other sites for long. */
		[DB_WRITER] = "SET lock_timeout = '10s'; SET statement_timeout = '30s';"
			      "SET idle_in_transaction_session_timeout = '30s';"
			      "SET synchronous_commit = on; LISTEN sekisho",
		[DB_READER] = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY",
	};

	PQsetNoticeProcessor(p->conn, no_notice, NULL);
	if (!plain(p, set_up[p->use], err))
		return false;
	p->in_transaction = p->use == DB_READER;
	p->session++;
	if (PQsetnonblocking(p->conn, 1) != 0 || !PQenterPipelineMode(p->conn))
		return lost(p, PQerrorMessage(p->conn), err);
	return true;
}

static bool connect_now(struct pg_db *p, struct err *err)
{
	p->tried_ms = clock_mono_ms();
	p->conn = connection_new(p->url);
	if (PQstatus(p->conn) != CONNECTION_OK)
		return lost(p, PQerrorMessage(p->conn), err);
	return session_begin(p, err);
}

/* Within a transaction a lost connection stays lost: what was in it is not begun again in secret. */
static bool ready(struct pg_db *p, struct err *err)
{
	if (p->conn)
		return true;
	if (p->use == DB_WRITER && clock_mono_ms() - p->tried_ms >= RETRY_MS)
		return connect_now(p, err);
	if (err)
		*err = p->away;
	return false;
}

/* ---- answers ---- */

/* Until libpq has the next answer whole. What waits to be sent goes out meanwhile. */
static bool wait_for_answer(struct pg_db *p, struct err *err)
{
	int64_t until_ms = clock_mono_ms() + ANSWER_MS;

	for (;;) {
		int unsent = PQflush(p->conn), rc;
		struct pollfd fd = {.fd = PQsocket(p->conn), .events = POLLIN};
		int64_t left_ms = until_ms - clock_mono_ms();

		if (unsent < 0)
			return lost(p, PQerrorMessage(p->conn), err);
		if (unsent == 0 && !PQisBusy(p->conn))
			return true;
		if (unsent > 0)
			fd.events |= POLLOUT;
		if (left_ms <= 0)
			return lost(p, "it does not answer", err);
		rc = poll(&fd, 1, (int)left_ms);
		if (rc > 0 && fd.revents & ~POLLOUT && !PQconsumeInput(p->conn))
			return lost(p, PQerrorMessage(p->conn), err);
	}
}

/* *ret: the next one, NULL between those of two statements. */
static bool next_answer(struct pg_db *p, PGresult **ret, struct err *err)
{
	if (!wait_for_answer(p, err))
		return false;
	*ret = PQgetResult(p->conn);
	if (PQstatus(p->conn) == CONNECTION_BAD) {
		PQclear(*ret);
		return lost(p, PQerrorMessage(p->conn), err);
	}
	return true;
}

static bool answer_is_good(const PGresult *r)
{
	ExecStatusType status = PQresultStatus(r);

	return status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK;
}

/* Up to the answer to our PQpipelineSync(). */
static bool read_sync(struct pg_db *p, struct err *err)
{
	PGresult *r;
	bool end;

	do {
		if (!next_answer(p, &r, err))
			return false;
		end = r && PQresultStatus(r) == PGRES_PIPELINE_SYNC;
		PQclear(r);
	} while (!end);
	return true;
}

/* What nobody waited for has failed: what came after it was not done either, and others may have been told
 * that it was. So the whole transaction goes. Returns false. */
static bool give_up_transaction(struct pg_db *p)
{
	if (!p->in_transaction)
		return false;
	p->in_transaction = false;
	if (!PQsendQueryParams(p->conn, "ROLLBACK", 0, NULL, NULL, NULL, NULL, 0)
		|| !PQpipelineSync(p->conn))
		return lost(p, PQerrorMessage(p->conn), NULL);
	(void)read_sync(p, NULL);
	return false;
}

static bool one_answer(struct pg_db *p, PGresult **ret, struct err *err)
{
	PGresult *none;

	*ret = NULL;
	if (!next_answer(p, ret, err))
		return false;
	if (next_answer(p, &none, err)) {
		PQclear(none);
		return true;
	}
	PQclear(*ret);
	*ret = NULL;
	return false;
}

/* Reads the answers to all that was sent; *ret (may be NULL) gets the last. sync: it ends what the server
 * takes for one transaction when none was begun. */
static bool read_all(struct pg_db *p, bool sync, PGresult **ret, struct err *err)
{
	bool failed = false, late = false;
	PGresult *r = NULL;

	if (!(sync ? PQpipelineSync(p->conn) : PQsendFlushRequest(p->conn)))
		return lost(p, PQerrorMessage(p->conn), err);
	for (; p->unread > 0; p->unread--) {
		PQclear(r);
		if (!one_answer(p, &r, err))
			return false;
		if (answer_is_good(r) || failed)
			continue;
		failed = true;
		late = p->unread > 1;
		err_set(err, ERR_SYSTEM, "store: %.*s",
			SLICE_FMT(first_line(PQresultErrorMessage(r))));
	}
	if (failed && !sync && !PQpipelineSync(p->conn)) {
		PQclear(r);
		return lost(p, PQerrorMessage(p->conn), err);
	}
	if ((failed || sync) && !read_sync(p, err)) {
		PQclear(r);
		return false;
	}
	if (ret && !failed)
		*ret = r;
	else
		PQclear(r);
	return !failed || (late && give_up_transaction(p));
}

/* ---- statements ---- */

static bool send_prepare(struct pg_db *p, struct pg_statement *s, struct err *err)
{
	if (!PQsendPrepare(p->conn, s->name, s->sql, 0, NULL))
		return lost(p, PQerrorMessage(p->conn), err);
	s->session = p->session;
	p->unread++;
	return true;
}

static bool send(struct pg_db *p, struct pg_statement *s, struct err *err)
{
	const char *values[PARAMS_MAX];
	int lengths[PARAMS_MAX], formats[PARAMS_MAX];

	if (s->texts.failed)
		return err_set(err, ERR_SYSTEM, "store: more than %zu bytes of text", BOUND_MAX);
	if (!ready(p, err) || (s->session != p->session && !send_prepare(p, s, err)))
		return false;
	for (int i = 0; i < s->param_count; i++) {
		const struct pg_param *param = &s->params[i];

		values[i] = param->at == SIZE_MAX ? NULL : buf_slice(&s->texts).ptr + param->at;
		lengths[i] = (int)param->len;
		formats[i] =
			!param->is_number; /* text as it is, with its length; numbers as digits */
	}
	if (!PQsendQueryPrepared(p->conn, s->name, s->param_count, values, lengths, formats, 0))
		return lost(p, PQerrorMessage(p->conn), err);
	p->unread++;
	if (s->kind == PG_BEGIN)
		p->in_transaction = true;
	return true;
}

static struct pg_param *param_at(struct pg_statement *s, int at)
{
	return &s->params[at - 1];
}

static void param_put(struct pg_statement *s, int at, struct slice text, bool is_number)
{
	struct pg_param *param = param_at(s, at);

	*param = (struct pg_param){buf_slice(&s->texts).len, text.len, is_number};
	buf_add_slice(&s->texts, text);
	buf_add_char(&s->texts, '\0'); /* numbers end in NUL, and "" is not a NULL pointer */
}

static void pg_bind_int(struct db_statement *st, int at, int64_t value)
{
	char digits[24];

	snprintf(digits, sizeof digits, "%lld", (long long)value);
	param_put(own(st), at, slice_str(digits), true);
}

static void pg_bind_text(struct db_statement *st, int at, struct slice text)
{
	param_put(own(st), at, text, false);
}

static void pg_reset(struct db_statement *st)
{
	struct pg_statement *s = own(st);

	PQclear(s->result);
	s->result = NULL;
	s->row = 0;
	buf_reset(&s->texts);
	for (int i = 0; i < s->param_count; i++)
		s->params[i] = (struct pg_param){.at = SIZE_MAX};
}

/* COMMIT of a transaction that had failed is answered like one that had not, but for a word. */
static bool ended_well(const struct pg_statement *s)
{
	return s->kind != PG_END || slice_eq(slice_str(s->sql), slice_str(PQcmdStatus(s->result)));
}

static bool run_now(struct pg_db *p, struct pg_statement *s, struct err *err)
{
	if (!send(p, s, err)
		|| !read_all(p, s->kind == PG_END || !p->in_transaction, &s->result, err))
		return false;
	if (s->kind == PG_END)
		p->in_transaction = false;
	return ended_well(s)
	       || err_set(err, ERR_SYSTEM, "store: the database took the transaction back");
}

static enum db_step pg_step(struct db_statement *st, struct err *err)
{
	struct pg_statement *s = own(st);

	if (s->result) {
		s->row++;
	} else if (!run_now(self(st->db), s, err)) {
		pg_reset(st);
		return DB_FAULT;
	}
	return s->row < PQntuples(s->result) ? DB_ROW : DB_DONE;
}

static bool pg_run(struct db_statement *st, struct err *err)
{
	struct pg_db *p = self(st->db);
	struct pg_statement *s = own(st);
	bool ok;

	if (s->kind == PG_END || (s->kind == PG_PLAIN && !p->in_transaction))
		ok = run_now(p, s, err);
	else
		ok = send(p, s, err) && (p->unread < UNREAD_MAX || read_all(p, false, NULL, err));
	pg_reset(st);
	return ok;
}

static enum pg_kind kind_of(struct slice sql)
{
	if (slice_starts(sql, SLICE("BEGIN")))
		return PG_BEGIN;
	return slice_eq(sql, SLICE("COMMIT")) || slice_eq(sql, SLICE("ROLLBACK")) ? PG_END
										  : PG_PLAIN;
}

/* How many $n there are. They must be named in order, as the other engine needs it. */
static bool count_params(const char *sql, int *ret)
{
	int count = 0;

	for (const char *at = sql; (at = strchr(at, '$')); at++) {
		int n = (int)strtol(at + 1, NULL, 10);

		if (n > count + 1 || n > PARAMS_MAX)
			return false;
		count = MAX(count, n);
	}
	*ret = count;
	return true;
}

static void pg_finish(struct db_statement *st)
{
	struct pg_statement *s = own(st);

	pg_reset(st);
	buf_done(&s->texts);
	free(s->sql);
	free(s);
}

static struct db_statement *pg_prepare(struct db *db, const char *sql, struct err *err)
{
	struct pg_db *p = self(db);
	struct pg_statement *s = mem_new(1, sizeof *s);

	*s = (struct pg_statement){.st = {db},
		.sql = mem_str(sql),
		.kind = kind_of(slice_str(sql)),
		.texts = BUF_INIT(BOUND_MAX)};
	snprintf(s->name, sizeof s->name, "s%u", p->named++);
	if (!count_params(sql, &s->param_count))
		err_set(err, ERR_SYSTEM, "store: parameters are not named in order: %s", sql);
	else if (ready(p, err) && send_prepare(p, s, err)
		 && read_all(p, !p->in_transaction, NULL, err)) {
		pg_reset(&s->st);
		return &s->st;
	}
	pg_finish(&s->st);
	return NULL;
}

static bool pg_is_null(struct db_statement *st, int at)
{
	return PQgetisnull(own(st)->result, own(st)->row, at);
}

static int64_t pg_get_int(struct db_statement *st, int at)
{
	return strtoll(PQgetvalue(own(st)->result, own(st)->row, at), NULL, 10);
}

static struct slice pg_get_text(struct db_statement *st, int at)
{
	const struct pg_statement *s = own(st);

	return slice_of(
		PQgetvalue(s->result, s->row, at), (size_t)PQgetlength(s->result, s->row, at));
}

static int64_t pg_changed(const struct db_statement *st)
{
	return strtoll(PQcmdTuples(own(st)->result), NULL, 10);
}

/* ---- the connection ---- */

static struct db *pg_close(struct db *db)
{
	struct pg_db *p = self(db);

	PQfinish(p->conn);
	free(p->url);
	free(p);
	return NULL;
}

static bool pg_in_transaction(const struct db *db)
{
	return self(db)->in_transaction;
}

/* Several statements at once do not go into a pipeline. */
static bool pg_execute(struct db *db, const char *sql, struct err *err)
{
	struct pg_db *p = self(db);
	bool ok;

	if (!ready(p, err) || (p->unread > 0 && !read_all(p, true, NULL, err)))
		return false;
	if (!PQexitPipelineMode(p->conn))
		return lost(p, PQerrorMessage(p->conn), err);
	PQsetnonblocking(p->conn, 0);
	ok = plain(p, sql, err);
	if (!p->conn)
		return false;
	p->in_transaction = PQtransactionStatus(p->conn) != PQTRANS_IDLE;
	if (PQsetnonblocking(p->conn, 1) != 0 || !PQenterPipelineMode(p->conn))
		return lost(p, PQerrorMessage(p->conn), err);
	return ok;
}

static int pg_fd(const struct db *db)
{
	return self(db)->conn ? PQsocket(self(db)->conn) : -1;
}

static bool pg_news(struct db *db)
{
	struct pg_db *p = self(db);
	bool news = false;
	PGnotify *word;

	if (!p->conn)
		return false;
	if (!PQconsumeInput(p->conn)) {
		lost(p, PQerrorMessage(p->conn), NULL);
		return false;
	}
	while ((word = PQnotifies(p->conn))) {
		news |= word->be_pid != PQbackendPID(p->conn);
		PQfreemem(word);
	}
	return news;
}

static const struct db_calls calls = {
	.engine = DB_POSTGRESQL,
	.close = pg_close,
	.in_transaction = pg_in_transaction,
	.execute = pg_execute,
	.prepare = pg_prepare,
	.finish = pg_finish,
	.bind_int = pg_bind_int,
	.bind_text = pg_bind_text,
	.step = pg_step,
	.reset = pg_reset,
	.is_null = pg_is_null,
	.get_int = pg_get_int,
	.get_text = pg_get_text,
	.changed = pg_changed,
	.run = pg_run,
	.fd = pg_fd,
	.news = pg_news,
};

struct db *db_pg_open(const char *url, enum db_use use, struct err *err)
{
	struct pg_db *p = mem_new(1, sizeof *p);

	*p = (struct pg_db){.db = {&calls}, .url = mem_str(url), .use = use};
	if (connect_now(p, err))
		return &p->db;
	return pg_close(&p->db);
}
