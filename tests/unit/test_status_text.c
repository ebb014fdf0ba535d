/* SPDX-License-Identifier: MIT */
/* The page that forcefs status shows. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "status_text.h"

#define NOW_MS INT64_C(1782900672000) /* 2026-07-01T10:11:12Z */

/* ' stands for ". */
static json_t *parse(const char *text)
{
	AUTO_FREE char *json = strdup(text);
	for (char *p = json; *p; p++) {
		*p = *p == '\'' ? '"' : *p;
	}
	json_t *o = json_loads(json, 0, NULL);
	assert_non_null(o);
	return o;
}

static void show(json_t *status, int width, bool all, struct buf *out)
{
	const struct status_view view = {.width = width, .all = all, .now_ms = NOW_MS};
	buf_init(out, 1 << 20);
	assert_int_equal(status_text(status, &view, out), 0);
	json_decref(status);
}

static const char full[] =
	"{'org': 'acme', 'mountpoint': '/mnt/acme', 'identity': 'user U org O', 'instance_url': "
	"'https://acme.my.salesforce.com', 'api_version': '64.0', 'pid': 7, 'uptime_s': 7500, "
	"'read_only': false, 'ttl_s': 60, 'network': {'state': 'offline', 'since': "
	"'2026-07-01T10:06:12.000Z', 'last_failure': {'time': '2026-07-01T10:11:02.000Z', 'errno': "
	"'EHOSTUNREACH', 'code': '', 'text': 'no route'}}, 'api': {'used': 33000, 'max': 100000, "
	"'reserve': 20000, 'calls_by_this_mount': 3, 'requests': 5, 'bytes_in': 2048}, 'cache': "
	"{'path': '/c', 'bytes': 1024, 'limit': 2147483648, 'evictions': 0, 'hits': 3, 'misses': "
	"1, "
	"'checks': 2}, 'saves': {'done': 12, 'failed': 1, 'in_progress': 2}, 'objects': [{'name': "
	"'Account', 'records': 200, 'bytes': 2048, 'complete': true, 'checked': "
	"'2026-07-01T10:11:00.000Z', 'refused': null, 'listing': null}, {'name': 'Case', "
	"'records': "
	"1, 'bytes': 5, 'complete': false, 'checked': null, 'refused': null, 'listing': null}, "
	"{'name': 'Lead', 'records': 40, 'bytes': 5, 'complete': false, 'checked': null, "
	"'refused': "
	"null, 'listing': {'records': 40, 'total': 160, 'running': true}}, {'name': 'Vote', "
	"'records': 0, 'bytes': 0, 'complete': false, 'checked': null, 'refused': 'EPERM', "
	"'listing': null}], 'errors': 9, 'last_errors': [{'time': '2026-07-01T10:10:12.000Z', "
	"'path': 'Account/x.json', 'op': 'save', 'errno': 'EINVAL', 'code': 'BAD', 'text': 'no'}]}";

static void test_status_text__a_mount(void **state)
{
	AUTO(buf) struct buf out;
	(void)state;
	show(parse(full), 0, false, &out);
	assert_string_equal(buf_str(&out),
		"acme on /mnt/acme\n"
		"  who        user U org O\n"
		"  instance   https://acme.my.salesforce.com, API 64.0\n"
		"  mounted    for 2 h 5 min, writable, ttl 60 s, process 7\n"
		"  network    OFFLINE since 5 min ago; what is cached is shown\n"
		"             last failure 10 s ago: no route\n"
		"  API calls  [##########..............|.....] 33 % of the day's budget\n"
		"             33,000 of 100,000 used, 67,000 left\n"
		"             forcefs stops at | when fewer than 20,000 are left\n"
		"             3 by this mount, 2.0 KiB received\n"
		"  cache      1.0 KiB of 2.0 GiB in /c\n"
		"             hits 3, misses 1 (75 % hits), checks for changes 2\n"
		"  saves      12 done, 1 failed, 2 in progress\n"
		"\n"
		"  object     records       size\n"
		"  Lead            40        5 B  listing: 40 of 160, 25 %\n"
		"  Account        200    2.0 KiB  checked 12 s ago\n"
		"  Case             1        5 B  not listed\n"
		"  Vote             0        0 B  cannot be listed (EPERM)\n"
		"\n"
		"  last errors (1 of 9)\n"
		"  1 min ago  save Account/x.json: EINVAL: no (BAD)\n");
}

