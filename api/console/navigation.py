"""The places of the console, in the order of a steward's day."""

from collections.abc import Callable
from typing import NamedTuple


class Place(NamedTuple):
    """A place in the navigation. `key` follows `g` on the keyboard, `badge` names the number shown beside it."""

    title: str
    address: str
    icon: str
    key: str = ""
    badge: str = ""

    def holds(self, path: str) -> bool:
        """Whether a page belongs to this place."""
        return path == self.address or (self.address != "/console/" and path.startswith(f"{self.address}/"))


class Group(NamedTuple):
    title: str
    places: tuple[Place, ...]


NAVIGATION: tuple[Group, ...] = (
    Group(
        "Work",
        (
            Place("Home", "/console/", "home"),
            Place("Reviews", "/console/reviews", "review", "q", "tasks"),
            Place("Approvals", "/console/approvals", "approval", "a", "approvals"),
            Place("Exceptions", "/console/exceptions", "exception", "e", "exceptions"),
            Place("Onboarding", "/console/onboarding", "onboarding", "o"),
        ),
    ),
    Group(
        "Data",
        (
            Place("Customers", "/console/customers", "customer", "c"),
            Place("Contracts", "/console/contracts", "contract"),
            Place("Products", "/console/products", "product"),
            Place("Reconciliation", "/console/reconciliation", "scale", "r"),
            Place("Close", "/console/close", "money", "l"),
            Place("Quality", "/console/quality", "quality", "y"),
            Place("Executive", "/console/executive", "executive", "x"),
        ),
    ),
    Group(
        "Governance",
        (
            Place("Scorecard", "/console/governance", "scorecard", "s"),
            Place("Rules", "/console/releases", "rules", "u"),
            Place("Data contracts", "/console/schemas", "schema"),
            Place("Mapping", "/console/mapping", "mapping"),
            Place("Identifiers", "/console/identifiers", "identifier"),
            Place("Ownership", "/console/ownership", "owners"),
            Place("Replay", "/console/replay", "replay"),
            Place("Privacy", "/console/privacy", "privacy"),
            Place("Administration", "/console/admin", "admin"),
        ),
    ),
    Group(
        "Hub",
        (
            Place("Pipeline", "/console/pipeline", "pipeline", "p"),
            Place("Audit", "/console/audit", "audit", "t"),
            Place("Help", "/console/help", "help", "k"),
        ),
    ),
)


def offered(opens: Callable[[str], bool]) -> tuple[Group, ...]:
    """The places that a person may enter, by what tells which addresses are open; groups without one are left out."""
    groups = (Group(each.title, tuple(place for place in each.places if opens(place.address))) for each in NAVIGATION)
    return tuple(group for group in groups if group.places)
