"""The greedy heart of clustering: one set of records that matches connect, strongest pair first.

Records are numbers in the order of their names, weights whole millionths of bits: sums are exact and ties are broken by
name, so that neither the order of arrival nor of addition can show.
"""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from matching.model import Thresholds
from matching.validity import NOTHING_KNOWN, Facts, contradiction

#: Millionths in a bit: the precision to which weights are kept.
UNIT = 1_000_000
#: What a pair counts that a rule keeps apart: no other pairs of two groups can make up for it.
VETOED = -(10**12)

#: Reasons of refusals, beside those of `matching.validity`.
WEAK_JOIN = "weak join of two groups"
PARTED = "a rule keeps records of the two apart"
LITTLE_SUPPORT = "too little support in the group"
TOO_MANY = "too many records are linked with one another to join them all"
RIVAL = "fits another entity as well"
#: What would be rivals are one entity, but only because a steward said so of two of their records.
WORD = "fits both of what only a steward's word makes one, and the word joins no others: judge this one, too"

#: Reason of a refusal that a steward has answered already; it is no question any more.
JUDGED = "judged not the same"


class Match(NamedTuple):
    """A pair to join, `a` before `b` by name; `weight` in millionths of bits."""

    weight: int
    a: int
    b: int


class Refused(NamedTuple):
    """A match that was not followed; `rival` is a record of what one of the two fits as well."""

    match: Match
    reason: str
    rival: int | None = None


@dataclass(frozen=True, slots=True)
class Limits:
    """What joining needs, in millionths of bits; see `matching.model.Thresholds`."""

    groups: int
    attach: int
    absent: int
    #: None: rivals are not looked for.
    rival: int | None = None
    #: None: no match is too sure for a rival of which nothing tells that it is another.
    sure: int | None = None


def limits_of(thresholds: Thresholds) -> Limits:
    groups, attach, absent = (round(UNIT * each) for each in (thresholds.groups, thresholds.attach, thresholds.absent))
    rival, sure = (None if each is None else round(UNIT * each) for each in (thresholds.rival, thresholds.sure))
    return Limits(groups, attach, absent, rival, sure)


def strongest_first(matches: Iterable[Match]) -> list[Match]:
    return sorted(matches, key=lambda match: (-match.weight, match.a, match.b))


def linked_sets(matches: Sequence[Match], same: Sequence[tuple[int, int]]) -> list[tuple[list[int], list[Match]]]:
    """The sets that matches and verdicts connect, each with its matches in the order given."""
    root: dict[int, int] = {}

    def find(node: int) -> int:
        top = root.setdefault(node, node)
        while root[top] != top:
            top = root[top]
        while root[node] != top:
            root[node], node = top, root[node]
        return top

    for a, b in (*same, *((match.a, match.b) for match in matches)):
        low, high = sorted((find(a), find(b)))
        root[high] = low
    members: defaultdict[int, list[int]] = defaultdict(list)
    for node in sorted(root):
        members[find(node)].append(node)
    inside: defaultdict[int, list[Match]] = defaultdict(list)
    for match in matches:
        inside[find(match.a)].append(match)
    return [(nodes, inside[top]) for top, nodes in members.items()]


class Step(NamedTuple):
    """Two groups became one along this pair. `weight` is None when a steward said so."""

    a: int
    b: int
    weight: int | None


@dataclass(frozen=True, slots=True)
class Merged:
    """The groups, each ascending; the matches that were not followed; and how the groups grew, in order."""

    groups: list[list[int]]
    refused: list[Refused]
    steps: list[Step]


def merge(
    limits: Limits,
    members: Sequence[int],
    matches: Iterable[Match],
    weights: Mapping[tuple[int, int], int],
    facts: Mapping[int, Facts],
    same: Collection[tuple[int, int]] = (),
    apart: Collection[tuple[int, int]] = (),
) -> Merged:
    """Join `members` along verdicts and matches (strongest first) as far as nothing speaks against it.

    A verdict adds or takes exactly what it says: two groups that a steward calls the same become one whole, and fall
    into the same two groups without it. Between two contradicting verdicts `apart` wins.

    Args:
        weights: of pairs of members, lower first; a pair that is not there counts as `limits.absent`.
        facts: of members that state any.
        same, apart: verdicts of stewards about members.
    """
    matches = list(matches)
    process = _Process(limits, members, _among_linked(matches, weights) if same else weights, facts)
    if same or apart:
        process = _Judged(process, same, apart)
    refused = []
    for match in matches:
        objection = process.follow(match)
        if objection is not None:
            refused.append(Refused(match, *objection))
    return Merged(process.wholes(), refused, process.steps)


def _among_linked(matches: Sequence[Match], weights: Mapping[tuple[int, int], int]) -> dict[tuple[int, int], int]:
    """Pairs of records that matches connect: a verdict must not bring in rivals that evidence alone would not see."""
    home = {node: number for number, (nodes, _) in enumerate(linked_sets(matches, ())) for node in nodes}
    return {(a, b): weight for (a, b), weight in weights.items() if a in home and home[a] == home.get(b)}


