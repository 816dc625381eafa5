#include "services/cli/text.h"

#include <stdint.h>

#define REPLACEMENT 0xFFFD

struct range {
    uint32_t first, last;
};

/* Unicode 15: general categories Mn, Me and Cf of the scripts in common use, and Hangul's joining
 * vowels; what is missing here shows one column too wide. */
static const struct range zero_width[] = {
    {0x0300, 0x036F}, {0x0483, 0x0489}, {0x0591, 0x05BD}, {0x05BF, 0x05BF},   {0x05C1, 0x05C2},
    {0x05C4, 0x05C5}, {0x05C7, 0x05C7}, {0x0610, 0x061A}, {0x064B, 0x065F},   {0x0670, 0x0670},
    {0x06D6, 0x06DC}, {0x06DF, 0x06E4}, {0x06E7, 0x06E8}, {0x06EA, 0x06ED},   {0x0711, 0x0711},
    {0x0730, 0x074A}, {0x0900, 0x0902}, {0x093A, 0x093A}, {0x093C, 0x093C},   {0x0941, 0x0948},
    {0x094D, 0x094D}, {0x0951, 0x0957}, {0x0981, 0x0981}, {0x09BC, 0x09BC},   {0x0E31, 0x0E31},
    {0x0E34, 0x0E3A}, {0x0E47, 0x0E4E}, {0x1160, 0x11FF}, {0x1AB0, 0x1AFF},   {0x1DC0, 0x1DFF},
    {0x200B, 0x200D}, {0x2060, 0x2064}, {0x20D0, 0x20F0}, {0x302A, 0x302D},   {0x3099, 0x309A},
    {0xFE00, 0xFE0F}, {0xFE20, 0xFE2F}, {0xFEFF, 0xFEFF}, {0x1F3FB, 0x1F3FF}, {0xE0100, 0xE01EF},
};

/* Unicode 15 EastAsianWidth W and F. */
static const struct range wide[] = {
    {0x1100, 0x115F},   {0x231A, 0x231B},   {0x2329, 0x232A},   {0x23E9, 0x23EC},
    {0x23F0, 0x23F0},   {0x23F3, 0x23F3},   {0x25FD, 0x25FE},   {0x2614, 0x2615},
    {0x2648, 0x2653},   {0x267F, 0x267F},   {0x2693, 0x2693},   {0x26A1, 0x26A1},
    {0x26AA, 0x26AB},   {0x26BD, 0x26BE},   {0x26C4, 0x26C5},   {0x26CE, 0x26CE},
    {0x26D4, 0x26D4},   {0x26EA, 0x26EA},   {0x26F2, 0x26F3},   {0x26F5, 0x26F5},
    {0x26FA, 0x26FA},   {0x26FD, 0x26FD},   {0x2705, 0x2705},   {0x270A, 0x270B},
    {0x2728, 0x2728},   {0x274C, 0x274C},   {0x274E, 0x274E},   {0x2753, 0x2755},
    {0x2757, 0x2757},   {0x2795, 0x2797},   {0x27B0, 0x27B0},   {0x27BF, 0x27BF},
    {0x2B1B, 0x2B1C},   {0x2B50, 0x2B50},   {0x2B55, 0x2B55},   {0x2E80, 0x303E},
    {0x3041, 0x33FF},   {0x3400, 0x4DBF},   {0x4E00, 0xA4CF},   {0xA960, 0xA97F},
    {0xAC00, 0xD7A3},   {0xF900, 0xFAFF},   {0xFE10, 0xFE19},   {0xFE30, 0xFE6F},
    {0xFF00, 0xFF60},   {0xFFE0, 0xFFE6},   {0x16FE0, 0x18CD5}, {0x18D00, 0x18D08},
    {0x1AFF0, 0x1B2FB}, {0x1F004, 0x1F004}, {0x1F0CF, 0x1F0CF}, {0x1F18E, 0x1F18E},
    {0x1F191, 0x1F19A}, {0x1F200, 0x1F320}, {0x1F32D, 0x1F335}, {0x1F337, 0x1F37C},
    {0x1F37E, 0x1F393}, {0x1F3A0, 0x1F3CA}, {0x1F3CF, 0x1F3D3}, {0x1F3E0, 0x1F3F0},
    {0x1F3F4, 0x1F3F4}, {0x1F3F8, 0x1F3FA}, {0x1F400, 0x1F43E}, {0x1F440, 0x1F440},
    {0x1F442, 0x1F4FC}, {0x1F4FF, 0x1F53D}, {0x1F54B, 0x1F54E}, {0x1F550, 0x1F567},
    {0x1F57A, 0x1F57A}, {0x1F595, 0x1F596}, {0x1F5A4, 0x1F5A4}, {0x1F5FB, 0x1F64F},
    {0x1F680, 0x1F6C5}, {0x1F6CC, 0x1F6CC}, {0x1F6D0, 0x1F6D2}, {0x1F6D5, 0x1F6D7},
    {0x1F6DC, 0x1F6DF}, {0x1F6EB, 0x1F6EC}, {0x1F6F4, 0x1F6FC}, {0x1F7E0, 0x1F7EB},
    {0x1F7F0, 0x1F7F0}, {0x1F90C, 0x1F93A}, {0x1F93C, 0x1F945}, {0x1F947, 0x1F9FF},
    {0x1FA70, 0x1FAFF}, {0x20000, 0x2FFFD}, {0x30000, 0x3FFFD},
};

