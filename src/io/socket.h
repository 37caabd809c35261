/* socket.h - addresses as the configuration writes them, and sockets made from them. Every socket is
 * close-on-exec and non-blocking. */
#pragma once

#include "base/err.h"
#include "base/ip.h"

#include <sys/socket.h>

struct socket_address {
	struct sockaddr_storage storage;
	socklen_t len;
};

struct socket_address_text {
	char s[128];
};

/* "127.0.0.1:25", "[::1]:25", "unix:/run/x.sock". */
bool socket_address_parse(struct slice text, struct socket_address *ret, struct err *err);
bool socket_address_of(const struct ip *ip, uint16_t port, struct socket_address *ret);
struct socket_address_text socket_address_text(const struct socket_address *a);
/* IPv4-mapped addresses come out as IPv4; family 0 for Unix sockets. */
struct ip socket_address_ip(const struct socket_address *a, uint16_t *ret_port);

/* Each returns a descriptor, or -1 with words in err. */
int socket_listen(const struct socket_address *a,
	struct err *err); /* TCP or Unix stream; replaces a stale Unix socket */
int socket_bind_udp(const struct socket_address *a, bool reuseport, struct err *err);
int socket_connect_stream(
	const struct socket_address *a, struct err *err); /* non-blocking connect */
int socket_connect_udp(
	const struct socket_address *a, struct err *err); /* a random port, connected */
/* The next connection of a listener; -1 with errno EAGAIN when none waits. */
int socket_accept(int listener, struct socket_address *ret_peer);
/* The address a listening or bound socket got (after port 0). */
bool socket_local(int fd, struct socket_address *ret);
