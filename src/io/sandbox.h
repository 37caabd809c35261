/* sandbox.h - giving up rights: user, files (Landlock), system calls (seccomp). Call after everything
 * that needs rights is open. */
#pragma once

#include "base/err.h"

#include <stddef.h>

struct sandbox_needs {
	const char *user;		/* "name" or "name:group"; NULL or "": stay who we are */
	const char *const *read_paths;	/* NULL-terminated; NULL: none */
	const char *const *write_paths; /* NULL-terminated; NULL: none */
	bool connects;			/* opens new network or Unix connections after start */
	bool connects_locally;		/* the same, Unix sockets alone */
	bool spawns;			/* starts other programs */
};

/* Drops to `user` (when root) and all capabilities (unless still root), no_new_privs, Landlock as far as the kernel has it, a seccomp filter
 * that forbids what no daemon needs (exec, ptrace, mount, modules, keys, bpf; sockets unless
 * `connects`). Sanitizer builds skip seccomp: their runtimes need more calls. */
bool sandbox_enter(const struct sandbox_needs *needs, struct err *err);
