"""The policy table: what there is to be permitted, which role holds which permissions, and what values it sees.

Pure, and the one place: routes, pages and menus of the console, the API's description, the matrix in docs/ and the
tests of access ask here. What is not granted in this table is refused.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import Flag, StrEnum, auto
from functools import cache

from mdm.errors import Invalid
from mdm.model.canonical import DataClass


class Permission(StrEnum):
    """Something that a caller may do. The comment is what people are told (`MEANINGS`)."""

    READ = "read"
    CONSOLE = "console"
    INSPECT = "inspect"
    DECIDE = "decide"
    APPROVE = "approve"
    CONFIRM = "confirm"
    WAIVE = "waive"
    MEND = "mend"
    OPERATE = "operate"
    WRITE_RULES = "write_rules"
    APPROVE_RULES = "approve_rules"
    RELEASE = "release"
    PROPOSE_CONTRACTS = "propose_contracts"
    ERASE = "erase"
    AUDIT = "audit"
    ADMINISTER = "administer"


MEANINGS: Mapping[Permission, str] = {
    Permission.READ: "golden records, their sources, history and changes; match, export, verdicts",
    Permission.CONSOLE: "sign in to the console",
    Permission.INSPECT: "see questions, decisions, proposals, refused messages, releases",
    Permission.DECIDE: "answer questions, merge, split, override, relate, undo, also in bulk",
    Permission.APPROVE: "agree to what somebody else proposed, where the policy names the role",
    Permission.CONFIRM: "confirm checkpoints of ERP onboarding, look after findings, sign the close of a month",
    Permission.WAIVE: "excuse findings of ERP onboarding, where the rule names the role",
    Permission.MEND: "mend, replay and discard refused messages",
    Permission.OPERATE: "hold feeds, replay stored events",
    Permission.WRITE_RULES: "write and simulate releases of rules",
    Permission.APPROVE_RULES: "approve or reject releases and data contracts that somebody else wrote",
    Permission.RELEASE: "put approved releases into force, take them back",
    Permission.PROPOSE_CONTRACTS: "propose data contracts of platforms, and see what became of them",
    Permission.ERASE: "ask for erasures, decide holds, approve somebody else's request",
    Permission.AUDIT: "read the audit and who read what",
    Permission.ADMINISTER: "give and take accounts and API keys",
}


class Role(Flag):
    """What a caller is to the hub: one role or several (`Role.STEWARD | Role.RELEASER`), each with its permissions.

    Written as `steward` or `releaser+steward`. The second names are those of releases before there were so many.
    """

    VIEWER = auto()
    ERP_READER = auto()
    STEWARD = auto()
    SENIOR_STEWARD = auto()
    APPROVER_FINANCE = auto()
    DATA_OWNER = auto()
    RULE_AUTHOR = auto()
    RELEASER = auto()
    OPERATOR = auto()
    PRIVACY_OFFICER = auto()
    AUDITOR = auto()
    ADMIN = auto()
    VENDOR = auto()
    READER = VIEWER
    ERP = ERP_READER

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the roles that are held, as people write them, in the order of the table."""
        return tuple(str(each.name).lower() for each in Role if each in self)

    def __str__(self) -> str:
        return "+".join(sorted(self.names))

    def __repr__(self) -> str:
        return f"<Role {self}>"

    @property
    def permissions(self) -> frozenset[Permission]:
        """Everything that one of the held roles may do."""
        return _permissions(self)

    def may(self, permission: Permission) -> bool:
        """Whether one of the held roles includes this."""
        return permission in _permissions(self)

    @property
    def sees(self) -> DataClass:
        """The most protected class of values that one of the held roles is shown."""
        return _sees(self)


@dataclass(frozen=True, slots=True)
class Grant:
    """A row of the policy table. `purpose` says in a sentence whom the role is for."""

    purpose: str
    permissions: frozenset[Permission]
    sees: DataClass


_P = Permission
_LOOKS = {_P.READ, _P.CONSOLE, _P.INSPECT}


def _grant(purpose: str, sees: DataClass, *permissions: Permission, looks: Iterable[Permission] = ()) -> Grant:
    return Grant(purpose, frozenset({*looks, *permissions}), sees)


