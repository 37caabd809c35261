/* up.c - `sekisho up`: starts all the daemons of one configuration and starts again whichever ends. */
#include "base/log.h"
#include "base/mem.h"
#include "config/config.h"
#include "io/clock.h"
#include "io/daemon.h"
#include "io/file.h"
#include "io/loop.h"
#include "io/random.h"
#include "tools/tools.h"

#include <errno.h>
#include <getopt.h>
#include <pwd.h>
#include <signal.h>
#include <stddef.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#define RESTART_FIRST_MS 100
#define RESTART_LAST_MS 5000
#define HEALTHY_MS 30000 /* lived so long: the next restart is quick again */
#define STOP_MS 10000	 /* then SIGKILL */

static const char usage[] =
	"usage: sekisho up [--config FILE] [--only NAME,NAME]\n"
	"Starts listd, dnsd, trapd, gated and webd on one configuration, keeps them running, and "
	"stops\n"
	"them all on Ctrl-C. gated is left out when it has neither a milter nor a policy address.\n"
	"--only  start just these\n";

/* In the order they start; listd first, since the others ask it. */
static const char *const names[] = {"listd", "dnsd", "trapd", "gated", "webd"};
#define COUNT ARRAY_LEN(names)

struct daemon {
	struct up *up;
	const char *name;
	bool wanted, ready;
	pid_t pid; /* 0: not running */
	int64_t started_ms, restart_ms;
	struct loop_timer *restart;
};

struct up {
	struct loop *loop;
	struct config *config;
	struct daemon daemons[COUNT];
	struct loop_timer *stop;
	bool stopping, told_ready;
	char notify[64]; /* name of the abstract socket the daemons say READY on */
	int notify_fd;
	struct loop_watch *notify_watch;
};

/* Installed, all programs lie in one folder; in a build tree, each in its role's. */
static bool program_path(const char *name, char *ret, size_t size)
{
	char self[2048];
	ssize_t n = readlink("/proc/self/exe", self, sizeof self - 1);
	char *slash;

	if (n <= 0)
		return false;
	self[n] = '\0';
	slash = strrchr(self, '/');
	if (!slash)
		return false;
	*slash = '\0';
	snprintf(ret, size, "%s/sekisho-%s", self, name);
	if (access(ret, X_OK) == 0)
		return true;
	snprintf(ret, size, "%s/../sbin/sekisho-%s", self, name);
	if (access(ret, X_OK) == 0)
		return true;
	snprintf(ret, size, "%s/../%s/sekisho-%s", self, name, name);
	return access(ret, X_OK) == 0;
}

/* So that scripts can find who runs: a line "name pid" for each. */
static void write_pids(const struct up *up)
{
	struct buf text = BUF_INIT(1024), path = BUF_INIT(4096);
	struct err err;

	for (size_t i = 0; i < COUNT; i++)
		if (up->daemons[i].pid)
			buf_addf(&text, "%s %d\n", names[i], (int)up->daemons[i].pid);
	buf_addf(&path, "%s/up.pids", up->config->run_dir);
	if (!file_replace(buf_str(&path), buf_slice(&text), 0644, &err))
		log_event(LOG_WARN, "up.pids", "error=%s", log_quote(slice_str(err.text)).s);
	buf_done(&text);
	buf_done(&path);
}

static void start(void *ctx)
{
	struct daemon *d = ctx;
	char path[4096];
	sigset_t none;
	pid_t pid;

	if (d->pid || d->up->stopping)
		return;
	if (!program_path(d->name, path, sizeof path)) {
		log_event(LOG_ERROR, "up.missing", "name=%s: no program sekisho-%s beside this one",
			d->name, d->name);
		return;
	}
	pid = fork();
	if (pid == 0) {
		sigemptyset(&none);
		sigprocmask(SIG_SETMASK, &none, NULL);
		setenv("NOTIFY_SOCKET", d->up->notify, 1);
		execl(path, path, "--config", d->up->config->path, (char *)NULL);
		_exit(127);
	}
	if (pid < 0) {
		log_event(LOG_ERROR, "up.fork", "name=%s error=%s", d->name, strerror(errno));
		loop_timer_set(d->restart, RESTART_LAST_MS);
		return;
	}
	d->pid = pid;
	d->ready = false;
	d->started_ms = clock_mono_ms();
	log_event(LOG_INFO, "up.start", "name=%s pid=%d", d->name, (int)pid);
	write_pids(d->up);
}

