/* SPDX-License-Identifier: BSD-2-Clause */
/* Encodes labels of names by RFC 3492. */
#include "base/punycode.h"

#include <stdint.h>
#include <string.h>

#include "base/dnsname.h"

/* RFC 3492 section 5. */
#define BASE 36
#define T_MIN 1
#define T_MAX 26
#define SKEW 38
#define DAMP 700
#define BIAS_FIRST 72
#define CODE_FIRST 128

/* An error of the encoder's arithmetic is not possible with so few code points. */
#define LABEL_CODES_MAX DNSNAME_LABEL_MAX

struct output {
	char *text;
	size_t size;
	size_t len;
	bool is_full;
};

static void
put(struct output *out, char byte)
{
	if (out->len + 1 < out->size)
		out->text[out->len++] = byte;
	else
		out->is_full = true;
}

static uint32_t
fold(uint32_t code)
{
	bool is_upper = (code >= 'A' && code <= 'Z') ||
	    (code >= 0xc0 && code <= 0xde && code != 0xd7) ||
	    (code >= 0x391 && code <= 0x3a9) || (code >= 0x410 && code <= 0x42f);

	return is_upper ? code + 32 : code;
}

/* Reads a code point of UTF-8 (RFC 3629). Returns its length, or 0. */
static size_t
read_code(const char *text, size_t len, uint32_t *code)
{
	static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
	unsigned char first = (unsigned char)text[0];
	size_t n = first < 0x80 ? 1
	    : first < 0xc0      ? 0
	    : first < 0xe0      ? 2
	    : first < 0xf0      ? 3
				: 4;

	if (n == 0 || n > len || first >= 0xf8)
		return 0;
	*code = n == 1 ? first : first & (0xffU >> (n + 1));
	for (size_t i = 1; i < n; i++) {
		if ((text[i] & 0xc0) != 0x80)
			return 0;
		*code = *code << 6 | (text[i] & 0x3f);
	}
	if (*code < least[n] || *code > 0x10ffff || (*code >= 0xd800 && *code < 0xe000))
		return 0;
	*code = fold(*code);
	return n;
}

static uint32_t
adapt(uint32_t delta, uint32_t n_points, bool is_first)
{
	uint32_t k = 0;

	delta = is_first ? delta / DAMP : delta / 2;
	delta += delta / n_points;
	for (; delta > (BASE - T_MIN) * T_MAX / 2; k += BASE)
		delta /= BASE - T_MIN;
	return k + (BASE - T_MIN + 1) * delta / (delta + SKEW);
}

static void
put_number(struct output *out, uint32_t number, uint32_t bias)
{
	for (uint32_t k = BASE;; k += BASE) {
		uint32_t t = k <= bias ? T_MIN : k >= bias + T_MAX ? T_MAX : k - bias;
		uint32_t digit = number < t ? number : t + (number - t) % (BASE - t);

		put(out, (char)(digit < 26 ? 'a' + digit : '0' + digit - 26));
		if (number < t)
			return;
		number = (number - t) / (BASE - t);
	}
}

/* Returns the least code point of at least `from`. */
static uint32_t
least_code(const uint32_t *codes, size_t n, uint32_t from)
{
	uint32_t least = UINT32_MAX;

	for (size_t i = 0; i < n; i++) {
		if (codes[i] >= from && codes[i] < least)
			least = codes[i];
	}
	return least;
}

/* RFC 3492 section 6.3. */
static void
put_encoded(struct output *out, const uint32_t *codes, size_t n)
{
	uint32_t code = CODE_FIRST, delta = 0, bias = BIAS_FIRST, n_done = 0;
	uint32_t n_basic;

	for (size_t i = 0; i < n; i++) {
		if (codes[i] < CODE_FIRST) {
			put(out, (char)codes[i]);
			n_done++;
		}
	}
	n_basic = n_done;
	if (n_basic > 0)
		put(out, '-');
	while (n_done < n) {
		uint32_t next = least_code(codes, n, code);

		delta += (next - code) * (n_done + 1);
		code = next;
		for (size_t i = 0; i < n; i++) {
			delta += codes[i] < code;
			if (codes[i] != code)
				continue;
			put_number(out, delta, bias);
			bias = adapt(delta, n_done + 1, n_done == n_basic);
			delta = 0;
			n_done++;
		}
		delta++;
		code++;
	}
}

static bool
put_label(struct output *out, const char *label, size_t len)
{
	uint32_t codes[LABEL_CODES_MAX];
	size_t n = 0, step;
	bool is_ascii = true;

	for (size_t i = 0; i < len; i += step) {
		step = n < LABEL_CODES_MAX ? read_code(label + i, len - i, &codes[n]) : 0;
		if (step == 0)
			return false;
		is_ascii = is_ascii && codes[n] < CODE_FIRST;
		n++;
	}
	if (!is_ascii) {
		for (const char *at = "xn--"; *at != '\0'; at++)
			put(out, *at);
		put_encoded(out, codes, n);
		return true;
	}
	for (size_t i = 0; i < n; i++)
		put(out, (char)codes[i]);
	return true;
}

bool
punycode_of_name(char *ascii, size_t ascii_size, const char *name, size_t len)
{
	struct output out = { .text = ascii, .size = ascii_size };
	bool is_last = false;

	if (ascii_size == 0)
		return false;
	while (!is_last) {
		const char *dot = memchr(name, '.', len);
		size_t label_len = dot != NULL ? (size_t)(dot - name) : len;

		is_last = dot == NULL;
		if (!put_label(&out, name, label_len))
			return false;
		if (!is_last) {
			put(&out, '.');
			name = dot + 1;
			len -= label_len + 1;
		}
	}
	out.text[out.len] = '\0';
	return !out.is_full && dnsname_check(out.text, out.len) == DNSNAME_OK;
}
