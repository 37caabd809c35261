/* top_live.c - `sekisho top` on a terminal: asks, draws, listens to keys. */
#include "io/clock.h"
#include "io/ipc.h"
#include "tools/dns_private.h"
#include "tools/tools.h"
#include "tools/top_private.h"
#include "tools/words.h"

#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include <curses.h>
#include <term.h>

static volatile sig_atomic_t stopped;

static void on_stop(int signo)
{
	(void)signo;
	stopped = 1;
}

/* ---- the terminal ---- */

static SCREEN *screen_open(void)
{
	struct sigaction stop = {.sa_handler = on_stop};
	SCREEN *s;
	int ignored;

	/* newterm() asks the same, but keeps memory when the answer is no. */
	if (setupterm(NULL, STDOUT_FILENO, &ignored) == ERR)
		return NULL;
	del_curterm(cur_term);
	s = newterm(NULL, stdout, stdin);
	if (!s)
		return NULL;
	sigaction(SIGINT, &stop, NULL);
	sigaction(SIGTERM, &stop, NULL);
	sigaction(SIGHUP, &stop, NULL);
	cbreak();
	noecho();
	curs_set(0);
	keypad(stdscr, TRUE);
	nodelay(stdscr, TRUE);
	return s;
}

static void screen_close(SCREEN *s)
{
	endwin();
	delscreen(s);
}

static attr_t attributes_of(char mark)
{
	return mark == TOP_REVERSE ? A_REVERSE : mark == TOP_BOLD ? A_BOLD : A_NORMAL;
}

/* Text with marks. */
static void add_line(struct slice line)
{
	while (line.len) {
		size_t n = 0;
		while (n < line.len && (unsigned char)line.ptr[n] > TOP_PLAIN)
			n++;
		addnstr(line.ptr, (int)n);
		if (n < line.len)
			attrset(attributes_of(line.ptr[n++]));
		line = slice_skip(line, n);
	}
}

static void show(struct slice text)
{
	struct slice line;

	erase();
	attrset(A_NORMAL);
	for (int y = 0; y < LINES && slice_cut(&text, '\n', &line); y++) {
		move(y, 0);
		add_line(line);
	}
	refresh();
}

static void show_rates(const json_t *before, const json_t *now)
{
	_cleanup_buf_ struct buf text = BUF_INIT(TOP_TEXT_MAX);
	const struct top_screen size = {(size_t)COLS, (size_t)LINES, true};
	struct top_rates r;

	top_rates_of(before, now, &r);
	top_draw(&r, &size, &text);
	show(buf_slice(&text));
}

/* ---- until the user ends it ---- */

enum waited { WAITED, WAITED_RESIZED, WAITED_END };

static enum waited wait_ms(int64_t ms)
{
	int64_t until = clock_mono_ms() + ms, left;

	while (!stopped && (left = until - clock_mono_ms()) > 0) {
		struct pollfd p = {.fd = STDIN_FILENO, .events = POLLIN};
		int key;

		if (poll(&p, 1, (int)left) > 0 && p.revents & (POLLHUP | POLLERR | POLLNVAL))
			return WAITED_END;
		key = getch(); /* also after a signal: the size of the terminal */
		if (key == 'q' || key == 'Q')
			return WAITED_END;
		if (key == KEY_RESIZE)
			return WAITED_RESIZED;
	}
	return stopped ? WAITED_END : WAITED;
}

/* The next reply; connects again when the server has gone. NULL: err says why. */
static json_t *next(const struct config *config, int *fd, struct err *err)
{
	json_t *reply;

	if (*fd < 0)
		*fd = ipc_connect(config->dnsd_socket_path, "admin", err);
	reply = *fd >= 0 ? top_ask(*fd, err) : NULL;
	if (!reply && *fd >= 0) {
		close(*fd);
		*fd = -1;
	}
	return reply;
}

static void show_error(const struct err *err)
{
	_cleanup_buf_ struct buf text = BUF_INIT(TOP_TEXT_MAX);

	words_fit(&text, slice_str(err->text), (size_t)COLS, false);
	show(buf_slice(&text));
}

int top_live(const struct config *config, int fd, int64_t interval_ms)
{
	json_t *before = NULL, *now = NULL, *reply;
	SCREEN *screen = screen_open();
	enum waited waited = WAITED;
	struct err err;

	if (!screen) {
		fputs("sekisho top: this kind of terminal is not known: say --once\n", stderr);
		close(fd);
		return EXIT_COULD_NOT;
	}
	while (waited != WAITED_END) {
		if (waited == WAITED && (reply = next(config, &fd, &err))) {
			json_decref(before);
			before = now;
			now = reply;
		}
		if (fd >= 0)
			show_rates(before, now);
		else
			show_error(&err);
		waited = wait_ms(before || fd < 0 ? interval_ms : TOP_RAMP_UP_MS);
	}
	screen_close(screen);
	json_decref(before);
	json_decref(now);
	if (fd >= 0)
		close(fd);
	return EXIT_CLEAN;
}
