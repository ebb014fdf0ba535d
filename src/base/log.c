/* SPDX-License-Identifier: MIT */
/* Log lines: one write per line, so that lines of several threads and processes never mix. */
#include "forcefs/base/log.h"

#include <errno.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <syslog.h>
#include <unistd.h>

#include "base_priv.h"

#define TEXT_MAX       2048
#define LINE_MAX_BYTES (TEXT_MAX + 128)
/* A form of its own may write a byte as six (\u001b). */
#define FORM_MAX_BYTES (6 * TEXT_MAX + 256)

typedef size_t (*form_fn)(
	char *line, size_t size, enum log_level level, const char *module, const char *text);

static const struct {
	const char *word; /* in settings */
	const char *mark; /* in a line on stderr */
	int priority;
} levels[] = {
	[LOG_LEVEL_ERROR] = {"error", "error: ", LOG_ERR},
	[LOG_LEVEL_WARN] = {"warn", "warning: ", LOG_WARNING},
	[LOG_LEVEL_INFO] = {"info", "", LOG_INFO},
	[LOG_LEVEL_DEBUG] = {"debug", "debug: ", LOG_DEBUG},
};

static _Atomic(enum log_sink) the_sink = LOG_SINK_STDERR;
static _Atomic(enum log_level) the_level = LOG_LEVEL_INFO;
static _Atomic(form_fn) the_form;

void log_to(enum log_sink sink)
{
	if (sink == LOG_SINK_SYSLOG) {
		openlog("forcefs", LOG_PID, LOG_DAEMON);
	}
	atomic_store(&the_sink, sink);
}

void log_format_with(form_fn format)
{
	atomic_store(&the_form, format);
}

const char *log_level_word(enum log_level level)
{
	return levels[level].word;
}

void log_set_level(enum log_level level)
{
	atomic_store(&the_level, level);
}

enum log_level log_get_level(void)
{
	return atomic_load(&the_level);
}

bool log_level_parse(const char *word, enum log_level *ret)
{
	for (size_t i = 0; i < sizeof(levels) / sizeof(levels[0]); i++) {
		if (strcmp(word, levels[i].word) == 0) {
			*ret = (enum log_level)i;
			return true;
		}
	}
	return false;
}

/* Control characters of ASCII, and the C1 ones (U+0080 to U+009F), which terminals obey too. */
static bool is_control(const unsigned char *s, size_t len)
{
	return len == 1 ? *s < 0x20 || *s == 0x7f : len == 2 && s[0] == 0xc2 && s[1] < 0xa0;
}

/* Bytes of the character at s: a whole UTF-8 sequence, or 1 where there is none. */
static size_t char_len(const unsigned char *s)
{
	size_t need = utf8_need(*s);
	for (size_t i = 1; i < need; i++) {
		if ((s[i] & 0xc0) != 0x80) {
			return 1;
		}
	}
	return need;
}

void log_escape(char *dst, size_t size, const char *src)
{
	static const char hex[] = "0123456789abcdef";
	const unsigned char *s = (const unsigned char *)src;
	size_t used = 0;
	while (*s && size > 0) {
		size_t len = char_len(s);
		bool escape = is_control(s, len);
		if (len * (escape ? 4 : 1) >= size - used) {
			break;
		}
		for (size_t i = 0; i < len; i++, s++) {
			if (escape) {
				dst[used++] = '\\';
				dst[used++] = 'x';
				dst[used++] = hex[*s >> 4];
				dst[used++] = hex[*s & 15];
			} else {
				dst[used++] = (char)*s;
			}
		}
	}
	if (size > 0) {
		dst[used] = '\0';
	}
}

static void write_line(const char *line, size_t len)
{
	while (len > 0) {
		ssize_t n = write(STDERR_FILENO, line, len);
		if (n < 0 && errno != EINTR) {
			return;
		}
		if (n > 0) {
			line += n;
			len -= (size_t)n;
		}
	}
}

/* In the form that was asked for. False: there is none, or it did not work out. */
static bool emit_formed(enum log_level level, const char *module, const char *text)
{
	char line[FORM_MAX_BYTES];
	form_fn form = atomic_load(&the_form);
	size_t len = form ? form(line, sizeof(line) - 1, level, module, text) : 0;
	if (len == 0) {
		return false;
	}
	if (atomic_load(&the_sink) == LOG_SINK_SYSLOG) {
		syslog(levels[level].priority, "%s", line);
		return true;
	}
	line[len++] = '\n';
	write_line(line, len);
	return true;
}

static void emit(enum log_level level, const char *module, const char *fmt, va_list args)
	__attribute__((format(printf, 3, 0)));

static void emit(enum log_level level, const char *module, const char *fmt, va_list args)
{
	if (level > log_get_level()) {
		return;
	}
	int saved = errno; /* a log line must not change what the caller reports next */
	char raw[TEXT_MAX], text[TEXT_MAX], line[LINE_MAX_BYTES];
	vsnprintf(raw, sizeof(raw), fmt, args);
	raw[utf8_whole(raw, strlen(raw))] = '\0';
	if (emit_formed(level, module, raw)) {
		errno = saved;
		return;
	}
	log_escape(text, sizeof(text), raw);
	if (atomic_load(&the_sink) == LOG_SINK_SYSLOG) {
		syslog(levels[level].priority, "%s: %s", module, text);
	} else {
		int n = snprintf(line, sizeof(line), "forcefs: %s%.64s: %s\n", levels[level].mark,
			module, text);
		write_line(line, n > 0 ? (size_t)n : 0);
	}
	errno = saved;
}

/* Each level has a function of its own so that the compiler checks the format at the call. */
#define DEFINE_LOG(name, level)                                                                    \
	void log_##name(const char *module, const char *fmt, ...)                                  \
	{                                                                                          \
		va_list args;                                                                      \
		va_start(args, fmt);                                                               \
		emit(level, module, fmt, args);                                                    \
		va_end(args);                                                                      \
	}

DEFINE_LOG(error, LOG_LEVEL_ERROR)
DEFINE_LOG(warn, LOG_LEVEL_WARN)
DEFINE_LOG(info, LOG_LEVEL_INFO)
DEFINE_LOG(debug, LOG_LEVEL_DEBUG)
