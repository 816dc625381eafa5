"""`throughline handoffs`: which it lists, in which order, for people and for programs. Rows are put in by
hand: how they come about is tested elsewhere."""
import json

import pytest

import test_brief
import test_migrate


@pytest.fixture(scope="module")
def world(postgres):
    database = postgres.new_database()
    test_migrate.migrate(database)
    made = test_brief.World(database)
    ann, (email,) = made.customer(identities=["email=ann@handoffs.example"])
    acme, (domain,) = made.customer("account", ["account.domain=handoffs.example"])
    _, (other,) = made.customer(identities=["email=bob@handoffs.example"])
    made.ids = {
        "late": made.handoff(email, "accepted", due_at="2026-01-02T10:00Z"),
        "lost": made.handoff(email, "open", account=domain, due_at="2026-01-03Z"),
        "fresh": made.handoff(other, "delivered", due_at="2026-01-04Z"),
        "done": made.handoff(other, "done", due_at="2026-01-01Z"),
        "declined": made.handoff(email, "declined", due_at="2026-01-05Z"),
        "service": made.handoff(other, "open", due_at="2026-01-01T12:00Z"),
    }
    made.query("UPDATE store.handoffs SET overdue = true, accepted_by = 'Rosa' WHERE handoff_id = %s", (made.ids["late"],))
    made.query("UPDATE store.handoffs SET undeliverable = true, from_department = NULL WHERE handoff_id = %s",
               (made.ids["lost"],))
    made.query("UPDATE store.handoffs SET to_department = 'service' WHERE handoff_id = %s", (made.ids["service"],))
    made.customers = {"ann": ann, "acme": acme}
    yield made
    made.connection.close()


def run(world, *arguments, status=0):
    done = test_migrate.throughline(world.database, "handoffs", *arguments)
    assert done.returncode == status, done
    return done.stdout if status == 0 else done.stderr


@pytest.mark.parametrize("arguments, expected", [
    ([], "service late lost fresh"),
    (["--department", "service"], "service"),
    (["--department=billing"], "late lost fresh"),
    (["--department", "sales"], ""),
    (["--overdue"], "late"),
    (["--all"], "done service late lost fresh declined"),
    (["--all", "--department", "service"], "service"),
    (["ann@handoffs.example"], "late lost"),
    (["email=Ann@Handoffs.example", "--all"], "late lost declined"),
    (["account.domain=handoffs.example"], "lost"),
    (["--limit", "2"], "service late"),
])
def test_which(world, arguments, expected):
    listed = json.loads(run(world, *arguments, "--json"))
    names = {id_: name for name, id_ in world.ids.items()}
    assert [names[row["handoff_id"]] for row in listed] == expected.split()
    table = run(world, *arguments)
    assert [line.split()[0] for line in table.splitlines() if line[8:9] == "-" and "-" in line[:14]] == [
        row["handoff_id"] for row in listed]


def test_what_people_see(world):
    table = run(world)
    lines = {line.split()[0]: line for line in table.splitlines() if line}
    late, lost, service = (lines[world.ids[name]] for name in ("late", "lost", "service"))
    assert "2026-01-02 10:00" in late and "accepted, overdue" in late and "Rosa" in late
    assert "sales" in late and "billing" in late and "Do it" in late and "email=ann@handoffs.example" in late
    assert "open, undeliverable" in lost and "throughline" in lost and " service " in service
    assert table.splitlines()[0].split() == ["handoff", "due", "(UTC)", "state", "from", "to", "ask", "customer", "who"]
    assert "the first 2, those due first; --limit shows more" in run(world, "--limit", "2")
    assert run(world, "--department", "sales") == "no open handoff; --all shows closed ones\n"
    assert run(world, "--department", "sales", "--all") == "no such handoff\n"


def test_what_programs_see(world):
    """The row of the view, unmasked."""
    (row,) = json.loads(run(world, "--json", "--overdue"))
    (view,) = world.query("SELECT row_to_json(h) AS row FROM throughline.handoffs h WHERE overdue")
    assert row == view["row"] and row["brief"] == {} and row["accepted_by"] == "Rosa"
    assert run(world, "--json", "--department", "sales") == "[]\n"


def test_one_with_its_brief(world):
    world.query("""UPDATE store.handoffs SET brief = '{"fields": {"/note": "it is \u009b31m"}}' WHERE handoff_id = %s""",
                (world.ids["declined"],))
    shown = run(world, world.ids["declined"].upper())
    assert "declined" in shown.split("brief")[0] and '"/note": "it is \ufffd31m"' in shown.split("brief")[1]
    assert world.ids["late"] not in shown
    (row,) = json.loads(run(world, world.ids["declined"], "--json"))
    assert row["handoff_id"] == world.ids["declined"]
    nobodys = "00000000-0000-4000-8000-000000000000"
    assert f"there is no handoff {nobodys}" in run(world, nobodys, status=1)
    assert f"there is no handoff {nobodys}" in run(world, nobodys, "--json", status=1)


def test_pages_lose_and_double_nothing(world, postgres):
    """More than a query takes at once, many of them due at one moment."""
    database = postgres.new_database()
    test_migrate.migrate(database)
    many = test_brief.World(database)
    _, (email,) = many.customer(identities=["email=many@handoffs.example"])
    for _ in range(450):
        many.handoff(email)
    many.connection.close()
    done = test_migrate.throughline(database, "handoffs", "--json", "--limit", "449")
    ids = [row["handoff_id"] for row in json.loads(done.stdout)]
    assert len(set(ids)) == 449 and ids == sorted(ids)
    table = test_migrate.throughline(database, "handoffs", "--limit", "450").stdout
    assert sum("email=many@handoffs.example" in line for line in table.splitlines()) == 450


@pytest.mark.parametrize("arguments, status, words", [
    (["--department", "sails"], 2, 'there is no department "sails" in '),
    (["nobody@handoffs.example"], 1, "there is no customer nobody@handoffs.example"),
    (["--limit", "0"], 2, "--limit wants 1 to 100000"),
    (["1", "2"], 2, '"2" is one argument too many'),
])
def test_mistakes(world, arguments, status, words):
    assert words in run(world, *arguments, status=status)
