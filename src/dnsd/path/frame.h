/* frame.h - a UDP datagram in an Ethernet frame, found, and the headers of the frame that answers it. For
 * frames that came past the network stack. */
#pragma once

#include "base/ip.h"

#define FRAME_HEADERS_MAX (14 + 4 + 40 + 8) /* Ethernet, VLAN tag, IPv6, UDP */

struct frame {
	struct ip from;
	uint16_t port;	  /* of the sender */
	uint16_t headers; /* bytes before the payload; the answer has as many */
	struct slice payload;
};

/* Whole, with one VLAN tag (802.1Q) or none, IPv4 without options or IPv6 without extension headers, from
 * one host. Checksums of what came are not looked at: a frame from the same machine has none yet, and the
 * link has its own. */
bool frame_parse(struct slice bytes, struct frame *ret);
/* out: a copy of nothing yet but the payload, which stands at out + f->headers. Writes the headers, back to
 * where `bytes` came from; returns the size of the frame. bytes: as they were parsed. */
size_t frame_answer(const struct frame *f, struct slice bytes, uint8_t *out, size_t payload_len);
