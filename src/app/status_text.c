/* SPDX-License-Identifier: MIT */
#include "status_text.h"

#include <stdlib.h>
#include <string.h>

#include "figures.h"
#include "forcefs/model/stamp.h"
#include "page.h"

#define OBJECTS_SHOWN 20
#define NAME_LEAST    10
#define STATE_LEAST   20 /* columns for what stands last in a row */
#define NUMBER_WIDTH  11

struct sheet {
	struct page page;
	const struct status_view *view;
	const json_t *status;
};

/* ---- reading ---- */

static const char *text_of(const json_t *o, const char *name)
{
	const char *text = json_string_value(json_object_get(o, name));
	return text ? text : "";
}

static int64_t number_of(const json_t *o, const char *name)
{
	return json_integer_value(json_object_get(o, name));
}

static double part_of(int64_t part, int64_t whole)
{
	return whole > 0 ? (double)part / (double)whole : 0;
}

/* "5 min ago"; "never" where there is no time. */
static struct figure ago(const struct sheet *s, const json_t *o, const char *name)
{
	const char *text = text_of(o, name);
	int64_t ms;
	return stamp_parse(text, strlen(text), &ms) ? figure_ago(s->view->now_ms - ms)
						    : (struct figure){"never"};
}

/* ---- the lines at the top ---- */

static void add_heading(struct sheet *s)
{
	const char *org = text_of(s->status, "org"), *dir = text_of(s->status, "mountpoint");
	AUTO(buf) struct buf line;
	buf_init(&line, 8192);
	buf_addf(&line, "%s%s%s", org, *dir ? " on " : ", not mounted", dir);
	page_wrap(&s->page, 0, 2, buf_str(&line));
}

static void add_who(struct sheet *s)
{
	const char *url = text_of(s->status, "instance_url");
	const char *version = text_of(s->status, "api_version");
	const char *who = text_of(s->status, "identity"), *log_in = text_of(s->status, "log_in");
	if (*who) {
		page_line(&s->page, "who", "%s", who);
	}
	if (*url) {
		page_line(&s->page, "instance", "%s%s%s", url, *version ? ", API " : "", version);
	}
	if (*log_in) {
		page_line(&s->page, "log-in", "%s", log_in);
	}
}

static void add_mount(struct sheet *s)
{
	if (!json_object_get(s->status, "pid")) {
		return;
	}
	page_line(&s->page, "mounted", "for %s, %s, ttl %d s, process %d",
		figure_span(number_of(s->status, "uptime_s") * 1000).text,
		json_is_true(json_object_get(s->status, "read_only")) ? "read-only" : "writable",
		(int)number_of(s->status, "ttl_s"), (int)number_of(s->status, "pid"));
}

/* The text, with Salesforce's code if the text does not name it. */
static void add_failure(const json_t *failure, struct buf *out)
{
	const char *text = text_of(failure, "text"), *code = text_of(failure, "code");
	buf_add_str(out, text);
	if (*code && !strstr(text, code)) {
		buf_addf(out, " (%s)", code);
	}
}

static void add_network(struct sheet *s)
{
	const json_t *network = json_object_get(s->status, "network");
	const json_t *failure = json_object_get(network, "last_failure");
	bool offline = strcmp(text_of(network, "state"), "offline") == 0;
	if (!network) {
		return;
	}
	if (!offline) {
		page_line(&s->page, "network", "online");
	} else {
		page_line(&s->page, "network", "OFFLINE since %s; what is cached is shown",
			ago(s, network, "since").text);
	}
	if (json_is_object(failure)) {
		AUTO(buf) struct buf line;
		buf_init(&line, 2048);
		add_failure(failure, &line);
		page_line(&s->page, "", "last failure %s: %s", ago(s, failure, "time").text,
			buf_str(&line));
	}
}

static int bar_cells(const struct sheet *s)
{
	int room = s->page.width ? s->page.width - PAGE_LABEL_COLUMN - 20 : 30;
	return room > 30 ? 30 : room;
}

static void add_budget(struct sheet *s, const json_t *api)
{
	int64_t used = number_of(api, "used"), max = number_of(api, "max");
	int64_t reserve = number_of(api, "reserve");
	double part = part_of(used, max), mark = reserve > 0 ? 1 - part_of(reserve, max) : -1;
	if (max <= 0) {
		page_line(&s->page, "API calls", "the org's budget is not known yet");
		return;
	}
	bool bar = bar_cells(s) >= 10;
	if (bar) {
		page_line(&s->page, "API calls", "%s %s of the day's budget",
			figure_bar(bar_cells(s), part, mark).text, figure_percent(part).text);
	}
	page_line(&s->page, bar ? "" : "API calls", "%s of %s used, %s left%s",
		figure_count(used).text, figure_count(max).text,
		figure_count(max > used ? max - used : 0).text,
		reserve > 0 && max - used < reserve ? ": forcefs has stopped calling" : "");
	if (reserve > 0) {
		page_line(&s->page, "", "forcefs stops%s when fewer than %s are left",
			bar ? " at |" : "", figure_count(reserve).text);
	}
}