static bool in_ranges(const struct range *ranges, size_t count, uint32_t character)
{
    size_t low = 0, high = count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (character > ranges[middle].last)
            low = middle + 1;
        else if (character < ranges[middle].first)
            high = middle;
        else
            return true;
    }
    return false;
}

int text_character_width(uint32_t character)
{
    if (character < 0x300)
        return 1;
    if (in_ranges(zero_width, sizeof zero_width / sizeof zero_width[0], character))
        return 0;
    return in_ranges(wide, sizeof wide / sizeof wide[0], character) ? 2 : 1;
}

/* What a terminal would act on instead of showing it. */
static bool is_control(uint32_t c)
{
    return c < 0x20 || (c >= 0x7F && c < 0xA0) || c == 0x200E || c == 0x200F || c == 0x061C ||
           (c >= 0x202A && c <= 0x202E) || (c >= 0x2066 && c <= 0x2069) || c == 0x2028 ||
           c == 0x2029;
}

/* The character at text[*at], which moves on; bytes that are no UTF-8 count one by one. */
static uint32_t next_character(struct span text, size_t *at)
{
    static const uint32_t smallest[] = {0, 0, 0x80, 0x800, 0x10000};
    const unsigned char *bytes = (const unsigned char *)text.ptr + *at;
    size_t left = text.len - *at;
    size_t len = bytes[0] < 0x80             ? 1
                 : (bytes[0] & 0xE0) == 0xC0 ? 2
                 : (bytes[0] & 0xF0) == 0xE0 ? 3
                 : (bytes[0] & 0xF8) == 0xF0 ? 4
                                             : 0;
    if (len == 1) {
        (*at)++;
        return bytes[0];
    }
    uint32_t character = len ? bytes[0] & (0x7Fu >> len) : 0;
    for (size_t i = 1; i < len && len <= left; i++) {
        if ((bytes[i] & 0xC0) != 0x80)
            len = 0;
        else
            character = character << 6 | (bytes[i] & 0x3Fu);
    }
    if (len == 0 || len > left || character < smallest[len] || character > 0x10FFFF ||
        (character >= 0xD800 && character <= 0xDFFF)) {
        (*at)++;
        return REPLACEMENT;
    }
    *at += len;
    return character;
}

/* As it is shown. */
static uint32_t shown(uint32_t character)
{
    if (character == '\n' || character == '\t' || character == '\r')
        return ' ';
    return is_control(character) ? REPLACEMENT : character;
}

int text_width(struct span text)
{
    int width = 0;
    for (size_t at = 0; at < text.len;)
        width += text_character_width(shown(next_character(text, &at)));
    return width;
}

static void append_character(struct buffer *out, uint32_t c)
{
    char bytes[4];
    size_t len = 0;
    if (c < 0x80) {
        bytes[len++] = (char)c;
    } else if (c < 0x800) {
        bytes[len++] = (char)(0xC0 | c >> 6);
        bytes[len++] = (char)(0x80 | (c & 0x3F));
    } else if (c < 0x10000) {
        bytes[len++] = (char)(0xE0 | c >> 12);
        bytes[len++] = (char)(0x80 | (c >> 6 & 0x3F));
        bytes[len++] = (char)(0x80 | (c & 0x3F));
    } else {
        bytes[len++] = (char)(0xF0 | c >> 18);
        bytes[len++] = (char)(0x80 | (c >> 12 & 0x3F));
        bytes[len++] = (char)(0x80 | (c >> 6 & 0x3F));
        bytes[len++] = (char)(0x80 | (c & 0x3F));
    }
    buffer_append(out, bytes, len);
}

void text_append(struct buffer *out, struct span text, int columns)
{
    bool cut = columns >= 0 && text_width(text) > columns;
    int room = cut ? columns - 1 : columns; /* for the ellipsis */
    if (cut && columns == 0)
        return;
    for (size_t at = 0; at < text.len;) {
        uint32_t character = shown(next_character(text, &at));
        int width = text_character_width(character);
        if (columns >= 0 && width > room)
            break;
        room -= width;
        append_character(out, character);
    }
    if (cut)
        buffer_append_text(out, "…");
}

void text_append_lines(struct buffer *out, struct span text, const char *indent)
{
    for (const char *end; (end = memchr(text.ptr, '\n', text.len)) != NULL;) {
        size_t len = (size_t)(end - text.ptr);
        text_append(out, (struct span){text.ptr, len}, -1);
        buffer_printf(out, "\n%s", indent);
        text = (struct span){end + 1, text.len - len - 1};
    }
    text_append(out, text, -1);
}

void text_append_json(struct buffer *out, struct span text)
{
    struct buffer clean;
    buffer_init(&clean, out->limit);
    text_append(&clean, text, -1);
    buffer_append_json_string(out, buffer_span(&clean));
    out->failed = out->failed || clean.failed;
    buffer_free(&clean);
}
