SELECT to_regclass('store.migrations') IS NOT NULL