class _Objection(NamedTuple):
    """What speaks against joining two groups; `rival` is a record of what one of the two fits as well."""

    reason: str
    rival: int | None = None


#: Whether two groups could not become one; with True, whether what they state or a rule says so.
_Apart = Callable[[int, int, bool], bool]


class _Process:
    """The state of one greedy run: which group a record is in, and what each group knows."""

    def __init__(
        self,
        limits: Limits,
        members: Sequence[int],
        weights: Mapping[tuple[int, int], int],
        facts: Mapping[int, Facts],
    ) -> None:
        self._limits = limits
        self._group = {node: node for node in members}
        self._members = {node: [node] for node in members}
        self._facts = {node: facts[node] for node in members if node in facts}
        # Per pair of groups: what the pairs between them weigh beyond `absent`, in total.
        self._beyond: dict[int, dict[int, int]] = {node: {} for node in members}
        for (a, b), weight in weights.items():
            self._beyond[a][b] = self._beyond[b][a] = weight - limits.absent
        self.steps: list[Step] = []
        # Most matches that are refused are between two groups of which others were refused before.
        self._asked: dict[tuple[int, int], _Objection | None] = {}

    def wholes(self) -> list[list[int]]:
        return sorted(sorted(group) for group in self._members.values())

    def follow(self, match: Match) -> _Objection | None:
        """Join along a match; what speaks against it when that must not happen."""
        first, second = self._group[match.a], self._group[match.b]
        if first == second:
            return None
        objection = self._known_objection(first, second)
        if objection is None:
            self.join(match)
            self.steps.append(Step(match.a, match.b, match.weight))
        return objection

    def _known_objection(self, first: int, second: int) -> _Objection | None:
        """What speaks against joining two groups: asked once, until groups become others."""
        if (first, second) not in self._asked:
            self._asked[first, second] = self._objection(first, second)
        return self._asked[first, second]

    def _objection(self, first: int, second: int) -> _Objection | None:
        reason = self._contradiction(first, second) or self._too_little_support(first, second)
        if reason is not None:
            return _Objection(reason)
        rival = self._rival(first, second, self._are_apart)
        # Of a rival its first record by name.
        return None if rival is None else _Objection(RIVAL, min(self._members[rival]))

    def _rival(self, first: int, second: int, apart: _Apart) -> int | None:
        """A third group that either of two may as well be of, or one of a third and a fourth that both may be of.

        Beside a match that is sure by itself only another company is a rival, not one more record of which little is
        known: that the two agree little with one another, which the first agrees with both, is what dirt looks like.

        Args:
            apart: whether two groups are, and could not be one.
        """
        if self._limits.rival is None:
            return None
        for group, other in ((first, second), (second, first)):
            found = self._rival_of(group, other, apart)
            if found is not None:
                return found
        return self._between_rivals(first, second, apart)

    def _is_sure(self, support: int, pairs: int) -> bool:
        return self._limits.sure is not None and support >= self._limits.sure * pairs

    def _contradiction(self, first: int, second: int) -> str | None:
        mine, theirs = self._facts.get(first), self._facts.get(second)
        return None if mine is None or theirs is None else contradiction(mine, theirs)

    def _rival_of(self, group: int, other: int, apart: _Apart) -> int | None:
        """A third group that `group` fits about as well as `other`, though these two cannot be one.

        Two companies of one name: a record that states the name only may be either, and a guess is wrong half the time.
        """
        assert self._limits.rival is not None
        support, pairs = self._support(group, other)
        enough = support - self._limits.rival * pairs
        fitting, told = self._fitting(group, enough, pairs), self._is_sure(support, pairs)
        return next((third for third in fitting if third != other and apart(other, third, told)), None)

    def _between_rivals(self, first: int, second: int, apart: _Apart) -> int | None:
        """One of two others that cannot be one, and each fit both groups about as well as these fit each other.

        Two records that state the name only, beside two companies of that name: each may be either company, so that
        they are one no likelier than not.
        """
        assert self._limits.rival is not None
        support, pairs = self._support(first, second)
        enough = support - self._limits.rival * pairs
        theirs, told = set(self._fitting(second, enough, pairs)), self._is_sure(support, pairs)
        found: list[int] = []
        for third in self._fitting(first, enough, pairs) if theirs else ():
            if third in theirs:
                if any(apart(other, third, told) for other in found):
                    return third
                found.append(third)
        return None

    def _fitting(self, group: int, enough: int, pairs: int) -> Iterator[int]:
        """The groups that `group` has known pairs with, and fits at least as well as `enough` over `pairs` pairs."""
        members, absent, facts = self._members, self._limits.absent, self._facts
        own, stated = len(members[group]), facts.get(group)
        for third, beyond in self._beyond[group].items():
            # The innermost loop of clustering: `_support` and `_contradiction` without the calls.
            count = own * len(members[third])
            if (beyond + absent * count) * pairs < enough * count:
                continue
            if stated is None or third not in facts or contradiction(stated, facts[third]) is None:
                yield third

    def _are_apart(self, first: int, second: int, told: bool) -> bool:
        """Whether two groups could not become one as they are now, whatever match there was between them.

        With `told` only where they state something that differs, or a rule parts them; not for agreeing too little.
        """
        both = len(self._members[first]) > 1 and len(self._members[second]) > 1
        support, pairs = self._support(first, second)
        needed = VETOED // 2 if told else (self._limits.groups if both else self._limits.attach) * pairs
        return support < needed or self._contradiction(first, second) is not None

    def _support(self, first: int, second: int) -> tuple[int, int]:
        """What the pairs between two groups weigh in total, and how many there are."""
        pairs = len(self._members[first]) * len(self._members[second])
        return self._beyond[first].get(second, 0) + self._limits.absent * pairs, pairs

    def _too_little_support(self, first: int, second: int) -> str | None:
        """Two entities do not melt on one strong pair: the pairs between them must agree on average."""
        left, right = len(self._members[first]), len(self._members[second])
        if left == right == 1:
            return None
        support, pairs = self._support(first, second)
        if support < VETOED // 2:
            return PARTED
        if left > 1 and right > 1:
            return None if support >= self._limits.groups * pairs else WEAK_JOIN
        return None if support >= self._limits.attach * pairs else LITTLE_SUPPORT

    def join(self, match: Match) -> None:
        """Make the groups of two records one, unless they are already."""
        first, second = self._group[match.a], self._group[match.b]
        if first == second:
            return
        self._asked.clear()
        if len(self._members[first]) < len(self._members[second]):
            first, second = second, first
        gone = self._members.pop(second)
        for node in gone:
            self._group[node] = first
        self._members[first] += gone
        if second in self._facts:
            self._facts[first] = self._facts.get(first, NOTHING_KNOWN).union(self._facts.pop(second))
        mine = self._beyond[first]
        for other, beyond in self._beyond.pop(second).items():
            if other == first:
                del mine[second]
                continue
            mine[other] = mine.get(other, 0) + beyond
            theirs = self._beyond[other]
            del theirs[second]
            theirs[first] = mine[other]


