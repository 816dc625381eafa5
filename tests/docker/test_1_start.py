"""From a clean clone to a timeline, with two commands; and what is kept from one start to the next."""
from load import Load

HEALTHY_WITHIN = 90  # seconds, of the contract
STORY = "mara@nordlicht.example"


def test_healthy_within_the_time(stack):
    print(f"\ndocker compose up --wait: healthy after {stack.seconds:.1f} s")
    assert stack.seconds < HEALTHY_WITHIN
    assert "WRONG" not in stack.throughline("status")


def test_demo_tells_its_story(stack):
    seconds = stack.up(profile="demo")
    rows = stack.rows("SELECT type FROM throughline.timeline WHERE customer_id = (SELECT customer_id FROM "
                      f"throughline.identities WHERE kind = 'email' AND value = '{STORY}') AND type NOT LIKE 'throughline.%'")
    print(f"\nprofile demo: {len(rows)} events of the story on the timeline after {seconds:.1f} s")
    assert len(rows) == 16
    assert "sales.deal.won" in stack.throughline("timeline", STORY)


def test_down_loses_nothing(stack):
    with Load(stack, "before-down") as before:
        before.wait_more(2000)
        before.stop()
    token = stack.token
    stack.compose("--profile", "demo", "down")
    assert stack.containers(everything=True) == []
    seconds = stack.up()
    assert stack.secret("sales", "TL_TOKEN") == token
    with Load(stack, "after-down") as after:
        after.wait_more(500)
        after.stop()
    stack.wait_balanced()
    before.check()
    after.check()
    print(f"\ndown, and up again after {seconds:.1f} s: {len(before.accepted)} events from before and "
          f"{len(after.accepted)} from after are on the timeline, the books balance")
