/* SPDX-License-Identifier: MIT */
/*
 * Behind the door of the sf floor. A question goes down this ladder:
 *
 *   query.c retrieve.c changes.c describe.c    what is asked, and the pages of the answer
 *   update.c create.c remove.c                 what is written, and how sure that is
 *   body.c upload.c                            base64 fields as streams of bytes
 *   readback.c write.c                         what both of the first two need
 *   composite.c                                several requests, or a long GET, in one POST
 *   call.c                                     one authorised call: 401, tries, quota, judgement
 *   token.c token_renew.c token_login.c        one refresh at a time; what it does; a new log-in
 *   token_request.c token_refusal.c            the token endpoint; what its refusals mean
 *   token_jwt.c token_cli.c                    a signed assertion; the sf command's session
 *   token_file.c                               the state file and its lock
 *   login.c pkce.c userinfo.c                  log-in and log-out as the commands need them
 *
 * Beside it, pure: soql.c, page.c, sf_error.c, usage_parse in usage.c, token_reply in
 * token_request.c. Locks (never two at once): keeper.lock, usage.lock, versions.lock, batches.lock.
 */
#ifndef FORCEFS_SF_PRIV_H
#define FORCEFS_SF_PRIV_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

#include "forcefs/base/buf.h"
#include "forcefs/base/cancel.h"
#include "forcefs/base/error.h"
#include "forcefs/base/scope.h"
#include "forcefs/model/json_text.h"
#include "forcefs/model/remote.h"
#include "forcefs/net/http.h"
#include "forcefs/sf/sf.h"

#define SF_PAGE_LIMIT_BYTES  (64u << 20) /* a page, a collection, a composite */
#define SF_DOC_LIMIT_BYTES   (32u << 20) /* a describe */
#define SF_SMALL_LIMIT_BYTES (1u << 20)  /* token replies, versions, limits */
#define SF_SOQL_LIMIT_BYTES  100000u     /* Salesforce's own */
#define SF_URL_LIMIT_BYTES   (512u << 10)
#define SF_PLAIN_URL_BYTES   2000u /* longer ones ride in a composite */
#define SF_TRIES             3

/* ---- sf_error.c ---- */

/* The errno of an errorCode; message (may be NULL) tells the daily from the concurrent limit.
 * 0 for a code that the table does not know. */
int sf_error_errno(const char *code, const char *message);

/* Judges a reply that is no success: fills err and returns its negative errno. */
int sf_error_decode(
	int status, const char *content_type, const char *body, size_t len, struct error *err);

/* For a reply that had to be JSON: what to say when it is a web page or something else. */
int sf_error_not_json(int status, const char *content_type, struct error *err);

bool sf_content_is_json(const char *content_type);
bool sf_error_is(const struct error *err, const char *code);

/* Copies text with runs of white space and control characters as one space, cut at a character. */
void sf_error_tidy(char *dst, size_t size, const char *src, size_t len);

/* ---- token_file.c ---- */

/* What the state file remembers. Every string is new, or NULL. */
struct token {
	char *grant, *login_url, *client_id; /* whom the rest belongs to */
	char *user;          /* of grant jwt_bearer the user name, of sf the alias */
	char *app;           /* "sfdx": login_url, client_id and secret came with the log-in */
	char *client_secret; /* only then */
	char *seed;          /* refresh token of the settings that this family grew from */
	char *access;
	char *refresh;      /* the newest of the family */
	char *instance_url; /* origin only, checked */
	char *identity_url; /* ends in /<organisation>/<user> */
	char *issued_at;
	char *username; /* as last heard, for texts */
	char *api_version;
	int64_t api_version_at_s; /* when it was asked for, wall clock */
};

void token_release(struct token *t); /* wipes */
int token_copy(const struct token *from, struct token *ret);
void token_string_free(char *s); /* wipes; NULL is fine */

DEFINE_CLEANER(token, struct token, token_release)

/* An absent file gives an empty token and 0. ret_hash tells one content from another. */
int token_file_load(const char *path, struct token *ret, uint64_t *ret_hash, struct error *err);
int token_file_save(const char *path, const struct token *t, struct error *err);

