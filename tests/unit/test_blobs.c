/* SPDX-License-Identifier: MIT */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "forcefs/base/scope.h"
#include "forcefs/store/blobs.h"

#define ID_A  "00PAb00000OdDjvMAF"
#define ID_B  "00PAb00000OdDjwMAF"
#define ID_C  "00PAb00000OdDjxMAF"
#define BLOCK 4096

struct fixture {
	char base[64], dir[80];
	struct blobs *blobs;
};

static void open_it(struct fixture *f, uint64_t limit)
{
	const struct blobs_config config = {.dir = f->dir, .limit_bytes = limit};
	blobs_close(f->blobs);
	f->blobs = NULL;
	assert_int_equal(blobs_open(&config, &f->blobs, NULL), 0);
}

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	strcpy(f->base, "/tmp/forcefs-blobs-XXXXXX");
	assert_non_null(mkdtemp(f->base));
	snprintf(f->dir, sizeof(f->dir), "%s/x.files", f->base);
	open_it(f, 0);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;
	char command[128];
	blobs_close(f->blobs);
	snprintf(command, sizeof(command), "rm -r %s", f->base);
	int r = system(command);
	free(f);
	return r;
}

static int keep(struct fixture *f, const char *id, int64_t stamp, const char *text, size_t size)
{
	AUTO_CLOSE int fd = -1;
	assert_int_equal(blobs_new(f->blobs, &fd, NULL), 0);
	assert_int_equal(pwrite(fd, text, strlen(text), 0), strlen(text));
	assert_int_equal(ftruncate(fd, (off_t)size), 0);
	return blobs_keep(f->blobs, id, stamp, fd, NULL);
}

static bool has(struct fixture *f, const char *id, int64_t stamp, const char *text)
{
	AUTO_CLOSE int fd = -1;
	uint64_t size;
	char got[64] = "";
	if (blobs_find(f->blobs, id, stamp, &fd, &size) < 0) {
		return false;
	}
	return pread(fd, got, strlen(text), 0) == (ssize_t)strlen(text) && strcmp(got, text) == 0;
}

static unsigned count_files(const struct fixture *f)
{
	DIR *dir = opendir(f->dir);
	unsigned n = 0;
	while (readdir(dir)) {
		n++;
	}
	closedir(dir);
	return n - 2;
}

static void test_blobs__what_was_kept_is_found(void **state)
{
	struct fixture *f = *state;
	uint64_t size;
	struct stat st;
	assert_int_equal(keep(f, ID_A, 5, "hello", 5), 1);
	assert_true(has(f, ID_A, 5, "hello"));
	assert_false(has(f, ID_A, 6, "hello"));
	assert_false(has(f, ID_B, 5, "hello"));
	assert_int_equal(blobs_size(f->blobs, ID_A, 5, &size), 0);
	assert_int_equal(size, 5);
	assert_int_equal(stat(f->dir, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0700);
}

static void test_blobs__one_stamp_of_a_record(void **state)
{
	struct fixture *f = *state;
	keep(f, ID_A, 5, "old", 3);
	keep(f, ID_B, 5, "other", 5);
	keep(f, ID_A, 6, "new", 3);
	assert_false(has(f, ID_A, 5, "old"));
	assert_true(has(f, ID_A, 6, "new"));
	blobs_drop(f->blobs, ID_A, 6);
	assert_true(has(f, ID_A, 6, "new"));
	blobs_drop(f->blobs, ID_A, INT64_MIN);
	assert_false(has(f, ID_A, 6, "new"));
	assert_true(has(f, ID_B, 5, "other"));
	assert_int_equal(count_files(f), 1);
}

static void test_blobs__the_least_used_goes_first(void **state)
{
	struct fixture *f = *state;
	struct blobs_stats stats;
	open_it(f, 2 * BLOCK);
	keep(f, ID_A, 1, "a", 10);
	keep(f, ID_B, 1, "b", 10);
	assert_true(has(f, ID_A, 1, "a"));
	keep(f, ID_C, 1, "c", 10);
	assert_true(has(f, ID_A, 1, "a"));
	assert_false(has(f, ID_B, 1, "b"));
	assert_true(has(f, ID_C, 1, "c"));
	blobs_get_stats(f->blobs, &stats);
	assert_int_equal(stats.files, 2);
	assert_int_equal(stats.evictions, 1);
	assert_true(stats.bytes <= stats.limit_bytes);
	assert_int_equal(count_files(f), 2);
}

static void test_blobs__too_big_is_not_kept(void **state)
{
	struct fixture *f = *state;
	open_it(f, BLOCK);
	keep(f, ID_A, 1, "a", 10);
	assert_int_equal(keep(f, ID_B, 1, "b", BLOCK + 1), 0);
	assert_true(has(f, ID_A, 1, "a"));
}

static void test_blobs__a_new_opening_takes_over_what_is_ours(void **state)
{
	struct fixture *f = *state;
	char path[128];
	static const char *const strange[] = {".forcefs-1-2", "x", ID_A ".x", ID_A ".05", ID_A};
	keep(f, ID_A, 5, "hello", 5);
	for (size_t i = 0; i < sizeof(strange) / sizeof(strange[0]); i++) {
		snprintf(path, sizeof(path), "%s/%s", f->dir, strange[i]);
		close(open(path, O_CREAT | O_WRONLY, 0600));
	}
	snprintf(path, sizeof(path), "%s/%s.7", f->dir, ID_B);
	assert_int_equal(symlink("/etc/passwd", path), 0);
	open_it(f, 0);
	assert_int_equal(count_files(f), 1);
	assert_true(has(f, ID_A, 5, "hello"));
}

static void test_blobs__a_cut_file_is_none(void **state)
{
	struct fixture *f = *state;
	char path[128];
	keep(f, ID_A, 5, "hello", 5);
	snprintf(path, sizeof(path), "%s/%s.5", f->dir, ID_A);
	assert_int_equal(truncate(path, 2), 0);
	assert_false(has(f, ID_A, 5, "he"));
	assert_int_equal(count_files(f), 0);
}

static void test_blobs__without_a_folder_nothing_is_kept(void **state)
{
	(void)state;
	const struct blobs_config config = {.limit_bytes = 0};
	struct fixture f = {.dir = "/nonexistent"};
	assert_int_equal(blobs_open(&config, &f.blobs, NULL), 0);
	assert_int_equal(keep(&f, ID_A, 5, "hello", 5), 0);
	assert_false(has(&f, ID_A, 5, "hello"));
	blobs_close(f.blobs);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_blobs__what_was_kept_is_found),
		TEST(test_blobs__one_stamp_of_a_record),
		TEST(test_blobs__the_least_used_goes_first),
		TEST(test_blobs__too_big_is_not_kept),
		TEST(test_blobs__a_new_opening_takes_over_what_is_ours),
		TEST(test_blobs__a_cut_file_is_none),
		cmocka_unit_test(test_blobs__without_a_folder_nothing_is_kept),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
