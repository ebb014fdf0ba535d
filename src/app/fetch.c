/* SPDX-License-Identifier: MIT */
#include "fetch.h"

#include <dirent.h>
#include <errno.h>
#include <jansson.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "forcefs/base/clock.h"
#include "forcefs/base/spawn.h"
#include "forcefs/model/names.h"
#include "page.h"
#include "special.h"
#include "why.h"

#define LOOK_MS       25   /* between two looks at the reader */
#define DRAW_MS       200  /* between two drawings of the line */
#define ASK_MS        500  /* between two questions to the mount */
#define SETTLE_MS     150  /* a mount says the same for so long */
#define LINE_MS       5000 /* between two lines where stderr is no terminal */
#define PATIENCE_MS   3000 /* for an answer of the mount, and for the reader's end */
#define STATUS_BYTES  (16u << 20)
#define JOURNAL_BYTES (64u << 20)
/* Columns kept free at the end of the line: for the cursor, and the ^C that a terminal shows. */
#define MARGIN  3
#define SAMPLES 24 /* of the last seconds, for the rate */

/* What the reader tells; shared with it. */
struct report_back {
	_Atomic int64_t records;
	_Atomic int errnum;
};

struct sample {
	int64_t ms, records;
};

struct watch {
	const struct mount_entry *mount;
	const volatile sig_atomic_t *stop;
	struct report_back *back;
	pid_t reader;
	int wait_status;
	int64_t start_ms, asked_ms, shown_ms, sampled_ms;
	int64_t calls_before; /* -1: not known yet */
	struct sample samples[SAMPLES];
	unsigned sample_count;
	int width; /* of stderr; 0: no terminal */
	struct fetch_progress *p;
};

/* ---- the reader, a process of its own ---- */

static void read_all(const struct mount_entry *mount, const char *object, struct report_back *back)
{
	AUTO_FREE char *path = NULL;
	if (asprintf(&path, "%s/%s", mount->dir, object) < 0) {
		path = NULL;
	}
	DIR *dir = path && special_become_owner(mount) == 0 ? opendir(path) : NULL;
	errno = dir ? 0 : errno ? errno : ENOMEM;
	struct id id;
	for (struct dirent *e; dir && (e = readdir(dir)) != NULL; errno = 0) {
		/* a record's body stands beside it, and so do files of editors */
		if (record_name_parse(e->d_name, "", &id)) {
			atomic_fetch_add(&back->records, 1);
		}
	}
	atomic_store(&back->errnum, errno);
	if (dir) {
		closedir(dir);
	}
}

static int start_reader(struct watch *w, const char *object, struct error *err)
{
	fflush(NULL);
	w->reader = fork();
	if (w->reader < 0) {
		return error_errno(err, errno, "starting a process");
	}
	if (w->reader == 0) {
		signal(SIGINT, SIG_DFL);
		signal(SIGTERM, SIG_DFL);
		prctl(PR_SET_PDEATHSIG, SIGTERM);
		read_all(w->mount, object, w->back);
		_exit(0);
	}
	return 0;
}

static bool reader_ended(struct watch *w)
{
	return waitpid(w->reader, &w->wait_status, WNOHANG) == w->reader;
}

static void end_reader(struct watch *w)
{
	int64_t deadline_ms = clock_mono_ms() + PATIENCE_MS;
	kill(w->reader, SIGTERM);
	while (!reader_ended(w)) {
		if (clock_mono_ms() > deadline_ms) {
			kill(w->reader, SIGKILL); /* whoever is stuck in the kernel goes later */
			return;
		}
		nanosleep(&(struct timespec){.tv_nsec = 20 * 1000000L}, NULL);
	}
}

/* ---- what the mount says ---- */

static void take_object(struct watch *w, const json_t *objects)
{
	size_t i;
	const json_t *o;
	json_array_foreach(objects, i, o)
	{
		const char *name = json_string_value(json_object_get(o, "name"));
		const json_t *listing = json_object_get(o, "listing");
		if (name && strcmp(name, w->p->object) == 0) {
			w->p->cached = json_integer_value(json_object_get(o, "records"));
			w->p->total = json_integer_value(
				json_object_get(json_is_object(listing) ? listing : o,
					json_is_object(listing) ? "total" : "records"));
		}
	}
}

/* An answer that does not come is no matter here: the reader is what counts. */
static void ask_mount(struct watch *w)
{
	AUTO(buf) struct buf text;
	buf_init(&text, STATUS_BYTES);
	w->asked_ms = clock_mono_ms();
	if (special_read(w->mount, "status.json", PATIENCE_MS, &text, NULL) < 0) {
		return;
	}
	json_t *status = json_loadb(buf_str(&text), text.len, 0, NULL);
	int64_t calls = json_integer_value(
		json_object_get(json_object_get(status, "api"), "calls_by_this_mount"));
	if (w->calls_before < 0) {
		w->calls_before = calls;
	} else {
		take_object(w, json_object_get(status, "objects"));
	}
	w->p->calls = calls - w->calls_before;
	json_decref(status);
}

