SELECT to_regprocedure('store.resolve_identities(text[],text[],integer[],text[])') IS NOT NULL
