"""What the embedded server is doing while it starts, by its log: after a crash it reads the log of changes first, and
whoever waits is told so, and how far it is.
"""

import re
from typing import Final

_STARTS: Final = "LOG:  starting PostgreSQL"
_CRASHED: Final = "automatic recovery in progress"
_DONE: Final = "LOG:  redo done at "
#: Where reading began, and every few seconds where it is.
_PLACE: Final = re.compile(
    r"LOG:  redo (?:starts at|in progress, elapsed time: .*, current LSN:) ([0-9A-F]+)/([0-9A-F]+)"
)
#: Bytes of the end of the server's log in which its last start is looked for.
ENOUGH: Final = 1 << 20


def startup_told(log: str) -> str:
    """What the last start in a server's log is doing."""
    start = log.rpartition(_STARTS)[2]
    if _CRASHED not in start:
        return "The embedded PostgreSQL is starting"
    if _DONE in start:
        return "The embedded PostgreSQL has read what was written before the crash, and stores it"
    places = [(int(high, 16) << 32) + int(low, 16) for high, low in _PLACE.findall(start)]
    read = (places[-1] - places[0]) >> 20 if places else 0
    so_far = f", {read:,} MB so far" if read else ""
    return f"The embedded PostgreSQL was not shut down and reads what was written before; nothing is lost{so_far}"
