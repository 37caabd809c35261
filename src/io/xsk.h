/* xsk.h - AF_XDP: the frames of one queue of a network interface, received into and sent from memory that is
 * shared with the kernel, past its network stack. A filter on the interface says which frames come here;
 * all others go on to the stack. One thread for each socket. Opening needs rights (CAP_NET_ADMIN, CAP_BPF,
 * CAP_NET_RAW), using it none. */
#pragma once

#include "base/err.h"
#include "base/ip.h"

/* ---- the filter ---- */

/* UDP datagrams to this address and port. */
struct xsk_match {
	struct ip to; /* all zero: any address of that family */
	uint16_t port;
};

#define XSK_MATCHES_MAX 64
/* A longer frame goes to the stack: it would not fit where frames are kept. */
#define XSK_FRAME_IN_MAX 1700

struct xsk_filter;

/* Whole datagrams in Ethernet frames to the interface's own address, with one VLAN tag or none, over IPv4
 * without options or IPv6 without extension headers. In the driver where it can, else in the kernel's
 * generic code. What is attached goes with the process, however it ends. */
struct xsk_filter *xsk_filter_attach(
	const char *interface, const struct xsk_match *matches, size_t count, struct err *err);
/* As long as a socket is open its frames still come to it. NULL is fine. */
struct xsk_filter *xsk_filter_detach(struct xsk_filter *f);
bool xsk_filter_in_driver(const struct xsk_filter *f);
unsigned xsk_filter_queues(const struct xsk_filter *f); /* that the interface receives on */

/* ---- the socket ---- */

struct xsk_frame {
	uint8_t *ptr;
	uint32_t len;
};

#define XSK_FRAME_OUT_MAX 2048

struct xsk;

struct xsk *xsk_open(const struct xsk_filter *f, unsigned queue, struct err *err);
struct xsk *xsk_close(struct xsk *x); /* NULL is fine */
int xsk_fd(const struct xsk *x);      /* readable when frames wait */
bool xsk_zero_copy(const struct xsk *x);

/* Takes up to max frames, waiting for none. Their bytes are the caller's to read and change until they are
 * given back, all of them, with xsk_give_back(). */
unsigned xsk_receive(struct xsk *x, struct xsk_frame *ret_frames, unsigned max);
void xsk_give_back(struct xsk *x, const struct xsk_frame *frames, unsigned count);

/* Room for one frame to send; NULL: all are on their way. Goes back by xsk_queue() or xsk_give_room_back(). */
uint8_t *xsk_room(struct xsk *x);
void xsk_give_room_back(struct xsk *x, uint8_t *room);
void xsk_queue(struct xsk *x, uint8_t *room, uint32_t len);
/* Makes the kernel send what was queued. */
void xsk_send(struct xsk *x);

struct xsk_drops {
	uint64_t no_room; /* frames that came while none was free for them */
	uint64_t invalid; /* that the kernel would not send */
};
struct xsk_drops xsk_drops(const struct xsk *x);
