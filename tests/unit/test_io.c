/* test_io.c - addresses, files, streams over a socket pair, messages over a real socket. */
#include "test.h"

#include "io/clock.h"
#include "io/file.h"
#include "io/ipc.h"
#include "io/loop.h"
#include "io/socket.h"
#include "io/stream.h"
#include "io/task.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

static char folder[] = "/tmp/sekisho-test-XXXXXX";

static const char *path_of(const char *name)
{
	static char path[256];

	snprintf(path, sizeof path, "%s/%s", folder, name);
	return path;
}

static int make_folder(void **state)
{
	(void)state;
	return mkdtemp(folder) ? 0 : -1;
}

static int remove_folder(void **state)
{
	(void)state;
	unlink(path_of("file"));
	unlink(path_of("sock"));
	return rmdir(folder);
}

static void addresses(void **state)
{
	static const struct {
		const char *in, *out;
	} cases[] = {{"127.0.0.1:25", "127.0.0.1:25"}, {"[::1]:53", "[::1]:53"},
		{"unix:/run/x", "unix:/run/x"}, {"127.0.0.1", NULL}, {"::1:25", NULL},
		{"[::1]", NULL}, {"127.0.0.1:70000", NULL}, {"unix:", NULL}, {"", NULL},
		{":25", NULL}};
	struct socket_address a;
	struct err err;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		bool ok = socket_address_parse(slice_str(cases[i].in), &a, &err);
		assert_int_equal(ok, cases[i].out != NULL);
		if (ok)
			assert_string_equal(socket_address_text(&a).s, cases[i].out);
	}
}

static void files(void **state)
{
	struct buf b = BUF_INIT(0);
	struct slice loaded;
	struct err err;

	(void)state;
	assert_true(file_replace(path_of("file"), SLICE("one"), 0600, &err));
	assert_true(file_replace(path_of("file"), SLICE("twofold"), 0600, &err));
	assert_true(file_read(path_of("file"), 7, &b, &err));
	assert_string_equal(buf_str(&b), "twofold");
	assert_false(file_read(path_of("file"), 6, &b, &err));
	assert_int_equal(err.kind, ERR_LIMIT);
	assert_string_equal(buf_str(&b), "twofold");
	assert_true(file_load(path_of("file"), &loaded, &err));
	assert_int_equal(truncate(path_of("file"), 0), 0); /* under a mapping of the file: SIGBUS */
	assert_true(slice_eq(loaded, SLICE("twofold")));
	file_unload(loaded);
	assert_true(file_load(path_of("file"), &loaded, &err));
	assert_int_equal(loaded.len, 0);
	file_unload(loaded);
	assert_false(file_load(path_of("missing"), &loaded, &err));
	assert_false(file_load(folder, &loaded, &err));
	assert_false(file_read(folder, 100, &b, &err));
	assert_false(file_replace("/nonexistent/folder/x", SLICE("x"), 0600, &err));
	buf_done(&b);
}

/* Takes whole lines and counts them. */
static bool take_lines(void *ctx, struct slice part, bool last, size_t *ret_used, struct err *err)
{
	struct slice line, rest = part;
	unsigned *lines = ctx;

	(void)err;
	while (slice_find(rest, '\n') < rest.len && slice_cut_line(&rest, &line))
		++*lines;
	if (last && rest.len)
		++*lines;
	*ret_used = last ? part.len : part.len - rest.len;
	return true;
}

static void files_in_parts(void **state)
{
	unsigned lines = 0;
	struct err err;

	(void)state;
	assert_true(file_replace(path_of("file"), SLICE("one\ntwo\nthree\nfour"), 0600, &err));
	for (size_t window = 6; window < 25; window++, lines = 0) {
		assert_true(file_read_parts(path_of("file"), window, take_lines, &lines, &err));
		assert_int_equal(lines, 4);
	}
	assert_false(file_read_parts(path_of("file"), 5, take_lines, &lines, &err));
	assert_int_equal(err.kind, ERR_LIMIT);
	assert_true(file_replace(path_of("file"), SLICE_EMPTY, 0600, &err));
	lines = 0;
	assert_true(file_read_parts(path_of("file"), 5, take_lines, &lines, &err) && lines == 0);
	assert_false(file_read_parts(path_of("none"), 5, take_lines, &lines, &err));
}

struct echo {
	struct loop *loop;
	struct stream *stream;
	const char *why;
};

static size_t echo_line(void *ctx, struct slice bytes)
{
	struct echo *e = ctx;
	size_t at = slice_find(bytes, '\n');

	if (at == bytes.len)
		return 0;
	stream_write(e->stream, slice_take(bytes, at + 1));
	if (slice_starts(bytes, SLICE("bye")))
		stream_finish(e->stream);
	return at + 1;
}

static void echo_closed(void *ctx, const char *why)
{
	struct echo *e = ctx;

	e->why = why;
	loop_stop(e->loop);
}

static const struct stream_handler echo_handler = {echo_line, echo_closed};

