"""store.resolve_identities between two writers: whatever one of them commits at the moments that the
other leaves open, what an event names together ends at one customer."""
import threading

import psycopg2
import pytest

from support.wait import wait_for

RESOLVE = "SELECT * FROM store.resolve_identities(%s, %s, %s, %s)"
HELD = 4711  # the advisory lock by which a writer is held back

# A look at the customers concerned, after which the session that asks for it waits (but not for
# ever: the other writer may have to wait for this one).
HOLD_BACK = f"""
ALTER FUNCTION store.customers_concerned(text[], text[], integer[], integer[]) RENAME TO really_concerned;
CREATE FUNCTION store.customers_concerned(kinds text[], vals text[], components integer[], tying integer[])
RETURNS bigint[] LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    seen bigint[] := store.really_concerned(kinds, vals, components, tying);
    looks integer := current_setting('test.looks')::integer + 1;
BEGIN
    PERFORM set_config('test.looks', looks::text, true);
    IF looks = current_setting('test.hold_after')::integer THEN
        PERFORM set_config('lock_timeout', '1s', true);
        BEGIN
            PERFORM pg_advisory_xact_lock_shared({HELD});
        EXCEPTION WHEN lock_not_available THEN NULL;
        END;
        PERFORM set_config('lock_timeout', '20s', true);
    END IF;
    RETURN seen;
END $$;
"""


@pytest.fixture(scope="module")
def database(bare_stack):
    with psycopg2.connect(bare_stack.database) as connection, connection.cursor() as cursor:
        cursor.execute(HOLD_BACK)
    connection.close()
    return bare_stack.database


class Writer:
    """A session that resolves identities, in a thread of its own where it is to be held back."""

    def __init__(self, database, hold_after=0):
        self.connection = psycopg2.connect(database)
        self.cursor = self.connection.cursor()
        self.cursor.execute("SELECT set_config('test.looks', '0', false),"
                            " set_config('test.hold_after', %s, false)", (str(hold_after),))
        self.connection.commit()
        self.error = None

    def resolve(self, *identities):
        """One event that names these, as (kind, value)."""
        kinds, values = zip(*identities)
        try:
            self.cursor.execute(RESOLVE, (list(kinds), list(values), [0] * len(kinds), ["t/0/0"] * len(kinds)))
            self.connection.commit()
        except psycopg2.Error as error:  # told by the test: this may be a thread
            self.error = error

    def customers(self, *identities):
        self.cursor.execute("SELECT customer_id FROM store.identities WHERE (kind, value) IN %s",
                            (identities,))
        found = self.cursor.fetchall()
        self.connection.commit()
        return found


@pytest.mark.parametrize("hold_after", [1, 2])
@pytest.mark.parametrize("known", [True, False], ids=["attach", "new"])
def test_an_identity_put_in_between_two_looks_is_tied(database, hold_after, known):
    email, number = ("email", f"held-{hold_after}-{known}@acme.example"), ("customer", f"H-{hold_after}-{known}")
    holder, tying, other = Writer(database), Writer(database, hold_after), Writer(database)
    if known:
        other.resolve(email)
    holder.cursor.execute("SELECT pg_advisory_xact_lock(%s)", (HELD,))
    threads = [threading.Thread(target=tying.resolve, args=(email, number)),
               threading.Thread(target=other.resolve, args=(number,))]
    threads[0].start()
    wait_for(lambda: waiting(holder), 10, "the first writer is held back", step=0.01)
    threads[1].start()
    threads[1].join(0.5)
    holder.connection.commit()
    for thread in threads:
        thread.join(30)
    assert (tying.error, other.error) == (None, None)
    found = holder.customers(email, number)
    assert len(found) == 2 and len(set(found)) == 1, found


def waiting(writer):
    writer.cursor.execute("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND objid = %s"
                          " AND NOT granted", (HELD,))
    return writer.cursor.fetchone()[0]
