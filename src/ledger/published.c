/* published.c - the store's listings as the index has them: a whole snapshot, one record of the log. */
#include "index/builder.h"
#include "index/changelog.h"
#include "io/file.h"
#include "io/random.h"
#include "ledger/publish_private.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sys/stat.h>
#include <unistd.h>

#define SNAPSHOT_BYTES_MAX ((size_t)16 << 30)

/* Whole seconds, upwards: nothing ends before its time. */
static int64_t expires_s(int64_t expires_ms)
{
	return expires_ms > 0 ? MIN((expires_ms + 999) / 1000, (int64_t)UINT32_MAX) : 0;
}

static bool kind_fits(const struct config_list *c, const struct subject *s)
{
	return (c->kind == LIST_IP) == (s->kind == SUBJECT_PREFIX);
}

static struct value value_of(const struct config_list *c, uint32_t code, struct slice text)
{
	return (struct value){
		.code = code ? code : c->code, .text = text.len ? text : slice_str(c->text)};
}

struct building {
	struct builder_set *set;
	const struct config_list *list;
};

static bool build_one(void *ctx, const struct listing *g)
{
	struct building *b = ctx;
	struct value v = value_of(b->list, g->code, slice_str(g->text));
	struct subject s;
	uint32_t value;

	if (!subject_parse(slice_str(g->subject), &s, NULL) || !kind_fits(b->list, &s))
		return true;
	value = builder_value(b->set, v.code, v.text);
	if (s.kind == SUBJECT_PREFIX)
		builder_add_prefix(b->set, &s.prefix, value, expires_s(g->expires_ms));
	else
		builder_add_name(b->set, &s.domain, SCOPE_BOTH, value, expires_s(g->expires_ms));
	return true;
}

bool published_build(struct store *s, const struct ledger *l, struct buf *ret, int64_t *ret_serial,
	struct err *err)
{
	struct builder *builder;
	int64_t serial;
	uint8_t seed[16];
	bool ok = true;

	/* First of all reads: it fixes the state that the connection sees. */
	if (!store_serial(s, &serial, err))
		return false;
	random_bytes(seed, sizeof seed);
	builder = builder_new((uint64_t)serial, seed);
	for (size_t i = 0; ok && i < ledger_list_count(l); i++) {
		const struct ledger_list *list = ledger_list_at(l, i);
		struct set_meta meta = meta_plain(list->config->kind == LIST_IP ? SET_IP : SET_NAME,
			SET_FIRST, (uint32_t)list->config->ttl);
		struct building b = {builder_set_new(builder, slice_str(list->config->name), &meta),
			list->config};

		ok = store_listing_each(s, list->id, "", -1, build_one, &b, err);
	}
	ok = ok && builder_write(builder, ret, err);
	builder_free(builder);
	if (ok)
		*ret_serial = serial;
	return ok;
}

bool published_write(struct store *s, const struct ledger *l, const char *path, int64_t *ret_serial,
	struct err *err)
{
	_cleanup_buf_ struct buf bytes = BUF_INIT(SNAPSHOT_BYTES_MAX);
	bool ok;
	int fd;

	if (!published_build(s, l, &bytes, ret_serial, err))
		return false;
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	if (fd < 0)
		return err_errno(err, "cannot make %s", path);
	ok = file_write_all(fd, buf_slice(&bytes), err);
	if (!ok)
		err_prefix(err, "%s: ", path);
	else if (fchmod(fd, 0644) != 0 || fsync(fd) != 0)
		ok = err_errno(err, "cannot finish %s", path);
	close(fd);
	if (!ok)
		(void)unlink(path);
	return ok;
}

bool published_change(
	const struct ledger *l, const struct store_change *c, struct buf *to, struct err *err)
{
	const struct ledger_list *list = ledger_list_find(l, c->list_name);
	struct change change = {
		.serial = (uint64_t)c->serial,
		.op = c->op == STORE_OP_PUT ? CHANGE_ADD : CHANGE_REMOVE,
		.set = c->list_name,
	};
	struct subject s;

	if (!list || !subject_parse(c->subject, &s, NULL) || !kind_fits(list->config, &s))
		return true;
	change.is_name = s.kind == SUBJECT_DOMAIN;
	change.scope = SCOPE_BOTH;
	change.prefix = s.prefix;
	change.name = s.domain;
	change.value = value_of(list->config, c->code, c->text);
	change.expires_s = expires_s(c->expires_ms);
	return change_encode(&change, to, err);
}
