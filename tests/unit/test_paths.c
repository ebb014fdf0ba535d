/* SPDX-License-Identifier: MIT */
/* Folders by environment, folders made, files written and read back. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "forcefs/base/paths.h"
#include "forcefs/base/scope.h"

static char root[] = "/tmp/forcefs-paths-XXXXXX";

static int make_root(void **state)
{
	(void)state;
	return mkdtemp(root) ? 0 : -1;
}

static int remove_root(void **state)
{
	(void)state;
	AUTO_FREE char *command = NULL;
	return asprintf(&command, "rm -rf '%s'", root) < 0 ? -1 : system(command);
}

static void test_paths_dir__follows_xdg(void **state)
{
	(void)state;
	static const struct {
		enum paths_kind kind;
		const char *variable, *value, *home, *expected;
	} rows[] = {
		{PATHS_CONFIG, "XDG_CONFIG_HOME", "/x", "/h", "/x/forcefs"},
		{PATHS_CONFIG, "XDG_CONFIG_HOME", NULL, "/h", "/h/.config/forcefs"},
		{PATHS_CONFIG, "XDG_CONFIG_HOME", "", "/h", "/h/.config/forcefs"},
		{PATHS_CONFIG, "XDG_CONFIG_HOME", "relative", "/h", "/h/.config/forcefs"},
		{PATHS_CACHE, "XDG_CACHE_HOME", NULL, "/h", "/h/.cache/forcefs"},
		{PATHS_CACHE, "XDG_CACHE_HOME", "/c", "/h", "/c/forcefs"},
		{PATHS_STATE, "XDG_STATE_HOME", NULL, "/h", "/h/.local/state/forcefs"},
		{PATHS_STATE, "XDG_STATE_HOME", "/s", "/h", "/s/forcefs"},
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		setenv("HOME", rows[i].home, 1);
		if (rows[i].value) {
			setenv(rows[i].variable, rows[i].value, 1);
		} else {
			unsetenv(rows[i].variable);
		}
		AUTO_FREE char *path = NULL;
		assert_int_equal(paths_dir(rows[i].kind, &path, NULL), 0);
		assert_string_equal(path, rows[i].expected);
	}
}

static void test_paths_dir__home_from_the_password_file(void **state)
{
	(void)state;
	unsetenv("HOME");
	unsetenv("XDG_CACHE_HOME");
	AUTO_FREE char *path = NULL;
	struct error e;
	int r = paths_dir(PATHS_CACHE, &path, &e);
	if (r == 0) {
		assert_non_null(strstr(path, "/.cache/forcefs"));
	} else {
		assert_int_equal(r, -ENOENT);
	}
}

static void test_paths_make_dir__makes_all_with_0700(void **state)
{
	(void)state;
	AUTO_FREE char *deep = paths_join(root, "a//b/c/");
	AUTO_FREE char *middle = paths_join(root, "a/b");
	assert_int_equal(paths_make_dir(deep, NULL), 0);
	assert_int_equal(paths_make_dir(deep, NULL), 0);
	struct stat st;
	assert_int_equal(stat(middle, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0700);
	assert_int_equal(stat(deep, &st), 0);
}

static void test_paths_make_dir__a_file_in_the_way(void **state)
{
	(void)state;
	AUTO_FREE char *file = paths_join(root, "plain");
	AUTO_FREE char *below = paths_join(root, "plain/x");
	assert_int_equal(paths_write_file(file, "", 0, NULL), 0);
	struct error e;
	assert_int_equal(paths_make_dir(below, &e), -ENOTDIR);
	assert_non_null(strstr(e.text, "plain"));
	assert_int_equal(paths_make_dir(file, &e), -ENOTDIR);
}

static void test_paths_write_file__replaces_with_mode_0600(void **state)
{
	(void)state;
	AUTO_FREE char *path = paths_join(root, "file");
	AUTO_FREE char *data = NULL;
	size_t len;
	assert_int_equal(paths_write_file(path, "first text", 10, NULL), 0);
	assert_int_equal(chmod(path, 0644), 0);
	assert_int_equal(paths_write_file(path, "a\0b", 3, NULL), 0);
	struct stat st;
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	assert_int_equal(paths_read_file(path, 100, &data, &len, NULL), 0);
	assert_int_equal(len, 3);
	assert_memory_equal(data, "a\0b", 4);
}

static void test_paths_write_file__leaves_nothing_behind_on_failure(void **state)
{
	(void)state;
	AUTO_FREE char *dir = paths_join(root, "folder");
	AUTO_FREE char *inside = paths_join(root, "folder/full");
	AUTO_FREE char *missing = paths_join(root, "missing/file");
	assert_int_equal(paths_make_dir(inside, NULL), 0);
	struct error e;
	assert_true(paths_write_file(inside, "x", 1, &e) < 0); /* a folder is in its place */
	assert_int_equal(rmdir(inside), 0);
	assert_int_equal(rmdir(dir), 0); /* fails if a temporary file stayed */
	assert_int_equal(paths_write_file(missing, "x", 1, &e), -ENOENT);
}

static void test_paths_read_file__keeps_its_limit(void **state)
{
	(void)state;
	AUTO_FREE char *path = paths_join(root, "sized");
	AUTO_FREE char *data = NULL;
	size_t len;
	struct error e;
	assert_int_equal(paths_write_file(path, "12345", 5, NULL), 0);
	assert_int_equal(paths_read_file(path, 4, &data, &len, &e), -EFBIG);
	assert_null(data);
	assert_int_equal(paths_read_file(path, 5, &data, &len, &e), 0);
	assert_string_equal(data, "12345");
}

static void test_paths_read_file__empty_and_missing(void **state)
{
	(void)state;
	AUTO_FREE char *path = paths_join(root, "empty");
	AUTO_FREE char *data = NULL;
	size_t len = 9;
	struct error e;
	assert_int_equal(paths_read_file(path, 4, &data, &len, &e), -ENOENT);
	assert_int_equal(paths_write_file(path, "", 0, NULL), 0);
	assert_int_equal(paths_read_file(path, 4, &data, &len, &e), 0);
	assert_int_equal(len, 0);
	assert_string_equal(data, "");
	assert_int_equal(paths_read_file(root, 4, &data, &len, &e), -EISDIR);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_paths_dir__follows_xdg),
		cmocka_unit_test(test_paths_dir__home_from_the_password_file),
		cmocka_unit_test(test_paths_make_dir__makes_all_with_0700),
		cmocka_unit_test(test_paths_make_dir__a_file_in_the_way),
		cmocka_unit_test(test_paths_write_file__replaces_with_mode_0600),
		cmocka_unit_test(test_paths_write_file__leaves_nothing_behind_on_failure),
		cmocka_unit_test(test_paths_read_file__keeps_its_limit),
		cmocka_unit_test(test_paths_read_file__empty_and_missing),
	};
	return cmocka_run_group_tests(tests, make_root, remove_root);
}
