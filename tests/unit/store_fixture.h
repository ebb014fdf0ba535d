/* SPDX-License-Identifier: MIT */
/* A store in a folder of its own, for the tests of the store. */
#ifndef STORE_FIXTURE_H
#define STORE_FIXTURE_H

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "forcefs/store/store.h"

#define UNUSED __attribute__((unused))

struct fixture {
	char dir[64]; /* "": in memory */
	uint64_t limit_bytes;
	struct store *s;
	enum store_origin origin;
	struct error err;
};

UNUSED static int fixture_open(struct fixture *f)
{
	struct store_config config = {
		.dir = *f->dir ? f->dir : NULL, .name = "00D-005", .limit_bytes = f->limit_bytes};
	memset(&f->err, 0, sizeof(f->err));
	f->s = NULL;
	return store_open(&config, &f->s, &f->origin, &f->err);
}

UNUSED static void fixture_close(struct fixture *f)
{
	store_close(f->s);
	f->s = NULL;
}

UNUSED static void fixture_reopen(struct fixture *f)
{
	fixture_close(f);
	assert_int_equal(fixture_open(f), 0);
}

UNUSED static struct fixture *fixture_new(void)
{
	struct fixture *f = calloc(1, sizeof(*f));
	assert_non_null(f);
	snprintf(f->dir, sizeof(f->dir), "/tmp/test_store.XXXXXX");
	assert_non_null(mkdtemp(f->dir));
	return f;
}

UNUSED static int setup_file(void **state)
{
	struct fixture *f = fixture_new();
	*state = f;
	return fixture_open(f);
}

UNUSED static int setup_memory(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	*state = f;
	return f ? fixture_open(f) : -1;
}

UNUSED static int teardown(void **state)
{
	struct fixture *f = *state;
	fixture_close(f);
	DIR *d = *f->dir ? opendir(f->dir) : NULL;
	for (struct dirent *e; d && (e = readdir(d));) {
		unlinkat(dirfd(d), e->d_name, 0);
	}
	if (d) {
		closedir(d);
		rmdir(f->dir);
	}
	free(f);
	return 0;
}

/* "<dir>/00D-005<ending>", static. */
UNUSED static const char *file_of(const struct fixture *f, const char *ending)
{
	static char path[160];
	snprintf(path, sizeof(path), "%s/00D-005%s", f->dir, ending);
	return path;
}

UNUSED static uint64_t size_of(const struct fixture *f, const char *ending)
{
	struct stat st;
	return stat(file_of(f, ending), &st) == 0 ? (uint64_t)st.st_size : 0;
}

UNUSED static uint32_t object_of(struct store *s, const char *name)
{
	struct error err = {0};
	struct store_object o;
	assert_int_equal(store_object_get(s, name, &o, &err), 0);
	uint32_t index = o.index;
	store_object_release(&o);
	return index;
}

UNUSED static const char *id_of(uint64_t n, char id[19])
{
	char text[48];
	snprintf(text, sizeof(text), "001Ab%010" PRIu64 "AAA", n);
	memcpy(id, text, 18);
	id[18] = '\0';
	return id;
}

UNUSED static void fill_put(struct store_put *p, uint64_t n, const char *body, size_t size)
{
	memset(p, 0, sizeof(*p));
	id_of(n, p->id);
	p->stamp_ms = 1700000000000 + (int64_t)n;
	p->hash = size + (size ? (unsigned char)body[0] : 0) * 1000u;
	p->body = body;
	p->size = size;
}

/* Puts the record n with the body; what became of it is in the returned row. */
UNUSED static struct store_put put_one(
	struct store *s, uint32_t object, uint32_t generation, uint64_t n, const char *body)
{
	struct error err = {0};
	struct store_put p;
	fill_put(&p, n, body, strlen(body));
	int r = store_record_put(s, object, generation, 1000, &p, 1, &err);
	if (r < 0) {
		fail_msg("put: %s", err.text);
	}
	return p;
}

/* Puts the records first … first + count - 1, each with size bytes of fill. */
UNUSED static int put_many(struct store *s, uint32_t object, uint32_t generation, uint64_t first,
	size_t count, size_t size, char fill, struct error *err)
{
	struct store_put *rows = calloc(count, sizeof(*rows));
	char *body = malloc(size + 1);
	assert_true(rows && body);
	memset(body, fill, size);
	for (size_t i = 0; i < count; i++) {
		fill_put(&rows[i], first + i, body, size);
	}
	int r = store_record_put(s, object, generation, 1000, rows, count, err);
	free(body);
	free(rows);
	return r;
}

/* The body of record n as a string (static), NULL where it is evicted, "-" where it is not there.
 */
UNUSED static const char *body_of(struct store *s, uint32_t object, uint64_t n)
{
	static char text[256];
	struct error err = {0};
	struct store_record record;
	char id[19];
	AUTO(buf) struct buf body;
	buf_init(&body, 1 << 24);
	int r = store_record_by_id(s, object, id_of(n, id), &record, &body, &err);
	if (r == -ENOENT) {
		return "-";
	}
	if (r == -ENODATA) {
		return NULL;
	}
	assert_int_equal(r, 0);
	assert_string_equal(record.id, id);
	assert_int_equal(record.size, body.len);
	snprintf(text, sizeof(text), "%s", buf_str(&body));
	return text;
}

UNUSED static uint64_t records_of(struct store *s, uint32_t object)
{
	struct store_count count;
	store_object_count(s, object, &count);
	return count.records;
}

/* Counted by listing. */
UNUSED static uint64_t listed_of(struct store *s, uint32_t object)
{
	static _Thread_local struct store_record page[100];
	uint64_t n = 0, after = 0;
	int r;
	while ((r = store_record_next(s, object, after, page, 100, NULL)) > 0) {
		after = store_key_row(page[r - 1].key);
		n += (uint64_t)r;
	}
	assert_int_equal(r, 0);
	return n;
}

#endif
