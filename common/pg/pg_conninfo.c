/* Connection strings, looked at before libpq does: what libpq says of a bad one repeats pieces of
 * it, and a piece may be of the password. */
#include <netinet/in.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/base/log.h"
#include "common/pg/pg_internal.h"

static const char malformed[] =
    "is no connection string: in postgresql://USER:PASSWORD@HOST/NAME whatever is no letter, digit "
    "or "
    "one of -._~ is percent-encoded (@ is %40, / is %2F); in host=HOST user=USER password=PASSWORD "
    "what has spaces, ' or \\ stands in '…', those two behind a \\";

static const char *value_of(const PQconninfoOption *parsed, const char *keyword)
{
    for (; parsed->keyword; parsed++)
        if (strcmp(parsed->keyword, keyword) == 0)
            return parsed->val ? parsed->val : "";
    return "";
}

/* A password that was not encoded goes on in the host, or in the port. */
static bool is_plausible(const PQconninfoOption *parsed)
{
    const char *port = value_of(parsed, "port");
    return !strchr(value_of(parsed, "host"), '@') && port[strspn(port, "0123456789,")] == '\0';
}

/* 0: `*out` is parsed, or NULL where it is a bare name, which is a database to libpq. */
static int parse(const char *conninfo, PQconninfoOption **out, struct fault *fault)
{
    char *error = NULL;
    *out = NULL;
    if (!conninfo || (!strchr(conninfo, '=') && !strstr(conninfo, "://")))
        return 0;
    *out = PQconninfoParse(conninfo, &error);
    bool no_memory = !*out && !error;
    PQfreemem(error);
    if (no_memory)
        return fault_set(fault, "", "no memory");
    if (*out && is_plausible(*out))
        return 0;
    PQconninfoFree(*out);
    *out = NULL;
    return fault_set(fault, "", "%s", malformed);
}

static int check_file(const PQconninfoOption *parsed, const char *keyword, struct fault *fault)
{
    const char *path = value_of(parsed, keyword);
    bool is_word = strcmp(path, "system") == 0; /* of sslrootcert, from libpq 16 on */
    if (!*path || is_word || access(path, R_OK) == 0)
        return 0;
    return fault_set(fault, "", "%s: the file %s cannot be read", keyword, path);
}

int pg_check_conninfo(const char *conninfo, struct fault *fault)
{
    PQconninfoOption *parsed;
    int rc = parse(conninfo, &parsed, fault);
    if (rc || !parsed)
        return rc;
    static const char *const files[] = {"sslrootcert", "sslcert", "sslkey", "passfile"};
    for (size_t i = 0; !rc && i < sizeof files / sizeof *files; i++)
        rc = check_file(parsed, files[i], fault);
    PQconninfoFree(parsed);
    return rc;
}

int pg_conninfo_look(struct pg *pg, const char *conninfo)
{
    PQconninfoOption *parsed;
    struct fault fault = {.detail = ""};
    int rc = parse(conninfo, &parsed, &fault);
    if (rc) {
        pg_remember(pg, "08001", fault.detail);
        return pg_report(pg, ERR_IO);
    }
    const char *variable = getenv("PGSSLMODE");
    pg->ssl_decided = (variable && *variable) ||
                      (parsed && (*value_of(parsed, "sslmode") || *value_of(parsed, "service")));
    PQconninfoFree(parsed);
    return 0;
}

static bool is_local(int fd)
{
    struct sockaddr_storage peer = {.ss_family = AF_UNSPEC};
    socklen_t len = sizeof peer;
    if (getpeername(fd, (struct sockaddr *)&peer, &len))
        return true; /* nobody there: nothing to tell of */
    if (peer.ss_family == AF_INET)
        return ntohl(((const struct sockaddr_in *)&peer)->sin_addr.s_addr) >> 24 == 127;
    if (peer.ss_family == AF_INET6)
        return IN6_IS_ADDR_LOOPBACK(&((const struct sockaddr_in6 *)&peer)->sin6_addr);
    return true;
}

void pg_conninfo_tell(const struct pg *pg)
{
    static atomic_bool told;
    if (pg->ssl_decided || PQsslInUse(pg->conn) || PQgssEncInUse(pg->conn) ||
        is_local(PQsocket(pg->conn)) || atomic_exchange(&told, true))
        return;
    log_warn("PostgreSQL is spoken to in plain text over the network",
             LOG_TEXT("remedy", "sslmode=verify-full and sslrootcert=FILE in TL_DATABASE; or "
                                "sslmode=disable, where nobody else is on that network"));
}
