-- Handoffs that were not delivered, found for the metrics however many others are open. Hardly any handoff is one:
-- nothing is written here for the rest.
CREATE INDEX handoffs_undelivered ON store.handoffs (to_department)
    WHERE undeliverable AND state IN ('open', 'delivered', 'accepted');