/* The lock that several forcefs processes share; closing the descriptor gives it back. */
int token_file_lock(const char *path, const struct until *until, int *ret_fd, struct error *err);

/* Sleeps, but not past until. 0, -EINTR, -ETIMEDOUT. */
int sf_sleep(int64_t ms, const struct until *until, struct error *err);

/* ---- token_request.c ---- */

enum token_verdict {
	TOKEN_GRANTED,
	TOKEN_BUSY,  /* another request is using the refresh token: soon again */
	TOKEN_DEAD,  /* asking again with the same words is no use */
	TOKEN_FAILED /* anything else */
};

struct token_ask {
	const char *org, *login_url, *client_id, *client_secret;
	enum sf_grant grant;
	const char *refresh;  /* for SF_GRANT_REFRESH_TOKEN */
	const char *user;     /* for SF_GRANT_JWT_BEARER; the alias for SF_GRANT_SF */
	const char *key_file; /* for SF_GRANT_JWT_BEARER */
	/* Of a log-in in the browser, whatever the grant: the code to be exchanged. */
	const char *code, *redirect_uri, *verifier;
};

/* Reads a reply of the token endpoint. On success the fields that it brought are in ret. */
enum token_verdict token_reply(const struct token_ask *ask, int status, const char *content_type,
	const char *body, size_t len, struct token *ret, struct error *err);

/* A token by the grant that ask names: one POST to the token endpoint, or the sf command. */
enum token_verdict token_request(struct http *http, const struct token_ask *ask,
	const struct until *until, struct token *ret, struct error *err);

/* One POST of a form to https://host/services/oauth2/<endpoint>. */
int token_post(struct http *http, const char *host, const char *endpoint, const struct buf *form,
	bool idempotent, const struct until *until, struct http_reply *ret, struct error *err);
void token_form_init(struct buf *form);
void token_form_add(struct buf *form, const char *name, const char *value); /* NULL: nothing */
void token_buf_wipe(struct buf *b);                                         /* and release */

/* A token stands in a header line: visible ASCII only. */
bool token_text_ok(const char *s);

/* True if tokens of login_url may be sent to instance_url (an origin, nothing behind it). */
bool token_instance_allowed(const char *login_url, const char *instance_url);

/* "https://host" out of a URL with or without a closing slash; NULL if there is more. New. */
char *token_origin(const char *url);

/* The two Ids at the end of an identity URL, "" where there are none. */
void token_identity(const char *identity_url, char org_id[19], char user_id[19]);

/* ---- token_refusal.c ---- */

/* A refusal's sentence and what it means for trying again. */
enum token_verdict token_refusal(const struct token_ask *ask, int status, const char *error,
	const char *description, struct error *err);
/* The same from the body {"error", "error_description"}. */
enum token_verdict token_refusal_read(
	const struct token_ask *ask, int status, const json_t *body, struct error *err);

/* ---- token_jwt.c ---- */

/* The signed assertion for ask; new, to be wiped. */
int token_jwt(const struct token_ask *ask, char **ret, struct error *err);

/* ---- token_cli.c ---- */

/* The session of the sf command. */
enum token_verdict token_cli(struct http *http, const struct token_ask *ask,
	const struct until *until, struct token *ret, struct error *err);

/* ---- pkce.c ---- */

/* Appends without padding. 0, -ENOMEM, -EFBIG. */
int base64url_add(struct buf *out, const void *data, size_t len);

/* ---- userinfo.c ---- */

struct userinfo {
	char org_id[19], user_id[19];
	char username[128];
};

/* Whose session this is; costs no API call. */
int userinfo_get(struct http *http, const char *instance_url, const char *access,
	const struct until *until, struct userinfo *ret, struct error *err);

/* ---- token.c ---- */

struct session {
	char *bearer; /* "Bearer …" */
	char *instance_url;
	uint64_t generation;
	bool stored; /* not given by the org to this process, but found in the state file */
};

void session_release(struct session *s);

DEFINE_CLEANER(session, struct session, session_release)

struct keeper {
	/* set once before start */
	struct http *http;
	struct token_ask ask; /* strings owned by struct sf; refresh unused */
	const char *seed;     /* refresh token of the settings, or NULL */
	char *file, *lock_file;

