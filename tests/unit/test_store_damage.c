/* SPDX-License-Identifier: MIT */
/* Damage before and after opening, files that vanish, a killed process, a full disk. */
#include "store_fixture.h"

#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/resource.h>

#define ROWS 3000

static void fill(struct fixture *f)
{
	assert_int_equal(
		put_many(f->s, object_of(f->s, "Account"), 1, 1, ROWS, 1000, 'a', &f->err), 0);
	object_of(f->s, "Contact");
}

static void scribble(const struct fixture *f, off_t at, size_t len)
{
	AUTO_FREE char *garbage = malloc(len);
	AUTO_CLOSE int fd = open(file_of(f, ".sqlite"), O_WRONLY | O_CLOEXEC);
	assert_true(garbage && fd >= 0);
	for (size_t i = 0; i < len; i++) {
		garbage[i] = (char)(i * 151 + 77);
	}
	assert_int_equal(pwrite(fd, garbage, len, at), len);
}

/* Reads everything there is; 0 or the first failure. */
static int read_all(struct fixture *f, uint32_t object)
{
	struct store_record record;
	AUTO(buf) struct buf body;
	buf_init(&body, 1 << 20);
	uint64_t row = 0;
	int r;
	while ((r = store_record_next(f->s, object, row, &record, 1, &f->err)) > 0) {
		buf_clear(&body);
		row = store_key_row(record.key);
		r = store_record_by_key(f->s, record.key, &record, &body, &f->err);
		if (r < 0) {
			break;
		}
	}
	return r;
}

/* A store that was rebuilt: empty, the same indexes, no row given twice. */
static void check_rebuilt(struct fixture *f)
{
	assert_int_equal(object_of(f->s, "Account"), 1);
	assert_int_equal(object_of(f->s, "Contact"), 2);
	assert_int_equal(records_of(f->s, 1), 0);
	assert_int_equal(listed_of(f->s, 1), 0);
	assert_int_equal(read_all(f, 1), 0);
	assert_int_equal(put_one(f->s, 1, 1, 1, "one").ret_key, store_key(1, ROWS + 1));
	assert_int_equal(put_one(f->s, 2, 1, 1, "one").ret_key, store_key(2, 1));
	assert_int_equal(object_of(f->s, "Task"), 3);
}

static void expect_anew(struct fixture *f)
{
	assert_int_equal(fixture_open(f), 0);
	assert_int_equal(f->origin, STORE_REBUILT_DAMAGED);
	assert_int_equal(listed_of(f->s, object_of(f->s, "Account")), 0);
	fixture_reopen(f);
	assert_int_equal(f->origin, STORE_WARM);
}

static void test_store_damage__header_at_opening(void **state)
{
	struct fixture *f = *state;
	fill(f);
	fixture_close(f);
	scribble(f, 0, 100);
	expect_anew(f);
}

static void test_store_damage__not_a_database_at_opening(void **state)
{
	struct fixture *f = *state;
	fixture_close(f);
	assert_int_equal(truncate(file_of(f, ".sqlite"), 0), 0);
	scribble(f, 0, 500);
	expect_anew(f);
}

static void test_store_damage__cut_at_opening(void **state)
{
	struct fixture *f = *state;
	fill(f);
	fixture_close(f);
	assert_int_equal(truncate(file_of(f, ".sqlite"), 100000), 0);
	expect_anew(f);
}

/* Leaves the file as a killed process does. */
static void fill_and_die(struct fixture *f)
{
	fixture_close(f);
	pid_t child = fork();
	if (child == 0) {
		if (fixture_open(f) == 0) {
			fill(f);
		}
		raise(SIGKILL);
	}
	int status = 0;
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFSIGNALED(status));
}

static void test_store_damage__killed_process_loses_nothing(void **state)
{
	struct fixture *f = *state;
	fill_and_die(f);
	assert_true(size_of(f, ".sqlite-wal") > 0);
	assert_int_equal(fixture_open(f), 0);
	assert_int_equal(f->origin, STORE_WARM);
	assert_int_equal(listed_of(f->s, object_of(f->s, "Account")), ROWS);
	assert_int_equal(records_of(f->s, 1), ROWS);
	assert_int_equal(read_all(f, 1), 0);
}