static void daemon_ended(struct daemon *d, int status)
{
	bool healthy = clock_mono_ms() - d->started_ms >= HEALTHY_MS;

	if (WIFSIGNALED(status))
		log_event(d->up->stopping ? LOG_INFO : LOG_WARN, "up.ended", "name=%s signal=%d",
			d->name, WTERMSIG(status));
	else
		log_event(d->up->stopping ? LOG_INFO : LOG_WARN, "up.ended", "name=%s exit=%d",
			d->name, WEXITSTATUS(status));
	d->pid = 0;
	d->ready = false;
	write_pids(d->up);
	if (d->up->stopping)
		return;
	d->restart_ms = healthy ? RESTART_FIRST_MS : MIN(d->restart_ms * 2, RESTART_LAST_MS);
	loop_timer_set(d->restart, d->restart_ms);
}

static void children_changed(void *ctx)
{
	struct up *up = ctx;
	bool any = false;
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
		for (size_t i = 0; i < COUNT; i++)
			if (up->daemons[i].pid == pid)
				daemon_ended(&up->daemons[i], status);
	for (size_t i = 0; i < COUNT; i++)
		any = any || up->daemons[i].pid;
	if (up->stopping && !any)
		loop_stop(up->loop);
}

static void signal_all(struct up *up, int signo)
{
	for (size_t i = COUNT; i-- > 0;)
		if (up->daemons[i].pid)
			kill(up->daemons[i].pid, signo);
}

static void kill_all(void *ctx)
{
	signal_all(ctx, SIGKILL);
}

static void stop(void *ctx)
{
	struct up *up = ctx;

	if (!up->stopping) {
		log_event(LOG_INFO, "up.stop", "");
		loop_timer_set(up->stop, STOP_MS);
	}
	up->stopping = true;
	signal_all(up, SIGTERM);
	children_changed(up);
}

static void reload(void *ctx)
{
	struct up *up = ctx;

	for (size_t i = 0; i < COUNT; i++)
		if (up->daemons[i].pid && strcmp(names[i], "dnsd") == 0)
			kill(up->daemons[i].pid, SIGHUP);
}

static void all_ready(struct up *up)
{
	for (size_t i = 0; i < COUNT; i++)
		if (up->daemons[i].wanted && !up->daemons[i].ready)
			return;
	if (up->told_ready)
		return;
	up->told_ready = true;
	log_event(LOG_INFO, "up.ready", "");
	daemon_ready();
}

static void daemon_said_ready(struct up *up, struct daemon *d)
{
	d->ready = true;
	log_event(LOG_INFO, "up.daemon-ready", "name=%s after_ms=%lld", d->name,
		(long long)(clock_mono_ms() - d->started_ms));
	if (d == &up->daemons[0])
		for (size_t i = 1; i < COUNT; i++)
			if (up->daemons[i].wanted)
				start(&up->daemons[i]);
	all_ready(up);
}

/* The kernel says which process wrote: nobody else can claim that a daemon is ready. */
static void notified(void *ctx, int fd, unsigned events)
{
	union {
		struct cmsghdr header;
		char bytes[CMSG_SPACE(sizeof(struct ucred))];
	} control;
	char text[512];
	struct iovec iov = {text, sizeof text};
	struct msghdr message = {.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof control};
	struct up *up = ctx;
	struct cmsghdr *c;
	struct ucred cred;
	ssize_t n = recvmsg(fd, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);

	(void)events;
	c = n > 0 ? CMSG_FIRSTHDR(&message) : NULL;
	if (!c || c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_CREDENTIALS
		|| !slice_starts(slice_of(text, (size_t)n), SLICE("READY=1")))
		return;
	memcpy(&cred, CMSG_DATA(c), sizeof cred);
	for (size_t i = 0; i < COUNT; i++)
		if (up->daemons[i].pid == cred.pid && !up->daemons[i].ready)
			daemon_said_ready(up, &up->daemons[i]);
}

static bool open_notify(struct up *up, struct err *err)
{
	struct sockaddr_un un = {.sun_family = AF_UNIX};
	uint64_t nonce;
	int on = 1, n;

	random_bytes(&nonce, sizeof nonce);
	n = snprintf(
		up->notify, sizeof up->notify, "@sekisho-up-%016llx", (unsigned long long)nonce);
	memcpy(un.sun_path + 1, up->notify + 1, (size_t)n - 1);
	up->notify_fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (up->notify_fd < 0
		|| bind(up->notify_fd, (struct sockaddr *)&un,
			   (socklen_t)(offsetof(struct sockaddr_un, sun_path) + (size_t)n))
			   != 0
		|| setsockopt(up->notify_fd, SOL_SOCKET, SO_PASSCRED, &on, sizeof on) != 0)
		return err_errno(err, "cannot open the socket for readiness");
	up->notify_watch = loop_watch_new(up->loop, up->notify_fd, LOOP_READ, notified, up);
	return true;
}

