/* top_draw.c - rates as a screen, and as tables. */
#include "tools/top_private.h"

#include "base/attr.h"
#include "base/duration.h"
#include "tools/dns_private.h"
#include "tools/table.h"
#include "tools/words.h"

#define GAP 2
#define NUMBER_WIDTH 11
#define WIDE 160 /* four parts beside each other, else two and two */

static const struct {
	const char *name, *title;
} parts[TOP_PARTS] = {
	[TOP_LISTS] = {"lists", "HITS BY LIST"},
	[TOP_ZONES] = {"zones", "ZONES"},
	[TOP_CLIENTS] = {"clients", "CLIENTS"},
	[TOP_NAMES] = {"names", "LISTED ADDRESSES AND NAMES"},
};

struct rate_text {
	char s[40];
};

/* In a second. */
static struct rate_text rate_text(double v)
{
	struct rate_text t;

	if (v < 9.95)
		snprintf(t.s, sizeof t.s, "%.1f", v);
	else
		snprintf(t.s, sizeof t.s, "%s", dns_count((int64_t)(v + 0.5)).s);
	return t;
}

/* With a "+" where it may be more than a tenth higher: there were more keys than places. */
static struct rate_text item_rate(const json_t *item)
{
	double least = json_real_value(json_object_get(item, "least")),
	       most = json_real_value(json_object_get(item, "most"));
	struct rate_text t = rate_text(least);
	size_t len = strlen(t.s);

	if (most > least * 1.1 && len + 1 < sizeof t.s)
		memcpy(t.s + len, "+", 2);
	return t;
}

static struct rate_text bytes_text(double v)
{
	static const char *const units[] = {"B/s", "kB/s", "MB/s", "GB/s"};
	struct rate_text t;
	size_t unit = 0;

	for (; v >= 999.5 && unit + 1 < ARRAY_LEN(units); unit++)
		v /= 1000;
	snprintf(t.s, sizeof t.s, v < 9.95 && unit ? "%.1f %s" : "%.0f %s", v, units[unit]);
	return t;
}

static struct rate_text time_span(double us)
{
	struct rate_text t;

	if (us < 1000)
		snprintf(t.s, sizeof t.s, us < 10 ? "%.1f us" : "%.0f us", us);
	else if (us < 1e6)
		snprintf(t.s, sizeof t.s, us < 1e4 ? "%.1f ms" : "%.0f ms", us / 1000);
	else
		snprintf(t.s, sizeof t.s, "%.1f s", us / 1e6);
	return t;
}

/* With its share of all. */
static void add_share(struct buf *to, double part, double of)
{
	buf_addf(to, "%s (%.0f%%)", rate_text(part).s, of > 0 ? 100 * part / of : 0);
}

/* ---- the lines on top ---- */

static void title_line(const struct top_rates *r, struct buf *to)
{
	int64_t now_ms = reply_number(r->now, "now"), started_ms = reply_number(r->now, "started"),
		every = reply_number(r->now, "every");

	buf_addf(to, "sekisho-dnsd %s  up %s  %s TCP sessions", reply_text(r->now, "version").ptr,
		duration_text(MAX(now_ms / 1000 - started_ms / 1000, 0)).s,
		dns_count(reply_number(r->now, "tcp_sessions")).s);
	if (every > 1)
		buf_addf(to, "  one in %s sampled", dns_count(every).s);
}

static void queries_line(const struct top_rates *r, struct buf *to)
{
	buf_addf(to, "queries %s/s ", rate_text(r->queries).s);
	for (size_t i = 0; i < r->transport_count; i++)
		buf_addf(
			to, " %s %s", r->transports[i].name, rate_text(r->transports[i].queries).s);
	buf_addf(to, "  in %s  out %s", bytes_text(r->received_bytes).s,
		bytes_text(r->sent_bytes).s);
}

static void answers_line(const struct top_rates *r, struct buf *to)
{
	buf_add_str(to, "listed ");
	add_share(to, r->listed, r->queries);
	buf_add_str(to, "  nxdomain ");
	add_share(to, r->nxdomain, r->queries);
	buf_addf(to, "  refused %s  errors %s  dropped %s  limited %s", rate_text(r->refused).s,
		rate_text(r->errors).s, rate_text(r->dropped).s, rate_text(r->limited).s);
}

