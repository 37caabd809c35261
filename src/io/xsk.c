/* xsk.c - an AF_XDP socket: its memory, its four rings. */
#include "io/xsk.h"

#include "base/mem.h"
#include "io/xsk_filter.h"

#include <errno.h>
#include <linux/if_xdp.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#ifndef AF_XDP
#define AF_XDP 44
#endif
#ifndef SOL_XDP
#define SOL_XDP 283
#endif
#define SET_TX_BUDGET 9 /* XDP_MAX_TX_SKB_BUDGET, Linux 6.17 */

#define FRAME_SIZE XSK_FRAME_OUT_MAX
#define RX_FRAMES 2048u /* a power of two; a burst of 2 ms at a million a second */
#define TX_FRAMES 1024u
#define SEND_BUFFER (4 << 20) /* the kernel counts copies of what is under way against it */
#define TX_BUDGET 64u	      /* frames in a call */
#define SEND_TRIES (TX_FRAMES / 32)

/* One side is ours, the other the kernel's; both only ever grow. */
struct ring {
	_Atomic uint32_t *producer, *consumer, *flags;
	void *entries; /* struct xdp_desc or uint64_t */
	uint32_t size;
	uint32_t ours, theirs; /* what we made public last; what we last saw of the kernel's */
	void *map;
	size_t map_len;
};

struct xsk {
	int fd;
	uint8_t *frames;
	struct ring fill, done, rx, tx;
	uint64_t free[TX_FRAMES]; /* places of frames to send from; the last one is warm */
	uint32_t free_count;
	bool zero_copy;
};

static bool map_ring(struct xsk *x, struct ring *r, int option, uint32_t size, uint64_t at,
	const struct xdp_ring_offset *off, size_t entry, struct err *err)
{
	char *map;

	r->size = size;
	if (setsockopt(x->fd, SOL_XDP, option, &size, sizeof size) != 0)
		return err_errno(err, "cannot set the size of a ring");
	r->map_len = off->desc + size * entry;
	map = mmap(NULL, r->map_len, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, x->fd,
		(off_t)at);
	if (map == MAP_FAILED)
		return err_errno(err, "cannot map a ring");
	r->map = map;
	r->producer = (void *)(map + off->producer);
	r->consumer = (void *)(map + off->consumer);
	r->flags = (void *)(map + off->flags);
	r->entries = map + off->desc;
	return true;
}

/* The sizes must be set before the kernel tells where things are in a ring; it does so for all at once. */
static bool map_rings(struct xsk *x, struct err *err)
{
	struct xdp_mmap_offsets off;
	socklen_t len = sizeof off;

	if (getsockopt(x->fd, SOL_XDP, XDP_MMAP_OFFSETS, &off, &len) != 0 || len != sizeof off)
		return err_errno(err, "cannot ask for the rings");
	return map_ring(x, &x->fill, XDP_UMEM_FILL_RING, RX_FRAMES, XDP_UMEM_PGOFF_FILL_RING,
		       &off.fr, sizeof(uint64_t), err)
	       && map_ring(x, &x->done, XDP_UMEM_COMPLETION_RING, TX_FRAMES,
		       XDP_UMEM_PGOFF_COMPLETION_RING, &off.cr, sizeof(uint64_t), err)
	       && map_ring(x, &x->rx, XDP_RX_RING, RX_FRAMES, XDP_PGOFF_RX_RING, &off.rx,
		       sizeof(struct xdp_desc), err)
	       && map_ring(x, &x->tx, XDP_TX_RING, TX_FRAMES, XDP_PGOFF_TX_RING, &off.tx,
		       sizeof(struct xdp_desc), err);
}

