#include "services/department/source_config.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/base/config.h"
#include "common/json/json_pointer.h"

struct loading {
    const struct vocabulary *vocabulary;
    const struct identity_kinds *kinds;
    struct sources *sources;
};

static int check_name(const char *name, struct fault *fault)
{
    size_t len = strlen(name);
    bool good = len > 0 && len <= 32 && islower((unsigned char)name[0]);
    for (size_t i = 0; i < len && good; i++)
        good = islower((unsigned char)name[i]) || isdigit((unsigned char)name[i]) || name[i] == '-';
    return good ? 0
                : fault_set(fault, "",
                            "a source file is named by 1 to 32 of a-z, 0-9 and \"-\", a "
                            "letter first: the name stands in /webhooks/<name>");
}

static int find_department(const struct loading *loading, json_t *root, struct source *source,
                           struct fault *fault)
{
    json_t *name = json_object_get(root, "department");
    if (!json_is_string(name))
        return fault_set(fault, "/department",
                         "must name the department that the source belongs "
                         "to");
    source->department =
        vocabulary_department(loading->vocabulary, span_of(json_string_value(name)));
    return source->department ? 0
                              : fault_set(fault, "/department", "there is no departments/%s.json",
                                          json_string_value(name));
}

/* Replaces every string of the object by its expansion. ERR_NOT_FOUND where a
 * secret is not set. */
static int expand_strings(json_t *object, struct fault *fault)
{
    const char *key;
    json_t *member;
    void *next;
    json_object_foreach_safe(object, next, key, member)
    {
        char at[256] = "/signature";
        char *expanded;
        json_pointer_append(at, sizeof at, key);
        if (!json_is_string(member))
            continue;
        int rc = config_expand(json_string_value(member), &expanded, fault);
        if (rc == ERR_INVALID || rc == ERR_NOT_FOUND)
            fault_set(fault, at, "%s", strdupa(fault->detail));
        if (rc)
            return rc;
        int failed = json_object_set_new(object, key, json_string(expanded));
        free(expanded);
        if (failed)
            return fault_set(fault, at, "must be UTF-8");
    }
    return 0;
}

/* A missing secret turns the source off, anything else that is wrong is a mistake. */
static int make_signature(json_t *root, struct source *source, struct fault *fault)
{
    json_t *given = json_object_get(root, "signature");
    if (!json_is_object(given))
        return fault_set(fault, "/signature",
                         "must be an object with a \"scheme\"; "
                         "{\"scheme\": \"none\"} lets everybody in");
    json_t *expanded = json_deep_copy(given);
    if (!expanded)
        return ERR_MEMORY;
    struct fault why = {.pointer = ""};
    int rc = expand_strings(expanded, &why);
    if (rc == ERR_NOT_FOUND) {
        source->off = strdup(why.detail);
        rc = source->off ? 0 : ERR_MEMORY;
    } else if (rc == ERR_INVALID) {
        rc = fault_set(fault, why.pointer, "%s", why.detail);
    } else if (!rc) {
        rc = signature_new(expanded, &source->signature, fault);
        if (rc == ERR_INVALID)
            fault_prefix(fault, "/signature");
    }
    json_decref(expanded);
    return rc;
}

static int load_source(const struct loading *loading, const char *name, json_t *root,
                       struct source *source, struct fault *fault)
{
    static const char *const keys[] = {
        "department", "signature", "identity_kinds", "each",     "payload",
        "id",         "source",    "time",           "customer", "data",
        "rules",      "otherwise", "minor_units",    "note",     NULL};
    if (!json_is_object(root))
        return fault_set(fault, "", "must be an object");
    int rc = check_name(name, fault);
    if (!rc)
        rc = config_only_keys(root, "", keys, fault);
    if (!rc)
        rc = find_department(loading, root, source, fault);
    if (!rc)
        rc = make_signature(root, source, fault);
    if (!rc)
        rc = mapping_new(name, root, source->department, loading->kinds, &source->mapping, fault);
    if (!rc && !(source->name = strdup(name)))
        rc = ERR_MEMORY;
    return rc;
}

static int add_source(const char *name, json_t *root, void *context, struct fault *fault)
{
    const struct loading *loading = context;
    struct sources *sources = loading->sources;
    struct source *items = realloc(sources->items, (sources->count + 1) * sizeof *items);
    if (!items)
        return ERR_MEMORY;
    sources->items = items;
    items[sources->count] = (struct source){0};
    int rc = load_source(loading, name, root, &items[sources->count++], fault);
    if (rc == ERR_INVALID && fault && !fault->file[0])
        snprintf(fault->file, sizeof fault->file, "sources/%s.json", name);
    return rc;
}

int sources_load(const char *config_dir, const struct vocabulary *vocabulary,
                 const struct identity_kinds *kinds, struct sources **out, struct fault *fault)
{
    struct sources *sources = calloc(1, sizeof *sources);
    if (!sources)
        return ERR_MEMORY;
    struct loading loading = {vocabulary, kinds, sources};
    int rc = config_each(config_dir, "sources", add_source, &loading, fault);
    if (rc) {
        sources_free(sources);
        return rc;
    }
    *out = sources;
    return 0;
}

void sources_free(struct sources *sources)
{
    if (!sources)
        return;
    for (size_t i = 0; i < sources->count; i++) {
        struct source *source = &sources->items[i];
        signature_free(source->signature);
        mapping_free(source->mapping);
        free(source->name);
        free(source->off);
    }
    free(sources->items);
    free(sources);
}

const struct source *sources_find(const struct sources *sources, struct span name)
{
    for (size_t i = 0; i < sources->count; i++)
        if (span_is(name, sources->items[i].name))
            return &sources->items[i];
    return NULL;
}