static void latency_line(const struct top_rates *r, struct buf *to)
{
	buf_add_str(to, "latency of UDP");
	if (!r->has_latency)
		buf_add_str(to, "  -");
	for (size_t i = 0; i < TOP_QUANTILES && r->has_latency; i++)
		buf_addf(to, "  %g%% %s", 100 * top_quantiles[i], time_span(r->latency_us[i]).s);
}

/* ---- a screen ---- */

/* Where a part has its place. */
struct pane {
	size_t left, top, width, height;
};

static void add_mark(struct buf *to, const struct top_screen *s, char mark)
{
	if (s->marks)
		buf_add_char(to, mark);
}

static void line(struct buf *to, const struct top_screen *s, size_t *ret_line, char mark,
	void (*fn)(const struct top_rates *r, struct buf *to), const struct top_rates *r)
{
	_cleanup_buf_ struct buf text = BUF_INIT(4096);

	if (*ret_line >= s->height)
		return;
	fn(r, &text);
	buf_add_str(to, *ret_line ? "\n" : "");
	add_mark(to, s, mark);
	words_fit(to, buf_slice(&text), s->width, false);
	add_mark(to, s, TOP_PLAIN);
	++*ret_line;
}

/* The pane's n-th line: its title, then items. */
static void pane_line(const struct top_rates *r, enum top_part part, const struct pane *p, size_t n,
	const struct top_screen *s, struct buf *to)
{
	const json_t *items = json_object_get(r->now, parts[part].name),
		     *item = n ? json_array_get(items, n - 1) : NULL;
	size_t name_width = p->width > NUMBER_WIDTH + GAP ? p->width - NUMBER_WIDTH - GAP : 0;
	struct slice name = n ? reply_text(item, "name") : slice_str(parts[part].title);

	add_mark(to, s, n ? TOP_PLAIN : TOP_BOLD);
	words_fit(to, name, name_width, false);
	words_fit(to, SLICE_EMPTY, GAP, false);
	words_fit(to,
		!n     ? SLICE("/s")
		: item ? slice_str(item_rate(item).s)
		       : SLICE_EMPTY,
		p->width - name_width - GAP, true);
	add_mark(to, s, TOP_PLAIN);
}

static void draw_panes(
	const struct top_rates *r, const struct top_screen *s, size_t at, struct buf *to)
{
	size_t across = s->width >= WIDE ? 4 : 2, down = TOP_PARTS / across,
	       rows = s->height > at ? s->height - at : 0,
	       width = (s->width - GAP * (across - 1)) / across;

	if (s->width < 2 * (NUMBER_WIDTH + GAP) + GAP)
		return;
	for (size_t row = 0; row < rows; row++) {
		size_t each = rows / down, band = each ? MIN(row / each, down - 1) : 0,
		       n = row - band * each;
		buf_add_char(to, '\n');
		for (size_t c = 0; c < across; c++) {
			struct pane p = {0, 0, width, each};
			if (c)
				words_fit(to, SLICE_EMPTY, GAP, false);
			pane_line(r, (enum top_part)(down == 2 ? 2 * band + c : c), &p, n, s, to);
		}
	}
}

void top_draw(const struct top_rates *r, const struct top_screen *s, struct buf *to)
{
	size_t at = 0;

	line(to, s, &at, TOP_REVERSE, title_line, r);
	line(to, s, &at, TOP_PLAIN, queries_line, r);
	line(to, s, &at, TOP_PLAIN, answers_line, r);
	line(to, s, &at, TOP_PLAIN, latency_line, r);
	if (at < s->height) {
		buf_add_char(to, '\n');
		at++;
	}
	draw_panes(r, s, at, to);
}

/* ---- tables ---- */

void top_print(const struct top_rates *r, struct buf *to)
{
	title_line(r, to);
	buf_add_char(to, '\n');
	queries_line(r, to);
	buf_add_char(to, '\n');
	answers_line(r, to);
	buf_add_char(to, '\n');
	latency_line(r, to);
	buf_add_char(to, '\n');
	for (int i = 0; i < TOP_PARTS; i++) {
		const struct column columns[] = {COLUMN_TEXT(parts[i].title), COLUMN_NUMBER("/s")};
		struct table t = table_of(columns, ARRAY_LEN(columns));
		json_t *o;
		size_t k;

		json_array_foreach(json_object_get(r->now, parts[i].name), k, o)
		{
			table_cell(&t, reply_text(o, "name"));
			table_cellf(&t, "%s", item_rate(o).s);
		}
		buf_add_char(to, '\n');
		table_print(&t, SIZE_MAX, SIZE_MAX, to);
		table_done(&t);
	}
}