/* A folder that belongs to `user` when we are root; what exists keeps its mode. */
static bool make_folder(const char *path, mode_t mode, const char *user, struct err *err)
{
	struct passwd *pw;

	if (!file_make_folder(path, mode, err))
		return false;
	if (geteuid() != 0 || !*user)
		return true;
	pw = getpwnam(user);
	if (!pw)
		return err_set(err, ERR_MISSING,
			"user '%s' does not exist: make it (useradd --system %s) or set user in "
			"the configuration",
			user, user);
	if (chown(path, pw->pw_uid, pw->pw_gid) != 0)
		return err_errno(err, "cannot give %s to %s", path, user);
	return true;
}

static bool make_folders(const struct config *c, struct err *err)
{
	return make_folder(c->state_dir, 0755, c->listd.user, err)
	       && make_folder(c->publish_dir, 0755, c->listd.user, err)
	       && make_folder(c->run_dir, 0755, c->listd.user, err);
}

static bool choose(struct up *up, const char *only, struct err *err)
{
	const struct config_gated *gated = &up->config->gated;
	struct slice rest = slice_str(only), name;

	for (size_t i = 0; i < COUNT; i++)
		up->daemons[i].wanted = !only
					&& (strcmp(names[i], "gated") != 0 || gated->milter.count
						|| gated->policy.count);
	while (only && slice_cut(&rest, ',', &name)) {
		size_t i = 0;
		while (i < COUNT && !slice_eq(name, slice_str(names[i])))
			i++;
		if (i == COUNT)
			return err_set(err, ERR_SYNTAX, "--only: there is no daemon '%.*s'",
				SLICE_FMT(name));
		up->daemons[i].wanted = true;
	}
	return true;
}

static int run(struct up *up, const char *only)
{
	struct err err;

	if (!choose(up, only, &err) || !make_folders(up->config, &err) || !open_notify(up, &err)) {
		fprintf(stderr, "sekisho up: %s\n", err.text);
		return EXIT_COULD_NOT;
	}
	loop_on_signal(up->loop, SIGCHLD, children_changed, up);
	loop_on_signal(up->loop, SIGTERM, stop, up);
	loop_on_signal(up->loop, SIGINT, stop, up);
	loop_on_signal(up->loop, SIGHUP, reload, up);
	up->stop = loop_timer_new(up->loop, kill_all, up);
	for (size_t i = 0; i < COUNT; i++) {
		struct daemon *d = &up->daemons[i];
		d->restart = loop_timer_new(up->loop, start, d);
		/* The others wait until listd is ready, when it is ours to start. */
		if (d->wanted && (i == 0 || !up->daemons[0].wanted))
			start(d);
	}
	loop_run(up->loop);
	for (size_t i = 0; i < COUNT; i++)
		loop_timer_free(up->daemons[i].restart);
	loop_timer_free(up->stop);
	loop_watch_free(up->notify_watch);
	close(up->notify_fd);
	return EXIT_CLEAN;
}

int up_main(int argc, char **argv)
{
	static const struct option options[] = {{"config", required_argument, NULL, 'c'},
		{"only", required_argument, NULL, 'o'}, {"help", no_argument, NULL, 'h'}, {0}};
	const char *path = DEFAULT_CONFIG, *only = NULL;
	struct buf faults = BUF_INIT(1 << 20);
	struct up up = {0};
	int c, code;

	while ((c = getopt_long(argc, argv, "c:h", options, NULL)) != -1) {
		if (c == 'c') {
			path = optarg;
		} else if (c == 'o') {
			only = optarg;
		} else {
			fputs(usage, c == 'h' ? stdout : stderr);
			return c == 'h' ? EXIT_CLEAN : EXIT_USAGE;
		}
	}
	if (optind != argc) {
		fputs(usage, stderr);
		return EXIT_USAGE;
	}
	log_open("up", LOG_INFO);
	daemon_notify_open();
	up.config = config_load(path, &faults);
	if (!up.config) {
		fputs(buf_str(&faults), stderr);
		buf_done(&faults);
		return EXIT_COULD_NOT;
	}
	up.loop = loop_new();
	for (size_t i = 0; i < COUNT; i++)
		up.daemons[i] = (struct daemon){
			.up = &up, .name = names[i], .restart_ms = RESTART_FIRST_MS / 2};
	code = run(&up, only);
	loop_free(up.loop);
	config_free(up.config);
	buf_done(&faults);
	return code;
}
