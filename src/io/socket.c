/* socket.c - addresses as the configuration writes them, and sockets made from them. */
#include "io/socket.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define BACKLOG 1024

bool socket_address_of(const struct ip *ip, uint16_t port, struct socket_address *ret)
{
	struct socket_address a = {.len = 0};

	if (ip->family == 4) {
		struct sockaddr_in in = {.sin_family = AF_INET, .sin_port = htons(port)};
		memcpy(&in.sin_addr, ip->bytes, 4);
		memcpy(&a.storage, &in, a.len = sizeof in);
	} else if (ip->family == 6) {
		struct sockaddr_in6 in = {.sin6_family = AF_INET6, .sin6_port = htons(port)};
		memcpy(&in.sin6_addr, ip->bytes, 16);
		memcpy(&a.storage, &in, a.len = sizeof in);
	} else {
		return false;
	}
	*ret = a;
	return true;
}

static bool parse_unix(struct slice path, struct socket_address *ret, struct err *err)
{
	struct sockaddr_un un = {.sun_family = AF_UNIX};
	struct socket_address a = {.len = sizeof un};

	if (path.len == 0 || !slice_copy(path, un.sun_path, sizeof un.sun_path))
		return err_set(err, ERR_LIMIT, "a Unix socket's path must have 1 to %zu bytes",
			sizeof un.sun_path - 1);
	memcpy(&a.storage, &un, sizeof un);
	*ret = a;
	return true;
}

bool socket_address_parse(struct slice text, struct socket_address *ret, struct err *err)
{
	struct slice host, port;
	struct ip ip;
	uint64_t n;

	if (slice_starts(text, SLICE("unix:")))
		return parse_unix(slice_skip(text, 5), ret, err);
	for (port = text; port.len && slice_find(port, ':') < port.len;)
		port = slice_skip(port, slice_find(port, ':') + 1);
	host = slice_take(text, text.len - port.len);
	if (host.len < 2)
		goto bad;
	host.len--; /* the colon */
	if (host.len > 2 && host.ptr[0] == '[' && host.ptr[host.len - 1] == ']')
		host = slice_of(host.ptr + 1, host.len - 2);
	else if (slice_find(host, ':') < host.len)
		goto bad; /* an IPv6 address without brackets: where would its port begin? */
	if (!ip_parse(host, &ip) || !slice_u64(port, 65535, &n))
		goto bad;
	return socket_address_of(&ip, (uint16_t)n, ret);
bad:
	return err_set(err, ERR_SYNTAX,
		"'%.*s' is not an address with a port: write 127.0.0.1:25, [::1]:25 or unix:/path",
		(int)(text.len > 100 ? 100 : text.len), text.ptr);
}

struct ip socket_address_ip(const struct socket_address *a, uint16_t *ret_port)
{
	struct ip ip = {0};
	struct sockaddr_in in;
	struct sockaddr_in6 in6;

	if (ret_port)
		*ret_port = 0;
	if (a->storage.ss_family == AF_INET) {
		memcpy(&in, &a->storage, sizeof in);
		ip.family = 4;
		memcpy(ip.bytes, &in.sin_addr, 4);
		if (ret_port)
			*ret_port = ntohs(in.sin_port);
	} else if (a->storage.ss_family == AF_INET6) {
		memcpy(&in6, &a->storage, sizeof in6);
		ip.family = 6;
		memcpy(ip.bytes, &in6.sin6_addr, 16);
		if (ret_port)
			*ret_port = ntohs(in6.sin6_port);
		ip = ip_unmap(ip);
	}
	return ip;
}

struct socket_address_text socket_address_text(const struct socket_address *a)
{
	struct socket_address_text t;
	struct sockaddr_un un;
	uint16_t port;
	struct ip ip;

	if (a->storage.ss_family == AF_UNIX) {
		memcpy(&un, &a->storage, sizeof un);
		snprintf(t.s, sizeof t.s, "unix:%.*s", (int)sizeof un.sun_path, un.sun_path);
		return t;
	}
	ip = socket_address_ip(a, &port);
	snprintf(t.s, sizeof t.s, ip.family == 6 ? "[%s]:%u" : "%s:%u", ip_text(&ip).s, port);
	return t;
}