static const char *talk(
	const char *words, bool close_after, int64_t deadline_ms, char *ret, size_t ret_size)
{
	struct echo e = {.loop = loop_new()};
	int pair[2];
	ssize_t n;

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair), 0);
	e.stream = stream_new(e.loop, pair[0], 16, 4096, &echo_handler, &e);
	stream_deadline(e.stream, deadline_ms);
	assert_int_equal(write(pair[1], words, strlen(words)), strlen(words));
	if (close_after)
		shutdown(pair[1], SHUT_WR);
	loop_run(e.loop);
	n = read(pair[1], ret, ret_size - 1);
	ret[n > 0 ? n : 0] = '\0';
	close(pair[1]);
	loop_free(e.loop);
	return e.why;
}

static void streams(void **state)
{
	char got[256];

	(void)state;
	assert_string_equal(talk("a\nb\nbye\n", true, 5000, got, sizeof got), "closed");
	assert_string_equal(got, "a\nb\nbye\n");
	assert_string_equal(talk("no line end", false, 20, got, sizeof got), "timeout");
	assert_string_equal(
		talk("longer than the sixteen bytes", false, 5000, got, sizeof got), "limit");
	/* More than the limit in all, but each line fits: a limit on what waits, not on what passes. */
	assert_string_equal(
		talk("0123456789\n0123456789\n0123456789\nbye\n", true, 5000, got, sizeof got),
		"closed");
	assert_int_equal(strlen(got), 37);
}

struct service {
	struct loop *loop;
	struct ipc_server *server;
	struct ipc_client *client;
	struct loop_timer *poll;
	int answers, groups;
	bool told_end;
};

static void service_request(void *ctx, struct ipc_peer *peer, json_t *message)
{
	(void)ctx;
	ipc_reply(peer, json_pack("{s:b,s:O}", "ok", 1, "id", json_object_get(message, "id")));
}

static void service_idle(void *ctx)
{
	((struct service *)ctx)->groups++;
}

static const struct ipc_server_handler service_handler = {
	.request = service_request, .idle = service_idle};

static void service_answered(void *ctx, json_t *reply)
{
	struct service *s = ctx;

	if (!reply) {
		s->told_end = true;
		loop_stop(s->loop);
	} else if (++s->answers == 100) {
		loop_stop(s->loop);
	}
}

static void service_poll(void *ctx)
{
	struct service *s = ctx;

	if (!ipc_client_ready(s->client)) {
		loop_timer_set(s->poll, 5);
		return;
	}
	for (int i = 0; i < 100; i++)
		assert_true(ipc_client_call(
			s->client, json_pack("{s:s}", "type", "x"), service_answered, s));
}

static void messages(void **state)
{
	struct service s = {.loop = loop_new()};
	struct err err;

	(void)state;
	s.server = ipc_server_new(s.loop, path_of("sock"), 0600, &service_handler, &s, &err);
	assert_non_null(s.server);
	assert_null(ipc_server_new(s.loop, path_of("sock"), 0600, &service_handler, &s, &err));
	s.client = ipc_client_new(s.loop, path_of("sock"), "admin");
	s.poll = loop_timer_new(s.loop, service_poll, &s);
	loop_timer_set(s.poll, 0);
	loop_run(s.loop);
	assert_int_equal(s.answers, 100);
	assert_in_range(s.groups, 1, 20); /* a group, not one by one */
	assert_true(
		ipc_client_call(s.client, json_pack("{s:s}", "type", "x"), service_answered, &s));
	s.server = ipc_server_free(s.server);
	loop_run(s.loop);
	assert_true(s.told_end);
	assert_false(ipc_client_call(s.client, json_object(), service_answered, &s));
	ipc_client_free(s.client);
	loop_timer_free(s.poll);
	loop_free(s.loop);
}

struct working {
	struct loop *loop;
	struct task *task;
	pthread_t where;
	unsigned worked, done;
};

static void work(void *ctx)
{
	struct working *w = ctx;

	w->where = pthread_self();
	w->worked++;
}

static void work_done(void *ctx)
{
	struct working *w = ctx;

	assert_false(task_running(w->task));
	assert_false(pthread_equal(w->where, pthread_self()));
	assert_int_equal(w->worked, ++w->done);
	if (w->done < 3)
		assert_true(task_start(w->task));
	else
		loop_stop(w->loop);
}

static void tasks(void **state)
{
	struct working w = {.loop = loop_new()};

	w.task = task_new(w.loop, work, work_done, &w);
	assert_true(task_start(w.task));
	assert_true(task_running(w.task));
	loop_run(w.loop);
	assert_int_equal(w.done, 3);
	assert_true(task_start(w.task)); /* freed while it runs: waits for it, and that was all */
	task_free(w.task);
	assert_int_equal(w.worked, 4);
	assert_int_equal(w.done, 3);
	loop_free(w.loop);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(addresses),
		cmocka_unit_test(files),
		cmocka_unit_test(files_in_parts),
		cmocka_unit_test(streams),
		cmocka_unit_test(tasks),
		cmocka_unit_test(messages),
	};

	return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
