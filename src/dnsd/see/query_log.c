/* query_log.c - every question on a line: "time peer name type class: rcode/answers/size". */
#include "dnsd/see/query_log.h"

#include "base/mem.h"
#include "io/file.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <unistd.h>

#define TOGETHER 8192 /* bytes that wait for more */

struct query_log {
	pthread_mutex_t lock;
	char *path; /* NULL: standard output */
	bool at_once;
	int fd;
	struct buf waiting;
};

static int open_file(const char *path, struct err *err)
{
	int fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_NONBLOCK | O_CLOEXEC, 0644);

	if (fd < 0)
		err_errno(err, "%s", path);
	return fd;
}

struct query_log *query_log_new(const char *path, bool at_once, struct err *err)
{
	bool out = strcmp(path, "-") == 0;
	int fd = out ? STDOUT_FILENO : open_file(path, err);
	struct query_log *l;

	if (fd < 0)
		return NULL;
	l = mem_new(1, sizeof *l);
	pthread_mutex_init(&l->lock, NULL);
	l->path = out ? NULL : mem_str(path);
	l->at_once = at_once;
	l->fd = fd;
	l->waiting = BUF_INIT(TOGETHER + 4096);
	return l;
}

/* What cannot be written now is lost: questions must not wait for a disk. */
static void write_out(struct query_log *l)
{
	if (l->waiting.len)
		file_write_all(l->fd, buf_slice(&l->waiting), NULL);
	buf_reset(&l->waiting);
}

struct query_log *query_log_free(struct query_log *l)
{
	if (!l)
		return NULL;
	write_out(l);
	if (l->path)
		close(l->fd);
	buf_done(&l->waiting);
	pthread_mutex_destroy(&l->lock);
	free(l->path);
	free(l);
	return NULL;
}

struct word {
	char s[16];
};

struct number_name {
	unsigned number;
	const char *name;
};

/* Names as rbldnsd has them; "type65" for the others. */
static struct word word_of(const struct number_name *names, const char *kind, unsigned number)
{
	struct word w;

	while (names->name && names->number != number)
		names++;
	if (names->name)
		snprintf(w.s, sizeof w.s, "%s", names->name);
	else
		snprintf(w.s, sizeof w.s, "%s%u", kind, number);
	return w;
}

static const struct number_name types[] = {{DNS_A, "A"}, {DNS_NS, "NS"}, {DNS_CNAME, "CNAME"},
	{DNS_SOA, "SOA"}, {DNS_PTR, "PTR"}, {DNS_HINFO, "HINFO"}, {DNS_MX, "MX"}, {DNS_TXT, "TXT"},
	{DNS_AAAA, "AAAA"}, {DNS_IXFR, "IXFR"}, {DNS_AXFR, "AXFR"}, {DNS_ANY, "ANY"}, {0, NULL}};
static const struct number_name classes[] = {
	{DNS_IN, "IN"}, {DNS_CH, "CH"}, {DNS_CLASS_ANY, "ANY"}, {0, NULL}};
static const struct number_name rcodes[] = {{DNS_NOERROR, "NOERROR"}, {DNS_FORMERR, "FORMERR"},
	{DNS_SERVFAIL, "SERVFAIL"}, {DNS_NXDOMAIN, "NXDOMAIN"}, {DNS_NOTIMP, "NOTIMPL"},
	{DNS_REFUSED, "REFUSED"}, {0, NULL}};

/* The question's name in lower case, the key in it as "*". */
static void add_name(struct buf *to, const struct domain *name, unsigned key_at)
{
	struct domain shown = *name;

	if (key_at) {
		unsigned size = name->wire[key_at - 1];
		shown.wire[key_at - 1] = 1;
		shown.wire[key_at] = '*';
		memcpy(shown.wire + key_at + 1, name->wire + key_at + size,
			name->len - key_at - size);
		shown.len = (uint8_t)(name->len - size + 1);
	}
	buf_add_str(to, domain_text(&shown).s);
}

void query_log_add(struct query_log *l, const struct ip *peer, int64_t now_s, struct slice message,
	struct slice reply, const struct answer_note *note)
{
	const uint8_t *m = (const uint8_t *)message.ptr;
	struct domain name;
	size_t at = reply.len ? dns_name_read(message, DNS_HEADER_SIZE, &name) : 0;

	if (!at || at + 4 > message.len)
		return;
	pthread_mutex_lock(&l->lock);
	buf_addf(&l->waiting, "%" PRId64 " %s ", now_s, ip_text(peer).s);
	add_name(&l->waiting, &name, note->key_at);
	buf_addf(&l->waiting, " %s %s: %s/%u/%zu\n", word_of(types, "type", dns_u16(m + at)).s,
		word_of(classes, "class", dns_u16(m + at + 2)).s,
		word_of(rcodes, "rcode", note->rcode).s,
		(unsigned)dns_u16((const uint8_t *)reply.ptr + 6), reply.len);
	if (l->at_once || l->waiting.len >= TOGETHER)
		write_out(l);
	pthread_mutex_unlock(&l->lock);
}

void query_log_flush(struct query_log *l)
{
	pthread_mutex_lock(&l->lock);
	write_out(l);
	pthread_mutex_unlock(&l->lock);
}

bool query_log_reopen(struct query_log *l, struct err *err)
{
	int fd = l->path ? open_file(l->path, err) : -1;

	pthread_mutex_lock(&l->lock);
	write_out(l);
	if (fd >= 0) {
		close(l->fd);
		l->fd = fd;
	}
	pthread_mutex_unlock(&l->lock);
	return fd >= 0 || !l->path;
}