static bool share_memory(struct xsk *x, struct err *err)
{
	struct xdp_umem_reg reg = {
		.len = (uint64_t)(RX_FRAMES + TX_FRAMES) * FRAME_SIZE, .chunk_size = FRAME_SIZE};

	x->frames = mmap(NULL, reg.len, PROT_READ | PROT_WRITE,
		MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
	if (x->frames == MAP_FAILED) {
		x->frames = NULL;
		return err_errno(err, "no memory for frames");
	}
	reg.addr = (uint64_t)(uintptr_t)x->frames;
	if (setsockopt(x->fd, SOL_XDP, XDP_UMEM_REG, &reg, sizeof reg) != 0)
		return err_errno(
			err, "cannot share %llu KiB", (unsigned long long)(reg.len / 1024));
	return true;
}

/* Zero-copy where the driver has it, which it only can for a filter in the driver. */
static bool bind_queue(struct xsk *x, const struct xsk_filter *f, unsigned queue, struct err *err)
{
	struct sockaddr_xdp to = {.sxdp_family = AF_XDP,
		.sxdp_ifindex = xsk_filter_interface(f),
		.sxdp_queue_id = queue,
		.sxdp_flags = XDP_USE_NEED_WAKEUP | (xsk_filter_in_driver(f) ? 0 : XDP_COPY)};
	struct xdp_options options = {0};
	socklen_t len = sizeof options;
	int size = SEND_BUFFER, budget = TX_BUDGET;

	setsockopt(x->fd, SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof size);
	setsockopt(x->fd, SOL_XDP, SET_TX_BUDGET, &budget, sizeof budget);
	if (bind(x->fd, (struct sockaddr *)&to, sizeof to) != 0)
		return err_errno(err, "cannot bind to queue %u", queue);
	if (getsockopt(x->fd, SOL_XDP, XDP_OPTIONS, &options, &len) == 0)
		x->zero_copy = options.flags & XDP_OPTIONS_ZEROCOPY;
	return true;
}

struct xsk *xsk_open(const struct xsk_filter *f, unsigned queue, struct err *err)
{
	struct xsk *x = mem_new(1, sizeof *x);

	x->fd = socket(AF_XDP, SOCK_RAW | SOCK_CLOEXEC, 0);
	if (x->fd < 0) {
		err_errno(err, "the kernel gives no AF_XDP socket");
		return xsk_close(x);
	}
	if (!share_memory(x, err) || !map_rings(x, err) || !bind_queue(x, f, queue, err))
		return xsk_close(x);
	for (uint32_t i = 0; i < RX_FRAMES; i++)
		((uint64_t *)x->fill.entries)[i] = (uint64_t)i * FRAME_SIZE;
	atomic_store_explicit(x->fill.producer, x->fill.ours = RX_FRAMES, memory_order_release);
	for (uint32_t i = 0; i < TX_FRAMES; i++)
		x->free[x->free_count++] = (uint64_t)(RX_FRAMES + i) * FRAME_SIZE;
	return xsk_filter_add(f, queue, x->fd, err) ? x : xsk_close(x);
}

static void unmap_ring(struct ring *r)
{
	if (r->map)
		munmap(r->map, r->map_len);
}

struct xsk *xsk_close(struct xsk *x)
{
	if (!x)
		return NULL;
	if (x->fd >= 0)
		close(x->fd);
	unmap_ring(&x->fill);
	unmap_ring(&x->done);
	unmap_ring(&x->rx);
	unmap_ring(&x->tx);
	if (x->frames)
		munmap(x->frames, (size_t)(RX_FRAMES + TX_FRAMES) * FRAME_SIZE);
	free(x);
	return NULL;
}

int xsk_fd(const struct xsk *x)
{
	return x->fd;
}

bool xsk_zero_copy(const struct xsk *x)
{
	return x->zero_copy;
}

static bool wants_wakeup(const struct ring *r)
{
	return atomic_load_explicit(r->flags, memory_order_relaxed) & XDP_RING_NEED_WAKEUP;
}

/* Entries of a ring the kernel fills that we have not taken yet, at most max. */
static uint32_t waiting(struct ring *r, uint32_t max)
{
	uint32_t n = r->theirs - r->ours;

	if (n < max) {
		r->theirs = atomic_load_explicit(r->producer, memory_order_acquire);
		n = r->theirs - r->ours;
	}
	return n < max ? n : max;
}

unsigned xsk_receive(struct xsk *x, struct xsk_frame *ret_frames, unsigned max)
{
	const struct xdp_desc *descs = x->rx.entries;
	uint32_t n = waiting(&x->rx, max);

	for (uint32_t i = 0; i < n; i++) {
		const struct xdp_desc *d = &descs[(x->rx.ours + i) & (RX_FRAMES - 1)];
		ret_frames[i] = (struct xsk_frame){x->frames + d->addr, d->len};
		__builtin_prefetch(ret_frames[i].ptr);
		__builtin_prefetch(ret_frames[i].ptr + 64);
	}
	if (n)
		atomic_store_explicit(x->rx.consumer, x->rx.ours += n, memory_order_release);
	return n;
}

/* There is always room: it holds all frames for receiving there are. */
void xsk_give_back(struct xsk *x, const struct xsk_frame *frames, unsigned count)
{
	uint64_t *places = x->fill.entries;

	for (unsigned i = 0; i < count; i++) {
		uint64_t at = (uint64_t)(frames[i].ptr - x->frames);
		places[(x->fill.ours + i) & (RX_FRAMES - 1)] = at & ~(uint64_t)(FRAME_SIZE - 1);
	}
	atomic_store_explicit(x->fill.producer, x->fill.ours += count, memory_order_release);
	if (wants_wakeup(&x->fill))
		recvfrom(x->fd, NULL, 0, MSG_DONTWAIT, NULL, NULL);
}

static void collect_sent(struct xsk *x)
{
	const uint64_t *places = x->done.entries;
	uint32_t n = waiting(&x->done, TX_FRAMES);

	for (uint32_t i = 0; i < n; i++)
		x->free[x->free_count++] = places[(x->done.ours + i) & (TX_FRAMES - 1)];
	if (n)
		atomic_store_explicit(x->done.consumer, x->done.ours += n, memory_order_release);
}

uint8_t *xsk_room(struct xsk *x)
{
	if (x->free_count == 0)
		collect_sent(x);
	return x->free_count ? x->frames + x->free[--x->free_count] : NULL;
}

void xsk_give_room_back(struct xsk *x, uint8_t *room)
{
	x->free[x->free_count++] = (uint64_t)(room - x->frames);
}

/* The ring has as many places as there are frames to send. */
void xsk_queue(struct xsk *x, uint8_t *room, uint32_t len)
{
	struct xdp_desc *descs = x->tx.entries;

	descs[x->tx.ours++ & (TX_FRAMES - 1)] =
		(struct xdp_desc){.addr = (uint64_t)(room - x->frames), .len = len};
}

void xsk_send(struct xsk *x)
{
	if (atomic_load_explicit(x->tx.producer, memory_order_relaxed) != x->tx.ours)
		atomic_store_explicit(x->tx.producer, x->tx.ours, memory_order_release);
	/* Without zero-copy the call sends, a limited number each time; else it only wakes the driver. */
	for (unsigned i = 0; i < SEND_TRIES && wants_wakeup(&x->tx); i++) {
		if (atomic_load_explicit(x->tx.consumer, memory_order_relaxed) == x->tx.ours)
			break;
		if (sendto(x->fd, NULL, 0, MSG_DONTWAIT, NULL, 0) < 0 && errno != EAGAIN
			&& errno != EBUSY && errno != ENOBUFS)
			break;
	}
	collect_sent(x);
}

struct xsk_drops xsk_drops(const struct xsk *x)
{
	struct xdp_statistics s = {0};
	socklen_t len = sizeof s;

	if (getsockopt(x->fd, SOL_XDP, XDP_STATISTICS, &s, &len) != 0)
		return (struct xsk_drops){0};
	return (struct xsk_drops){
		.no_room = s.rx_dropped + s.rx_ring_full + s.rx_fill_ring_empty_descs,
		.invalid = s.tx_invalid_descs};
}
