/* xdp.h - questions taken off network interfaces before the kernel's network stack sees them (AF_XDP), and
 * answered there: one thread for each queue an interface receives on. What it does not take (fragments, IP
 * options, TCP) goes on to the sockets, which stay open. */
#pragma once

#include "base/err.h"
#include "config/config.h"
#include "dnsd/data/grace.h"
#include "dnsd/answer/served.h"
#include "dnsd/see/stats.h"
#include "dnsd/see/tap.h"
#include "dnsd/see/watch.h"

struct xdp;
struct limits_setup;

/* Takes what is sent to the addresses of `listen` on the interfaces of `xdp`. Needs rights that are given up
 * later; no thread yet. NULL with words in err. */
struct xdp *xdp_open(
	const struct config_dnsd *config, unsigned signatures_per_second, struct err *err);
size_t xdp_thread_count(const struct xdp *x);
/* From here it answers from *served. Takes the readers, the taps and the watches from the `first` on,
 * one for each thread; taps NULL: no query log. */
bool xdp_start(struct xdp *x, _Atomic(struct served *) *served, const struct identity *identity,
	const struct limits_setup *limits, struct grace *g, struct taps *taps,
	struct watches *watches, size_t first, struct err *err);
const struct stats *xdp_stats(const struct xdp *x, size_t thread);
struct xdp_interface {
	unsigned queues;
	bool in_driver, zero_copy;
};
/* Of the configuration's interface in this place. */
size_t xdp_interface_count(const struct xdp *x);
struct xdp_interface xdp_interface(const struct xdp *x, size_t i);
/* Frames that came while there was no room for them. */
uint64_t xdp_lost(const struct xdp *x);
struct xdp *xdp_free(struct xdp *x); /* stops the threads; NULL is fine */
