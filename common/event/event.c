#include "common/event/event.h"

#include <strings.h>

#include "common/event/event_text.h"
#include "common/event/event_time.h"
#include "common/event/uri.h"

struct span event_extension(const struct event *event, const char *name)
{
    struct span wanted = span_of(name);
    for (size_t i = 0; i < event->extension_count; i++)
        if (span_equal(event->extensions[i].name, wanted))
            return event->extensions[i].value;
    return (struct span){NULL, 0};
}

/* Where an extension is, or where it belongs. */
static size_t extension_place(const struct event *event, struct span name, bool *found)
{
    size_t i = event->extension_count;
    *found = false;
    while (i > 0) {
        int order = span_compare(event->extensions[i - 1].name, name);
        if (order < 0)
            break;
        i--;
        if (order == 0) {
            *found = true;
            break;
        }
    }
    return i;
}

static int insert_extension(struct event *event, size_t at, struct span name, struct span value)
{
    if (event->extension_count == EVENT_EXTENSIONS_LIMIT)
        return ERR_LIMIT;
    struct event_attribute *place = &event->extensions[at];
    memmove(place + 1, place, (event->extension_count - at) * sizeof *place);
    *place = (struct event_attribute){name, value};
    event->extension_count++;
    return 0;
}

int event_set_extension(struct event *event, const char *name, struct span value)
{
    bool found;
    size_t at = extension_place(event, span_of(name), &found);
    if (!found)
        return insert_extension(event, at, span_of(name), value);
    event->extensions[at].value = value;
    return 0;
}

void event_remove_extension(struct event *event, const char *name)
{
    bool found;
    size_t at = extension_place(event, span_of(name), &found);
    if (!found)
        return;
    event->extension_count--;
    memmove(&event->extensions[at], &event->extensions[at + 1],
            (event->extension_count - at) * sizeof *event->extensions);
}

/* A fault at the attribute; the name is known to be short and [a-z0-9]+. */
static int attribute_fault(struct fault *fault, struct span name, const char *detail)
{
    char pointer[EVENT_NAME_LIMIT + 2] = "/";
    memcpy(pointer + 1, name.ptr, name.len);
    pointer[1 + name.len] = '\0';
    return fault_set(fault, pointer, "%s", detail);
}

static int check_name(struct span name, struct fault *fault)
{
    char quoted[EVENT_TEXT_QUOTE];
    bool good = name.len > 0 && name.len <= EVENT_NAME_LIMIT;
    for (size_t i = 0; good && i < name.len; i++)
        good = (name.ptr[i] >= 'a' && name.ptr[i] <= 'z') ||
               (name.ptr[i] >= '0' && name.ptr[i] <= '9');
    if (good)
        return 0;
    return fault_set(fault, "",
                     "attribute name \"%s\" must be 1 to %d of the characters a-z and 0-9",
                     event_text_quote(name, quoted), EVENT_NAME_LIMIT);
}

/* type/subtype, each of token characters (RFC 9110, section 8.3.1). */
static bool media_type_valid(struct span text)
{
    size_t end = 0, slash = 0;
    for (; end < text.len && text.ptr[end] != ';' && text.ptr[end] != ' '; end++) {
        char c = text.ptr[end];
        if (c == '/' && slash == 0)
            slash = end;
        else if (c < '!' || c > '~' || strchr("\"(),/:<=>?@[\\]{}", c))
            return false;
    }
    return slash > 0 && slash + 1 < end;
}

/* What is wrong with a core attribute's value; NULL: nothing. */
typedef const char *value_check(struct span value);

static const char *check_id(struct span value)
{
    return value.len > EVENT_ID_LIMIT ? "is longer than 512 bytes" : NULL;
}

static const char *check_source(struct span value)
{
    if (value.len > EVENT_SOURCE_LIMIT)
        return "is longer than 1024 bytes";
    return uri_reference_valid(value) ? NULL : "must be a URI-reference (RFC 3986)";
}

static const char *check_type(struct span value)
{
    return value.len > EVENT_TYPE_LIMIT ? "is longer than 255 bytes" : NULL;
}

static const char *check_time(struct span value)
{
    int64_t moment;
    return event_time_parse(value, &moment) == 0
               ? NULL
               : "must be an RFC 3339 date and time with its offset, as 2026-01-08T10:12:07Z";
}

static const char *check_datacontenttype(struct span value)
{
    /* In binary mode, over Kafka, data of this type would be taken for the event itself. */
    if (event_media_type_is_event(value))
        return "must be the media type of the data, not of an event";
    return media_type_valid(value) ? NULL : "must be a media type, as application/json";
}

static const char *check_dataschema(struct span value)
{
    return uri_valid(value) ? NULL : "must be a URI with its scheme (RFC 3986)";
}

