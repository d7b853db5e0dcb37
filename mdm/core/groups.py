"""Which of many things hang together, so that they can be taken in parts that do not touch each other."""

from collections.abc import Hashable, Iterable, Mapping


def together(touched: Mapping[int, Iterable[Hashable]], at_a_time: int, *, cut: bool = True) -> list[list[int]]:
    """Parts of some `at_a_time` things: what touches the same is in one part, in ascending order.

    A set that hangs together and is larger than that is cut: its things are still met in their order, but what the
    first of them do is not seen by those of the next part. Without `cut` it stays whole, as a part of its own.
    """
    top: dict[int, int] = {each: each for each in touched}

    def find(each: int) -> int:
        while top[each] != each:
            top[each] = top[top[each]]
            each = top[each]
        return each

    first: dict[Hashable, int] = {}
    for each in sorted(touched):
        for thing in touched[each]:
            a, b = find(first.setdefault(thing, each)), find(each)
            top[max(a, b)] = min(a, b)
    sets: dict[int, list[int]] = {}
    for each in sorted(touched):
        sets.setdefault(find(each), []).append(each)
    parts: list[list[int]] = []
    for members in sets.values():
        if parts and len(parts[-1]) + len(members) <= at_a_time:
            parts[-1] += members
        elif not cut:
            parts.append(members)
        else:
            parts += [members[start : start + at_a_time] for start in range(0, len(members), at_a_time)]
    return parts
