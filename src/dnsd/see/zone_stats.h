/* zone_stats.h - counters of each zone of files, and rbldnsd's statistics file, which they are for. */
#pragma once

#include "config/config.h"
#include "dnsd/see/stats.h"

struct stats_file;

/* NULL: the configuration asks for none, and nothing is counted by zone. The configuration must outlive it. */
struct stats_file *stats_file_new(const struct config_dnsd *c);
struct stats_file *stats_file_free(struct stats_file *f); /* NULL is fine */
/* Of the zone in this place of the configuration; NULL when f is. */
struct zone_stats *stats_file_zone(struct stats_file *f, size_t zone);

/* All below: f may be NULL, then nothing happens. The file is opened and closed each time, so that it may be
 * moved away. mark: a bare time, where counters start from zero. write: a line of counters. */
void stats_file_mark(struct stats_file *f, int64_t now_s);
void stats_file_write(struct stats_file *f, int64_t now_s, const struct stats *total);
void stats_file_log(const struct stats_file *f);
void stats_file_reset(struct stats_file *f);