static void test_store_damage__garbage_after_a_killed_process(void **state)
{
	struct fixture *f = *state;
	fill(f);
	fixture_close(f);
	fill_and_die(f);
	fixture_close(f);
	for (off_t page = 5; page < 300; page += 10) {
		scribble(f, page * 8192, 500);
	}
	expect_anew(f);
}

static void test_store_damage__rebuild_of_a_sound_file(void **state)
{
	struct fixture *f = *state;
	char text[] = "describe";
	struct store_doc d = {.data = text, .len = 8};
	fill(f);
	assert_int_equal(store_doc_put(f->s, "d", &d, NULL), 0);
	assert_int_equal(store_rebuild(f->s, &f->err), 0);
	assert_int_equal(store_doc_get(f->s, "d", &d, NULL), -ENOENT);
	check_rebuilt(f);
}

static void test_store_damage__garbage_while_open(void **state)
{
	struct fixture *f = *state;
	fill(f);
	fixture_reopen(f); /* everything is in the file, nothing in a page cache */
	assert_int_equal(f->origin, STORE_WARM);
	for (off_t page = 5; page < 300; page += 10) {
		scribble(f, page * 8192, 500);
	}
	assert_int_equal(read_all(f, 1), -EUCLEAN);
	assert_non_null(strstr(f->err.text, "damaged"));
	assert_int_equal(store_rebuild(f->s, &f->err), 0);
	check_rebuilt(f);
	fixture_reopen(f);
	assert_int_equal(f->origin, STORE_WARM);
	assert_int_equal(put_one(f->s, 1, 1, 2, "two").ret_key, store_key(1, ROWS + 2));
}

static void test_store_damage__late_rebuilds_throw_nothing_away(void **state)
{
	struct fixture *f = *state;
	fill(f);
	fixture_reopen(f);
	for (off_t page = 5; page < 300; page += 10) {
		scribble(f, page * 8192, 500);
	}
	assert_int_equal(read_all(f, 1), -EUCLEAN);
	assert_int_equal(read_all(f, 1), -EUCLEAN);
	assert_int_equal(store_rebuild(f->s, &f->err), 0);
	put_one(f->s, 1, 1, 9, "kept");
	assert_int_equal(store_rebuild(f->s, &f->err), 0);
	assert_string_equal(body_of(f->s, 1, 9), "kept");
	assert_int_equal(store_rebuild(f->s, &f->err), 0);
	assert_string_equal(body_of(f->s, 1, 9), "-");
}

static void test_store_damage__damaged_file_is_not_kept(void **state)
{
	struct fixture *f = *state;
	fill(f);
	fixture_reopen(f);
	for (off_t page = 5; page < 300; page += 10) {
		scribble(f, page * 8192, 500);
	}
	assert_int_equal(read_all(f, 1), -EUCLEAN);
	fixture_reopen(f);
	assert_int_equal(f->origin, STORE_NEW);
}

/* Uses everything; only crashes and hangs would be wrong. True if damage was seen. */
static bool use_all(struct fixture *f)
{
	struct store_object o = {0};
	struct store_gone gone[8];
	size_t n = 0;
	bool seen = false;
	seen |= read_all(f, 1) == -EUCLEAN;
	seen |= put_many(f->s, 1, 2, 1, 200, 1000, 'b', NULL) == -EUCLEAN;
	seen |= store_object_get(f->s, "Fresh__c", &o, NULL) == -EUCLEAN;
	store_object_release(&o);
	seen |= store_record_sweep(f->s, 1, 2, gone, 8, &n, NULL) == -EUCLEAN;
	return seen;
}

