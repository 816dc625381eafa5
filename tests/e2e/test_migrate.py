"""`throughline migrate` and the database: once, twice, by several at once, half way, and where it must refuse.
Of the topics is test_topics.py."""
import json
import os
import re
import subprocess
from concurrent.futures import ThreadPoolExecutor

import pytest

from support.paths import BUILD, CONFIG, ROOT, SERVERS
from support.postgres import Postgres, execute

NAMES = sorted(p.stem for p in
               (ROOT / "services" / "aggregator" / "sql" / "migrations").glob("*.sql"))
ROLES = ("throughline_analyst", "throughline_analyst_pii", "throughline_writer")


def throughline(database, *arguments):
    env = {k: v for k, v in os.environ.items() if not k.startswith("TL_")}
    env.update(TL_CONFIG=str(CONFIG), TL_DATABASE=database)
    return subprocess.run([BUILD / "throughline", *arguments], check=False, capture_output=True,
                          text=True, timeout=120, env=env)


def migrate(database, *arguments):
    done = throughline(database, "migrate", "--topics", "skip", *arguments)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def recorded(database):
    return [row["name"] for row in
            execute(database, "SELECT name FROM store.migrations ORDER BY version")]


def shape(database):
    """Everything that migrations make, as text."""
    return execute(database, """
        SELECT n.nspname, c.relname, c.relkind::text, a.attname, format_type(a.atttypid, a.atttypmod),
               c.relacl::text
        FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
        LEFT JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0
        WHERE n.nspname IN ('store', 'throughline') ORDER BY 1, 2, a.attnum""") + execute(database, """
        SELECT p.oid::regprocedure::text, p.proacl::text, p.prosrc FROM pg_proc p
        WHERE p.pronamespace IN ('store'::regnamespace, 'throughline'::regnamespace) ORDER BY 1""")


@pytest.fixture(scope="module")
def cluster():
    """A cluster in which no database has made the roles yet."""
    server = Postgres(SERVERS / "postgres-migrate")
    server.start()
    yield server
    server.remove()


def test_several_databases_of_a_new_cluster_at_once(cluster):
    """The roles belong to the cluster: each migration may be the one that makes them."""
    databases = [cluster.new_database() for _ in range(6)]
    with ThreadPoolExecutor(len(databases)) as pool:
        list(pool.map(migrate, databases))
    for database in databases:
        assert recorded(database) == NAMES
    roles = execute(cluster.uri, "SELECT rolname, rolcanlogin FROM pg_roles"
                                 " WHERE rolname LIKE 'throughline\\_%%' ORDER BY 1")
    assert roles == [{"rolname": name, "rolcanlogin": False} for name in sorted(ROLES)]


@pytest.mark.parametrize("threads", [2, 5, 5])
def test_several_at_once_in_one_database(cluster, threads):
    database = cluster.new_database()
    with ThreadPoolExecutor(threads) as pool:
        outputs = list(pool.map(lambda _: migrate(database, "--json"), range(threads)))
    applied = [m["name"] for output in outputs for m in json.loads(output)["applied"]]
    assert sorted(applied) == NAMES  # each by one of them
    assert recorded(database) == NAMES


def test_twice(cluster):
    database = cluster.new_database()
    first = migrate(database)
    for name in NAMES:
        assert re.search(rf"^{name} applied in \d+ ms$", first, re.MULTILINE), first
    before = shape(database)
    assert migrate(database) == f"the database is at version {len(NAMES)} already\n"
    assert shape(database) == before
    assert json.loads(migrate(database, "--json")) == {"applied": [], "version": len(NAMES)}


def test_names_what_fails_and_goes_on_there(cluster):
    """A migration is in the database wholly or not at all."""
    database = cluster.new_database()
    execute(database, "CREATE SCHEMA throughline")  # in the way of 0003
    failed = throughline(database, "migrate")
    assert failed.returncode == 1
    assert "0003_views" in failed.stderr and "already exists" in failed.stderr
    assert recorded(database) == NAMES[:2]
    config = execute(database, "SELECT proconfig FROM pg_proc WHERE proname = 'survivor_of'")
    assert config == [{"proconfig": None}]  # what 0003 did before it failed is undone
    execute(database, "DROP SCHEMA throughline")
    assert "0003_views applied" in migrate(database)
    assert recorded(database) == NAMES


def test_refuses_a_newer_database(cluster):
    database = cluster.new_database()
    migrate(database)
    newer = len(NAMES) + 1
    execute(database, f"INSERT INTO store.migrations (version, name) VALUES ({newer}, '{newer:04}_later')")
    refused = throughline(database, "migrate")
    assert refused.returncode == 1 and "newer than this program" in refused.stderr
    assert throughline(database, "customers", "1").returncode == 1


def test_refuses_another_line_of_versions(cluster):
    database = cluster.new_database()
    migrate(database)
    execute(database, "UPDATE store.migrations SET name = '0002_other' WHERE version = 2")
    refused = throughline(database, "migrate")
    assert refused.returncode == 1 and "another line of versions" in refused.stderr


def test_other_commands_want_it_first(cluster):
    database = cluster.new_database()
    for command in (["customers", "1"], ["timeline", "1"], ["quarantine", "list"], ["reconcile"]):
        refused = throughline(database, *command)
        assert refused.returncode == 1
        assert "run throughline migrate" in refused.stderr


def test_without_superuser(cluster):
    """CREATEROLE and a database of one's own are enough; the owner reads what he owns."""
    execute(cluster.uri, "CREATE ROLE owner LOGIN CREATEROLE PASSWORD 'owner'")
    database = cluster.new_database()
    execute(database, f"ALTER DATABASE {database.rsplit('/', 1)[1]} OWNER TO owner")
    as_owner = re.sub(r"//[^@]*@", "//owner:owner@", database)
    migrate(as_owner)
    execute(as_owner, "SELECT store.make_month(now())")
    execute(as_owner, """INSERT INTO store.events (occurred_at, event_uid, identity_id, department, type,
        source, event_id, summary, topic, partition, kafka_offset)
        VALUES (now(), gen_random_uuid(), 1, 'sales', 'sales.deal.won', '/s', '1', 'Won', 't', 0, 0)""")
    summary = execute(as_owner, "SELECT summary FROM throughline.timeline")[0]["summary"]
    version = execute(as_owner, "SELECT current_setting('server_version_num')::int AS n")[0]["n"]
    if version < 160000:
        assert summary == "Won"
    else:  # the roles were made by another database's owner, who alone may grant them
        assert summary is not None


def test_no_database():
    done = throughline("", "migrate")
    assert done.returncode in (1, 2)
    done = throughline("postgresql://127.0.0.1:1/none", "migrate")
    assert done.returncode == 1 and "cannot be reached" in done.stderr
