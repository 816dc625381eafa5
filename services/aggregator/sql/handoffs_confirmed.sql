-- ids: nothing that closes them was missed, and their opening is told with what has changed since
UPDATE store.handoffs SET confirm_xid = NULL, told = true WHERE handoff_id = ANY ($1::uuid[])
