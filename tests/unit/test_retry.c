/* SPDX-License-Identifier: MIT */
/* The retry policy as a table. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdio.h>

#include "forcefs/net/retry.h"

#define LONG_MS  600000
#define NO_AFTER (-1)

/* The wait must lie in [min, max] whatever the chance; -1, -1: give up. */
static const struct {
	struct retry_case in;
	int64_t min_ms, max_ms;
} rows[] = {
	/* statuses */
	{{true, 1, 200, 0, NO_AFTER, LONG_MS, 0}, -1, -1},
	{{true, 1, 201, 0, NO_AFTER, LONG_MS, 0}, -1, -1},
	{{true, 1, 400, 0, NO_AFTER, LONG_MS, 0}, -1, -1},
	{{true, 1, 401, 0, NO_AFTER, LONG_MS, 0}, -1, -1},
	{{true, 1, 403, 0, NO_AFTER, LONG_MS, 0}, -1, -1},
	{{true, 1, 404, 0, NO_AFTER, LONG_MS, 0}, -1, -1},
	{{true, 1, 412, 0, NO_AFTER, LONG_MS, 0}, -1, -1},
	{{true, 1, 501, 0, NO_AFTER, LONG_MS, 0}, -1, -1},
	{{true, 1, 406, 0, NO_AFTER, LONG_MS, 0}, 250, 500},
	{{true, 1, 420, 0, NO_AFTER, LONG_MS, 0}, 250, 500},
	{{true, 1, 429, 0, NO_AFTER, LONG_MS, 0}, 250, 500},
	{{true, 1, 500, 0, NO_AFTER, LONG_MS, 0}, 250, 500},
	{{true, 1, 502, 0, NO_AFTER, LONG_MS, 0}, 250, 500},
	{{true, 1, 503, 0, NO_AFTER, LONG_MS, 0}, 250, 500},
	{{true, 1, 504, 0, NO_AFTER, LONG_MS, 0}, 250, 500},
	/* broken transfers */
	{{true, 1, 0, EHOSTUNREACH, NO_AFTER, LONG_MS, 0}, 250, 500},
	{{true, 1, 0, EPROTO, NO_AFTER, LONG_MS, 0}, 250, 500},
	{{true, 1, 0, ETIMEDOUT, NO_AFTER, LONG_MS, 0}, 250, 500},
	{{true, 1, 0, EACCES, NO_AFTER, LONG_MS, 0}, -1, -1},
	{{true, 1, 0, EFBIG, NO_AFTER, LONG_MS, 0}, -1, -1},
	{{true, 1, 0, EINTR, NO_AFTER, LONG_MS, 0}, -1, -1},
	{{true, 1, 0, ENOMEM, NO_AFTER, LONG_MS, 0}, -1, -1},
	/* what may not be sent twice */
	{{false, 1, 503, 0, NO_AFTER, LONG_MS, 0}, -1, -1},
	{{false, 1, 429, 0, 1000, LONG_MS, 0}, -1, -1},
	{{false, 1, 0, EHOSTUNREACH, NO_AFTER, LONG_MS, 0}, -1, -1},
	/* doubling, and the last try */
	{{true, 2, 503, 0, NO_AFTER, LONG_MS, 0}, 500, 1000},
	{{true, 3, 503, 0, NO_AFTER, LONG_MS, 0}, 1000, 2000},
	{{true, 4, 503, 0, NO_AFTER, LONG_MS, 0}, 2000, 4000},
	{{true, 5, 503, 0, NO_AFTER, LONG_MS, 0}, -1, -1},
	{{true, 6, 0, EPROTO, NO_AFTER, LONG_MS, 0}, -1, -1},
	{{true, 2, 420, 0, NO_AFTER, LONG_MS, 0}, -1, -1},
	/* Retry-After */
	{{true, 1, 503, 0, 2000, LONG_MS, 0}, 2000, 2250},
	{{true, 4, 429, 0, 100, LONG_MS, 0}, 100, 350},
	{{true, 1, 503, 0, 10000, LONG_MS, 0}, 10000, 10000},
	{{true, 1, 503, 0, 10001, LONG_MS, 0}, -1, -1},
	{{true, 1, 503, 0, INT64_MAX, LONG_MS, 0}, -1, -1},
	/* the deadline */
	{{true, 1, 503, 0, NO_AFTER, 250, 0}, -1, -1},
	{{true, 1, 503, 0, NO_AFTER, 750, 0}, -1, -1},
	{{true, 1, 503, 0, NO_AFTER, 1001, 0}, 250, 500},
	{{true, 1, 503, 0, NO_AFTER, 0, 0}, -1, -1},
	{{true, 1, 503, 0, NO_AFTER, -5, 0}, -1, -1},
	{{true, 1, 503, 0, 2000, 2500, 0}, -1, -1},
	{{true, 1, 503, 0, NO_AFTER, INT64_MAX, 0}, 250, 500},
};

static void test_retry_delay_ms__table(void **state)
{
	(void)state;
	static const uint32_t chances[] = {0, 1, 249, 250, 251, 12345, 0x7fffffff, UINT32_MAX};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		for (size_t j = 0; j < sizeof(chances) / sizeof(chances[0]); j++) {
			struct retry_case c = rows[i].in;
			c.random = chances[j];
			int64_t wait = retry_delay_ms(&c);
			if (wait < rows[i].min_ms || wait > rows[i].max_ms) {
				fail_msg(
					"row %zu, chance %u: %lld", i, chances[j], (long long)wait);
			}
		}
	}
}

static void test_retry_delay_ms__chance_spreads_the_waits(void **state)
{
	(void)state;
	struct retry_case c = {true, 1, 503, 0, NO_AFTER, LONG_MS, 0};
	int64_t least = retry_delay_ms(&c);
	c.random = 250;
	int64_t most = retry_delay_ms(&c);
	assert_int_equal(least, 250);
	assert_int_equal(most, 500);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_retry_delay_ms__table),
		cmocka_unit_test(test_retry_delay_ms__chance_spreads_the_waits),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