static void test_store_damage__file_cut_while_open(void **state)
{
	static const off_t lengths[] = {0, 100, 8192, 50000, 1000000};
	struct fixture *f = *state;
	for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
		fill(f);
		fixture_reopen(f);
		assert_int_equal(truncate(file_of(f, ".sqlite"), lengths[i]), 0);
		assert_true(use_all(f));
		assert_int_equal(store_rebuild(f->s, &f->err), 0);
		assert_int_equal(read_all(f, 1), 0);
		assert_int_equal(put_one(f->s, 1, 1, 1, "one").ret_change, STORE_ADDED);
	}
}

static void test_store_damage__log_cut_while_open(void **state)
{
	struct fixture *f = *state;
	fill(f);
	assert_true(size_of(f, ".sqlite-wal") > 0);
	assert_int_equal(truncate(file_of(f, ".sqlite-wal"), 5000), 0);
	assert_true(use_all(f));
	assert_int_equal(store_rebuild(f->s, &f->err), 0);
	assert_int_equal(read_all(f, 1), 0);
}

static void remove_all(const struct fixture *f)
{
	static const char *const endings[] = {".sqlite", ".sqlite-wal", ".lock"};
	for (size_t i = 0; i < sizeof(endings) / sizeof(endings[0]); i++) {
		unlink(file_of(f, endings[i]));
	}
}

static void test_store_damage__files_removed_while_open(void **state)
{
	struct fixture *f = *state;
	fill(f);
	fixture_reopen(f);
	remove_all(f);
	use_all(f);
	assert_int_equal(store_rebuild(f->s, &f->err), 0);
	assert_int_equal(access(file_of(f, ".lock"), F_OK), 0);
	assert_string_equal(store_path(f->s), file_of(f, ".sqlite"));
	assert_int_equal(read_all(f, 1), 0);
	assert_int_equal(put_one(f->s, 1, 1, 1, "one").ret_change, STORE_ADDED);
}

/* Someone emptied the folder and mounted again: the name is theirs now. */
static void test_store_damage__name_taken_over_while_open(void **state)
{
	struct fixture *f = *state;
	fill(f);
	fixture_reopen(f);
	remove_all(f);
	struct fixture other = *f;
	assert_int_equal(fixture_open(&other), 0);
	assert_string_equal(store_path(other.s), file_of(f, ".sqlite"));
	put_one(other.s, object_of(other.s, "Other"), 1, 1, "theirs");
	assert_int_equal(read_all(f, 1), -EUCLEAN);
	assert_int_equal(store_rebuild(f->s, &f->err), 0);
	assert_string_equal(store_path(f->s), file_of(f, ".2.sqlite"));
	check_rebuilt(f);
	assert_string_equal(body_of(other.s, object_of(other.s, "Other"), 1), "theirs");
	fixture_close(&other);
}

static void test_store_damage__killed_in_the_middle_of_puts(void **state)
{
	struct fixture *f = *state;
	for (int round = 0; round < 4; round++) {
		int told[2];
		uint64_t done = 0, last = 0;
		fixture_close(f);
		assert_int_equal(pipe(told), 0);
		pid_t child = fork();
		if (child == 0) {
			if (fixture_open(f) < 0) {
				_exit(1);
			}
			uint32_t account = object_of(f->s, "Account");
			for (uint64_t n = records_of(f->s, account) / 100;; n++) {
				if (put_many(f->s, account, 1, n * 100, 100, 1000, 'a', NULL) < 0 ||
					write(told[1], &n, sizeof(n)) != sizeof(n)) {
					_exit(1);
				}
			}
		}
		close(told[1]);
		for (int i = 0; i < 60 && read(told[0], &last, sizeof(last)) == sizeof(last); i++) {
			done = last;
		}
		kill(child, SIGKILL);
		assert_int_equal(waitpid(child, NULL, 0), child);
		close(told[0]);
		assert_int_equal(fixture_open(f), 0);
		assert_int_equal(f->origin, STORE_WARM);
		uint64_t rows = records_of(f->s, object_of(f->s, "Account"));
		assert_int_equal(rows % 100, 0); /* whole puts only */
		assert_true(rows >= (done + 1) * 100);
		assert_int_equal(listed_of(f->s, 1), rows);
	}
}

