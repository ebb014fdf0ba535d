/* SPDX-License-Identifier: MIT */
/* An object with a field of every kind, and the file of one of its records. */
#ifndef UNIT_PATCH_FIXTURE_H
#define UNIT_PATCH_FIXTURE_H

#include <stdlib.h>
#include <string.h>

#include "forcefs/model/patch.h"
#include "forcefs/model/schema.h"

#define RW  "\"updateable\":true,\"createable\":true,"
#define NIL "\"nillable\":true,"
#define RO  NIL

static const char patch_describe[] =
	"{\"name\":\"Thing__c\",\"updateable\":true,\"createable\":true,\"fields\":["
	"{\"name\":\"Id\",\"type\":\"id\",\"length\":18,\"defaultedOnCreate\":true},"
	"{" RW "\"name\":\"Name\",\"type\":\"string\",\"length\":10,\"nameField\":true},"
	"{" RW NIL "\"name\":\"Phone\",\"type\":\"phone\",\"length\":40},"
	"{" RW NIL "\"name\":\"Note__c\",\"type\":\"textarea\",\"length\":1000},"
	"{" RW NIL "\"name\":\"Stage\",\"type\":\"picklist\",\"length\":255},"
	"{" RW NIL "\"name\":\"Amount\",\"type\":\"currency\"},"
	"{" RW NIL "\"name\":\"Big__c\",\"type\":\"double\"},"
	"{" RW NIL "\"name\":\"Count\",\"type\":\"int\"},"
	"{" RW NIL "\"name\":\"Long\",\"type\":\"long\"},"
	"{" RW "\"name\":\"Active\",\"type\":\"boolean\"},"
	"{" RW NIL "\"name\":\"Due\",\"type\":\"date\"},"
	"{" RW NIL "\"name\":\"At\",\"type\":\"datetime\"},"
	"{" RW NIL "\"name\":\"Clock\",\"type\":\"time\"},"
	"{" RW "\"name\":\"OwnerId\",\"type\":\"reference\",\"length\":18,"
	"\"defaultedOnCreate\":true},"
	"{" RW NIL "\"name\":\"ParentId\",\"type\":\"reference\",\"length\":18},"
	"{" RW NIL "\"name\":\"Outside__c\",\"type\":\"reference\",\"length\":20},"
	"{" RW NIL "\"name\":\"Secret__c\",\"type\":\"encryptedstring\",\"length\":20},"
	"{" RW NIL "\"name\":\"Mail__c\",\"type\":\"email\",\"length\":80},"
	"{" RW NIL "\"name\":\"Multi__c\",\"type\":\"multipicklist\",\"length\":4099},"
	"{" RW NIL "\"name\":\"Any\",\"type\":\"anyType\"},"
	"{" RO "\"name\":\"Formula__c\",\"type\":\"double\",\"calculated\":true},"
	"{" RO "\"name\":\"Locked__c\",\"type\":\"string\",\"length\":80},"
	"{" RO "\"name\":\"Body\",\"type\":\"base64\"},"
	"{\"name\":\"CreatedDate\",\"type\":\"datetime\"},"
	"{\"name\":\"SystemModstamp\",\"type\":\"datetime\"},"
	"{\"name\":\"IsDeleted\",\"type\":\"boolean\"}]}";

static const char patch_base[] =
	"{\n"
	"  \"Id\": \"001dM00003jU9GxQAK\",\n"                                       /* line 2 */
	"  \"Name\": \"Acme\",\n"                                                   /* 3 */
	"  \"Phone\": \"+1 (555) 123\",\n"                                          /* 4 */
	"  \"Note__c\": \"a \\\"b\\\"\\r\\nc\\u0000d \xc3\xa9\xf0\x9f\x98\x80\",\n" /* 5 */
	"  \"Stage\": null,\n"                                                      /* 6 */
	"  \"Amount\": 150000.0,\n"                                                 /* 7 */
	"  \"Big__c\": 123456789012345678,\n"                                       /* 8 */
	"  \"Count\": 42,\n"                                                        /* 9 */
	"  \"Long\": 1.0E7,\n"                                                      /* 10 */
	"  \"Active\": true,\n"                                                     /* 11 */
	"  \"Due\": \"2026-07-01\",\n"                                              /* 12 */
	"  \"At\": \"2026-07-01T10:11:12.000+0000\",\n"                             /* 13 */
	"  \"Clock\": \"10:11:12.000Z\",\n"                                         /* 14 */
	"  \"OwnerId\": \"005dM00000abcdeQAA\",\n"                                  /* 15 */
	"  \"ParentId\": null,\n"                                                   /* 16 */
	"  \"Outside__c\": \"key/1\",\n"                                            /* 17 */
	"  \"Secret__c\": \"****1234\",\n"                                          /* 18 */
	"  \"Any\": {\"a\":[1.0,null],\"b\":\"x\"},\n"                              /* 19 */
	"  \"Formula__c\": -0.0,\n"                                                 /* 20 */
	"  \"Locked__c\": null,\n"                                                  /* 21 */
	"  \"CreatedDate\": \"2025-01-01T00:00:00.000+0000\",\n"
	"  \"SystemModstamp\": \"2026-07-01T10:11:12.000+0000\",\n"
	"  \"IsDeleted\": false\n"
	"}\n";

/* The text with its first `from` replaced; new. `from` must be there. */
static inline char *replaced(const char *text, const char *from, const char *to)
{
	const char *at = strstr(text, from);
	size_t size = strlen(text) + strlen(to) + 1;
	char *made = malloc(size);

	if (!at || !made) {
		abort();
	}
	memcpy(made, text, (size_t)(at - text));
	memcpy(made + (at - text), to, strlen(to));
	memcpy(made + (at - text) + strlen(to), at + strlen(from), strlen(at + strlen(from)) + 1);
	return made;
}

#endif
