/* SPDX-License-Identifier: MIT */
/* One word of -o after the other; each is a mount option, a setting, or fstab's own business. */
#include "options.h"

#include <ctype.h>
#include <errno.h>
#include <fnmatch.h>
#include <grp.h>
#include <limits.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>

#include "forcefs/base/log.h"
#include "nearest.h"

#define WORD_MAX (32 * 1024)

/* Words that mount(8), fstab and systemd put there for themselves. */
static const char *const passed_over[] = {"defaults", "auto", "noauto", "user", "nouser", "users",
	"owner", "group", "_netdev", "nofail", "exec", "noexec", "suid", "nosuid", "dev", "nodev",
	"sync", "async", "dirsync", "atime", "noatime", "relatime", "norelatime", "strictatime",
	"nostrictatime", "diratime", "nodiratime", "lazytime", "nolazytime", "symfollow",
	"nosymfollow", "iversion", "noiversion", "mand", "nomand", "silent", "loud", "x-*", "X-*",
	"comment=*", "user=*", "uhelper=*", "helper=*"};

/* ---- mount options ---- */

static int set_flag(struct options *o, const char *name, const char *value, struct error *err)
{
	if (value) {
		return error_set(err, EINVAL, "the option %s takes no value", name);
	}
	if (strcmp(name, "allow_other") == 0) {
		o->allow_other = true;
	} else {
		o->read_only = strcmp(name, "ro") == 0;
	}
	return 0;
}

/* A whole non-negative number in that base and nothing else. */
static bool read_id(const char *value, int base, unsigned long limit, unsigned long *ret)
{
	char *end;
	errno = 0;
	*ret = strtoul(value, &end, base);
	return isdigit((unsigned char)value[0]) && !*end && errno == 0 && *ret <= limit;
}

static int set_uid(struct options *o, const char *name, const char *value, struct error *err)
{
	unsigned long n;
	char space[4096];
	struct passwd entry, *found = NULL;
	if (read_id(value, 10, UINT_MAX - 1, &n)) {
		o->uid = (uid_t)n;
		return 0;
	}
	getpwnam_r(value, &entry, space, sizeof(space), &found);
	if (!found) {
		return error_set(err, EINVAL, "%s=%s: there is no such user", name, value);
	}
	o->uid = found->pw_uid;
	return 0;
}

static int set_gid(struct options *o, const char *name, const char *value, struct error *err)
{
	unsigned long n;
	char space[16384];
	struct group entry, *found = NULL;
	if (read_id(value, 10, UINT_MAX - 1, &n)) {
		o->gid = (gid_t)n;
		return 0;
	}
	getgrnam_r(value, &entry, space, sizeof(space), &found);
	if (!found) {
		return error_set(err, EINVAL, "%s=%s: there is no such group", name, value);
	}
	o->gid = found->gr_gid;
	return 0;
}

static int set_umask(struct options *o, const char *name, const char *value, struct error *err)
{
	unsigned long n;
	if (!read_id(value, 8, 0777, &n)) {
		return error_set(
			err, EINVAL, "%s=%s: give an octal number such as 022", name, value);
	}
	o->umask = (mode_t)n;
	return 0;
}

static const struct mount_option {
	struct option_word word;
	int (*set)(struct options *o, const char *name, const char *value, struct error *err);
} mount_options[] = {
	{{"ro", NULL, "Nothing can be written, whatever the setting allow says."}, set_flag},
	{{"rw", NULL, "What the setting allow permits can be written. This is the default."},
		set_flag},
	{{"allow_other", NULL,
		 "Other users of this machine may look into the mount. An ordinary user needs "
		 "user_allow_other in /etc/fuse.conf for it."},
		set_flag},
	{{"uid", "USER", "Owner of all files, by name or number; else who mounted."}, set_uid},
	{{"gid", "GROUP", "Group of all files, by name or number."}, set_gid},
	{{"umask", "OCTAL", "Permissions to take away from all files, such as 022."}, set_umask},
};
#define MOUNT_OPTIONS (sizeof(mount_options) / sizeof(mount_options[0]))

static const struct mount_option *find_mount_option(const char *name)
{
	for (size_t i = 0; i < MOUNT_OPTIONS; i++) {
		if (strcmp(mount_options[i].word.name, name) == 0) {
			return &mount_options[i];
		}
	}
	return NULL;
}

const struct option_word *options_word(size_t i)
{
	return i < MOUNT_OPTIONS ? &mount_options[i].word : NULL;
}

const char *options_passed_over(size_t i)
{
	return i < sizeof(passed_over) / sizeof(passed_over[0]) ? passed_over[i] : NULL;
}

/* ---- settings ---- */

