/* SPDX-License-Identifier: MIT */
/* The mount table, and paths seen against it. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "mounts.h"

static const char table[] =
	"22 1 254:1 / / rw,relatime shared:1 - ext4 /dev/vda1 rw\n"
	"30 22 0:30 / /tmp rw - tmpfs tmpfs rw,size=1k\n"
	"31 22 0:31 / /mnt/acme rw,nosuid shared:7 master:3 - fuse.forcefs acme "
	"rw,user_id=1000,group_id=1001\n"
	"32 22 0:32 / /mnt/with\\040blank\\134and\\011tab ro - fuse.forcefs my\\040org rw\n"
	"33 31 0:33 / /mnt/acme/inner rw - tmpfs tmpfs rw\n"
	"34 22 0:34 / /mnt/over rw - fuse.forcefs below rw\n"
	"35 34 0:35 / /mnt/over rw - tmpfs above rw\n"
	"36 22 0:36 / /mnt/twice rw - tmpfs below rw\n"
	"37 36 0:37 / /mnt/twice rw - fuse.forcefs above rw\n"
	"nonsense\n";

static void load(struct mounts *m)
{
	FILE *file = fmemopen((void *)(uintptr_t)table, sizeof(table) - 1, "r");
	assert_non_null(file);
	assert_int_equal(mounts_read(file, m, NULL), 0);
	fclose(file);
}

static void test_mounts__read(void **state)
{
	AUTO(mounts) struct mounts m = {0};
	(void)state;
	load(&m);
	assert_int_equal(m.count, 9);
	assert_string_equal(m.list[2].dir, "/mnt/acme");
	assert_string_equal(m.list[2].type, "fuse.forcefs");
	assert_string_equal(m.list[2].source, "acme");
	assert_int_equal(m.list[2].uid, 1000);
	assert_int_equal(m.list[2].gid, 1001);
	assert_string_equal(m.list[3].dir, "/mnt/with blank\\and\ttab");
	assert_string_equal(m.list[3].source, "my org");
}

static void test_mounts__at_gives_the_topmost(void **state)
{
	AUTO(mounts) struct mounts m = {0};
	(void)state;
	load(&m);
	assert_true(mount_is_ours(mounts_at(&m, "/mnt/acme")));
	assert_true(mount_is_ours(mounts_at(&m, "/mnt/twice")));
	assert_false(mount_is_ours(mounts_at(&m, "/mnt/over")));
	assert_false(mount_is_ours(mounts_at(&m, "/tmp")));
	assert_null(mounts_at(&m, "/mnt"));
	assert_false(mount_is_ours(NULL));
}

static void test_mounts__above(void **state)
{
	static const struct {
		const char *path, *source; /* NULL: not ours */
	} cases[] = {
		{"/mnt/acme", "acme"},
		{"/mnt/acme/Account/x.json", "acme"},
		{"/mnt/acme2/x", NULL},
		{"/mnt/acme/inner/x", NULL},
		{"/mnt/acme/inner2", "acme"},
		{"/mnt/over/x", NULL},
		{"/mnt/twice/x", "above"},
		{"/", NULL},
		{"/tmp/x", NULL},
	};
	AUTO(mounts) struct mounts m = {0};
	(void)state;
	load(&m);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct mount_entry *e = mounts_above(&m, cases[i].path);
		if (cases[i].source) {
			assert_non_null(e);
			assert_string_equal(e->source, cases[i].source);
		} else {
			assert_null(e);
		}
	}
}

static void test_mounts__below(void **state)
{
	AUTO(mounts) struct mounts m = {0};
	(void)state;
	load(&m);
	assert_string_equal(mounts_below(&m, "/mnt/acme")->dir, "/mnt/acme/inner");
	assert_null(mounts_below(&m, "/mnt/twice"));
}

static void expect(const struct mounts *m, const char *path, const char *expected)
{
	AUTO_FREE char *got = NULL;
	struct error err = {0};
	if (mounts_resolve(m, path, &got, &err) < 0) {
		fail_msg("%s: %s", path, err.text);
	}
	assert_string_equal(got, expected);
}

static void test_resolve__without_links(void **state)
{
	static const struct mounts none = {0};
	(void)state;
	expect(&none, "/", "/");
	expect(&none, "//usr///.//", "/usr");
	expect(&none, "/usr/../..", "/");
	expect(&none, "/no/such/./thing/..", "/no/such");
}

static void test_resolve__links_and_relative_paths(void **state)
{
	static const struct mounts none = {0};
	char base[] = "/tmp/forcefs-test-XXXXXX", here[4096], real[4096], path[4200];
	(void)state;
	assert_non_null(getcwd(here, sizeof(here)));
	assert_non_null(mkdtemp(base));
	assert_non_null(realpath(base, real));
	assert_int_equal(chdir(base), 0);
	assert_int_equal(mkdir("dir", 0700), 0);
	assert_int_equal(symlink("dir", "relative"), 0);
	assert_int_equal(symlink("/usr/.", "absolute"), 0);
	assert_int_equal(symlink("dir/../relative", "through"), 0);
	assert_int_equal(symlink("loop", "loop"), 0);

	snprintf(path, sizeof(path), "%s/dir", real);
	expect(&none, "dir/", path);
	expect(&none, "relative", path);
	expect(&none, "through/", path);
	snprintf(path, sizeof(path), "%s/dir/x", real);
	expect(&none, "./relative/x", path);
	expect(&none, "absolute", "/usr");
	expect(&none, ".", real);
	AUTO_FREE char *got = NULL;
	struct error err = {0};
	assert_true(mounts_resolve(&none, "loop/x", &got, &err) < 0);
	assert_true(mounts_resolve(&none, "", &got, &err) < 0);

	unlink("relative");
	unlink("absolute");
	unlink("through");
	unlink("loop");
	rmdir("dir");
	assert_int_equal(chdir(here), 0);
	rmdir(base);
}

/* What lies in a mount of ours is text: the link there is not followed. */
static void test_resolve__never_asks_our_own_mount(void **state)
{
	char base[] = "/tmp/forcefs-test-XXXXXX", path[200], real[4096], inner[4200];
	(void)state;
	assert_non_null(mkdtemp(base));
	assert_non_null(realpath(base, real));
	snprintf(path, sizeof(path), "%s/link", base);
	assert_int_equal(symlink("/usr", path), 0);
	struct mount_entry entry = {.dir = real,
		.type = (char *)(uintptr_t)MOUNTS_OUR_TYPE,
		.source = (char *)(uintptr_t) "acme"};
	const struct mounts ours = {.list = &entry, .count = 1}, none = {0};
	expect(&none, path, "/usr");
	snprintf(inner, sizeof(inner), "%s/link", real);
	expect(&ours, path, inner);
	snprintf(inner, sizeof(inner), "%s/..", path);
	expect(&ours, inner, real);
	unlink(path);
	rmdir(base);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_mounts__read),
		cmocka_unit_test(test_mounts__at_gives_the_topmost),
		cmocka_unit_test(test_mounts__above),
		cmocka_unit_test(test_mounts__below),
		cmocka_unit_test(test_resolve__without_links),
		cmocka_unit_test(test_resolve__links_and_relative_paths),
		cmocka_unit_test(test_resolve__never_asks_our_own_mount),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
