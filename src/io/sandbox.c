/* sandbox.c - user, Landlock, seccomp: in this order, since each needs rights the next takes away. */
#include "io/sandbox.h"
#include "base/attr.h"
#include "base/slice.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <linux/capability.h>
#include <linux/landlock.h>
#include <pwd.h>
#include <seccomp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#if defined(__SANITIZE_ADDRESS__)
#define SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define SANITIZED 1
#endif
#endif
#ifndef SANITIZED
#define SANITIZED 0
#endif

/* Landlock ABI 1, what Linux 5.13 knows: all file rights there are. */
#define FS_ALL (LANDLOCK_ACCESS_FS_MAKE_SYM * 2 - 1)
#define FS_READ (LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR)
#define FS_FILE_ONLY                                                                               \
	(LANDLOCK_ACCESS_FS_EXECUTE | LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_READ_FILE)

struct account {
	const char *name; /* in passwd; NULL for a bare number */
	uid_t uid;
	gid_t gid;
	bool own_group; /* a group was named: no others */
};

static bool number_of(const char *text, unsigned *ret)
{
	char *end;
	unsigned long n = strtoul(text, &end, 10);

	*ret = (unsigned)n;
	return *text >= '0' && *text <= '9' && !*end && n < UINT_MAX;
}

static bool find_group(const char *group, struct account *to, struct err *err)
{
	const struct group *gr = getgrnam(group);
	unsigned number;

	if (gr)
		to->gid = gr->gr_gid;
	else if (number_of(group, &number))
		to->gid = number;
	else
		return err_set(err, ERR_MISSING, "group '%s' does not exist", group);
	to->own_group = true;
	return true;
}

/* "user", "user:group", each by name or number. */
static bool find_user(char *spec, struct account *ret, struct err *err)
{
	char *colon = strchr(spec, ':');
	const struct passwd *pw;
	unsigned number;

	if (colon)
		*colon = '\0';
	pw = getpwnam(spec);
	*ret = (struct account){.name = spec};
	if (pw) {
		ret->uid = pw->pw_uid;
		ret->gid = pw->pw_gid;
	} else if (number_of(spec, &number)) {
		*ret = (struct account){.uid = number, .gid = number, .own_group = true};
	} else {
		return err_set(err, ERR_MISSING,
			"user '%s' does not exist: make it (useradd --system %s) or name another "
			"in the configuration",
			spec, spec);
	}
	return !colon || find_group(colon + 1, ret, err);
}

static bool drop_user(const char *name, struct err *err)
{
	struct account who;
	char spec[256];
	bool grouped;

	if (!name || !*name || geteuid() != 0)
		return true;
	if (!slice_copy(slice_str(name), spec, sizeof spec))
		return err_set(err, ERR_LIMIT, "user '%.40s...': too long", name);
	if (!find_user(spec, &who, err))
		return false;
	grouped = who.own_group ? setgroups(1, &who.gid) == 0 : initgroups(who.name, who.gid) == 0;
	if (!grouped || setresgid(who.gid, who.gid, who.gid) != 0
		|| setresuid(who.uid, who.uid, who.uid) != 0)
		return err_errno(err, "cannot become user '%s'", name);
	if (who.uid != 0 && setuid(0) == 0)
		return err_set(err, ERR_SYSTEM, "could become root again: not going on");
	if (SANITIZED)
		prctl(PR_SET_DUMPABLE, 1, 0, 0, 0); /* the leak checker traces its own process */
	return true;
}

/* Those that a service manager gave to a user who is not root. */
static bool drop_capabilities(struct err *err)
{
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct none[_LINUX_CAPABILITY_U32S_3] = {{0}};

	if (geteuid() == 0)
		return true;
	if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) != 0
		|| syscall(SYS_capset, &header, none) != 0)
		return err_errno(err, "cannot give up capabilities");
	return true;
}

static bool allow_path(int ruleset, const char *path, uint64_t rights, struct err *err)
{
	struct landlock_path_beneath_attr rule = {.allowed_access = rights};
	struct stat st;
	bool ok;

	rule.parent_fd = open(path, O_PATH | O_CLOEXEC);
	if (rule.parent_fd < 0)
		return err_errno(err, "cannot open %s for the sandbox", path);
	if (fstat(rule.parent_fd, &st) == 0 && !S_ISDIR(st.st_mode))
		rule.allowed_access &= FS_FILE_ONLY;
	ok = syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &rule, 0) == 0;
	if (!ok)
		err_errno(err, "Landlock refuses a rule for %s", path);
	close(rule.parent_fd);
	return ok;
}

