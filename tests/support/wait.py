"""Waiting for a condition, with a deadline."""
import time

from support.sanitizer import PATIENCE

STEP = 0.05  # seconds between two looks


class Timeout(AssertionError):
    """A condition did not come true in time."""


def wait_for(condition, seconds, what, step=STEP):
    """Calls `condition` until it answers something true, and returns that.

    `what` says in words what is waited for; where it is a function it is asked
    at the end, so that it can tell how far things got. Programs built under a
    sanitizer are given longer.
    """
    seconds *= PATIENCE
    deadline = time.monotonic() + seconds
    while True:
        answer = condition()
        if answer:
            return answer
        if time.monotonic() >= deadline:
            raise Timeout(f"not within {seconds} s: {what() if callable(what) else what}")
        time.sleep(min(step, 0.1))