static const char *check_subject(struct span value)
{
    (void)value;
    return NULL;
}

static const struct core_attribute {
    const char *name;
    size_t offset; /* of its span in struct event */
    value_check *check;
} core_attributes[] = {
    {"id", offsetof(struct event, id), check_id},
    {"source", offsetof(struct event, source), check_source},
    {"type", offsetof(struct event, type), check_type},
    {"time", offsetof(struct event, time), check_time},
    {"subject", offsetof(struct event, subject), check_subject},
    {"datacontenttype", offsetof(struct event, datacontenttype), check_datacontenttype},
    {"dataschema", offsetof(struct event, dataschema), check_dataschema},
};

static const struct core_attribute *find_core(struct span name)
{
    for (size_t i = 0; i < sizeof core_attributes / sizeof *core_attributes; i++)
        if (span_is(name, core_attributes[i].name))
            return &core_attributes[i];
    return NULL;
}

bool event_attribute_is_core(struct span name)
{
    return find_core(name) || span_is(name, "specversion");
}

static int set_core(struct event *event, const struct core_attribute *core, struct span name,
                    struct span value, struct fault *fault)
{
    struct span *place = (struct span *)(void *)((char *)event + core->offset);
    if (place->ptr)
        return attribute_fault(fault, name, "is given twice");
    if (value.len == 0)
        return attribute_fault(fault, name, "must not be empty");
    const char *wrong = core->check(value);
    if (wrong)
        return attribute_fault(fault, name, wrong);
    *place = value;
    return 0;
}

static int set_specversion(bool *seen, struct span value, struct fault *fault)
{
    if (*seen)
        return fault_set(fault, "/specversion", "is given twice");
    if (!span_is(value, "1.0"))
        return fault_set(fault, "/specversion", "must be \"1.0\"");
    *seen = true;
    return 0;
}

static int add_extension(struct event *event, struct span name, struct span value,
                         struct fault *fault)
{
    bool found;
    size_t at = extension_place(event, name, &found);
    if (found)
        return attribute_fault(fault, name, "is given twice");
    if (insert_extension(event, at, name, value) != 0)
        return fault_set(fault, "", "has more than %d extension attributes",
                         EVENT_EXTENSIONS_LIMIT);
    return 0;
}

int event_set_attribute(struct event *event, struct span name, struct span value,
                        bool *specversion_seen, struct fault *fault)
{
    if (check_name(name, fault) != 0)
        return ERR_INVALID;
    if (!event_text_valid(value))
        return attribute_fault(fault, name,
                               "must be UTF-8 without control characters and noncharacters");
    if (value.len > EVENT_VALUE_LIMIT)
        return attribute_fault(fault, name, "is longer than 16384 bytes");
    if (span_is(name, "specversion"))
        return set_specversion(specversion_seen, value, fault);
    if (span_is(name, "data"))
        return attribute_fault(fault, name, "is not an attribute; the name is reserved");
    const struct core_attribute *core = find_core(name);
    if (core)
        return set_core(event, core, name, value, fault);
    return add_extension(event, name, value, fault);
}

int event_check_required(const struct event *event, bool specversion_seen, struct fault *fault)
{
    if (!specversion_seen)
        return fault_set(fault, "/specversion", "is required: \"1.0\"");
    if (!event->id.ptr)
        return fault_set(fault, "/id", "is required");
    if (!event->source.ptr)
        return fault_set(fault, "/source", "is required");
    if (!event->type.ptr)
        return fault_set(fault, "/type", "is required");
    if (!event->time.ptr)
        return fault_set(fault, "/time", "is required: the timeline is ordered by it");
    return 0;
}

/* The media type without its parameters. */
static struct span without_parameters(struct span content_type)
{
    const char *semicolon =
        content_type.len ? memchr(content_type.ptr, ';', content_type.len) : NULL;
    if (semicolon)
        content_type.len = (size_t)(semicolon - content_type.ptr);
    return event_text_trim(content_type);
}

bool event_media_type_is_json(struct span content_type)
{
    if (!content_type.ptr)
        return true;
    struct span type = without_parameters(content_type);
    if (type.len < 5)
        return false;
    const char *tail = type.ptr + type.len - 5;
    return strncasecmp(tail, "/json", 5) == 0 || strncasecmp(tail, "+json", 5) == 0;
}

bool event_media_type_is_event(struct span content_type)
{
    static const char type[] = "application/cloudevents";
    struct span trimmed = event_text_trim(content_type);
    return trimmed.len >= sizeof type - 1 && strncasecmp(trimmed.ptr, type, sizeof type - 1) == 0;
}

bool event_media_type_is(struct span content_type, const char *type)
{
    return span_is_nocase(without_parameters(content_type), type);
}
