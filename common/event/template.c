#include "common/event/template.h"

#include "common/json/json_pointer.h"
#include "common/json/json_scan.h"

#define PIECES_LIMIT 64  /* texts and places of one template */
#define PLACE_LIMIT  255 /* bytes of a pointer */

enum piece_kind { PIECE_END, PIECE_TEXT, PIECE_PLACE, PIECE_WRONG };

/* The next piece; *at moves behind it. A doubled brace is a text of its own. */
static enum piece_kind next_piece(const char **at, struct span *piece)
{
    const char *start = *at;
    if (*start == '\0')
        return PIECE_END;
    if ((start[0] == '{' || start[0] == '}') && start[1] == start[0]) {
        *piece = (struct span){start, 1};
        *at = start + 2;
        return PIECE_TEXT;
    }
    if (*start == '}')
        return PIECE_WRONG;
    if (*start == '{') {
        size_t length = strcspn(start + 1, "{}");
        *piece = (struct span){start + 1, length};
        *at = start + length + 2;
        return start[1 + length] == '}' ? PIECE_PLACE : PIECE_WRONG;
    }
    *piece = (struct span){start, strcspn(start, "{}")};
    *at = start + piece->len;
    return PIECE_TEXT;
}

static bool place_valid(struct span place, char pointer[PLACE_LIMIT + 1])
{
    if (place.len == 0 || place.len > PLACE_LIMIT)
        return false;
    memcpy(pointer, place.ptr, place.len);
    pointer[place.len] = '\0';
    return json_pointer_valid(pointer);
}

int template_check(const char *text, struct fault *fault)
{
    char pointer[PLACE_LIMIT + 1];
    struct span piece;
    for (size_t count = 0; count <= PIECES_LIMIT; count++) {
        switch (next_piece(&text, &piece)) {
        case PIECE_END:
            return 0;
        case PIECE_TEXT:
            break;
        case PIECE_PLACE:
            if (!place_valid(piece, pointer))
                return fault_set(
                    fault, fault ? fault->pointer : "",
                    "what stands in braces must be a JSON Pointer of at most %d bytes, "
                    "as {/amount}",
                    PLACE_LIMIT);
            break;
        case PIECE_WRONG:
            return fault_set(fault, fault ? fault->pointer : "",
                             "braces must match, as {/amount}; write {{ and }} for braces");
        }
    }
    return fault_set(fault, fault ? fault->pointer : "", "has more than %d pieces", PIECES_LIMIT);
}

/* What stands at a place: a scalar's text, or absent. */
static int place_text(struct span place, struct span document, struct arena *arena,
                      struct span *text)
{
    char pointer[PLACE_LIMIT + 1];
    *text = (struct span){NULL, 0};
    if (!document.ptr || !place_valid(place, pointer) ||
        json_scan_pointer(document, pointer, text) != 0)
        return 0;
    if (strchr("{[n", text->ptr[0])) { /* an object, an array, null */
        *text = (struct span){NULL, 0};
        return 0;
    }
    return text->ptr[0] == '"' ? json_scan_text(arena, *text, text) : 0;
}

static struct span join(const struct span *pieces, size_t count, struct arena *arena)
{
    size_t len = 0;
    for (size_t i = 0; i < count; i++)
        len += pieces[i].len;
    char *text = arena_alloc(arena, len + 1), *end = text;
    if (!text)
        return (struct span){NULL, 0};
    for (size_t i = 0; i < count; i++)
        if (pieces[i].len > 0)
            end = (char *)mempcpy(end, pieces[i].ptr, pieces[i].len);
    *end = '\0';
    return (struct span){text, len};
}

struct span template_expand(const char *text, struct span document, struct arena *arena,
                            bool *missing)
{
    struct span pieces[PIECES_LIMIT], piece;
    size_t count = 0;
    bool lacks = false;
    for (; count < PIECES_LIMIT; count++) {
        enum piece_kind kind = next_piece(&text, &piece);
        if (kind == PIECE_END || kind == PIECE_WRONG)
            break;
        pieces[count] = piece;
        if (kind != PIECE_PLACE)
            continue;
        if (place_text(piece, document, arena, &pieces[count]) != 0)
            return (struct span){NULL, 0};
        lacks = lacks || pieces[count].len == 0;
    }
    if (missing)
        *missing = lacks;
    return join(pieces, count, arena);
}
