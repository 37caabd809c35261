/* oracle_mail.c - our MIME walk and HTML tokenizer beside GMime and libxml2, on folders of real mail: the
 * same leaf parts byte for byte, and no link's host that libxml2 sees and we do not. Both are strong on
 * real mail; hostile mail is another matter, which is why they are oracles and not parts. */
#include "base/arena.h"
#include "base/mem.h"
#include "mail/links.h"

#include <dirent.h>
#include <gmime/gmime.h>
#include <libxml/HTMLparser.h>

static struct {
	unsigned mails, parts, part_differences, hosts, hosts_missed;
	bool verbose;
} seen;

/* ---- leaf parts ---- */

struct leaf {
	char type[80];
	struct buf bytes;
};

struct leaves {
	struct leaf items[MIME_MAX_PARTS];
	size_t count;
};

static void leaves_done(struct leaves *l)
{
	for (size_t i = 0; i < l->count; i++)
		buf_done(&l->items[i].bytes);
	l->count = 0;
}

static struct leaf *leaf_add(struct leaves *l, const char *type)
{
	struct leaf *leaf = &l->items[l->count++];

	snprintf(leaf->type, sizeof leaf->type, "%s", type);
	leaf->bytes = BUF_INIT(MIME_MAX_DECODED);
	return leaf;
}

static void ours(const struct mime_tree *t, struct leaves *l)
{
	for (size_t i = 0; i < t->count; i++)
		if (t->parts[i].is_leaf)
			mime_decode(&t->parts[i], &leaf_add(l, t->parts[i].type)->bytes);
}

static void gmime_leaf(GMimeObject *parent, GMimeObject *part, void *user)
{
	struct leaves *l = user;
	char *type = g_mime_content_type_get_mime_type(g_mime_object_get_content_type(part));
	struct leaf *leaf;

	if (GMIME_IS_MESSAGE_PART(part)) {
		GMimeMessage *inner = g_mime_message_part_get_message((GMimeMessagePart *)part);

		if (inner && l->count < MIME_MAX_PARTS)
			g_mime_message_foreach(inner, gmime_leaf, user);
	} else if (GMIME_IS_PART(part) && l->count < MIME_MAX_PARTS) {
		GMimeDataWrapper *content = g_mime_part_get_content((GMimePart *)part);
		GMimeStream *memory = g_mime_stream_mem_new();

		leaf = leaf_add(l, type);
		for (char *p = leaf->type; *p; p++)
			*p = ascii_lower(*p);
		if (content) {
			GByteArray *bytes;

			g_mime_data_wrapper_write_to_stream(content, memory);
			bytes = g_mime_stream_mem_get_byte_array((GMimeStreamMem *)memory);
			buf_add(&leaf->bytes, bytes->data, bytes->len);
		}
		g_object_unref(memory);
	}
	g_free(type);
}

static void theirs(struct slice mail, struct leaves *l)
{
	GMimeStream *stream = g_mime_stream_mem_new_with_buffer(mail.ptr, mail.len);
	GMimeParser *parser = g_mime_parser_new_with_stream(stream);
	GMimeMessage *message = g_mime_parser_construct_message(parser, NULL);

	if (message) {
		g_mime_message_foreach(message, gmime_leaf, l);
		g_object_unref(message);
	}
	g_object_unref(parser);
	g_object_unref(stream);
}

/* Without blanks at the ends of lines: RFC 2045, 6.7 (3) has quoted-printable drop them, GMime keeps them. */
static void without_line_blanks(struct buf *b)
{
	size_t to = 0;

	for (size_t i = 0; i < b->len; i++) {
		char c = b->ptr[i];

		if (c == '\n' || c == '\r')
			while (to && ascii_is_blank(b->ptr[to - 1]))
				to--;
		b->ptr[to++] = c;
	}
	while (to && ascii_is_space(b->ptr[to - 1]))
		to--;
	b->len = to;
}

/* GMime drops a last group of base64 that is not whole; we keep the bytes that are. */
static bool same_bytes(struct buf *a, struct buf *b)
{
	size_t n;

	without_line_blanks(a);
	without_line_blanks(b);
	n = MIN(a->len, b->len);
	return MAX(a->len, b->len) - n <= 2 && (n == 0 || memcmp(a->ptr, b->ptr, n) == 0);
}

static void compare_parts(const char *path, struct leaves *a, struct leaves *b)
{
	bool same = a->count == b->count;

	for (size_t i = 0; same && i < a->count; i++)
		same = strcmp(a->items[i].type, b->items[i].type) == 0
		       && same_bytes(&a->items[i].bytes, &b->items[i].bytes);
	seen.parts += (unsigned)a->count;
	if (same)
		return;
	seen.part_differences++;
	if (seen.verbose) {
		printf("%s: parts differ:", path);
		for (size_t i = 0; i < MAX(a->count, b->count); i++)
			printf(" %s/%zu:%s/%zu", i < a->count ? a->items[i].type : "-",
				i < a->count ? a->items[i].bytes.len : 0,
				i < b->count ? b->items[i].type : "-",
				i < b->count ? b->items[i].bytes.len : 0);
		putchar('\n');
	}
}

/* ---- links ---- */

struct xml_user {
	const struct links *links;
	const char *path;
};

