/* SPDX-License-Identifier: MIT */
/*
 * libfuse before 3.17 counts PARALLEL_DIROPS among what it wants but forgets to say so in its
 * answer to INIT (libfuse#861), so the kernel sends the LOOKUPs and READDIRs of one directory one
 * at a time, and a slow one holds up all others. Here libfuse's writes go through a function of
 * ours that sets the missing flag in the first answer. With our own I/O functions libfuse does not
 * splice, which small files do not want anyway. The same place sees when the mount has come to
 * life.
 */
#include <errno.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

#include <linux/fuse.h>

#include "fs_priv.h"

/* Where libfuse builds the answer: the header, then a struct fuse_init_out. */
static void mend_init(const struct iovec *iov, int count)
{
	struct fuse_init_out *init = count == 2 ? iov[1].iov_base : NULL;
	if (init && iov[1].iov_len >= offsetof(struct fuse_init_out, flags) + sizeof(init->flags) &&
		init->major == FUSE_KERNEL_VERSION) {
		init->flags |= FUSE_PARALLEL_DIROPS;
	}
}

static ssize_t write_reply(int fd, struct iovec *iov, int count, void *userdata)
{
	struct fs *fs = userdata;
	if (atomic_load_explicit(&fs->init_sent, memory_order_relaxed)) {
		return writev(fd, iov, count);
	}
	const struct fuse_out_header *out = iov[0].iov_base;
	bool good = out->error == 0;
	if (good && fs->patch_init) {
		mend_init(iov, count);
	}
	ssize_t n = writev(fd, iov, count);
	if (n >= 0 && good && !atomic_exchange(&fs->init_sent, true) && fs->config.ready) {
		fs->config.ready(fs->config.payload);
	}
	return n;
}

static ssize_t read_request(int fd, void *buf, size_t len, void *userdata)
{
	(void)userdata;
	return read(fd, buf, len);
}

int parallel_install(struct fs *fs, struct error *err)
{
	static const struct fuse_custom_io io = {.writev = write_reply, .read = read_request};
	int r = fuse_session_custom_io(fs->session, &io, fuse_session_fd(fs->session));
	return r == 0 ? 0 : error_set(err, ENOMEM, "out of memory");
}