	pthread_mutex_t lock;
	pthread_cond_t ended;  /* a renewal ended */
	struct token now;      /* protected by lock; access NULL: none yet */
	uint64_t generation;   /* protected by lock: raised when the access token is replaced */
	bool stored;           /* protected by lock: now was found in the state file */
	bool busy;             /* protected by lock: some thread is renewing */
	uint64_t vain;         /* protected by lock: generation that was turned down when new */
	int64_t vain_until_ms; /* protected by lock, monotonic; 0: there is none */
	uint64_t rounds;       /* protected by lock: renewals ended */
	int last_result;       /* protected by lock: of the last round */
	struct error last_fault;

	/* Only the renewing thread. */
	struct token unsaved;  /* granted and rotated, but not on disk yet; access NULL: none */
	char *unsaved_from;    /* the refresh token that it was given for */
	uint64_t unsaved_hash; /* of the state file then */
	bool lent_again;       /* the sf command gave what the org had turned down */
	char *dead_refresh;    /* the refresh token ("" for none) that the org refused */
	uint64_t dead_hash;    /* of the state file then */
	int64_t dead_until_ms; /* monotonic */
	struct error dead_fault;
};

void keeper_blank(struct keeper *k); /* so that it can be released */
int keeper_init(struct keeper *k, struct http *http, const struct token_ask *ask, const char *seed,
	const char *state_dir, struct error *err);
void keeper_release(struct keeper *k);

/* A session to try: the one in memory, in the file, or a new one. */
int keeper_get(struct keeper *k, const struct until *until, struct session *ret, struct error *err);

/* Another one than `refused`, which the org turned down. ret may be `refused`. */
int keeper_renew(
	struct keeper *k, const struct until *until, struct session *refused, struct error *err);

/* The org turned down a session that it had just given: a third one would not do better at once.
 * keeper_vain_ms says how long to wait before it is renewed; 0 for every other session. */
void keeper_note_vain(struct keeper *k, const struct session *session);
int64_t keeper_vain_ms(struct keeper *k, const struct session *session);

/* Keeps the API version in the state file; a failure to write costs one request at the next start.
 */
void keeper_remember_version(struct keeper *k, const char *version, const struct until *until);

/* The same for the user's name. */
void keeper_remember_username(struct keeper *k, const char *username, const struct until *until);

/* A new log-in takes the place of all that was known; steals. */
void keeper_replace(struct keeper *k, struct token *fresh);
/* Nothing is known any more. */
void keeper_forget(struct keeper *k);

/* Copies of what is known without a call; -ENODATA. */
int keeper_peek(struct keeper *k, struct token *ret);

/* ---- token_renew.c ---- */

/* Reads the state file; what is not ours counts as absent. */
int keeper_load(const struct keeper *k, struct token *ret, uint64_t *ret_hash, struct error *err);

/* The state that a grant will end in, all but what its reply brings: made before the request, so
 * that a granted refresh token cannot be lost to want of memory. refresh_used may be NULL. */
int keeper_prepare(const struct keeper *k, const struct token *stored, const char *refresh_used,
	struct token *ret);
/* Moves what a reply brought. */
void keeper_adopt(struct token *t, struct token *granted);

/* A last try for a refresh token that could not be saved. */
void keeper_rescue(struct keeper *k);

/* A token other than `refused` (may be NULL), from the file (*ret_stored) or from the org. err must
 * not be NULL. */
int keeper_lead(struct keeper *k, const char *refused, const struct until *until, struct token *ret,
	bool *ret_stored, struct error *err);

/* ---- token_login.c ---- */

/* A new log-in by ask (its grant, or its code), saved. own_app: it came with client_id, secret and
 * login_url of its own, which are saved too. */
int keeper_login(struct keeper *k, const struct token_ask *ask, bool own_app,
	const struct until *until, struct error *err);

/* ---- usage.c ---- */