/* Puts until it fails; then what is there must still be readable and smaller things possible. */
static int fill_up(struct fixture *f)
{
	struct error err = {0};
	struct store_put p;
	int r = 0;
	if (fixture_open(f) < 0) {
		return 2;
	}
	uint32_t account = object_of(f->s, "Account");
	uint64_t n = 0;
	for (; r == 0 && n < 100; n++) {
		r = put_many(f->s, account, 1, n * 100, 100, 1000, 'a', &err);
	}
	if (r != -ENOSPC || !strstr(err.text, "no space left")) {
		fprintf(stderr, "put: %d %s\n", r, err.text);
		return 3;
	}
	if (records_of(f->s, account) != (n - 1) * 100 ||
		listed_of(f->s, account) != (n - 1) * 100) {
		return 4;
	}
	fill_put(&p, 5, "x", 1);
	r = store_record_put(f->s, account, 1, 1, &p, 1, &err);
	if (r != 0 && r != -ENOSPC) {
		return 5;
	}
	return 0;
}

static void expect_child(int (*run)(struct fixture *f), struct fixture *f, int skipped)
{
	int status = 0;
	fixture_close(f);
	pid_t child = fork();
	if (child == 0) {
		int r = run(f);
		fixture_close(f);
		_exit(r);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	if (WEXITSTATUS(status) == skipped) {
		skip();
	}
	assert_int_equal(WEXITSTATUS(status), 0);
}

static int run_with_file_limit(struct fixture *f)
{
	struct rlimit limit = {.rlim_cur = 3 << 20, .rlim_max = 3 << 20};
	signal(SIGXFSZ, SIG_IGN);
	return setrlimit(RLIMIT_FSIZE, &limit) < 0 ? 77 : fill_up(f);
}

static void test_store_full__file_size_limit(void **state)
{
	expect_child(run_with_file_limit, *state, 77);
}

static int run_on_small_disk(struct fixture *f)
{
	if (unshare(CLONE_NEWNS) < 0 || mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
		mount("tmpfs", f->dir, "tmpfs", 0, "size=3m,mode=700") < 0) {
		return 77;
	}
	int r = fill_up(f);
	if (r == 0 && store_rebuild(f->s, NULL) < 0) {
		return 6; /* a rebuild frees the space */
	}
	return r == 0 && put_many(f->s, 1, 1, 1, 100, 1000, 'a', NULL) < 0 ? 7 : r;
}

static void test_store_full__small_disk(void **state)
{
	expect_child(run_on_small_disk, *state, 77);
}

#define IN_FILE(t) cmocka_unit_test_setup_teardown(t, setup_file, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		IN_FILE(test_store_damage__header_at_opening),
		IN_FILE(test_store_damage__not_a_database_at_opening),
		IN_FILE(test_store_damage__cut_at_opening),
		IN_FILE(test_store_damage__killed_process_loses_nothing),
		IN_FILE(test_store_damage__garbage_after_a_killed_process),
		IN_FILE(test_store_damage__rebuild_of_a_sound_file),
		cmocka_unit_test_setup_teardown(
			test_store_damage__rebuild_of_a_sound_file, setup_memory, teardown),
		IN_FILE(test_store_damage__garbage_while_open),
		IN_FILE(test_store_damage__late_rebuilds_throw_nothing_away),
		IN_FILE(test_store_damage__damaged_file_is_not_kept),
		IN_FILE(test_store_damage__file_cut_while_open),
		IN_FILE(test_store_damage__log_cut_while_open),
		IN_FILE(test_store_damage__files_removed_while_open),
		IN_FILE(test_store_damage__name_taken_over_while_open),
		IN_FILE(test_store_damage__killed_in_the_middle_of_puts),
		IN_FILE(test_store_full__file_size_limit),
		IN_FILE(test_store_full__small_disk),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
