/*
 * Bytes as text and back: hex, base64, percent-encoding, UTF-8, URIs, lines for
 * people and for terminals, problems and PostgreSQL's array literals that quote
 * them, and templates (the first line is one, the rest its document).
 */
#include <locale.h>
#include <stdlib.h>
#include <wchar.h>

#include "common/base/hex.h"
#include "common/event/event_text.h"
#include "common/event/template.h"
#include "common/event/uri.h"
#include "common/http/problem.h"
#include "common/json/json_scan.h"
#include "common/pg/pg.h"
#include "services/cli/text.h"
#include "tests/fuzz/kit.h"

#define TEXT_LIMIT ((size_t)1024 * 1024)

static void check_codes(struct span bytes)
{
    struct buffer text;
    struct span back;
    size_t len;
    unsigned char *out = arena_alloc(kit_arena(), bytes.len + 1);
    expect(out, "there is memory");
    buffer_init(&text, TEXT_LIMIT);
    hex_append(&text, bytes);
    expect(hex_decode(buffer_span(&text), out, bytes.len, &len) == 0 && len == bytes.len &&
               memcmp(out, bytes.ptr, len) == 0,
           "hex is read back");
    buffer_clear(&text);
    base64_append(&text, bytes);
    expect(base64_decode(buffer_span(&text), out, bytes.len, &len) == 0 && len == bytes.len &&
               memcmp(out, bytes.ptr, len) == 0,
           "base64 is read back");
    buffer_clear(&text);
    percent_append(&text, bytes);
    expect(percent_decode(kit_arena(), buffer_span(&text), &back) == 0 && span_equal(back, bytes),
           "percent-encoding is read back");
    buffer_free(&text);
}

/* What is decoded is encoded to the same again, but for case and padding. */
static void check_decoding(struct span text)
{
    struct buffer again;
    struct span decoded;
    size_t len;
    unsigned char *out = arena_alloc(kit_arena(), text.len + 1);
    expect(out, "there is memory");
    buffer_init(&again, TEXT_LIMIT);
    if (hex_decode(text, out, text.len, &len) == 0) {
        hex_append(&again, (struct span){(const char *)out, len});
        expect(again.len == text.len && (text.len == 0 || span_is_nocase(text, again.data)),
               "hex has one meaning");
    }
    buffer_clear(&again);
    if (base64_decode(text, out, text.len, &len) == 0) {
        base64_append(&again, (struct span){(const char *)out, len});
        size_t digits = text.len;
        while (digits > 0 && text.ptr[digits - 1] == '=')
            digits--;
        expect(again.len >= digits && (digits == 0 || memcmp(again.data, text.ptr, digits) == 0),
               "base64 has one meaning");
    }
    if (percent_decode(kit_arena(), text, &decoded) == 0)
        expect(decoded.len <= text.len, "decoded it is no longer");
    buffer_free(&again);
}

/* By the C library's own reading of UTF-8: no overlong forms, no surrogates. */
static void check_utf8(struct span text)
{
    mbstate_t state = {0};
    static bool known;
    if (!known)
        expect(setlocale(LC_CTYPE, "C.UTF-8"), "the C library knows UTF-8");
    known = true;
    bool good = !(text.len && memchr(text.ptr, '\0', text.len));
    for (size_t at = 0, n; good && at < text.len; at += n) {
        wchar_t character;
        n = mbrtowc(&character, text.ptr + at, text.len - at, &state);
        good = n > 0 && n <= 4 && character <= 0x10FFFF; /* it knows more than Unicode has */
    }
    expect(utf8_valid(text) == good, "UTF-8 is what the C library takes for it");
    expect(!event_text_valid(text) || utf8_valid(text), "text is UTF-8");
}

static void check_lines(struct span text)
{
    char quoted[EVENT_TEXT_QUOTE];
    struct buffer shown;
    event_text_quote(text, quoted);
    expect(strlen(quoted) < sizeof quoted, "a quotation is short");
    if (utf8_valid(text)) {
        struct span line = event_text_line(kit_arena(), text, 32);
        expect(line.ptr && line.len <= 32 && event_text_valid(line), "a line is text, and short");
        expect_same(line, event_text_line(kit_arena(), line, 32), "a line stays as it is");
    }
    buffer_init(&shown, TEXT_LIMIT);
    text_append(&shown, text, 20);
    struct span line = buffer_span(&shown);
    expect(utf8_valid(line) && text_width(line) <= 20, "a cell fits its column");
    for (size_t i = 0; i < line.len; i++)
        expect((unsigned char)line.ptr[i] >= 0x20 && line.ptr[i] != 0x7F,
               "nothing that a terminal acts on is shown");
    buffer_clear(&shown);
    text_append_json(&shown, text);
    expect(json_scan_check(buffer_span(&shown), NULL) == 0, "any bytes become a JSON string");
    buffer_free(&shown);
}

/* Whatever it quotes, a problem is JSON. */
static void check_problem(const char *text)
{
    const struct problem_error error = {3, text, text};
    struct buffer out;
    buffer_init(&out, TEXT_LIMIT);
    problem_render(&out, 400, text, &error, 1);
    expect(json_scan_check(buffer_span(&out), NULL) == 0, "a problem is JSON");
    buffer_free(&out);
}

/* The one element of an array literal, by PostgreSQL's rules for quoted ones. */
static void check_array(struct span text)
{
    struct buffer array;
    size_t n = 0;
    char *back = arena_alloc(kit_arena(), text.len + 1);
    buffer_init(&array, TEXT_LIMIT);
    pg_array_text(&array, text);
    pg_array_end(&array);
    expect(back && !array.failed && array.len >= 4, "there is memory");
    const char *end = array.data + array.len - 2;
    expect(memcmp(array.data, "{\"", 2) == 0 && memcmp(end, "\"}", 2) == 0,
           "an array has its ends");
    for (const char *p = array.data + 2; p < end; p++) {
        expect(*p != '"', "an element ends where the array does");
        p += *p == '\\';
        expect(p < end && n < text.len, "an element has its bytes and no more");
        back[n++] = *p;
    }
    expect(span_equal((struct span){back, n}, text), "an array's element is what was put in");
    buffer_free(&array);
}

static void check_template(struct span text)
{
    struct fault fault = {.detail = ""};
    struct span line = {"", 0};
    bool missing;
    kit_line(&text, &line);
    const char *template = kit_text(line);
    int rc = template_check(template, &fault);
    expect_told(rc, &fault);
    text = kit_copy(text);
    if (rc != 0 || json_scan_check(text, NULL) != 0)
        return;
    struct span out = template_expand(template, text, kit_arena(), &missing);
    expect(out.ptr, "a template can be filled");
    expect(!utf8_valid(span_of(template)) || utf8_valid(out), "a template's text is UTF-8");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct span text = kit_copy((struct span){(const char *)data, size});
    check_codes(text);
    check_decoding(text);
    check_utf8(text);
    check_lines(text);
    expect(!uri_valid(text) || uri_reference_valid(text), "a URI is a URI-reference");
    check_template(text);
    check_problem(kit_text(text));
    check_array(text);
    kit_end();
    return 0;
}