static int fail(int fd, struct err *err, const char *what, const struct socket_address *a)
{
	err_errno(err, "cannot %s %s", what, socket_address_text(a).s);
	if (fd >= 0)
		close(fd);
	return -1;
}

static int open_socket(const struct socket_address *a, int type)
{
	return socket(a->storage.ss_family, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
}

static void set_option(int fd, int level, int name, int value)
{
	setsockopt(fd, level, name, &value, sizeof value);
}

/* A socket file that nobody listens on any more is in the way: remove it, but only that. */
static void remove_stale_unix(const struct socket_address *a)
{
	struct sockaddr_un un;
	struct stat st;
	int fd;

	memcpy(&un, &a->storage, sizeof un);
	if (lstat(un.sun_path, &st) != 0 || !S_ISSOCK(st.st_mode))
		return;
	fd = open_socket(a, SOCK_STREAM);
	if (fd < 0)
		return;
	if (connect(fd, (const struct sockaddr *)&a->storage, a->len) != 0 && errno == ECONNREFUSED)
		unlink(un.sun_path);
	close(fd);
}

int socket_listen(const struct socket_address *a, struct err *err)
{
	int fd = open_socket(a, SOCK_STREAM);

	if (fd < 0)
		return fail(fd, err, "make a socket for", a);
	if (a->storage.ss_family == AF_UNIX)
		remove_stale_unix(a);
	else
		set_option(fd, SOL_SOCKET, SO_REUSEADDR, 1);
	if (a->storage.ss_family == AF_INET6)
		set_option(fd, IPPROTO_IPV6, IPV6_V6ONLY, 1);
	if (bind(fd, (const struct sockaddr *)&a->storage, a->len) != 0 || listen(fd, BACKLOG) != 0)
		return fail(fd, err, "listen on", a);
	return fd;
}

int socket_bind_udp(const struct socket_address *a, bool reuseport, struct err *err)
{
	int fd = open_socket(a, SOCK_DGRAM);

	if (fd < 0)
		return fail(fd, err, "make a socket for", a);
	if (reuseport)
		set_option(fd, SOL_SOCKET, SO_REUSEPORT, 1);
	if (a->storage.ss_family == AF_INET6)
		set_option(fd, IPPROTO_IPV6, IPV6_V6ONLY, 1);
	if (bind(fd, (const struct sockaddr *)&a->storage, a->len) != 0)
		return fail(fd, err, "bind", a);
	return fd;
}

int socket_connect_stream(const struct socket_address *a, struct err *err)
{
	int fd = open_socket(a, SOCK_STREAM);

	if (fd < 0)
		return fail(fd, err, "make a socket for", a);
	if (a->storage.ss_family != AF_UNIX)
		set_option(fd, IPPROTO_TCP, TCP_NODELAY, 1);
	if (connect(fd, (const struct sockaddr *)&a->storage, a->len) != 0 && errno != EINPROGRESS)
		return fail(fd, err, "connect to", a);
	return fd;
}

int socket_connect_udp(const struct socket_address *a, struct err *err)
{
	int fd = open_socket(a, SOCK_DGRAM);

	if (fd < 0)
		return fail(fd, err, "make a socket for", a);
	if (connect(fd, (const struct sockaddr *)&a->storage, a->len) != 0)
		return fail(fd, err, "connect to", a);
	return fd;
}

int socket_accept(int listener, struct socket_address *ret_peer)
{
	struct socket_address a = {.len = sizeof a.storage};
	int fd = accept4(
		listener, (struct sockaddr *)&a.storage, &a.len, SOCK_NONBLOCK | SOCK_CLOEXEC);

	if (fd < 0)
		return -1;
	if (a.storage.ss_family == AF_INET || a.storage.ss_family == AF_INET6)
		set_option(fd, IPPROTO_TCP, TCP_NODELAY, 1);
	*ret_peer = a;
	return fd;
}

bool socket_local(int fd, struct socket_address *ret)
{
	struct socket_address a = {.len = sizeof a.storage};

	if (getsockname(fd, (struct sockaddr *)&a.storage, &a.len) != 0)
		return false;
	*ret = a;
	return true;
}
