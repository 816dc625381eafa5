#include <stdio.h>

#include "common/base/config.h"
#include "common/base/duration.h"
#include "common/base/suggest.h"
#include "common/event/event_text.h"
#include "common/event/system_events.h"
#include "common/json/json_pointer.h"
#include "services/aggregator/handoff_rules_internal.h"

#define NAME_LIMIT      64
#define DEFAULT_MAX_AGE (INT64_C(30) * 24 * 3600 * 1000)

/* One rule being read; `at` is its pointer, "/3". */
struct reading {
    struct loaded_rules *loaded;
    const struct vocabulary *vocabulary;
    struct fault *fault;
    struct handoff_rule *rule;
    json_t *json;
    char at[24];
};

/* The pointer of a member of the rule, and of an element of it where `element` is not negative. */
static const char *place(const struct reading *r, const char *member, int element, char *out,
                         size_t size)
{
    int len = snprintf(out, size, "%s/%s", r->at, member);
    if (element >= 0 && len > 0 && (size_t)len < size)
        snprintf(out + len, size - (size_t)len, "/%d", element);
    return out;
}

static int refuse(const struct reading *r, const char *member, int element, const char *detail)
{
    char at[128];
    return fault_set(r->fault, place(r, member, element, at, sizeof at), "%s", detail);
}

static int read_text(const struct reading *r, const char *member, bool required, size_t limit,
                     const char **out)
{
    json_t *value = json_object_get(r->json, member);
    if (!value && !required)
        return 0;
    if (!value)
        return refuse(r, member, -1, "is required: a text");
    if (!json_is_string(value) || json_string_length(value) == 0)
        return refuse(r, member, -1, "must be a text that is not empty");
    if (json_string_length(value) > limit)
        return refuse(r, member, -1, "is too long");
    *out = json_string_value(value);
    return 0;
}

static bool name_valid(const char *name)
{
    size_t len = strlen(name);
    bool good = len <= NAME_LIMIT && name[0] >= 'a' && name[0] <= 'z';
    for (size_t i = 0; i < len && good; i++)
        good = (name[i] >= 'a' && name[i] <= 'z') || (name[i] >= '0' && name[i] <= '9') ||
               name[i] == '-';
    return good;
}

static int read_name(const struct reading *r)
{
    int rc = read_text(r, "rule", true, NAME_LIMIT, &r->rule->name);
    if (rc != 0)
        return rc;
    if (!name_valid(r->rule->name))
        return refuse(r, "rule", -1, "must be a letter and then up to 63 of a-z, 0-9 and \"-\"");
    /* This rule is the last one so far. */
    for (const struct handoff_rule *other = r->loaded->rules.rules; other != r->rule; other++)
        if (strcmp(other->name, r->rule->name) == 0)
            return refuse(r, "rule", -1, "is the name of an earlier rule, too");
    return 0;
}

/* The type of the vocabularies that an unknown one was meant to be; NULL: none is near. */
static const char *nearest_type(const struct vocabulary *vocabulary, const char *type)
{
    const char *nearest = suggest_name(type, system_events_said());
    for (size_t d = 0; d < vocabulary->count && !nearest; d++) {
        const struct department *department = &vocabulary->departments[d];
        for (size_t t = 0; t < department->type_count && !nearest; t++) {
            const char *const one[] = {department->types[t].name, NULL};
            nearest = suggest_name(type, one);
        }
    }
    return nearest;
}

static bool type_known(const struct vocabulary *vocabulary, const char *type)
{
    if (system_event_of(span_of(type)) == SYSTEM_SAYS)
        return true;
    const char *dot = strchr(type, '.');
    const struct department *department =
        dot ? vocabulary_department(vocabulary, (struct span){type, (size_t)(dot - type)}) : NULL;
    const struct event_type *unused;
    return department && department_type(department, span_of(type), &unused, NULL) == 0;
}

static int check_type(const struct reading *r, json_t *json, const char *member, int element,
                      const char **out)
{
    char at[128];
    const char *type = json_string_value(json);
    if (!type)
        return refuse(r, member, element, "must be an event type, as \"sales.deal.won\"");
    *out = type;
    if (type_known(r->vocabulary, type))
        return 0;
    const char *nearest = nearest_type(r->vocabulary, type);
    return fault_set(r->fault, place(r, member, element, at, sizeof at),
                     "no department has the event type \"%s\"%s%s%s", type,
                     nearest ? ", did you mean \"" : "", nearest ? nearest : "",
                     nearest ? "\"?" : "");
}