class _Judged(_Process):
    """A run with verdicts of stewards. A whole is one or more groups that verdicts hold together.

    What contradicts or supports a join is asked of the groups, so that a verdict about two records never changes what
    evidence does with the others; what was judged apart is asked of the wholes, so that evidence never joins what
    verdicts part.
    """

    def __init__(
        self, process: _Process, same: Collection[tuple[int, int]], apart: Collection[tuple[int, int]]
    ) -> None:
        self.__dict__.update(process.__dict__)
        self._whole = {node: node for node in self._group}
        self._united = {node: [node] for node in self._group}
        self._apart: defaultdict[int, set[int]] = defaultdict(set)
        for a, b in apart:
            self._apart[a].add(b)
            self._apart[b].add(a)
        for a, b in sorted(same):
            if not self._judged_apart(a, b):
                self._unite(a, b, None)

    def wholes(self) -> list[list[int]]:
        return sorted(sorted(whole) for whole in self._united.values())

    def follow(self, match: Match) -> _Objection | None:
        first, second = self._group[match.a], self._group[match.b]
        if first == second:
            return None
        if self._judged_apart(match.a, match.b):
            return _Objection(JUDGED)
        objection = self._known_objection(first, second)
        if objection is None:
            self.join(match)
            self._unite(match.a, match.b, match.weight)
        return None if self._whole[match.a] == self._whole[match.b] else objection

    def _objection(self, first: int, second: int) -> _Objection | None:
        """The same; where the rivals are one whole by now, the reason is that the word was not about this record."""
        objection = super()._objection(first, second)
        if objection is None or objection.reason != RIVAL:
            return objection
        still = self._rival(first, second, self._are_apart_still) is not None
        return objection if still else objection._replace(reason=WORD)

    def _are_apart_still(self, first: int, second: int, told: bool) -> bool:
        """Whether two groups could not become one, and no word made them one."""
        # Of a group any record will do: groups are joined only within a whole.
        one, other = self._members[first][0], self._members[second][0]
        return self._whole[one] != self._whole[other] and self._are_apart(first, second, told)

    def _judged_apart(self, a: int, b: int) -> bool:
        first, second = self._whole[a], self._whole[b]
        return first != second and not self._apart[first].isdisjoint(self._united[second])

    def _unite(self, a: int, b: int, weight: int | None) -> None:
        first, second = self._whole[a], self._whole[b]
        if first == second:
            return
        self._asked.clear()
        self.steps.append(Step(a, b, weight))
        if len(self._united[first]) < len(self._united[second]):
            first, second = second, first
        for node in self._united[second]:
            self._whole[node] = first
        self._united[first] += self._united.pop(second)
        self._apart[first] |= self._apart.pop(second, set())