static void add_api(struct sheet *s)
{
	const json_t *api = json_object_get(s->status, "api");
	if (!api) {
		return;
	}
	add_budget(s, api);
	if (json_object_get(api, "calls_by_this_mount")) {
		page_line(&s->page, "", "%s by this mount, %s received",
			figure_count(number_of(api, "calls_by_this_mount")).text,
			figure_bytes((uint64_t)number_of(api, "bytes_in")).text);
	}
}

static void add_storage(struct sheet *s)
{
	const json_t *storage = json_object_get(s->status, "data_storage");
	int64_t max = number_of(storage, "max_mb"), left = number_of(storage, "left_mb");
	if (max > 0) {
		page_line(&s->page, "storage", "%s of %s MB of data storage used, %s",
			figure_count(max - left).text, figure_count(max).text,
			figure_percent(part_of(max - left, max)).text);
	}
}

static void add_cache(struct sheet *s)
{
	const json_t *cache = json_object_get(s->status, "cache");
	int64_t hits = number_of(cache, "hits"), misses = number_of(cache, "misses");
	int64_t limit = number_of(cache, "limit");
	if (!cache) {
		return;
	}
	page_line(&s->page, "cache", "%s%s%s in %s",
		figure_bytes((uint64_t)number_of(cache, "bytes")).text, limit > 0 ? " of " : "",
		limit > 0 ? figure_bytes((uint64_t)limit).text : "",
		strcmp(text_of(cache, "path"), ":memory:") == 0 ? "memory"
								: text_of(cache, "path"));
	page_line(&s->page, "", "hits %s, misses %s%s%s%s, checks for changes %s",
		figure_count(hits).text, figure_count(misses).text, hits + misses > 0 ? " (" : "",
		hits + misses > 0 ? figure_percent(part_of(hits, hits + misses)).text : "",
		hits + misses > 0 ? " hits)" : "", figure_count(number_of(cache, "checks")).text);
}

static void add_saves(struct sheet *s)
{
	const json_t *saves = json_object_get(s->status, "saves");
	if (saves) {
		page_line(&s->page, "saves", "%s done, %s failed, %s in progress",
			figure_count(number_of(saves, "done")).text,
			figure_count(number_of(saves, "failed")).text,
			figure_count(number_of(saves, "in_progress")).text);
	}
}

/* ---- the objects ---- */

static bool is_moving(const json_t *object)
{
	return json_is_true(json_object_get(json_object_get(object, "listing"), "running"));
}

/* What is being listed first, then what fills the cache. */
static int by_weight(const void *a, const void *b)
{
	const json_t *x = *(const json_t *const *)a, *y = *(const json_t *const *)b;
	int64_t n = number_of(x, "records"), m = number_of(y, "records");
	if (is_moving(x) != is_moving(y)) {
		return is_moving(x) ? -1 : 1;
	}
	return n != m ? (n > m ? -1 : 1) : strcmp(text_of(x, "name"), text_of(y, "name"));
}

static void add_listing_state(const json_t *listing, struct buf *out)
{
	int64_t records = number_of(listing, "records"), total = number_of(listing, "total");
	buf_addf(out, "%s%s",
		json_is_true(json_object_get(listing, "running")) ? "listing" : "in part",
		records || total ? ": " : "");
	if (records || total) {
		buf_addf(out, "%s", figure_count(records).text);
	}
	if (total > 0) {
		buf_addf(out, " of %s, %s", figure_count(total).text,
			figure_percent(part_of(records < total ? records : total, total)).text);
	}
}

static void add_state(struct sheet *s, const json_t *object, struct buf *out)
{
	const char *refused = text_of(object, "refused");
	const json_t *listing = json_object_get(object, "listing");
	if (*refused) {
		buf_addf(out, "cannot be listed (%s)", refused);
	} else if (json_is_object(listing)) {
		add_listing_state(listing, out);
	} else if (json_is_true(json_object_get(object, "complete"))) {
		buf_addf(out, "checked %s", ago(s, object, "checked").text);
	} else {
		buf_add_str(out, "not listed");
	}
}

/* The column of names: as wide as the longest, but the state keeps some room. */
static int name_width(const struct sheet *s, const json_t **objects, size_t count)
{
	int width = 6, room = s->page.width - 2 - 2 * NUMBER_WIDTH - 2 - STATE_LEAST;
	for (size_t i = 0; i < count; i++) {
		int columns = page_columns(text_of(objects[i], "name"));
		width = columns > width ? columns : width;
	}
	if (s->page.width > 0 && width > room) {
		width = room < NAME_LEAST ? NAME_LEAST : room;
	}
	return width;
}

