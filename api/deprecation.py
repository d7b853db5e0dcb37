"""Addresses that will end: since when, until when, and what takes their place (RFC 9745, RFC 8594)."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import format_datetime
from urllib.parse import quote

from mdm.model.ids import Domain


@dataclass(frozen=True, slots=True)
class Deprecation:
    """One address. `successor` is the template of the address that takes its place."""

    since: datetime
    sunset: datetime
    successor: str


#: By route template. An address is announced here at least six months before it ends.
DEPRECATED: Mapping[str, Deprecation] = {
    f"/v1/{domain.plural}/{{id}}/history": Deprecation(
        since=datetime(2026, 11, 25, tzinfo=UTC),
        sunset=datetime(2027, 11, 25, tzinfo=UTC),
        successor=f"/v1/{domain.plural}/{{id}}/_history",
    )
    for domain in Domain
}


def headers_of(template: str, parameters: Mapping[str, object]) -> Mapping[str, str]:
    """The headers to add to every answer of a route; none for those that stay."""
    ending = DEPRECATED.get(template)
    if ending is None:
        return {}
    # Quoted again: a header holds no other characters than an address does.
    address = ending.successor.format(**{name: quote(str(value), safe="") for name, value in parameters.items()})
    return {
        "Deprecation": f"@{int(ending.since.timestamp())}",
        "Sunset": format_datetime(ending.sunset, usegmt=True),
        "Link": f'<{address}>; rel="successor-version"',
    }
