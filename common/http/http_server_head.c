/*
 * Has the head that was read the lines that were sent? libmicrohttpd 0.9 takes much that it
 * should refuse, and shows none of it: a line ends at a bare line feed; a name or value ends at a
 * NUL, whatever follows; a line that begins with a colon or a NUL ends the head, so that its rest
 * becomes the body; a folded line (RFC 9112 section 5.2) is appended to the header's name, not to
 * its value ("Trans: chunked", " fer-Encoding" come out as Transfer-Encoding). A proxy in front
 * sees other headers than we would, which is how requests are smuggled.
 *
 * But it works in place: in its buffer the head still stands as it came, with NULs where a
 * separator was, and what it hands out points there. So the pieces must follow each other without
 * a gap, from the method to the end of the head; what was lost or moved leaves one.
 *
 * It cannot see one thing: a NUL right before a bare line feed has become the same two NULs as
 * CRLF, and is taken for a line's end. No proxy that refuses NULs (RFC 9110 section 5.5) forwards
 * that.
 *
 * 1.0 refuses all of this by itself (MHD_USE_PEDANTIC_CHECKS).
 */
#include <microhttpd.h>

#include "common/http/http_server_internal.h"

#if MHD_VERSION < 0x01000000

#define VERSION_LENGTH 8 /* "HTTP/1.1"; the library has refused any other */

struct walk {
    const char *at; /* where the piece before ended: on its line's CRLF, by now two NULs */
    bool plain;
};

static bool at_line_end(const char *at)
{
    return at[0] == '\0' && at[1] == '\0';
}

static enum MHD_Result walk_header(void *context, enum MHD_ValueKind kind, const char *name,
                                   size_t name_len, const char *value, size_t value_len)
{
    (void)kind;
    struct walk *walk = context;
    walk->plain = at_line_end(walk->at) && name == walk->at + 2 && value;
    if (!walk->plain)
        return MHD_NO;
    const char *p = name + name_len + 1;
    while (p < value && (*p == ' ' || *p == '\t'))
        p++;
    walk->plain = p == value;
    walk->at = value + value_len;
    return walk->plain ? MHD_YES : MHD_NO;
}

int http_head_check(struct MHD_Connection *mhd, const char *method, const char *target,
                    size_t target_len, const char *version)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_REQUEST_HEADER_SIZE);
    if (!info)
        return ERR_IO;
    struct walk walk = {version + VERSION_LENGTH, true};
    MHD_get_connection_values_n(mhd, MHD_HEADER_KIND, walk_header, &walk);
    const char *end = method + info->header_size;
    bool line = method + strlen(method) + 1 == target && target + target_len + 1 == version;
    bool last = walk.at + 4 == end && at_line_end(walk.at) && at_line_end(walk.at + 2);
    return line && walk.plain && last ? 0 : ERR_INVALID;
}

#else

int http_head_check(struct MHD_Connection *mhd, const char *method, const char *target,
                    size_t target_len, const char *version)
{
    (void)mhd, (void)method, (void)target, (void)target_len, (void)version;
    return 0;
}

#endif
