/* SPDX-License-Identifier: MIT */
/* The ends of waiting for a browser. What it answers is tested through the command. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "forcefs/base/clock.h"
#include "listener.h"

/* A port that was free a moment ago. */
static int free_port(void)
{
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof(a);
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&a, len), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&a, &len), 0);
	close(fd);
	return ntohs(a.sin_port);
}

static struct listener *start(char *uri, size_t size)
{
	struct listener *l = NULL;
	struct error err = {0};
	snprintf(uri, size, "http://localhost:%d/x", free_port());
	const struct listener_config config = {
		.redirect_uri = uri, .state = "s", .login_url = "https://acme.my.salesforce.com"};
	int r = listener_open(&config, &l, &err);
	if (r < 0) {
		fail_msg("%s", err.text);
	}
	return l;
}

static void test_listener__gives_up_in_time(void **state)
{
	char uri[64];
	struct callback_answer answer = {0};
	struct error err = {0};
	AUTO(listener) struct listener *l = start(uri, sizeof(uri));
	(void)state;
	assert_int_equal(listener_wait(l, clock_mono_ms() + 50, &answer, &err), -ETIMEDOUT);
	assert_null(answer.code);
	assert_int_equal(listener_strangers(l), 0);
}

static void test_listener__ends_on_a_signal_that_came_before(void **state)
{
	char uri[64];
	struct callback_answer answer = {0};
	struct error err = {0};
	sigset_t now;
	AUTO(listener) struct listener *l = start(uri, sizeof(uri));
	(void)state;
	kill(getpid(), SIGINT);
	assert_int_equal(listener_wait(l, INT64_MAX, &answer, &err), -EINTR);
	sigprocmask(SIG_SETMASK, NULL, &now);
	assert_false(sigismember(&now, SIGINT));
}

static void test_listener__one_at_a_time(void **state)
{
	char uri[64];
	struct listener *second = NULL;
	struct error err = {0};
	AUTO(listener) struct listener *l = start(uri, sizeof(uri));
	const struct listener_config config = {.redirect_uri = uri, .state = "s", .login_url = ""};
	(void)state;
	(void)l;
	assert_int_equal(listener_open(&config, &second, &err), -EADDRINUSE);
	assert_non_null(strstr(err.text, "--paste"));
}

#define FILES 64

/* A child that the command starts must not hold the port. */
static void test_listener__keeps_its_files_to_itself(void **state)
{
	char uri[64];
	bool open_before[FILES];
	(void)state;
	for (int fd = 0; fd < FILES; fd++) {
		open_before[fd] = fcntl(fd, F_GETFD) >= 0;
	}
	AUTO(listener) struct listener *l = start(uri, sizeof(uri));
	(void)l;
	for (int fd = 0; fd < FILES; fd++) {
		int flags = fcntl(fd, F_GETFD);
		assert_true(open_before[fd] || flags < 0 || (flags & FD_CLOEXEC));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_listener__gives_up_in_time),
		cmocka_unit_test(test_listener__ends_on_a_signal_that_came_before),
		cmocka_unit_test(test_listener__one_at_a_time),
		cmocka_unit_test(test_listener__keeps_its_files_to_itself),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