static void test_status_text__nothing_is_wider_than_the_terminal(void **state)
{
	(void)state;
	for (int width = 44; width < 120; width++) { /* the longest word fits from 44 on */
		AUTO(buf) struct buf out;
		show(parse(full), width, false, &out);
		for (char *line = out.data, *end; (end = strchr(line, '\n')); line = end + 1) {
			*end = '\0';
			if ((int)strlen(line) > width) {
				fail_msg("at %d: %s", width, line);
			}
		}
	}
}

static void test_status_text__the_same_error_stands_once(void **state)
{
	AUTO(buf) struct buf out;
	(void)state;
	show(parse("{'org': 'a', 'mountpoint': '/a', 'errors': 3, 'last_errors': ["
		   "{'time': '2026-07-01T10:10:12.000Z', 'path': '', 'op': 'readdir', 'errno': "
		   "'EIO', 'code': 'BAD', 'text': 'BAD it is'}, {'time': "
		   "'2026-07-01T09:10:12.000Z', 'path': '', 'op': 'readdir', 'errno': 'EIO', "
		   "'code': 'BAD', 'text': 'BAD it is'}, {'time': '2026-07-01T08:10:12.000Z', "
		   "'path': 'x', 'op': 'readdir', 'errno': 'EIO', 'code': '', 'text': 'other'}]}"),
		80, false, &out);
	assert_string_equal(buf_str(&out), "a on /a\n\n  last errors\n"
					   "  1 min ago  readdir .: EIO: BAD it is (2 times)\n"
					   "  2 h 1 min ago readdir x: EIO: other\n");
}

static void test_status_text__an_org_without_a_mount(void **state)
{
	AUTO(buf) struct buf out;
	(void)state;
	show(parse("{'org': 'acme', 'identity': 'user U org O', 'instance_url': 'https://a', "
		   "'api_version': '64.0', 'log_in': 'works', 'api': {'used': 90, 'max': 100, "
		   "'reserve': 20}, 'data_storage': {'max_mb': 2000, 'left_mb': 1500}}"),
		80, false, &out);
	assert_string_equal(buf_str(&out),
		"acme, not mounted\n"
		"  who        user U org O\n"
		"  instance   https://a, API 64.0\n"
		"  log-in     works\n"
		"  API calls  [###########################...] 90 % of the day's budget\n"
		"             90 of 100 used, 10 left: forcefs has stopped calling\n"
		"             forcefs stops at | when fewer than 20 are left\n"
		"  storage    500 of 2,000 MB of data storage used, 25 %\n");
}

static json_t *with_objects(int count)
{
	json_t *list = json_array();
	for (int i = 0; i < count; i++) {
		char name[32];
		snprintf(name, sizeof(name), "Object_%03d__c", i);
		json_array_append_new(list, json_pack("{s:s, s:i, s:i}", "name", name, "records", i,
						    "bytes", 1000 * i));
	}
	return json_pack("{s:s, s:s, s:o}", "org", "acme", "mountpoint", "/m", "objects", list);
}

static int count_lines(const char *text)
{
	int n = 0;
	for (; *text; text++) {
		n += *text == '\n';
	}
	return n;
}

static void test_status_text__none_and_many_objects(void **state)
{
	static const struct {
		int objects;
		bool all;
		int lines; /* heading, empty line, titles, rows, rest */
	} rows[] = {{0, false, 3}, {20, false, 23}, {21, false, 24}, {22, false, 24},
		{200, false, 24}, {200, true, 203}};
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		AUTO(buf) struct buf out;
		show(with_objects(rows[i].objects), 80, rows[i].all, &out);
		assert_int_equal(count_lines(buf_str(&out)), rows[i].lines);
	}
	AUTO(buf) struct buf none, many;
	show(with_objects(0), 80, false, &none);
	assert_non_null(strstr(buf_str(&none), "nothing is cached yet"));
	show(with_objects(200), 80, false, &many);
	assert_non_null(strstr(buf_str(&many), "  Object_199__c        199    194 KiB"));
	assert_non_null(
		strstr(buf_str(&many), "  and 180 more with 16,110 records; --all shows them\n"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_status_text__a_mount),
		cmocka_unit_test(test_status_text__nothing_is_wider_than_the_terminal),
		cmocka_unit_test(test_status_text__the_same_error_stands_once),
		cmocka_unit_test(test_status_text__an_org_without_a_mount),
		cmocka_unit_test(test_status_text__none_and_many_objects),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