static int add_setting(
	struct options *o, const struct setting *what, const char *value, struct error *err)
{
	if (setting_holds_secret(what, value)) {
		return error_set(err, EINVAL,
			"the option %s: everyone on this machine can read a command line and "
			"fstab; "
			"put the secret into the settings file%s%s%s",
			what->name, what->secret ? ", or use -o " : "",
			what->secret ? what->name : "", what->secret ? "_command=…" : "");
	}
	struct option_setting *grown =
		realloc(o->settings, (o->setting_count + 1) * sizeof(*grown));
	char *copy = strdup(value);
	if (grown) {
		o->settings = grown;
	}
	if (!grown || !copy) {
		free(copy);
		return error_set(err, ENOMEM, "out of memory");
	}
	o->settings[o->setting_count++] = (struct option_setting){.what = what, .value = copy};
	return 0;
}

/* ---- words ---- */

static bool is_passed_over(const char *word)
{
	for (size_t i = 0; i < sizeof(passed_over) / sizeof(passed_over[0]); i++) {
		if (fnmatch(passed_over[i], word, 0) == 0) {
			return true;
		}
	}
	return false;
}

/* After a list, an unknown word is most likely the list's next member. */
static bool follows_list(const struct options *o)
{
	enum setting_type type =
		o->setting_count ? o->settings[o->setting_count - 1].what->type : SETTING_TEXT;
	return type == SETTING_WORDS || type == SETTING_PATTERNS;
}

static int unknown_word(const struct options *o, const char *name, bool valued, struct error *err)
{
	char shown[64];
	log_escape(shown, sizeof(shown), name);
	if (o->pass_unknown) {
		return 0;
	}
	if (!valued && follows_list(o)) {
		return error_set(err, EINVAL,
			"there is no option \"%s\"; a comma inside the value of %s is written \\,",
			shown, o->settings[o->setting_count - 1].what->name);
	}
	struct nearest n = {.word = name};
	for (size_t i = 0; i < MOUNT_OPTIONS; i++) {
		nearest_try(&n, mount_options[i].word.name);
	}
	for (size_t i = 0; i < settings_table_len; i++) {
		nearest_try(&n, settings_table[i].name);
	}
	return error_set(err, EINVAL, "there is no option \"%s\"%s%s%s", shown,
		n.best ? "; did you mean " : "", n.best ? n.best : "", n.best ? "?" : "");
}

/* word is name or name=value; it is taken apart in place. */
static int add_word(struct options *o, char *word, struct error *err)
{
	if (!*word || is_passed_over(word)) {
		return 0;
	}
	if (strcmp(word, "remount") == 0) {
		return error_set(err, EINVAL,
			"a mount keeps its options until it ends; unmount it, and mount it again");
	}
	char *value = strchr(word, '=');
	if (value) {
		*value++ = '\0';
	}
	const struct mount_option *mount = find_mount_option(word);
	const struct setting *setting = setting_find(word, strlen(word));
	if (!mount && !setting) {
		return unknown_word(o, word, value != NULL, err);
	}
	if (!value && (setting || mount->word.shape)) {
		return error_set(err, EINVAL, "the option %s needs a value: %s=…", word, word);
	}
	return mount ? mount->set(o, word, value, err) : add_setting(o, setting, value, err);
}

/* Copies one word without its escapes; returns where the next one starts, NULL after the last. */
static const char *next_word(const char *text, char *word)
{
	while (*text && *text != ',') {
		if (text[0] == '\\' && (text[1] == ',' || text[1] == '\\')) {
			text++;
		}
		*word++ = *text++;
	}
	*word = '\0';
	return *text ? text + 1 : NULL;
}

int options_add(struct options *o, const char *text, struct error *err)
{
	size_t len = strlen(text);
	if (len > WORD_MAX) {
		return error_set(err, E2BIG, "the text after -o is too long");
	}
	AUTO_FREE char *word = malloc(len + 1);
	if (!word) {
		return error_set(err, ENOMEM, "out of memory");
	}
	int r = 0;
	while (text && r == 0) {
		text = next_word(text, word);
		r = add_word(o, word, err);
	}
	explicit_bzero(word, len + 1);
	return r;
}

int options_apply(const struct options *o, struct settings *s, struct error *err)
{
	for (size_t i = 0; i < o->setting_count; i++) {
		const struct setting *what = o->settings[i].what;
		int r = setting_set(s, what, o->settings[i].value, ORIGIN_OPTION, err);
		if (r < 0) {
			return error_prefix(err, r, "-o %s", what->name);
		}
	}
	return 0;
}

void options_init(struct options *o)
{
	*o = (struct options){.uid = (uid_t)-1, .gid = (gid_t)-1};
}

void options_release(struct options *o)
{
	for (size_t i = 0; i < o->setting_count; i++) {
		free(o->settings[i].value);
	}
	free(o->settings);
	options_init(o);
}
