"""When a proposal waits for a second person: it is open, and its time is not up.

Whoever ends what is over (`mdm.hub.steward.expiry`) comes by now and then; until then it is open and waits for nobody.
"""


def waits(now: str = ":now", of: str = "") -> str:
    """The condition on `proposal`; `now` is how the statement writes its parameter, `of` the alias with its dot."""
    return f"({of}status = 'open' and {of}expires_at > {now})"


def is_over(now: str = ":now", of: str = "") -> str:
    """That it is open still and its time is up."""
    return f"({of}status = 'open' and {of}expires_at <= {now})"
