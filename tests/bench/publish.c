/* publish.c - lists as listd publishes them, made up: a snapshot, then changes. */
#include "publish.h"

#include "base/siphash.h"
#include "common.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

const uint8_t publish_seed[16] = "sekisho bench";

uint64_t random_of(uint64_t i)
{
	return siphash(publish_seed, slice_of(&i, sizeof i));
}

void publish_snapshot(struct builder *b, const char *path)
{
	struct buf out = BUF_INIT((size_t)8 << 30);
	struct err err;
	int fd;

	if (!builder_write(b, &out, &err)) {
		fprintf(stderr, "%s: %s\n", path, err.text);
		exit(1);
	}
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0644);
	for (size_t at = 0; at < out.len;) {
		ssize_t n = write(fd, out.ptr + at, out.len - at);
		if (n < 0)
			fail(path);
		at += (size_t)n;
	}
	close(fd);
	buf_done(&out);
}

void publish_change(int log, const struct change *c)
{
	struct buf out = BUF_INIT(CHANGE_RECORD_MAX);
	struct err err;

	if (!change_encode(c, &out, &err) || write(log, out.ptr, out.len) != (ssize_t)out.len)
		fail("change log");
	buf_done(&out);
}
