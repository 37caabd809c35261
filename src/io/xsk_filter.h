/* xsk_filter.h - inside of io: what a socket needs of the filter that feeds it. */
#pragma once

#include "io/xsk.h"

unsigned xsk_filter_interface(const struct xsk_filter *f); /* its index */
/* Frames of that queue come to the socket from here on. */
bool xsk_filter_add(const struct xsk_filter *f, unsigned queue, int fd, struct err *err);
