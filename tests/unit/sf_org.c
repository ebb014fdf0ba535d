/* SPDX-License-Identifier: MIT */
#include "sf_org.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "forcefs/base/clock.h"
#include "forcefs/base/scope.h"
#include "forcefs/model/json_text.h"

static const struct http_config http_settings = {
	.user_agent = "forcefs-test",
	.timeout_ms = 20000,
	.connect_timeout_ms = 5000,
	.max_connections = 8,
};

static void fill_config(struct sf_org *o)
{
	o->config = (struct sf_config){
		.org = "practice",
		.login_url = o->practice.url,
		.client_id = o->practice.client_id,
		.client_secret = o->practice.client_secret,
		.refresh_token = o->practice.refresh_token,
		.grant = SF_GRANT_REFRESH_TOKEN,
		.state_dir = o->state_dir,
	};
}

bool sf_org_start(struct sf_org *o, const char *const *arguments)
{
	memset(o, 0, sizeof(*o));
	snprintf(o->state_dir, sizeof(o->state_dir), "/tmp/forcefs-sf-XXXXXX");
	if (!mkdtemp(o->state_dir) || !practice_start(&o->practice, arguments)) {
		sf_org_stop(o);
		return false;
	}
	fill_config(o);
	must(http_open(&http_settings, &o->http, NULL), NULL);
	must(sf_open(&o->config, o->http, &o->sf, NULL), NULL);
	o->remote = sf_remote(o->sf);
	return true;
}

void sf_org_stop(struct sf_org *o)
{
	char command[128];

	sf_close(o->sf);
	http_close(o->http);
	practice_stop(&o->practice);
	snprintf(command, sizeof(command), "rm -rf %s", o->state_dir);
	if (system(command) != 0) {
		print_message("cannot remove %s\n", o->state_dir);
	}
	memset(o, 0, sizeof(*o));
}

void sf_org_reopen(struct sf_org *o)
{
	struct error err = {0};

	sf_close(o->sf);
	o->sf = NULL;
	must(sf_open(&o->config, o->http, &o->sf, &err), &err);
	o->remote = sf_remote(o->sf);
}

void sf_org_pretend_version(struct sf_org *o, const char *version)
{
	char path[128], text[4096];
	struct until until = sf_org_until(20000);
	struct error err = {0};
	size_t n;
	FILE *f;
	char *at;

	must(sf_connect(o->sf, &until, &err), &err);
	snprintf(path, sizeof(path), "%s/practice.token", o->state_dir);
	f = fopen(path, "r+");
	assert_non_null(f);
	n = fread(text, 1, sizeof(text) - 1, f);
	text[n] = '\0';
	at = strstr(text, "67.0");
	assert_non_null(at);
	memcpy(at, version, 4);
	rewind(f);
	fwrite(text, 1, n, f);
	fclose(f);
	sf_org_reopen(o);
}

struct until sf_org_until(int ms)
{
	return (struct until){.deadline_ms = clock_mono_ms() + ms};
}

void must(int r, const struct error *err)
{
	if (r < 0) {
		fail_msg("%s (%d) %s: %s", error_name(-r), r, err ? err->code : "",
			err ? err->text : "");
	}
}

struct schema *sf_org_schema(struct sf_org *o, const char *object)
{
	AUTO(remote_doc) struct remote_doc doc = {0};
	struct until until = sf_org_until(20000);
	struct schema *schema = NULL;
	struct error err = {0};

	must(o->remote->describe(o->sf, object, NULL, &until, &doc, &err), &err);
	must(schema_parse(doc.json, doc.len, &schema, &err), &err);
	return schema;
}

struct found {
	struct json_slice id, is_deleted;
};

static int member(void *payload, struct json_slice key, struct json_slice value)
{
	struct found *f = payload;

	if (key.len == 2 && !memcmp(key.text, "Id", 2)) {
		f->id = value;
	} else if (key.len == 9 && !memcmp(key.text, "IsDeleted", 9)) {
		f->is_deleted = value;
	}
	return 0;
}

static int hear_record(void *payload, const char *json, size_t len, struct error *err)
{
	struct heard *h = payload;
	struct found f = {0};
	int r = json_text_members(json, len, member, &f, err);

	if (r < 0) {
		return r;
	}
	if (f.id.len == ID18_LEN + 2 && h->records < 4096) {
		assert_true(id_parse(f.id.text + 1, ID18_LEN, &h->ids[h->records]));
	}
	h->with_is_deleted += f.is_deleted.len == 4 && !memcmp(f.is_deleted.text, "true", 4);
	h->records++;
	h->bytes += len;
	return 0;
}

static int hear_deleted(void *payload, const struct id *id, struct error *err)
{
	struct heard *h = payload;

	(void)err;
	if (h->deleted < 64) {
		h->gone[h->deleted] = *id;
	}
	h->deleted++;
	return 0;
}

struct remote_sink sink_of(struct heard *h)
{
	return (struct remote_sink){hear_record, hear_deleted, h};
}

bool heard_id(const struct heard *h, const char *id)
{
	for (size_t i = 0; i < h->records && i < 4096; i++) {
		if (!strcmp(h->ids[i].text, id)) {
			return true;
		}
	}
	return false;
}
