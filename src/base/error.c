/* SPDX-License-Identifier: MIT */
/* Fills and extends the error value; texts are cut to size between characters, never inside one. */
#include "forcefs/base/error.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base_priv.h"

/* Copies src into a field of size bytes, without newlines at its end. */
static void copy_text(char *dst, size_t size, const char *src)
{
	size_t len = strlen(src);
	if (len >= size) {
		len = utf8_whole(src, size - 1);
	}
	while (len > 0 && src[len - 1] == '\n') {
		len--;
	}
	memcpy(dst, src, len);
	dst[len] = '\0';
}

/* Formats first, so that the arguments may point into err itself. */
static void fill(struct error *err, int errnum, int http_status, const char *code, const char *fmt,
	va_list args) __attribute__((format(printf, 5, 0)));

static void fill(struct error *err, int errnum, int http_status, const char *code, const char *fmt,
	va_list args)
{
	char text[sizeof(err->text) + 4];
	char code_copy[sizeof(err->code) + 4] = "";
	vsnprintf(text, sizeof(text), fmt, args);
	if (code) {
		snprintf(code_copy, sizeof(code_copy), "%s", code);
	}
	memset(err, 0, sizeof(*err));
	err->errnum = errnum;
	err->http_status = http_status;
	copy_text(err->code, sizeof(err->code), code_copy);
	copy_text(err->text, sizeof(err->text), text);
}

int error_set(struct error *err, int errnum, const char *fmt, ...)
{
	if (err) {
		va_list args;
		va_start(args, fmt);
		fill(err, errnum, 0, NULL, fmt, args);
		va_end(args);
	}
	return -errnum;
}

int error_set_code(
	struct error *err, int errnum, int http_status, const char *code, const char *fmt, ...)
{
	if (err) {
		va_list args;
		va_start(args, fmt);
		fill(err, errnum, http_status, code, fmt, args);
		va_end(args);
	}
	return -errnum;
}

int error_prefix(struct error *err, int r, const char *fmt, ...)
{
	if (err) {
		char text[2 * sizeof(err->text)];
		va_list args;
		va_start(args, fmt);
		int n = vsnprintf(text, sizeof(err->text), fmt, args);
		va_end(args);
		size_t len = n < 0 ? 0 : strlen(text);
		if ((size_t)n >= sizeof(err->text)) {
			len = utf8_whole(text, len);
		}
		snprintf(text + len, sizeof(text) - len, ": %s", err->text);
		copy_text(err->text, sizeof(err->text), text);
	}
	return r;
}

int error_errno(struct error *err, int errnum, const char *fmt, ...)
{
	if (err) {
		char reason[128];
		const char *words = strerror_r(errnum, reason, sizeof(reason));
		va_list args;
		va_start(args, fmt);
		fill(err, errnum, 0, NULL, fmt, args);
		va_end(args);
		size_t len = strlen(err->text);
		char text[sizeof(err->text) + sizeof(reason) + 4];
		snprintf(text, sizeof(text), "%.*s: %s", (int)len, err->text, words);
		copy_text(err->text, sizeof(err->text), text);
	}
	return -errnum;
}

/* glibc has strerrorname_np only since 2.32, other libraries not at all. */
#define NAME(e) [e] = #e
static const char *const names[] = {
	NAME(EPERM),
	NAME(ENOENT),
	NAME(ESRCH),
	NAME(EINTR),
	NAME(EIO),
	NAME(ENXIO),
	NAME(E2BIG),
	NAME(ENOEXEC),
	NAME(EBADF),
	NAME(ECHILD),
	NAME(EAGAIN),
	NAME(ENOMEM),
	NAME(EACCES),
	NAME(EFAULT),
	NAME(ENOTBLK),
	NAME(EBUSY),
	NAME(EEXIST),
	NAME(EXDEV),
	NAME(ENODEV),
	NAME(ENOTDIR),
	NAME(EISDIR),
	NAME(EINVAL),
	NAME(ENFILE),
	NAME(EMFILE),
	NAME(ENOTTY),
	NAME(ETXTBSY),
	NAME(EFBIG),
	NAME(ENOSPC),
	NAME(ESPIPE),
	NAME(EROFS),
	NAME(EMLINK),
	NAME(EPIPE),
	NAME(EDOM),
	NAME(ERANGE),
	NAME(EDEADLK),
	NAME(ENAMETOOLONG),
	NAME(ENOLCK),
	NAME(ENOSYS),
	NAME(ENOTEMPTY),
	NAME(ELOOP),
	NAME(ENOMSG),
	NAME(EIDRM),
	NAME(ENODATA),
	NAME(ETIME),
	NAME(ENONET),
	NAME(ENOLINK),
	NAME(ECOMM),
	NAME(EPROTO),
	NAME(EBADMSG),
	NAME(EOVERFLOW),
	NAME(ENOTUNIQ),
	NAME(EBADFD),
	NAME(EREMCHG),
	NAME(EILSEQ),
	NAME(ERESTART),
	NAME(EUSERS),
	NAME(ENOTSOCK),
	NAME(EDESTADDRREQ),
	NAME(EMSGSIZE),
	NAME(EPROTOTYPE),
	NAME(ENOPROTOOPT),
	NAME(EPROTONOSUPPORT),
	NAME(ESOCKTNOSUPPORT),
	NAME(EOPNOTSUPP),
	NAME(EPFNOSUPPORT),
	NAME(EAFNOSUPPORT),
	NAME(EADDRINUSE),
	NAME(EADDRNOTAVAIL),
	NAME(ENETDOWN),
	NAME(ENETUNREACH),
	NAME(ENETRESET),
	NAME(ECONNABORTED),
	NAME(ECONNRESET),
	NAME(ENOBUFS),
	NAME(EISCONN),
	NAME(ENOTCONN),
	NAME(ESHUTDOWN),
	NAME(ETOOMANYREFS),
	NAME(ETIMEDOUT),
	NAME(ECONNREFUSED),
	NAME(EHOSTDOWN),
	NAME(EHOSTUNREACH),
	NAME(EALREADY),
	NAME(EINPROGRESS),
	NAME(ESTALE),
	NAME(EREMOTEIO),
	NAME(EDQUOT),
	NAME(ENOMEDIUM),
	NAME(EMEDIUMTYPE),
	NAME(ECANCELED),
	NAME(ENOKEY),
	NAME(EKEYEXPIRED),
	NAME(EKEYREVOKED),
	NAME(EKEYREJECTED),
	NAME(EOWNERDEAD),
	NAME(ENOTRECOVERABLE),
};

const char *error_name(int errnum)
{
	size_t count = sizeof(names) / sizeof(names[0]);
	if (errnum <= 0 || (size_t)errnum >= count || !names[errnum]) {
		return "E?";
	}
	return names[errnum];
}