#: The policy. Four eyes hold for every role, the administrator's too: in SQL nobody is their own second person.
POLICY: Mapping[Role, Grant] = {
    Role.VIEWER: _grant("people and systems that only look", DataClass.INTERNAL, _P.READ, _P.CONSOLE),
    Role.ERP_READER: _grant("machines: ERP, data platform", DataClass.CONFIDENTIAL, _P.READ),
    Role.STEWARD: _grant(
        "answers questions about records, every day", DataClass.CONFIDENTIAL,
        _P.DECIDE, _P.MEND, _P.CONFIRM, _P.WAIVE, looks=_LOOKS,
    ),
    Role.SENIOR_STEWARD: _grant(
        "a steward who also agrees to what others propose", DataClass.CONFIDENTIAL,
        _P.DECIDE, _P.APPROVE, _P.MEND, _P.CONFIRM, _P.WAIVE, looks=_LOOKS,
    ),
    Role.APPROVER_FINANCE: _grant(
        "agrees for finance: amounts, payment terms, who is invoiced", DataClass.CONFIDENTIAL,
        _P.APPROVE, _P.CONFIRM, _P.WAIVE, looks=_LOOKS,
    ),
    Role.DATA_OWNER: _grant(
        "answers for a domain in the business: its identity data and its rules", DataClass.CONFIDENTIAL,
        _P.APPROVE, _P.APPROVE_RULES, _P.PROPOSE_CONTRACTS, _P.WAIVE, looks=_LOOKS,
    ),
    Role.RULE_AUTHOR: _grant(
        "writes rules and tries them", DataClass.CONFIDENTIAL, _P.WRITE_RULES, _P.PROPOSE_CONTRACTS, looks=_LOOKS
    ),
    Role.RELEASER: _grant("puts into force what others approved", DataClass.INTERNAL, _P.RELEASE, looks=_LOOKS),
    Role.OPERATOR: _grant(
        "keeps feeds and messages running", DataClass.INTERNAL,
        _P.MEND, _P.OPERATE, _P.PROPOSE_CONTRACTS, looks=_LOOKS,
    ),
    Role.PRIVACY_OFFICER: _grant(
        "answers requests of the people that data are about", DataClass.RESTRICTED,
        _P.READ, _P.CONSOLE, _P.ERASE, _P.AUDIT,
    ),
    Role.AUDITOR: _grant("checks who did and who read what", DataClass.INTERNAL, _P.AUDIT, looks=_LOOKS),
    Role.ADMIN: _grant("sets up the hub, and stands in for everybody", DataClass.RESTRICTED, *Permission),
    Role.VENDOR: _grant(
        "who makes a platform: proposes its contracts, and sees nothing of the hub", DataClass.PUBLIC,
        _P.PROPOSE_CONTRACTS,
    ),
}  # fmt: skip

#: What `steward` could do while there were four roles: give these where somebody still does it all.
FORMER_STEWARD: Role = (
    Role.STEWARD | Role.SENIOR_STEWARD | Role.APPROVER_FINANCE | Role.DATA_OWNER | Role.RULE_AUTHOR | Role.OPERATOR
    | Role.PRIVACY_OFFICER | Role.AUDITOR
)  # fmt: skip
#: Other names that mean a role: those of releases before there were so many.
ALIASES: Mapping[str, Role] = {"reader": Role.VIEWER, "erp": Role.ERP_READER}

RANK: Mapping[DataClass, int] = {each: rank for rank, each in enumerate(DataClass)}
_NAMED: Mapping[str, Role] = {str(role): role for role in Role} | dict(ALIASES)


def read_role(text: str) -> Role:
    """The role of this name, or the roles of names joined by `+`.

    Raises:
        Invalid: there is no role of a name. Nothing is guessed.
    """
    found = Role(0)
    for name in text.split("+"):
        role = _NAMED.get(name.strip())
        if role is None:
            raise Invalid(f"{name.strip()!r} is no role.", action=f"Use {', '.join(map(str, Role))}.")
        found |= role
    return found


def roles_that(*permissions: Permission) -> frozenset[Role]:
    """The roles that hold all of these."""
    return frozenset(role for role, grant in POLICY.items() if grant.permissions.issuperset(permissions))


def either(names: Iterable[str]) -> str:
    """Roles of which one is enough, as a sentence names them: `admin, data_owner or releaser`."""
    *others, last = (*names,) or ("",)
    return f"{', '.join(others)} or {last}" if others else last


@cache
def _permissions(role: Role) -> frozenset[Permission]:
    return frozenset().union(*(grant.permissions for each, grant in POLICY.items() if each in role))


@cache
def _sees(role: Role) -> DataClass:
    return max((grant.sees for each, grant in POLICY.items() if each in role), key=RANK.__getitem__,
               default=DataClass.PUBLIC)  # fmt: skip