static void xml_element(void *user, const xmlChar *name, const xmlChar **attributes)
{
	static const char *const wanted[] = {"href", "src", "action", "background"};
	const struct xml_user *u = user;

	for (; attributes && attributes[0]; attributes += 2) {
		struct domain host;
		struct ip ip;
		bool known = false;

		for (size_t i = 0; i < ARRAY_LEN(wanted); i++)
			known = known || strcmp((const char *)attributes[0], wanted[i]) == 0;
		if (!known || !attributes[1]
			|| !url_host(slice_str((const char *)attributes[1]), &host, &ip))
			continue;
		seen.hosts++;
		known = false;
		for (size_t i = 0; host.len && i < u->links->host_count; i++)
			known = known || domain_eq(&u->links->hosts[i].name, &host);
		for (size_t i = 0; !host.len && i < u->links->ip_count; i++)
			known = known || ip_eq(&u->links->ips[i], &ip);
		if (known)
			continue;
		seen.hosts_missed++;
		if (seen.verbose)
			printf("%s: link missed: %s\n", u->path, (const char *)attributes[1]);
	}
}

static void compare_links(const char *path, const struct mime_tree *t)
{
	htmlSAXHandler sax = {.startElement = xml_element};
	struct buf text = BUF_INIT(MIME_MAX_DECODED);
	struct arena *a = arena_new(LINKS_ARENA_SIZE);
	struct links l;

	for (size_t i = 0; i < t->count; i++) {
		struct xml_user user = {&l, path};
		htmlParserCtxtPtr ctxt;

		if (!t->parts[i].is_leaf || !mime_is(&t->parts[i], "text/html"))
			continue;
		arena_reset(a);
		buf_reset(&text);
		mime_text(&t->parts[i], &text);
		if (!links_init(&l, a, NULL) || text.len == 0)
			continue;
		links_add_html(&l, buf_slice(&text));
		ctxt = htmlCreatePushParserCtxt(
			&sax, &user, text.ptr, (int)MIN(text.len, 4), NULL, XML_CHAR_ENCODING_UTF8);
		if (text.len > 4)
			htmlParseChunk(ctxt, text.ptr + 4, (int)(text.len - 4), 0);
		htmlParseChunk(ctxt, "", 0, 1);
		htmlFreeParserCtxt(ctxt);
	}
	buf_done(&text);
	arena_free(a);
}

static void compare_file(const char *path)
{
	static struct leaves a, b;
	struct arena *arena = arena_new(MIME_ARENA_SIZE);
	struct buf mail = BUF_INIT((size_t)32 << 20);
	struct slice head, body;
	struct mime_tree t;
	char chunk[65536];
	FILE *f = fopen(path, "rb");
	size_t n;

	while (f && (n = fread(chunk, 1, sizeof chunk, f)) > 0)
		buf_add(&mail, chunk, n);
	if (f)
		fclose(f);
	header_split(buf_slice(&mail), &head, &body);
	/* GMime shall see no mbox line either. */
	body = slice_of(head.ptr, (size_t)(mail.ptr + mail.len - head.ptr));
	if (f && mime_parse(body, arena, &t)) {
		seen.mails++;
		ours(&t, &a);
		theirs(body, &b);
		compare_parts(path, &a, &b);
		compare_links(path, &t);
	}
	leaves_done(&a);
	leaves_done(&b);
	buf_done(&mail);
	arena_free(arena);
}

static void compare_folder(const char *folder)
{
	struct dirent *entry;
	char path[4096];
	DIR *d = opendir(folder);

	while (d && (entry = readdir(d)))
		if (slice_ends_nocase(slice_str(entry->d_name), SLICE(".eml"))) {
			snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
			compare_file(path);
		}
	if (d)
		closedir(d);
}

static void xml_silence(void *user, const char *format, ...)
{
	(void)user;
	(void)format;
}

/* Where tools/fetch-corpus puts the mails. */
static void compare_corpus(void)
{
	static const char *const groups[] = {
		"spam-1", "spam-2", "easy-ham-1", "easy-ham-2", "hard-ham-1"};
	const char *corpus = getenv("SEKISHO_CORPUS"), *cache = getenv("XDG_CACHE_HOME"),
		   *home = getenv("HOME");
	struct buf path = BUF_INIT(4096);

	for (size_t i = 0; i < ARRAY_LEN(groups); i++) {
		buf_reset(&path);
		if (corpus && corpus[0])
			buf_addf(&path, "%s/%s", corpus, groups[i]);
		else
			buf_addf(&path, "%s%s/sekisho/corpus/%s",
				cache && cache[0] ? cache
				: home		  ? home
						  : "",
				cache && cache[0] ? "" : "/.cache", groups[i]);
		compare_folder(buf_str(&path));
	}
	buf_done(&path);
}

int main(int argc, char **argv)
{
	xmlSetGenericErrorFunc(NULL, xml_silence);
	seen.verbose = getenv("VERBOSE") != NULL;
	g_mime_init();
	for (int i = 1; i < argc; i++)
		compare_folder(argv[i]);
	if (argc == 1)
		compare_corpus();
	printf("%u mails, %u parts, %u mails whose parts differ, %u links, %u hosts missed\n",
		seen.mails, seen.parts, seen.part_differences, seen.hosts, seen.hosts_missed);
	if (seen.mails == 0)
		return 77; /* meson: skipped; tools/fetch-corpus takes the mails */
	return seen.part_differences * 100 > seen.mails || seen.hosts_missed * 1000 > seen.hosts;
}
