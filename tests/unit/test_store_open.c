/* SPDX-License-Identifier: MIT */
/* Opening, closing, the lock file, files that are not ours. */
#include "store_fixture.h"

#include <sqlite3.h>

static void test_store_open__new_then_warm(void **state)
{
	struct fixture *f = *state;
	assert_int_equal(f->origin, STORE_NEW);
	assert_string_equal(store_path(f->s), file_of(f, ".sqlite"));
	fixture_reopen(f);
	assert_int_equal(f->origin, STORE_WARM);
}

static void test_store_open__reopen_keeps_keys(void **state)
{
	struct fixture *f = *state;
	uint32_t account = object_of(f->s, "Account");
	uint32_t contact = object_of(f->s, "Contact");
	uint64_t key = put_one(f->s, account, 1, 7, "seven").ret_key;
	put_one(f->s, contact, 1, 7, "other");
	fixture_reopen(f);
	assert_int_equal(object_of(f->s, "Account"), account);
	assert_int_equal(object_of(f->s, "Contact"), contact);
	assert_string_equal(body_of(f->s, account, 7), "seven");
	assert_int_equal(put_one(f->s, account, 1, 7, "seven").ret_key, key);
	assert_int_equal(put_one(f->s, account, 1, 8, "eight").ret_key, key + 1);
	assert_int_equal(records_of(f->s, account), 2);
}

static void test_store_open__rows_are_not_used_again(void **state)
{
	struct fixture *f = *state;
	uint32_t account = object_of(f->s, "Account");
	struct store_gone gone[1];
	size_t n = 0;
	char ids[1][19];
	uint64_t key = put_one(f->s, account, 1, 1, "one").ret_key;
	id_of(1, ids[0]);
	assert_int_equal(
		store_record_delete(f->s, account, (const char(*)[19])ids, 1, gone, &n, NULL), 0);
	assert_int_equal(n, 1);
	fixture_reopen(f);
	assert_int_equal(put_one(f->s, account, 1, 1, "one").ret_key, key + 1);
}

static void test_store_open__files_are_private(void **state)
{
	struct fixture *f = *state;
	static const char *const endings[] = {".sqlite", ".sqlite-wal", ".lock"};
	struct stat st;
	fixture_close(f);
	unlink(file_of(f, ".sqlite"));
	unlink(file_of(f, ".lock"));
	mode_t before = umask(0);
	assert_int_equal(fixture_open(f), 0);
	umask(before);
	put_one(f->s, object_of(f->s, "Account"), 1, 1, "one");
	for (size_t i = 0; i < sizeof(endings) / sizeof(endings[0]); i++) {
		assert_int_equal(stat(file_of(f, endings[i]), &st), 0);
		assert_int_equal(st.st_mode & 07777, 0600);
	}
}