/* One type, or a list of them. */
static int read_types(const struct reading *r, const char *member, const char **types,
                      size_t *count)
{
    json_t *value = json_object_get(r->json, member);
    *count = 0;
    if (!value)
        return 0;
    if (!json_is_array(value)) {
        *count = 1;
        return check_type(r, value, member, -1, &types[0]);
    }
    if (json_array_size(value) == 0 || json_array_size(value) > HANDOFF_TYPES_LIMIT)
        return refuse(r, member, -1, "must be an event type, or a list of 1 to 32 of them");
    for (size_t i = 0; i < json_array_size(value); i++) {
        int rc = check_type(r, json_array_get(value, i), member, (int)i, &types[i]);
        if (rc != 0)
            return rc;
        *count = i + 1;
    }
    return 0;
}

static int read_when(const struct reading *r)
{
    if (!json_object_get(r->json, "when"))
        return refuse(r, "when", -1, "is required: the event type that opens the handoff");
    return read_types(r, "when", r->rule->when, &r->rule->when_count);
}

static int read_predicate(const struct reading *r, const char *member, const struct predicate **out)
{
    char at[128];
    struct predicate *predicate = NULL;
    json_t *json = json_object_get(r->json, member);
    int rc = json ? predicate_parse(&r->loaded->arena, json, place(r, member, -1, at, sizeof at),
                                    &predicate, r->fault)
                  : 0;
    *out = predicate;
    return rc;
}

static int read_duration(const struct reading *r, const char *member, json_t *value,
                         int64_t otherwise, int64_t *out)
{
    *out = otherwise;
    if (!value)
        return 0;
    if (!json_is_string(value) || duration_parse(json_string_value(value), out) != 0 || *out == 0)
        return refuse(r, member, -1, "must be a duration: \"30m\", \"4h\", \"7d\"");
    return 0;
}

static int read_while(const struct reading *r)
{
    static const char *const keys[] = {"open_issue", "known_for", "first", NULL};
    char at[128];
    json_t *json = json_object_get(r->json, "while");
    if (!json)
        return 0;
    if (!json_is_object(json) || json_object_size(json) == 0)
        return refuse(r, "while", -1,
                      "must be an object with \"open_issue\", \"known_for\" or \"first\"");
    int rc = config_only_keys(json, place(r, "while", -1, at, sizeof at), keys, r->fault);
    if (rc != 0)
        return rc;
    json_t *issue = json_object_get(json, "open_issue"), *first = json_object_get(json, "first");
    if (issue && !json_is_boolean(issue))
        return refuse(r, "while/open_issue", -1, "must be true or false");
    if (first && !json_is_true(first))
        return refuse(r, "while/first", -1, "must be true, or be left out");
    r->rule->open_issue = !issue ? ISSUE_ANY : json_is_true(issue) ? ISSUE_OPEN : ISSUE_NONE;
    r->rule->first = first != NULL;
    return read_duration(r, "while/known_for", json_object_get(json, "known_for"), 0,
                         &r->rule->known_for_ms);
}

static int check_department(const struct reading *r, const char *member, const char *name)
{
    char at[128];
    if (vocabulary_department(r->vocabulary, span_of(name)))
        return 0;
    return fault_set(r->fault, place(r, member, -1, at, sizeof at),
                     "there is no departments/%s.json", name);
}

static int read_receiver(const struct reading *r)
{
    struct handoff_rule *rule = r->rule;
    int rc = read_text(r, "to", true, NAME_LIMIT, &rule->to);
    if (rc == 0)
        rc = read_text(r, "fallback", false, NAME_LIMIT, &rule->fallback);
    if (rc == 0 && rule->fallback)
        rc = check_department(r, "fallback", rule->fallback);
    if (rc != 0)
        return rc;
    if (strcmp(rule->to, HANDOFF_TO_OWNER) != 0)
        return check_department(r, "to", rule->to);
    return rule->fallback
               ? 0
               : refuse(r, "fallback", -1,
                        "is required beside \"to\": \"owner\": the department that takes "
                        "what has no owner");
}

static int check_pointer(const struct reading *r, json_t *json, const char *member, int element,
                         const char **out)
{
    *out = json_string_value(json);
    return *out && **out == '/' && strlen(*out) <= HANDOFF_POINTER_LIMIT && json_pointer_valid(*out)
               ? 0
               : refuse(
                     r, member, element,
                     "must be a JSON Pointer into data: it begins with \"/\" and has at most 255 "
                     "bytes");
}

static int read_match(const struct reading *r)
{
    struct handoff_rule *rule = r->rule;
    json_t *list = json_object_get(r->json, "match");
    if (!list)
        return 0;
    if (!json_is_array(list) || json_array_size(list) == 0 ||
        json_array_size(list) > HANDOFF_MATCHES_LIMIT)
        return refuse(r, "match", -1, "must be a list of 1 to 8 pairs of pointers");
    if (rule->done_when_count + rule->cancel_when_count == 0)
        return refuse(r, "match", -1, "has no use without \"done_when\" or \"cancel_when\"");
    for (size_t i = 0; i < json_array_size(list); i++) {
        json_t *pair = json_array_get(list, i);
        struct handoff_match *match = &rule->match[i];
        if (json_array_size(pair) != 2)
            return refuse(r, "match", (int)i,
                          "must be a pair: pointer into the opening, and into the closing event");
        int rc = check_pointer(r, json_array_get(pair, 0), "match", (int)i, &match->opening);
        if (rc == 0)
            rc = check_pointer(r, json_array_get(pair, 1), "match", (int)i, &match->closing);
        if (rc != 0)
            return rc;
        rule->match_count = i + 1;
    }
    return 0;
}