struct usage {
	int reserve_percent;   /* set once */
	int64_t reserve_calls; /* set once */
	pthread_mutex_t lock;
	int64_t used, max; /* protected by lock, as all below */
	int64_t seen_ms;   /* when used and max were told, monotonic */
	int64_t probe_ms;  /* when the last call was let through without knowing */
	bool spent;        /* the org itself said that the day's calls are used up, at seen_ms */
	uint64_t calls;
	uint64_t took[REMOTE_TOOK_STEPS + 1], took_ms; /* see struct remote_usage */
};

bool usage_parse(const char *limit_info, int64_t *ret_used, int64_t *ret_max);
void usage_init(struct usage *u, int reserve_percent, int64_t reserve_calls);
void usage_release(struct usage *u);
int usage_admit(struct usage *u, struct error *err); /* 0 or -EDQUOT, before each counted call */
void usage_note(struct usage *u, const char *limit_info, int attempts);
void usage_took(struct usage *u, int64_t ms); /* a request was answered or failed in that time */
void usage_spent(struct usage *u);
void usage_get(struct usage *u, struct remote_usage *ret); /* requests and bytes_in untouched */

/* ---- versions.c ---- */

struct versions {
	pthread_mutex_t lock;
	char text[8];     /* protected by lock; "" until known */
	int64_t asked_ms; /* protected by lock; monotonic */
};

struct sf {
	/* set once before start */
	struct http *http;
	char *org, *login_url, *client_id, *client_secret, *seed, *user, *key_file;
	char wanted_version[8]; /* "" for the newest */
	struct remote remote;

	struct keeper keeper;
	struct usage usage;
	struct versions versions;
	struct batches *batches; /* locks by itself */
	_Atomic int64_t skew_ms; /* the org's clock minus ours */
	atomic_bool log_of_past; /* the delete log is not to be asked for what is still to come */
};

#define SF_BASE_SIZE 32

/* "/services/data/v62.0" into base. */
int versions_base(
	struct sf *sf, const struct until *until, char base[SF_BASE_SIZE], struct error *err);

/* The version as far as known without asking; "" else. */
void versions_peek(struct sf *sf, const struct token *state, char ret[8]);

/* After a refusal that may be about the version: asks again. True if there is another one now. */
bool versions_changed(struct sf *sf, const struct until *until, const struct error *fault);

/* "64", "64.0", "v64.0" to "64.0"; false if it is none or older than forcefs can use. */
bool versions_normal(const char *text, char ret[8]);

/* The newest of a GET /services/data/ reply that forcefs knows. */
int versions_choose(const char *json, size_t len, char ret[8], struct error *err);

/* ---- call.c ---- */

struct sf_call {
	const char *method;
	const char *path; /* from /services on */
	const char *body; /* JSON, or NULL */
	size_t body_len;
	const char *if_modified; /* or NULL */
	int batch_size;          /* 0: not said */
	size_t limit_bytes;
	bool record;                 /* reads records by Id: not to be shown as recently viewed */
	bool write;                  /* changes something: 204 is an answer */
	bool bare;                   /* 204 is the only answer */
	int64_t unmodified_since_ms; /* of a PATCH; 0: no condition */
	/* NULL: may be sent again at will (a read, or a write that harms nobody twice). Else what
	 * to say when nobody knows whether it happened: "the save may have happened; …". Such a
	 * call is sent again only where the org certainly did not carry it out. */
	const char *once;
	bool several; /* a composite: an error of the server's may come after some of its parts */
	/* Streams, in the place of JSON. */
	const struct http_sink *sink;     /* any 2xx is an answer, but for a web page */
	int64_t page_len;                 /* that is not of this length; -1: none is */
	const struct http_source *source; /* of content_type */
	const char *content_type;
};

/* What to say so of a write that may be sent again. */
extern const char sf_call_maybe_done[];

/* Makes err say that it may have happened, with code MAYBE_SENT. Returns r. */
int sf_call_unsure(int r, const char *once, struct error *err);

/* A 2xx with JSON, 204 to a write, or 304 to a read. Everything else is an error, decoded. */
int sf_call_perform(struct sf *sf, const struct sf_call *call, const struct until *until,
	struct http_reply *ret, struct error *err);

/* True if the reply says that the org is somewhere else, and the renewed session says where. */
bool sf_call_has_moved(struct sf *sf, const struct http_reply *reply, const struct until *until,
	struct session *session);

