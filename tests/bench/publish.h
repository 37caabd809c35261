/* publish.h - lists as listd publishes them, made up: a snapshot, then changes. */
#pragma once

#include "index/builder.h"
#include "index/changelog.h"

extern const uint8_t publish_seed[16];

/* The same for the same number, each time. */
uint64_t random_of(uint64_t i);
/* Writes the snapshot to a file; an error ends the program. */
void publish_snapshot(struct builder *b, const char *path);
/* Appends a change to the open log; an error ends the program. */
void publish_change(int log, const struct change *c);