static int read_brief(const struct reading *r)
{
    struct handoff_rule *rule = r->rule;
    json_t *list = json_object_get(r->json, "brief");
    if (!list)
        return 0;
    if (!json_is_array(list) || json_array_size(list) > HANDOFF_BRIEF_LIMIT)
        return refuse(r, "brief", -1, "must be a list of at most 32 pointers");
    for (size_t i = 0; i < json_array_size(list); i++) {
        int rc = check_pointer(r, json_array_get(list, i), "brief", (int)i, &rule->brief[i]);
        if (rc != 0)
            return rc;
        rule->brief_count = i + 1;
    }
    return 0;
}

static int read_ask(const struct reading *r)
{
    int rc = read_text(r, "ask", true, HANDOFF_ASK_LIMIT, &r->rule->ask);
    if (rc == 0 && strpbrk(r->rule->ask, "\r\n"))
        return refuse(r, "ask", -1, "must be one line");
    return rc;
}

static int read_times(const struct reading *r)
{
    json_t *due = json_object_get(r->json, "due");
    if (!due)
        return refuse(r, "due", -1, "is required: how long the receiver has, as \"4h\"");
    int rc = read_duration(r, "due", due, 0, &r->rule->due_ms);
    return rc ? rc
              : read_duration(r, "max_age", json_object_get(r->json, "max_age"), DEFAULT_MAX_AGE,
                              &r->rule->max_age_ms);
}

/* done_when and cancel_when must not both take one type: which of them it was, nobody could say. */
static int check_endings(const struct reading *r)
{
    const struct handoff_rule *rule = r->rule;
    for (size_t d = 0; d < rule->done_when_count; d++)
        for (size_t c = 0; c < rule->cancel_when_count; c++)
            if (strcmp(rule->done_when[d], rule->cancel_when[c]) == 0)
                return refuse(r, "cancel_when", -1, "has a type of \"done_when\"");
    return 0;
}

static int read_rule(const struct reading *r)
{
    static const char *const keys[] = {
        "rule", "when",    "if",        "unless",      "while", "to",    "fallback", "ask",
        "due",  "max_age", "done_when", "cancel_when", "match", "brief", "note",     NULL};
    struct handoff_rule *rule = r->rule;
    if (!json_is_object(r->json))
        return fault_set(r->fault, r->at, "must be an object");
    int rc = config_only_keys(r->json, r->at, keys, r->fault);
    if (rc == 0)
        rc = read_name(r);
    if (rc == 0)
        rc = read_when(r);
    if (rc == 0)
        rc = read_predicate(r, "if", &rule->condition);
    if (rc == 0)
        rc = read_predicate(r, "unless", &rule->unless);
    if (rc == 0)
        rc = read_while(r);
    if (rc == 0)
        rc = read_receiver(r);
    if (rc == 0)
        rc = read_ask(r);
    if (rc == 0)
        rc = read_times(r);
    if (rc == 0)
        rc = read_types(r, "done_when", rule->done_when, &rule->done_when_count);
    if (rc == 0)
        rc = read_types(r, "cancel_when", rule->cancel_when, &rule->cancel_when_count);
    if (rc == 0)
        rc = check_endings(r);
    if (rc == 0)
        rc = read_match(r);
    return rc == 0 ? read_brief(r) : rc;
}

int handoff_rules_parse(struct loaded_rules *loaded, const struct vocabulary *vocabulary,
                        struct fault *fault)
{
    struct handoff_rules *rules = &loaded->rules;
    json_t *list = loaded->root;
    if (!json_is_array(list))
        return fault_set(fault, "", "must be a list of rules");
    if (json_array_size(list) > HANDOFF_RULES_LIMIT)
        return fault_set(fault, "", "has more than %d rules", HANDOFF_RULES_LIMIT);
    rules->rules = arena_alloc(&loaded->arena, (json_array_size(list) + 1) * sizeof *rules->rules);
    if (!rules->rules)
        return ERR_MEMORY;
    for (size_t i = 0; i < json_array_size(list); i++) {
        struct reading reading = {
            loaded, vocabulary, fault, &rules->rules[i], json_array_get(list, i), ""};
        snprintf(reading.at, sizeof reading.at, "/%zu", i);
        rules->rules[i] = (struct handoff_rule){.name = NULL};
        int rc = read_rule(&reading);
        if (rc != 0)
            return rc;
        rules->count = i + 1;
    }
    return 0;
}