/* ---- watching ---- */

static void take_sample(struct watch *w)
{
	int64_t now_ms = clock_mono_ms();
	struct fetch_progress *p = w->p;
	p->records = atomic_load(&w->back->records);
	p->elapsed_ms = now_ms - w->start_ms;
	unsigned at = w->sample_count % SAMPLES;
	struct sample oldest = w->sample_count < SAMPLES ? w->samples[0] : w->samples[at];
	if (w->sample_count > 0 && now_ms > oldest.ms) {
		p->rate =
			(double)(p->records - oldest.records) * 1000 / (double)(now_ms - oldest.ms);
	}
	w->sampled_ms = now_ms;
	w->samples[at] = (struct sample){now_ms, p->records};
	w->sample_count++;
}

static void show(struct watch *w)
{
	AUTO(buf) struct buf line;
	buf_init(&line, 4096);
	int64_t now_ms = clock_mono_ms();
	if (w->width == 0 && now_ms - w->shown_ms < LINE_MS) {
		return;
	}
	w->shown_ms = now_ms;
	w->width = page_width_of(STDERR_FILENO); /* it may have been drawn larger */
	fetch_line(w->p, w->width ? w->width - MARGIN : 0, &line);
	fprintf(stderr, w->width ? "\r%s\033[K" : "%s\n", buf_str(&line));
}

static void clear_line(const struct watch *w)
{
	if (w->width) {
		fputs("\r\033[K", stderr);
	}
}

static int judge(const struct watch *w, struct error *err)
{
	int errnum = atomic_load(&w->back->errnum);
	if (*w->stop) {
		return error_set(err, EINTR, "stopped");
	}
	if (WIFSIGNALED(w->wait_status)) {
		return error_set(err, EINTR, "the reading process was ended by signal %d",
			WTERMSIG(w->wait_status));
	}
	return errnum ? error_errno(err, errnum, "%s", w->p->object) : 0;
}

/* Salesforce's own words for it, from the mount's journal of errors. */
static int explain(const struct watch *w, int r, struct error *err)
{
	AUTO(buf) struct buf journal;
	buf_init(&journal, JOURNAL_BYTES);
	if (r == -ENOENT) {
		return error_set(err, ENOENT, "there is no object %s in this org", w->p->object);
	}
	if (r == -EINTR || special_read(w->mount, "errors.ndjson", PATIENCE_MS, &journal,
				   r == -ENOTCONN || r == -EACCES ? err : NULL) < 0) {
		return r;
	}
	json_t *entry = why_find(buf_str(&journal), journal.len, w->p->object);
	const char *text = json_string_value(json_object_get(entry, "text"));
	const char *errno_of = json_string_value(json_object_get(entry, "errno"));
	if (text && errno_of && strcmp(errno_of, error_name(-r)) == 0) {
		error_set(err, -r, "%s: %s", w->p->object, text);
	}
	json_decref(entry);
	return r;
}

/* The mount's last word, after which nothing of this fetch changes any more. */
static void ask_finally(struct watch *w)
{
	int64_t wait_ms = w->asked_ms + SETTLE_MS - clock_mono_ms();
	if (wait_ms > 0) {
		nanosleep(&(struct timespec){.tv_nsec = wait_ms * 1000000L}, NULL);
	}
	ask_mount(w);
}

static void watch_reader(struct watch *w)
{
	while (!reader_ended(w)) {
		if (*w->stop) {
			end_reader(w);
			break;
		}
		nanosleep(&(struct timespec){.tv_nsec = LOOK_MS * 1000000L}, NULL);
		if (clock_mono_ms() - w->sampled_ms < DRAW_MS) {
			continue;
		}
		if (clock_mono_ms() - w->asked_ms >= ASK_MS) {
			ask_mount(w);
		}
		take_sample(w);
		show(w);
	}
	take_sample(w);
	ask_finally(w);
	clear_line(w);
}

int fetch_object(const struct mount_entry *mount, const char *object,
	const volatile sig_atomic_t *stop, struct fetch_progress *ret, struct error *err)
{
	int64_t now_ms = clock_mono_ms();
	struct watch w = {.mount = mount,
		.stop = stop,
		.start_ms = now_ms,
		.shown_ms = now_ms,
		.sampled_ms = now_ms,
		.calls_before = -1,
		.width = page_width_of(STDERR_FILENO),
		.p = ret};
	*ret = (struct fetch_progress){.object = object};
	w.back = mmap(
		NULL, sizeof(*w.back), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (w.back == MAP_FAILED) {
		return error_errno(err, errno, "sharing memory with the reader");
	}
	ask_mount(&w);
	int r = start_reader(&w, object, err);
	if (r == 0) {
		watch_reader(&w);
		r = judge(&w, err);
		r = r < 0 ? explain(&w, r, err) : 0;
	}
	munmap(w.back, sizeof(*w.back));
	return r;
}