static void add_row(struct sheet *s, const json_t *object, int width)
{
	int at = 2 + width + 2 * NUMBER_WIDTH + 2;
	bool below = s->page.width > 0 && at + STATE_LEAST > s->page.width;
	AUTO(buf) struct buf state;
	buf_init(&state, 512);
	add_state(s, object, &state);
	buf_add_str(s->page.out, "  ");
	page_cell(&s->page, width, text_of(object, "name"));
	buf_addf(s->page.out, "%*s%*s", NUMBER_WIDTH,
		figure_count(number_of(object, "records")).text, NUMBER_WIDTH,
		figure_bytes((uint64_t)number_of(object, "bytes")).text);
	if (below) {
		buf_addf(s->page.out, "\n%*s", 4, "");
		page_wrap(&s->page, 4, 4, buf_str(&state));
	} else {
		buf_add_str(s->page.out, "  ");
		page_wrap(&s->page, at, at, buf_str(&state));
	}
}

static void add_rest(struct sheet *s, const json_t **objects, size_t from, size_t count)
{
	int64_t records = 0;
	for (size_t i = from; i < count; i++) {
		records += number_of(objects[i], "records");
	}
	AUTO(buf) struct buf line;
	buf_init(&line, 256);
	buf_addf(&line, "and %zu more with %s records; --all shows them", count - from,
		figure_count(records).text);
	buf_add_str(s->page.out, "  ");
	page_wrap(&s->page, 2, 2, buf_str(&line));
}

static void add_objects(struct sheet *s)
{
	const json_t *list = json_object_get(s->status, "objects");
	size_t count = json_array_size(list), shown = count;
	AUTO_FREE const json_t **objects = calloc(count + 1, sizeof(*objects));
	if (!list || !objects) {
		return;
	}
	for (size_t i = 0; i < count; i++) {
		objects[i] = json_array_get(list, i);
	}
	qsort(objects, count, sizeof(*objects), by_weight);
	if (!s->view->all && count > OBJECTS_SHOWN + 1) {
		shown = OBJECTS_SHOWN;
	}
	int width = name_width(s, objects, shown);
	buf_add_char(s->page.out, '\n');
	if (count == 0) {
		page_line(&s->page, "objects", "nothing is cached yet");
		return;
	}
	buf_add_str(s->page.out, "  ");
	page_cell(&s->page, width, "object");
	buf_addf(s->page.out, "%*s%*s\n", NUMBER_WIDTH, "records", NUMBER_WIDTH, "size");
	for (size_t i = 0; i < shown; i++) {
		add_row(s, objects[i], width);
	}
	if (shown < count) {
		add_rest(s, objects, shown, count);
	}
}

/* ---- the last errors ---- */

static void add_error(struct sheet *s, const json_t *error, size_t times)
{
	const char *path = text_of(error, "path");
	AUTO(buf) struct buf line;
	buf_init(&line, 4096);
	buf_addf(&line, "%s %s: %s: ", text_of(error, "op"), *path ? path : ".",
		text_of(error, "errno"));
	add_failure(error, &line);
	if (times > 1) {
		buf_addf(&line, " (%zu times)", times);
	}
	page_line(&s->page, ago(s, error, "time").text, "%s", buf_str(&line));
}

/* How many entries from this one on say the same but for the time. */
static size_t same_errors(const json_t *list, size_t from)
{
	const json_t *first = json_array_get(list, from), *o;
	size_t n = 1;
	while ((o = json_array_get(list, from + n)) &&
		strcmp(text_of(o, "path"), text_of(first, "path")) == 0 &&
		strcmp(text_of(o, "op"), text_of(first, "op")) == 0 &&
		strcmp(text_of(o, "text"), text_of(first, "text")) == 0) {
		n++;
	}
	return n;
}

static void add_errors(struct sheet *s)
{
	const json_t *list = json_object_get(s->status, "last_errors");
	size_t count = json_array_size(list), times;
	int64_t all = number_of(s->status, "errors");
	if (count == 0) {
		return;
	}
	buf_addf(s->page.out, "\n  last errors");
	if (all > (int64_t)count) {
		buf_addf(s->page.out, " (%zu of %s)", count, figure_count(all).text);
	}
	buf_add_char(s->page.out, '\n');
	for (size_t i = 0; i < count; i += times) {
		times = same_errors(list, i);
		add_error(s, json_array_get(list, i), times);
	}
}

int status_text(const json_t *status, const struct status_view *view, struct buf *out)
{
	struct sheet s = {
		.page = {.out = out, .width = view->width}, .view = view, .status = status};
	add_heading(&s);
	add_who(&s);
	add_mount(&s);
	add_network(&s);
	add_api(&s);
	add_storage(&s);
	add_cache(&s);
	add_saves(&s);
	add_objects(&s);
	add_errors(&s);
	return buf_failed(out);
}