int64_t sf_call_org_now_ms(struct sf *sf); /* by our clock and the org's last Date */
int64_t sf_call_reply_ms(const struct sf *sf, const struct http_reply *reply);

/* ---- composite.c ---- */

#define COMPOSITE_PARTS 25 /* Salesforce's own limit */
#define COMPOSITE_READS 3  /* so many may be asked one by one */

struct part {
	/* in */
	const char *ref;        /* [A-Za-z0-9_] */
	const char *method;     /* NULL: GET */
	const char *path;       /* from /services on */
	struct json_slice send; /* the body, JSON; text NULL: none */
	bool write;             /* changes something */
	const char *if_modified;
	int64_t unmodified_since_ms; /* 0: no condition */
	int batch_size;
	/* out */
	int status;
	struct json_slice body; /* borrowed from the composite's replies */
	char last_modified[64];
	struct error fault; /* of a single call; errnum 0: status and body tell */
};

struct composite {
	struct part part[COMPOSITE_PARTS];
	size_t count;
	struct http_reply
		reply[COMPOSITE_READS]; /* [0] alone, or one each where single calls ran */
	size_t replies;
};

void composite_release(struct composite *c);

DEFINE_CLEANER(composite, struct composite, composite_release)

struct part *composite_add(struct composite *c, const char *ref, const char *path);
int composite_build(const struct composite *c, struct buf *out);
int composite_parse(struct composite *c, const char *text, size_t len, struct error *err);
int part_judge(struct sf *sf, const struct part *p, struct error *err);

/* Sends parts that write, in one call. once: as in struct sf_call. -EFBIG without code MAYBE_SENT:
 * fewer parts may do. */
int composite_send(struct sf *sf, struct composite *c, const char *once, const struct until *until,
	struct error *err);

/* Not a part was refused but the resource: nothing was done. */
bool composite_is_refused(const struct error *fault);

/* Asks all parts (up to COMPOSITE_READS, all GETs) in one call; by single calls where the org
 * refuses composites. 0 when every part has a status; part_judge tells what it means. */
int composite_run(struct sf *sf, struct composite *c, size_t limit_bytes, const struct until *until,
	struct error *err);

/* One GET, inside a composite if its path is long. The body is in c->part[0].body. */
int composite_get(struct sf *sf, struct composite *c, const struct sf_call *call,
	const struct until *until, struct error *err);

/* ---- retrieve.c ---- */

/* "<base>/sobjects/X/<id>?fields=…"; the id goes in as it is. */
int retrieve_path(const struct schema *schema, const char *base, const char *id, struct buf *path,
	struct error *err);

/* {"ids":[…],"fields":[…]} */
int retrieve_body(const struct schema *schema, const struct id *ids, size_t count, struct buf *body,
	struct error *err);

/* ---- write.c ---- */

/* True if the composite resource would take a text in these values for a reference to another part,
 * "@{ref.field}", and there is no way to escape one. */
bool write_looks_like_reference(const char *json, size_t len);

/* True for one JSON object and nothing else. */
bool write_is_object(const char *json, size_t len);

/* A fault as it is meant of a record that was to be written; returns its negative errno. */
int write_verdict(struct error *fault);

/* part_judge for a part that writes. err must not be NULL. */
int write_judge(struct sf *sf, const struct part *p, struct error *err);

/* "<base>/sobjects/X" or "<base>/sobjects/X/<id>". New; NULL when out of memory. */
char *write_path(const char *base, const char *object, const struct id *id);

/* ---- upload.c ---- */

/* The request's body that carries a record's: JSON with base64 in it, or parts of a form where that
 * would be too long for Salesforce. Nothing of the content is kept in memory. */
struct upload {
	const struct remote_giver *content; /* borrowed */
	bool base64;
	struct buf head, tail;
	char type[120];
	struct http_source source; /* to be sent */
};

int upload_init(struct upload *u, const char *field, const char *file_name,
	const struct remote_giver *content, struct error *err);
void upload_release(struct upload *u);

DEFINE_CLEANER(upload, struct upload, upload_release)

/* ---- readback.c ---- */

