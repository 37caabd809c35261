/* dnsbench.h - the parts of dnsbench: a DNS question generator and its judge, made for comparing servers
 * on one machine. Questions lie prebuilt in a file, each as u16 length (host order) and wire bytes. */
#pragma once

#include "common.h"

#include <stddef.h>
#include <stdint.h>

struct packets {
	uint8_t *bytes;
	uint32_t *at; /* count + 1 offsets in bytes, each behind its length */
	size_t count;
};

void packets_read(const char *path, struct packets *ret);
static inline const uint8_t *packet(const struct packets *p, size_t i, size_t *ret_len)
{
	const uint8_t *at = p->bytes + p->at[i];

	*ret_len = (size_t)at[0] | (size_t)at[1] << 8;
	return at + 2;
}

int echo_main(int argc, char **argv);
int make_main(int argc, char **argv);
int ask_main(int argc, char **argv);
int load_main(int argc, char **argv);
int tcp_main(int argc, char **argv);
int xdp_main(int argc, char **argv);
int compare_main(int argc, char **argv);
