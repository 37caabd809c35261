/* bench_echo.c - sends every question back as an answer to itself: what the kernel takes for a packet in and
 * one out, and so the least that any server on sockets can take. */
#include "dnsbench.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <sys/socket.h>

#define BATCH 64
#define SIZE 1536

static struct mmsghdr messages[BATCH];
static struct iovec parts[BATCH];
static struct sockaddr_in peers[BATCH];
static uint8_t bytes[BATCH][SIZE];

static int open_socket(const char *port)
{
	struct sockaddr_in at = {
		.sin_family = AF_INET,
		.sin_port = htons((uint16_t)strtoul(port, NULL, 10)),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), room = 4 << 20;

	setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &room, sizeof room);
	setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &room, sizeof room);
	if (fd < 0 || bind(fd, (struct sockaddr *)&at, sizeof at) != 0)
		fail("socket");
	return fd;
}

int echo_main(int argc, char **argv)
{
	int fd, n, sent, rc;

	if (argc != 2)
		return 2;
	fd = open_socket(argv[1]);
	for (int i = 0; i < BATCH; i++) {
		parts[i].iov_base = bytes[i];
		messages[i].msg_hdr.msg_iov = &parts[i];
		messages[i].msg_hdr.msg_iovlen = 1;
		messages[i].msg_hdr.msg_name = &peers[i];
	}
	for (;;) {
		for (int i = 0; i < BATCH; i++) {
			parts[i].iov_len = SIZE;
			messages[i].msg_hdr.msg_namelen = sizeof peers[i];
		}
		n = recvmmsg(fd, messages, BATCH, MSG_WAITFORONE, NULL);
		for (int i = 0; i < n; i++) {
			bytes[i][2] |= 0x84; /* a reply, with authority */
			parts[i].iov_len = messages[i].msg_len;
		}
		for (sent = 0; sent<n; sent += rc> 0 ? rc : 1)
			rc = sendmmsg(fd, messages + sent, (unsigned)(n - sent), 0);
	}
}
