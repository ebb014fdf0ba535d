/* SPDX-License-Identifier: MIT */
/* Record Ids and the checksum of their case. */
#include "forcefs/model/id.h"

#include <string.h>

static const char checksum_letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ012345";

static bool is_lower(char c)
{
	return c >= 'a' && c <= 'z';
}

static bool is_upper(char c)
{
	return c >= 'A' && c <= 'Z';
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static char to_upper(char c)
{
	return is_lower(c) ? (char)(c - 'a' + 'A') : c;
}

static char to_lower(char c)
{
	return is_upper(c) ? (char)(c - 'A' + 'a') : c;
}

static bool in_alphabet(const char *s, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		if (!is_digit(s[i]) && !is_lower(s[i]) && !is_upper(s[i])) {
			return false;
		}
	}
	return true;
}

/* Bit i of a group of five is set where character i is a capital. */
static char group_letter(const char *group)
{
	unsigned bits = 0;

	for (unsigned i = 0; i < 5; i++) {
		bits |= (unsigned)is_upper(group[i]) << i;
	}
	return checksum_letters[bits];
}

static void write_checksum(char *text)
{
	for (size_t g = 0; g < 3; g++) {
		text[ID15_LEN + g] = group_letter(text + 5 * g);
	}
	text[ID18_LEN] = 0;
}

/* Letters of one case only: what a host without regard to case makes of an Id. */
static bool is_folded(const char *s, size_t len)
{
	bool lower = false;
	bool upper = false;

	for (size_t i = 0; i < len; i++) {
		lower |= is_lower(s[i]);
		upper |= is_upper(s[i]);
	}
	return !(lower && upper);
}

/* Sets the case of five characters as the checksum letter says. */
static bool mend_group(char *group, char letter)
{
	const char *at = memchr(checksum_letters, letter, sizeof(checksum_letters) - 1);
	unsigned bits;

	if (!at) {
		return false;
	}
	bits = (unsigned)(at - checksum_letters);
	for (unsigned i = 0; i < 5; i++) {
		bool capital = bits >> i & 1;

		if (capital && is_digit(group[i])) {
			return false;
		}
		group[i] = capital ? to_upper(group[i]) : to_lower(group[i]);
	}
	return true;
}

/* text: 15 characters and the checksum they should have, in capitals. */
static bool check_or_mend(char *text)
{
	char wanted[3];

	memcpy(wanted, text + ID15_LEN, sizeof(wanted));
	write_checksum(text);
	if (memcmp(text + ID15_LEN, wanted, sizeof(wanted)) == 0) {
		return true;
	}
	if (!is_folded(text, ID15_LEN)) {
		return false;
	}
	for (size_t g = 0; g < 3; g++) {
		if (!mend_group(text + 5 * g, wanted[g])) {
			return false;
		}
	}
	write_checksum(text);
	return true;
}

bool id_parse(const char *s, size_t len, struct id *ret)
{
	struct id id;

	if ((len != ID15_LEN && len != ID18_LEN) || !in_alphabet(s, len)) {
		return false;
	}
	memcpy(id.text, s, len);
	if (len == ID15_LEN) {
		write_checksum(id.text);
	} else {
		for (size_t i = ID15_LEN; i < ID18_LEN; i++) {
			id.text[i] = to_upper(id.text[i]);
		}
		if (!check_or_mend(id.text)) {
			return false;
		}
	}
	*ret = id;
	return true;
}

bool id_is_empty(const struct id *id)
{
	return strcmp(id->text, "000000000000000AAA") == 0;
}

bool id_has_prefix(const struct id *id, const char *prefix)
{
	return strncmp(id->text, prefix, strlen(prefix)) == 0;
}
