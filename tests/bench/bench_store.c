/* SPDX-License-Identifier: MIT */
/* Times the hot paths of the store: bench_store [rows] [body bytes] [folder]. Not run by ctest. */
#include "forcefs/store/store.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#define BATCH 2000
#define PAGE  200

static double now_us(void)
{
	struct timespec ts;
	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec * 1e6 + (double)ts.tv_nsec / 1e3;
}

static void must(int r, const struct error *err)
{
	if (r < 0) {
		fprintf(stderr, "bench_store: %s\n", err->text);
		exit(1);
	}
}

static void resident(const char *when)
{
	char line[256];
	FILE *f = fopen("/proc/self/status", "r");
	while (f && fgets(line, sizeof(line), f)) {
		if (strncmp(line, "VmRSS", 5) == 0 || strncmp(line, "VmHWM", 5) == 0) {
			printf("%-34s %s", when, line);
		}
	}
	if (f) {
		fclose(f);
	}
}

/* Ids in mixed order, as a query sorted by something else gives them. */
static void make_id(char *id, uint64_t n, int spread)
{
	uint64_t number = spread ? n * UINT64_C(2654435761) % UINT64_C(9999999967) : n;
	char text[32];
	snprintf(text, sizeof(text), "001Ab%010" PRIu64 "AAA", number);
	memcpy(id, text, 18);
	id[18] = '\0';
}

static void put_all(struct store *s, uint32_t object, uint64_t rows, size_t size, uint32_t gen,
	uint64_t salt, const char *what, int spread)
{
	static struct store_put puts[BATCH];
	struct error err = {0};
	char *body = malloc(size);
	memset(body, 'x', size);
	double worst = 0, begin = now_us();
	for (uint64_t at = 0; at < rows; at += BATCH) {
		size_t n = rows - at < BATCH ? rows - at : BATCH;
		for (size_t i = 0; i < n; i++) {
			make_id(puts[i].id, at + i, spread);
			puts[i].stamp_ms = 1700000000000 + (int64_t)(at + i);
			puts[i].hash = (at + i) * 31 + salt;
			puts[i].body = body;
			puts[i].size = size;
		}
		double t = now_us();
		must(store_record_put(s, object, gen, 1700000000000, puts, n, &err), &err);
		t = now_us() - t;
		worst = t > worst ? t : worst;
	}
	printf("%-34s %8.2f us a row, worst call %.1f ms\n", what,
		(now_us() - begin) / (double)rows, worst / 1e3);
	free(body);
}

static void list_all(struct store *s, uint32_t object)
{
	static struct store_record page[PAGE];
	struct error err = {0};
	uint64_t after = 0;
	int calls = 0, n;
	double begin = now_us();
	while ((n = store_record_next(s, object, after, page, PAGE, &err)) > 0) {
		after = store_key_row(page[n - 1].key);
		calls++;
	}
	must(n, &err);
	printf("%-34s %8.2f us a call of %d\n", "list", (now_us() - begin) / calls, PAGE);
}

static void read_all(struct store *s, uint32_t object, uint64_t rows, int how, const char *what)
{
	struct error err = {0};
	struct store_record record;
	struct buf body;
	uint64_t at = 0;
	buf_init(&body, 1 << 20);
	double begin = now_us();
	for (uint64_t i = 0; i < rows; i++) {
		char id[19];
		at = how == 0 ? i + 1 : (at + 7919) % rows + 1;
		buf_clear(&body);
		make_id(id, at - 1, 0);
		must(how < 2 ? store_record_by_key(s, store_key(object, at), &record, &body, &err)
			     : store_record_by_id(s, object, id, &record, &body, &err),
			&err);
	}
	printf("%-34s %8.2f us each\n", what, (now_us() - begin) / (double)rows);
	buf_release(&body);
}

int main(int argc, char **argv)
{
	uint64_t rows = argc > 1 ? strtoull(argv[1], NULL, 10) : 100000;
	size_t size = argc > 2 ? strtoull(argv[2], NULL, 10) : 1200;
	char made[] = "/tmp/bench_store.XXXXXX";
	char *dir = argc > 3 ? argv[3] : mkdtemp(made);
	struct store_config config = {
		.dir = dir, .name = "bench", .limit_bytes = UINT64_C(1) << 40};
	struct store *s = NULL;
	enum store_origin origin;
	struct error err = {0};
	struct store_object o, o2;
	double begin = now_us();
	must(store_open(&config, &s, &origin, &err), &err);
	printf("%-34s %8.2f us\n", "open", now_us() - begin);
	must(store_object_get(s, "Account", &o, &err), &err);
	must(store_object_get(s, "Contact", &o2, &err), &err);
	put_all(s, o.index, rows, size, 1, 0, "put, new", 0);
	put_all(s, o2.index, rows, size, 1, 0, "put, new, Ids spread", 1);
	put_all(s, o.index, rows, size, 1, 0, "put, nothing to write", 0);
	put_all(s, o.index, rows, size, 2, 0, "put, same, new generation", 0);
	put_all(s, o.index, rows, size, 2, 1, "put, changed", 0);
	list_all(s, o.index);
	list_all(s, o2.index);
	read_all(s, o.index, rows, 0, "read by key, in order");
	read_all(s, o.index, rows, 1, "read by key, scattered");
	read_all(s, o.index, rows, 2, "read by Id, scattered");
	resident("resident");
	struct store_stats stats;
	store_get_stats(s, &stats);
	printf("%-34s %8.1f MB\n", "in use", (double)stats.file_bytes / 1e6);
	begin = now_us();
	store_close(s);
	printf("%-34s %8.2f us\n", "close", now_us() - begin);
	begin = now_us();
	must(store_open(&config, &s, &origin, &err), &err);
	printf("%-34s %8.2f us\n", "open again", now_us() - begin);
	store_close(s);
	printf("files are in %s\n", dir);
	return 0;
}