/* The last part of a composite that writes: the records as they are afterwards. */
struct readback {
	struct sf *sf;
	const struct schema *schema;
	const struct remote_sink *sink;
	struct remote_save *saves; /* whose read_back is kept; NULL: none */
	size_t count;
	struct buf path, body;
	struct part *part;
	bool stopped; /* the sink wants no more */
};

void readback_init(struct readback *rb, struct sf *sf, const struct schema *schema,
	const struct remote_sink *sink, struct remote_save *saves, size_t count);
void readback_release(struct readback *rb);

DEFINE_CLEANER(readback, struct readback, readback_release)

/* Adds the part. Where that cannot be done (too many fields) none is added. */
void readback_ask(struct readback *rb, struct composite *c, const char *base, const struct id *ids,
	size_t count);
/* The same for the record that part "made" makes. */
void readback_ask_made(struct readback *rb, struct composite *c, const char *base);

/* Gives the sink what the part brought; if it brought nothing, what a call of its own brings of
 * these. Failures are not told: what was written is written. */
void readback_finish(
	struct readback *rb, const struct id *ids, size_t count, const struct until *until);

/* ---- soql.c ---- */

bool soql_name_ok(const char *name);
int soql_add_literal(struct buf *out, const char *s, size_t len);
int soql_select(const struct schema *schema, struct buf *out, struct error *err);
int soql_add_since(struct buf *out, const char *field, int64_t since_ms);
int soql_add_ids(struct buf *out, const struct id *ids, size_t count);
/* "<base>/<resource>?q=<soql>" */
int soql_path(const char *base, const char *resource, const struct buf *soql, struct buf *out,
	struct error *err);

/* ---- page.c ---- */

/* One page of a query: hands out its records, fills next, total and records of ret. */
int page_read(const char *text, size_t len, const struct remote_sink *sink, struct remote_page *ret,
	struct error *err);

/* True if a nextRecordsUrl is a path that may be asked for. */
bool page_next_ok(const char *path);

/* ---- query.c ---- */

struct batches *batches_new(void);
void batches_free(struct batches *b);

/* Hands out a page and all that follow it. */
int query_follow(struct sf *sf, const struct schema *schema, struct json_slice page,
	const struct remote_sink *sink, const struct until *until, struct error *err);

int query_batch_size(struct sf *sf, const struct schema *schema);

/* ---- the table's functions ---- */

int sf_list(struct sf *sf, const struct schema *schema, const char *next,
	const struct remote_sink *sink, const struct until *until, struct remote_page *ret,
	struct error *err);
int sf_retrieve(struct sf *sf, const struct schema *schema, const struct id *ids, size_t count,
	const struct remote_sink *sink, const struct until *until, struct error *err);
int sf_changes(struct sf *sf, const struct schema *schema, const char *describe_modified,
	int64_t since_ms, const struct remote_sink *sink, const struct until *until,
	struct remote_changes *ret, struct error *err);
int sf_update(struct sf *sf, const struct schema *schema, struct remote_save *saves, size_t count,
	const struct remote_sink *sink, const struct until *until, struct error *err);
int sf_create(struct sf *sf, const struct schema *schema, const char *json, size_t len,
	const struct remote_sink *sink, const struct until *until, struct id *ret,
	struct error *err);
int sf_remove(struct sf *sf, const struct schema *schema, const struct id *id,
	const struct until *until, struct error *err);
int sf_body(struct sf *sf, const struct schema *schema, const struct id *id, int64_t size,
	const struct remote_taker *taker, const struct until *until, struct error *err);
int sf_save_body(struct sf *sf, const struct schema *schema, const struct remote_body *body,
	const struct until *until, struct error *err);
int sf_objects(struct sf *sf, const char *if_modified, const struct until *until,
	struct remote_doc *ret, struct error *err);
int sf_describe(struct sf *sf, const char *object, const char *if_modified,
	const struct until *until, struct remote_doc *ret, struct error *err);
int sf_limits(struct sf *sf, const struct until *until, struct remote_doc *ret, struct error *err);
int sf_record_url(struct sf *sf, const char *object, const struct id *id, struct buf *out);

#endif
