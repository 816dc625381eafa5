#include "services/aggregator/follow.h"

#include <stdatomic.h>

#include "services/aggregator/event_types.h"

/* Takes over the caller's hold. No batch is under way. What is remembered of identities was learnt
 * by the kinds of the one before. */
static void use_rulebook(struct session *session, struct rulebook *rulebook)
{
    rulebook_release(session->rulebook);
    session->rulebook = rulebook;
    atomic_store(&session->follows, rulebook);
    session->decoder.kinds = rulebook->kinds;
    session->decoder.vocabulary = rulebook->vocabulary;
    session->decoder.rules = rulebook->rules;
    session->apply.rules = rulebook->rules;
    session->apply.vocabulary = rulebook->vocabulary;
    if (session->apply.cache)
        identity_cache_clear(session->apply.cache);
}

void follow_begin(struct session *session)
{
    session->rejoin = false;
    use_rulebook(session, rulebook_take(session->setup->rulebooks));
}

int follow_rulebook(struct session *session)
{
    if (!batch_is_empty(&session->batch))
        return 0;
    struct rulebook *rulebook = rulebook_take(session->setup->rulebooks);
    if (rulebook == session->rulebook) {
        rulebook_release(rulebook);
        return 0;
    }
    session->rejoin = session->rejoin || !rulebook_same_topics(rulebook, session->rulebook);
    use_rulebook(session, rulebook);
    return event_types_put(session->apply.pg, session->rulebook->vocabulary);
}

void follow_end(struct session *session)
{
    atomic_store(&session->follows, NULL);
}
