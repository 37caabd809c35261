/* writer.c - a reply, written into memory of fixed size. */
#include "dns/writer.h"

#include "base/attr.h"

#define OPT_SIZE 11

void dns_writer_start(struct dns_writer *w, uint8_t *dst, size_t size, struct slice message,
	const struct dns_question *q)
{
	w->start = dst;
	w->end = w->options_end = dst + size - (q->edns ? OPT_SIZE : 0);
	w->at = dst + DNS_HEADER_SIZE;
	w->question = q;
	memset(w->counts, 0, sizeof w->counts);
	w->overflow = w->record_overflow = false;
	w->name_count = 0;
	if (q->end == 0)
		return;
	memcpy(w->at, message.ptr + DNS_HEADER_SIZE, q->end - DNS_HEADER_SIZE);
	w->at = dst + q->end;
	w->names[0].name = &q->name;
	w->names[0].at = DNS_HEADER_SIZE;
	w->names[0].literal = q->name.len;
	w->name_count = 1;
}

static uint8_t *room(struct dns_writer *w, size_t n)
{
	uint8_t *p = w->at;

	if (n > (size_t)(w->end - p)) {
		w->record_overflow = true;
		return NULL;
	}
	w->at += n;
	return p;
}

void dns_record_begin(struct dns_writer *w, uint16_t owner_at, uint16_t type, uint32_t ttl)
{
	uint8_t *p;

	w->undo = w->at;
	w->undo_names = w->name_count;
	w->record_overflow = false;
	p = room(w, 12);
	if (!p)
		return;
	dns_put_u16(p, 0xc000 | owner_at);
	dns_put_u16(p + 2, type);
	dns_put_u16(p + 4, DNS_IN);
	dns_put_u32(p + 6, ttl);
	w->rdata = w->at;
}

void dns_record_bytes(struct dns_writer *w, const void *bytes, size_t len)
{
	uint8_t *p = room(w, len);

	if (p && len)
		memcpy(p, bytes, len);
}

void dns_record_u16(struct dns_writer *w, uint16_t v)
{
	uint8_t *p = room(w, 2);

	if (p)
		dns_put_u16(p, v);
}

void dns_record_u32(struct dns_writer *w, uint32_t v)
{
	uint8_t *p = room(w, 4);

	if (p)
		dns_put_u32(p, v);
}

/* Where in the message the last `len` bytes of `name` already stand; 0 when nowhere. */
static unsigned find_suffix(const struct dns_writer *w, const struct domain *name, unsigned len)
{
	const uint8_t *suffix = name->wire + name->len - len;

	for (unsigned i = 0; i < w->name_count; i++) {
		const struct domain *k = w->names[i].name;
		unsigned from = (unsigned)k->len - len, label = 0;
		if (k->len < len || from >= w->names[i].literal || w->names[i].at + from > 0x3fff
			|| memcmp(k->wire + from, suffix, len) != 0)
			continue;
		while (label < from)
			label += k->wire[label] + 1u;
		if (label == from)
			return w->names[i].at + from;
	}
	return 0;
}

void dns_record_name(struct dns_writer *w, const struct domain *name)
{
	unsigned literal = 0, target = 0, at = (unsigned)(w->at - w->start);

	while (name->wire[literal] != 0
		&& (target = find_suffix(w, name, name->len - literal)) == 0)
		literal += name->wire[literal] + 1u;
	dns_record_bytes(w, name->wire, literal);
	if (target)
		dns_record_u16(w, (uint16_t)(0xc000 | target));
	else
		dns_record_bytes(w, "", 1);
	if (literal && w->name_count < DNS_WRITER_NAMES && !w->record_overflow) {
		w->names[w->name_count].name = name;
		w->names[w->name_count].at = (uint16_t)at;
		w->names[w->name_count].literal = (uint8_t)literal;
		w->name_count++;
	}
}

void dns_record_text(struct dns_writer *w, struct slice text)
{
	do {
		struct slice part = slice_take(text, 255);
		uint8_t *p = room(w, part.len + 1);
		if (!p)
			return;
		p[0] = (uint8_t)part.len;
		memcpy(p + 1, part.ptr, part.len);
		text = slice_skip(text, part.len);
	} while (text.len);
}

void dns_record_begin_of(
	struct dns_writer *w, const struct domain *owner, uint16_t type, uint32_t ttl)
{
	uint8_t *p;

	w->undo = w->at;
	w->undo_names = w->name_count;
	w->record_overflow = false;
	dns_record_name(w, owner);
	p = room(w, 10);
	if (!p)
		return;
	dns_put_u16(p, type);
	dns_put_u16(p + 2, DNS_IN);
	dns_put_u32(p + 4, ttl);
	w->rdata = w->at;
}

bool dns_record_end(struct dns_writer *w, enum dns_section section)
{
	size_t len = w->record_overflow ? 0 : (size_t)(w->at - w->rdata);

	if (w->record_overflow || len > UINT16_MAX || w->counts[section] == UINT16_MAX) {
		w->at = w->undo;
		w->name_count = w->undo_names;
		w->overflow = w->overflow || section == DNS_ANSWER;
		return false;
	}
	dns_put_u16(w->rdata - 2, (uint16_t)len);
	w->counts[section]++;
	return true;
}

bool dns_writer_option(struct dns_writer *w, enum dns_option code, struct slice value)
{
	if (!w->question->edns || value.len + 4 > (size_t)(w->end - w->at))
		return false;
	w->end -= value.len + 4;
	dns_put_u16(w->end, (uint16_t)code);
	dns_put_u16(w->end + 2, (uint16_t)value.len);
	memcpy(w->end + 4, value.ptr, value.len);
	return true;
}

static void write_opt(struct dns_writer *w, unsigned rcode)
{
	uint8_t *p = w->at;
	size_t options = (size_t)(w->options_end - w->end);

	memmove(p + OPT_SIZE, w->end, options); /* first: the header may lie over them */
	memset(p, 0, OPT_SIZE);
	dns_put_u16(p + 1, DNS_OPT);
	dns_put_u16(p + 3, DNS_UDP_EDNS);
	p[5] = (uint8_t)(rcode >> 4);
	/* DO comes back as it was (RFC 3225, 3), so does CO. */
	p[7] = (w->question->dnssec_ok ? 0x80 : 0) | (w->question->compact_ok ? 0x40 : 0);
	dns_put_u16(p + 9, (uint16_t)options);
	w->at += OPT_SIZE + options;
	w->counts[DNS_ADDITIONAL]++;
}

size_t dns_writer_finish(struct dns_writer *w, unsigned flags, unsigned rcode)
{
	const struct dns_question *q = w->question;
	uint8_t *p = w->start;

	if (q->edns)
		write_opt(w, rcode);
	flags |= DNS_QR | (q->flags & (DNS_OPCODE | DNS_RD)) | (rcode & DNS_RCODE);
	if (w->overflow)
		flags |= DNS_TC;
	dns_put_u16(p, q->id);
	dns_put_u16(p + 2, (uint16_t)flags);
	dns_put_u16(p + 4, q->end != 0);
	for (unsigned i = 0; i < 3; i++)
		dns_put_u16(p + 6 + 2 * i, w->counts[i]);
	return (size_t)(w->at - p);
}