static void test_store_open__open_modes_are_mended(void **state)
{
	struct fixture *f = *state;
	struct stat st;
	fixture_close(f);
	assert_int_equal(chmod(file_of(f, ".sqlite"), 0644), 0);
	assert_int_equal(fixture_open(f), 0);
	assert_int_equal(stat(file_of(f, ".sqlite"), &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
}

static void test_store_open__makes_the_folder(void **state)
{
	struct fixture *f = *state;
	char dir[96];
	struct stat st;
	struct store *s = NULL;
	enum store_origin origin;
	snprintf(dir, sizeof(dir), "%s/made", f->dir);
	struct store_config config = {.dir = dir, .name = "x"};
	assert_int_equal(store_open(&config, &s, &origin, NULL), 0);
	assert_int_equal(stat(dir, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0700);
	store_close(s);
	char path[128];
	snprintf(path, sizeof(path), "%s/x.sqlite", dir);
	unlink(path);
	snprintf(path, sizeof(path), "%s/x.lock", dir);
	unlink(path);
	rmdir(dir);
}

static void test_store_open__second_takes_another_name(void **state)
{
	struct fixture *f = *state;
	struct fixture more[7];
	for (int i = 0; i < 7; i++) {
		char ending[16];
		more[i] = *f;
		assert_int_equal(fixture_open(&more[i]), 0);
		assert_int_equal(more[i].origin, STORE_NEW);
		snprintf(ending, sizeof(ending), ".%d.sqlite", i + 2);
		assert_string_equal(store_path(more[i].s), file_of(f, ending));
	}
	struct fixture ninth = *f;
	assert_int_equal(fixture_open(&ninth), -EBUSY);
	assert_non_null(strstr(ninth.err.text, "cache_dir"));
	assert_null(ninth.s);
	for (int i = 0; i < 7; i++) {
		fixture_close(&more[i]);
	}
}

static int child_path(struct fixture *f)
{
	struct fixture mine = *f;
	if (fixture_open(&mine) < 0) {
		return 9;
	}
	int r = strcmp(store_path(mine.s), file_of(f, ".2.sqlite")) == 0 ? 0 : 1;
	store_close(mine.s);
	return r;
}

static void test_store_open__two_processes_get_two_files(void **state)
{
	struct fixture *f = *state;
	int status = 0;
	pid_t child = fork();
	if (child == 0) {
		_exit(child_path(f));
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

static void test_store_open__refuses_links(void **state)
{
	struct fixture *f = *state;
	static const char *const endings[] = {".sqlite", ".sqlite-wal", ".lock"};
	fixture_close(f);
	for (size_t i = 0; i < sizeof(endings) / sizeof(endings[0]); i++) {
		unlink(file_of(f, endings[i]));
		assert_int_equal(symlink("/tmp/nowhere-at-all", file_of(f, endings[i])), 0);
		assert_int_equal(fixture_open(f), -EACCES);
		assert_non_null(strstr(f->err.text, "not a plain file"));
		unlink(file_of(f, endings[i]));
	}
	assert_int_equal(access("/tmp/nowhere-at-all", F_OK), -1);
}

static void test_store_open__refuses_files_of_others(void **state)
{
	struct fixture *f = *state;
	if (geteuid() != 0) {
		skip();
	}
	fixture_close(f);
	assert_int_equal(chown(file_of(f, ".sqlite"), 65534, 65534), 0);
	assert_int_equal(fixture_open(f), -EACCES);
	assert_non_null(strstr(f->err.text, "another user"));
}

static void test_store_open__refuses_a_public_folder(void **state)
{
	struct fixture *f = *state;
	fixture_close(f);
	assert_int_equal(chmod(f->dir, 0777), 0);
	assert_int_equal(fixture_open(f), -EACCES);
	assert_non_null(strstr(f->err.text, "cache_dir"));
}

static void test_store_open__refuses_bad_names(void **state)
{
	struct fixture *f = *state;
	static const char *const names[] = {"", "../x", "a/b", NULL};
	struct store *s = NULL;
	enum store_origin origin;
	for (int i = 0; i < 4; i++) {
		struct store_config config = {.dir = f->dir, .name = names[i]};
		assert_int_equal(store_open(&config, &s, &origin, NULL), -EINVAL);
		assert_null(s);
	}
}

static void edit(const char *path, const char *sql)
{
	sqlite3 *db = NULL;
	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_close(db), SQLITE_OK);
}

static void test_store_open__other_version_is_made_anew(void **state)
{
	struct fixture *f = *state;
	put_one(f->s, object_of(f->s, "Account"), 1, 1, "one");
	fixture_close(f);
	edit(file_of(f, ".sqlite"), "PRAGMA user_version=99");
	assert_int_equal(fixture_open(f), 0);
	assert_int_equal(f->origin, STORE_REBUILT_VERSION);
	assert_string_equal(body_of(f->s, object_of(f->s, "Account"), 1), "-");
	fixture_reopen(f);
	assert_int_equal(f->origin, STORE_WARM);
}

static void test_store_open__changed_tables_are_damage(void **state)
{
	static const char *const changes[] = {
		"DROP TABLE body",
		"ALTER TABLE record RENAME COLUMN hash TO hush",
		"DROP INDEX record_by_id",
		"PRAGMA application_id=5",
		"UPDATE object SET next_row=0",
		"UPDATE object SET idx=70000",
	};
	struct fixture *f = *state;
	for (size_t i = 0; i < sizeof(changes) / sizeof(changes[0]); i++) {
		put_one(f->s, object_of(f->s, "Account"), 1, 1, "one");
		fixture_close(f);
		edit(file_of(f, ".sqlite"), changes[i]);
		assert_int_equal(fixture_open(f), 0);
		assert_int_equal(f->origin, STORE_REBUILT_DAMAGED);
		assert_string_equal(body_of(f->s, object_of(f->s, "Account"), 1), "-");
	}
}

static void test_store_open__an_empty_file_is_new(void **state)
{
	struct fixture *f = *state;
	fixture_close(f);
	assert_int_equal(truncate(file_of(f, ".sqlite"), 0), 0);
	assert_int_equal(fixture_open(f), 0);
	assert_int_equal(f->origin, STORE_NEW);
}

static void test_store_open__memory_keeps_nothing(void **state)
{
	struct fixture *f = *state;
	assert_int_equal(f->origin, STORE_NEW);
	assert_string_equal(store_path(f->s), ":memory:");
	put_one(f->s, object_of(f->s, "Account"), 1, 1, "one");
	fixture_reopen(f);
	assert_int_equal(f->origin, STORE_NEW);
	assert_string_equal(body_of(f->s, object_of(f->s, "Account"), 1), "-");
}

static void test_store_open__closing_nothing_is_fine(void **state)
{
	(void)state;
	store_close(NULL);
}

/* As when the disk is full: the file is left as it is, and numbers go on. */
static void test_store_open__leaves_the_disk(void **state)
{
	struct fixture *f = *state;
	uint64_t first, second;

	object_of(f->s, "Account");
	first = put_one(f->s, 1, 1, 1, "one").ret_key;
	assert_true(store_on_disk(f->s));
	assert_int_equal(store_leave_disk(f->s, &f->err), 0);
	assert_false(store_on_disk(f->s));
	assert_string_equal(store_path(f->s), ":memory:");
	assert_string_equal(body_of(f->s, 1, 1), "-");
	second = put_one(f->s, 1, 1, 2, "two").ret_key;
	assert_true(second > first);
	assert_int_equal(store_leave_disk(f->s, &f->err), 0);
	assert_string_equal(body_of(f->s, 1, 2), "two");
	fixture_reopen(f);
	assert_int_equal(f->origin, STORE_WARM);
	assert_string_equal(body_of(f->s, 1, 1), "one");
	assert_string_equal(body_of(f->s, 1, 2), "-");
}

#define IN_FILE(t)   cmocka_unit_test_setup_teardown(t, setup_file, teardown)
#define IN_MEMORY(t) cmocka_unit_test_setup_teardown(t, setup_memory, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		IN_FILE(test_store_open__new_then_warm),
		IN_FILE(test_store_open__reopen_keeps_keys),
		IN_FILE(test_store_open__rows_are_not_used_again),
		IN_FILE(test_store_open__files_are_private),
		IN_FILE(test_store_open__open_modes_are_mended),
		IN_FILE(test_store_open__makes_the_folder),
		IN_FILE(test_store_open__second_takes_another_name),
		IN_FILE(test_store_open__two_processes_get_two_files),
		IN_FILE(test_store_open__refuses_links),
		IN_FILE(test_store_open__refuses_files_of_others),
		IN_FILE(test_store_open__refuses_a_public_folder),
		IN_FILE(test_store_open__refuses_bad_names),
		IN_FILE(test_store_open__other_version_is_made_anew),
		IN_FILE(test_store_open__changed_tables_are_damage),
		IN_FILE(test_store_open__an_empty_file_is_new),
		IN_FILE(test_store_open__leaves_the_disk),
		IN_MEMORY(test_store_open__memory_keeps_nothing),
		cmocka_unit_test(test_store_open__closing_nothing_is_fine),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
