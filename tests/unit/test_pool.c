/* SPDX-License-Identifier: MIT */
/* The thread pool: order, bounds, withdrawal, idle end. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "forcefs/base/clock.h"
#include "forcefs/base/pool.h"
#include "forcefs/base/scope.h"

/* A gate that jobs wait at, so that a test decides when they end. */
static pthread_mutex_t gate = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t gate_cond = PTHREAD_COND_INITIALIZER;
static bool gate_open; /* these three: protected by gate */
static int waiting;
static int ran;
static int order[64];

struct numbered {
	struct pool_job job;
	int number;
};

static void run_at_gate(struct pool_job *job)
{
	(void)job;
	LOCK_SCOPE(&gate);
	waiting++;
	pthread_cond_broadcast(&gate_cond);
	while (!gate_open) {
		pthread_cond_wait(&gate_cond, &gate);
	}
	ran++;
}

static void run_numbered(struct pool_job *job)
{
	struct numbered *n = (struct numbered *)job;
	LOCK_SCOPE(&gate);
	order[ran++] = n->number;
}

static void wait_for_waiting(int count)
{
	LOCK_SCOPE(&gate);
	while (waiting < count) {
		pthread_cond_wait(&gate_cond, &gate);
	}
}

static void open_gate(void)
{
	LOCK_SCOPE(&gate);
	gate_open = true;
	pthread_cond_broadcast(&gate_cond);
}

static int reset(void **state)
{
	(void)state;
	gate_open = false;
	waiting = ran = 0;
	return 0;
}

static void test_pool_free__runs_what_is_queued(void **state)
{
	(void)state;
	struct pool *p;
	assert_int_equal(pool_new("test", 3, 64, &p, NULL), 0);
	static struct numbered jobs[64];
	for (int i = 0; i < 64; i++) {
		jobs[i] = (struct numbered){.job.run = run_numbered, .number = i};
		int r;
		while ((r = pool_add(p, &jobs[i].job)) == -EAGAIN) {
		}
		assert_int_equal(r, 0);
	}
	pool_free(p);
	assert_int_equal(ran, 64);
	pool_free(NULL);
}

static void test_pool_add__runs_up_to_the_maximum_at_once(void **state)
{
	(void)state;
	struct pool *p;
	assert_int_equal(pool_new("test", 4, 16, &p, NULL), 0);
	struct pool_job jobs[6];
	for (int i = 0; i < 6; i++) {
		jobs[i] = (struct pool_job){.run = run_at_gate};
		assert_int_equal(pool_add(p, &jobs[i]), 0);
	}
	wait_for_waiting(4);
	pthread_mutex_lock(&gate);
	assert_int_equal(waiting, 4);
	pthread_mutex_unlock(&gate);
	open_gate();
	pool_free(p);
	assert_int_equal(ran, 6);
}

static void test_pool_add__refuses_beyond_the_queue_bound(void **state)
{
	(void)state;
	struct pool *p;
	assert_int_equal(pool_new("test", 1, 2, &p, NULL), 0);
	struct pool_job jobs[4] = {{.run = run_at_gate}, {.run = run_at_gate}, {.run = run_at_gate},
		{.run = run_at_gate}};
	assert_int_equal(pool_add(p, &jobs[0]), 0);
	wait_for_waiting(1);
	assert_int_equal(pool_add(p, &jobs[1]), 0);
	assert_int_equal(pool_add(p, &jobs[2]), 0);
	assert_int_equal(pool_add(p, &jobs[3]), -EAGAIN);
	open_gate();
	pool_free(p);
	assert_int_equal(ran, 3);
}

static void test_pool_withdraw__takes_back_queued_jobs_only(void **state)
{
	(void)state;
	struct pool *p;
	assert_int_equal(pool_new("test", 1, 8, &p, NULL), 0);
	struct pool_job first = {.run = run_at_gate};
	struct numbered jobs[4];
	assert_int_equal(pool_add(p, &first), 0);
	wait_for_waiting(1);
	for (int i = 0; i < 4; i++) {
		jobs[i] = (struct numbered){.job.run = run_numbered, .number = i};
		assert_int_equal(pool_add(p, &jobs[i].job), 0);
	}
	assert_false(pool_withdraw(p, &first));
	assert_true(pool_withdraw(p, &jobs[1].job));
	assert_false(pool_withdraw(p, &jobs[1].job));
	assert_true(pool_withdraw(p, &jobs[3].job));
	assert_true(pool_withdraw(p, &jobs[0].job));
	assert_int_equal(pool_add(p, &jobs[0].job), 0);
	open_gate();
	pool_free(p);
	assert_int_equal(ran, 3);
	assert_int_equal(order[1], 2);
	assert_int_equal(order[2], 0);
}

static _Atomic int64_t now_ms;

static int64_t fake_now(void)
{
	return atomic_load(&now_ms);
}

/* Threads of this process; a pool's idle ones end once the clock has moved on. */
static int count_threads(void)
{
	int count = 0;
	FILE *f = fopen("/proc/self/status", "re");
	char line[256];
	while (f && fgets(line, sizeof(line), f)) {
		sscanf(line, "Threads: %d", &count);
	}
	if (f) {
		fclose(f);
	}
	return count;
}

static void test_pool__idle_threads_end_and_new_ones_start(void **state)
{
	(void)state;
	static const struct clock_table fake = {fake_now, fake_now};
	int before = count_threads();
	clock_replace(&fake);
	struct pool *p;
	assert_int_equal(pool_new("test", 4, 8, &p, NULL), 0);
	struct pool_job jobs[3] = {
		{.run = run_at_gate}, {.run = run_at_gate}, {.run = run_at_gate}};
	for (int i = 0; i < 3; i++) {
		assert_int_equal(pool_add(p, &jobs[i]), 0);
	}
	wait_for_waiting(3);
	assert_int_equal(count_threads(), before + 3);
	open_gate();
	for (int i = 0; i < 5000 && count_threads() > before; i++) {
		atomic_fetch_add(&now_ms, 1000);
		nanosleep(&(struct timespec){0, 1000000}, NULL);
	}
	assert_int_equal(count_threads(), before);
	struct numbered again = {.job.run = run_numbered, .number = 9};
	assert_int_equal(pool_add(p, &again.job), 0);
	pool_free(p);
	clock_replace(NULL);
	assert_int_equal(ran, 4);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_pool_free__runs_what_is_queued, reset),
		cmocka_unit_test_setup(test_pool_add__runs_up_to_the_maximum_at_once, reset),
		cmocka_unit_test_setup(test_pool_add__refuses_beyond_the_queue_bound, reset),
		cmocka_unit_test_setup(test_pool_withdraw__takes_back_queued_jobs_only, reset),
		cmocka_unit_test_setup(test_pool__idle_threads_end_and_new_ones_start, reset),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
