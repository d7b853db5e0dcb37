"""One JSON line per request on the standard logger `mdm.api`."""

import json
import logging

_logger = logging.getLogger("mdm.api")


def write_line(event: str, **facts: str | int | float | None) -> None:
    """Write the facts that are known; a failure is logged as an error."""
    level = logging.ERROR if event == "request_failed" else logging.INFO
    if _logger.isEnabledFor(level):
        known = {name: value for name, value in facts.items() if value is not None}
        _logger.log(level, "%s", json.dumps({"event": event, **known}))
