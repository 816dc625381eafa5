#include "common/base/error.h"

const char *error_name(int code)
{
    switch (code) {
    case 0:
        return "ok";
    case ERR_INVALID:
        return "invalid input";
    case ERR_MEMORY:
        return "out of memory";
    case ERR_IO:
        return "input/output error";
    case ERR_BUSY:
        return "temporarily unavailable";
    case ERR_NOT_FOUND:
        return "not found";
    case ERR_CONFLICT:
        return "lost to another writer";
    case ERR_LIMIT:
        return "limit reached";
    case ERR_STOPPED:
        return "asked to stop";
    default:
        return "unknown error";
    }
}