static bool allow_paths(int ruleset, const char *const *paths, uint64_t rights, struct err *err)
{
	for (; paths && *paths; paths++)
		if (!allow_path(ruleset, *paths, rights, err))
			return false;
	return true;
}

static bool restrict_files(const struct sandbox_needs *needs, struct err *err)
{
	struct landlock_ruleset_attr all = {.handled_access_fs = FS_ALL};
	int ruleset = (int)syscall(SYS_landlock_create_ruleset, &all, sizeof all, 0);
	uint64_t read = FS_READ | (needs->spawns ? LANDLOCK_ACCESS_FS_EXECUTE : 0u);
	bool ok;

	if (ruleset < 0) /* a kernel without it: the systemd unit and the user must do */
		return errno == ENOSYS || errno == EOPNOTSUPP ? true : err_errno(err, "Landlock");
	ok = allow_paths(ruleset, needs->read_paths, read, err)
	     && allow_paths(ruleset, needs->write_paths, FS_ALL & ~LANDLOCK_ACCESS_FS_EXECUTE, err)
	     && (!SANITIZED || allow_path(ruleset, "/proc", FS_READ, err));
	if (ok && syscall(SYS_landlock_restrict_self, ruleset, 0) != 0)
		ok = err_errno(err, "Landlock");
	close(ruleset);
	return ok;
}

static bool restrict_calls(const struct sandbox_needs *needs, struct err *err)
{
	static const int never[] = {SCMP_SYS(ptrace), SCMP_SYS(process_vm_readv),
		SCMP_SYS(process_vm_writev), SCMP_SYS(mount), SCMP_SYS(umount2),
		SCMP_SYS(pivot_root), SCMP_SYS(chroot), SCMP_SYS(unshare), SCMP_SYS(setns),
		SCMP_SYS(init_module), SCMP_SYS(finit_module), SCMP_SYS(delete_module),
		SCMP_SYS(kexec_load), SCMP_SYS(kexec_file_load), SCMP_SYS(reboot), SCMP_SYS(swapon),
		SCMP_SYS(swapoff), SCMP_SYS(bpf), SCMP_SYS(perf_event_open), SCMP_SYS(userfaultfd),
		SCMP_SYS(keyctl), SCMP_SYS(add_key), SCMP_SYS(request_key), SCMP_SYS(acct),
		SCMP_SYS(settimeofday), SCMP_SYS(clock_settime), SCMP_SYS(adjtimex),
		SCMP_SYS(sethostname), SCMP_SYS(setdomainname), SCMP_SYS(iopl), SCMP_SYS(ioperm),
		SCMP_SYS(mknod), SCMP_SYS(mknodat), SCMP_SYS(open_by_handle_at),
		SCMP_SYS(personality), SCMP_SYS(io_uring_setup)};
	static const int no_exec[] = {SCMP_SYS(execve), SCMP_SYS(execveat)};
	static const int no_connect[] = {SCMP_SYS(socket), SCMP_SYS(socketpair)};
	static const struct scmp_arg_cmp not_local = {
		.arg = 0, .op = SCMP_CMP_NE, .datum_a = AF_UNIX};
	scmp_filter_ctx filter;
	int rc = 0;

	if (SANITIZED)
		return true;
	filter = seccomp_init(SCMP_ACT_ALLOW);
	if (!filter)
		return err_set(err, ERR_SYSTEM, "seccomp: cannot begin a filter");
	for (size_t i = 0; i < ARRAY_LEN(never) && rc == 0; i++)
		rc = seccomp_rule_add(filter, SCMP_ACT_ERRNO(EPERM), never[i], 0);
	for (size_t i = 0; i < ARRAY_LEN(no_exec) && rc == 0 && !needs->spawns; i++)
		rc = seccomp_rule_add(filter, SCMP_ACT_ERRNO(EPERM), no_exec[i], 0);
	for (size_t i = 0; i < ARRAY_LEN(no_connect) && rc == 0 && !needs->connects; i++)
		rc = needs->connects_locally
			     ? seccomp_rule_add(
				     filter, SCMP_ACT_ERRNO(EPERM), no_connect[i], 1, not_local)
			     : seccomp_rule_add(filter, SCMP_ACT_ERRNO(EPERM), no_connect[i], 0);
	if (rc == 0)
		rc = seccomp_load(filter);
	seccomp_release(filter);
	errno = -rc;
	return rc == 0 ? true : err_errno(err, "seccomp");
}

bool sandbox_enter(const struct sandbox_needs *needs, struct err *err)
{
	if (!drop_user(needs->user, err) || !drop_capabilities(err))
		return false;
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
		return err_errno(err, "no_new_privs");
	return restrict_files(needs, err) && restrict_calls(needs, err);
}
