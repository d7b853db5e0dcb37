"""The compiled part of scoring: a program (`matching.program`) run over pairs of encoded records (`matching.rows`).

Compiled when first used, which takes some seconds, and kept (`matching.machine_code`). What is kept goes by this file
alone, so compiled functions may neither call those of other files nor read their constants. Indices are unsigned where
it matters, because a signed one is asked each time whether it counts from the end.
"""

from typing import Any

import numpy as np

from matching.machine_code import bare, compiled

#: Numbers of instructions and leaves that `matching.program` writes. An instruction below `ACTION` tests that leaf.
ACTION = 1 << 30
LEVEL, VETO, WEIGH, ASK, STOP = range(ACTION, ACTION + 5)
MISSING, EQUAL, OVERLAP, ALIKE, EDITS, COVERED, WITHIN, INSIDE, SHARED = range(9)
#: What no two texts are as alike as: the limit of a leaf that asks for equal values only.
UNLIKE = 2.0


_ONE = np.uint64(1)
_M1, _M2, _M4 = np.uint64(0x5555555555555555), np.uint64(0x3333333333333333), np.uint64(0x0F0F0F0F0F0F0F0F)
_H01 = np.uint64(0x0101010101010101)
_ALL = np.uint64(0xFFFFFFFFFFFFFFFF)


@compiled
def _bits(x: Any) -> Any:
    """How many bits are set."""
    x = x - ((x >> _ONE) & _M1)
    x = (x & _M2) + ((x >> np.uint64(2)) & _M2)
    x = (x + (x >> np.uint64(4))) & _M4
    return np.int64((x * _H01) >> np.uint64(56))


@bare
def _length(sketches: Any, text: Any) -> Any:
    return np.int64(sketches[text + np.uint32(1), 3]) - np.int64(sketches[text, 3])


@bare
def bound(sketches: Any, a: Any, b: Any) -> Any:
    """At least the Jaro-Winkler similarity of two texts, from their sketches.

    A character is matched with one like it, so no more of each can be matched than the text with fewer of it has; and
    no more of the first four characters count than are alike. A hair more, so that rounding loses nobody.
    """
    long_a, long_b = _length(sketches, a), _length(sketches, b)
    if long_a == 0 or long_b == 0:
        return 1.0
    once_a, once_b = sketches[a, 0], sketches[b, 0]
    rest_a, rest_b = long_a - _bits(once_a), long_b - _bits(once_b)
    share = 1.0 / long_a + 1.0 / long_b
    common = _bits(once_a & once_b)
    jaro = ((common + min(rest_a, rest_b)) * share + 1.0) / 3.0 + 1e-6
    differ = sketches[a, 2] ^ sketches[b, 2]
    head = 4 if differ < 1 << 24 else 0
    found = jaro + head * 0.1 * (1.0 - jaro)
    if found < 0.7:
        return found
    twice_a, twice_b = sketches[a, 1], sketches[b, 1]
    common += _bits(twice_a & twice_b) + min(rest_a - _bits(twice_a), rest_b - _bits(twice_b))
    jaro = (common * share + 1.0) / 3.0 + 1e-6
    if head:
        head = 4 if differ == 0 else 3 if differ < 1 << 8 else 2 if differ < 1 << 16 else 1
    return jaro + head * 0.1 * (1.0 - jaro)


@bare
def _swaps_of_short(
    data: Any, start_a: Any, long_a: Any, start_b: Any, long_b: Any, window: Any, places: Any, order: Any
) -> Any:
    """How many characters two texts share within a window, and how many of them are out of order; a bit for each of
    the first text's, at most 64.
    """
    for i in range(long_a):
        places[data[np.uint64(start_a + i)]] |= _ONE << np.uint64(i)
    free = _ALL
    common = 0
    for j in range(long_b):
        byte = data[np.uint64(start_b + j)]
        found = places[byte] & free
        if found:
            low, high = j - window, j + window
            if low > 0:
                found = (found >> np.uint64(low)) << np.uint64(low) if low < 64 else np.uint64(0)
            if high < 63:
                found &= (np.uint64(2) << np.uint64(high)) - _ONE
            if found:
                free &= ~(found & (~found + _ONE))
                order[np.uint64(common)] = byte
                common += 1
    swapped = at = 0
    for i in range(long_a):
        byte = data[np.uint64(start_a + i)]
        places[byte] = np.uint64(0)
        if not (free >> np.uint64(i)) & _ONE:
            swapped += byte != order[np.uint64(at)]
            at += 1
    return common, swapped


@bare
def _swaps_of_long(
    data: Any, start_a: Any, long_a: Any, start_b: Any, long_b: Any, window: Any, places: Any, taken: Any, order: Any
) -> Any:
    """The same for a first text of any length; `places` says before where no such byte is left to be found."""
    for i in range(long_a):
        taken[i] = False
    common = 0
    for j in range(long_b):
        byte = data[start_b + j]
        i = max(j - window, np.int64(places[byte]))
        end = min(j + window + 1, long_a)
        while i < end and data[start_a + i] != byte:
            i += 1
        if i < end:
            taken[i] = True
            order[common] = byte
            common += 1
            i += 1
        places[byte] = i
    for j in range(long_b):
        places[data[start_b + j]] = np.uint64(0)
    swapped = at = 0
    for i in range(long_a):
        if taken[i]:
            swapped += data[start_a + i] != order[at]
            at += 1
    return common, swapped


@bare
def similarity(
    data: Any, start_a: Any, long_a: Any, start_b: Any, long_b: Any, places: Any, taken: Any, order: Any
) -> Any:
    """The Jaro-Winkler similarity of two texts, to the last bit as RapidFuzz computes it."""
    if long_a == 0 or long_b == 0:
        return 1.0 if long_a == long_b else 0.0
    window = max(max(long_a, long_b) // 2 - 1, 0)
    if long_a <= 64:
        common, swapped = _swaps_of_short(data, start_a, long_a, start_b, long_b, window, places, order)
    else:
        common, swapped = _swaps_of_long(data, start_a, long_a, start_b, long_b, window, places, taken, order)
    if common == 0:
        return 0.0
    alike = common / long_a + common / long_b
    alike = (alike + (common - swapped // 2) / common) / 3.0
    if alike > 0.7:
        head = 0
        while head < min(4, long_a, long_b) and data[start_a + head] == data[start_b + head]:
            head += 1
        alike = min(alike + head * 0.1 * (1.0 - alike), 1.0)
    return alike


@bare
def distance(data: Any, start_a: Any, long_a: Any, start_b: Any, long_b: Any, most: Any, line: Any) -> Any:
    """The Levenshtein distance of two texts where it is at most `most`, otherwise something beyond it.

    `line` is room to work in, longer by one than the second text. Only ways that stay within `most` of the diagonal are
    looked at: others cost more.
    """
    if abs(long_a - long_b) > most:
        return most + 1
    for j in range(min(most, long_b) + 1):
        line[j] = j
    for i in range(long_a):
        low, high = max(i - most, 0), min(i + most + 1, long_b)
        if high == i + most + 1:
            line[high] = most + 1
        corner = line[low]
        line[low] = least = i + 1 if low == 0 else most + 1
        for j in range(low, high):
            above = line[j + 1]
            line[j + 1] = min(corner + (data[start_a + i] != data[start_b + j]), above + 1, line[j] + 1)
            corner = above
            least = min(least, line[j + 1])
        if least > most:
            return most + 1
    return line[long_b]


@bare
def _value(flat: Any, start: Any, length: Any, place: Any) -> Any:
    """A value of a list."""
    return np.int32(start) if length == 1 else flat[np.uint64(start + place)]


@bare
def _alone(flat: Any, start_a: Any, long_a: Any, start_b: Any, long_b: Any, alone_a: Any, alone_b: Any) -> Any:
    """Tell which values of two lists have no equal on the other side; how many these are."""
    for j in range(long_b):
        alone_b[j] = True
    count = long_a + long_b
    for i in range(long_a):
        x = _value(flat, start_a, long_a, i)
        alone_a[i] = True
        for j in range(long_b):
            if _value(flat, start_b, long_b, j) == x:
                alone_a[i] = alone_b[j] = False
                count -= 2
    return count


@bare
def _alike(sketches: Any, data: Any, a: Any, b: Any, least: Any, places: Any, taken: Any, order: Any) -> Any:
    """How alike two texts are; -1 where they cannot be as alike as `least`."""
    if bound(sketches, a, b) < least:
        return -1.0
    start_a, start_b = np.int64(sketches[a, 3]), np.int64(sketches[b, 3])
    return similarity(data, start_a, _length(sketches, a), start_b, _length(sketches, b), places, taken, order)


@bare
def _near(
    sketches: Any, data: Any, flat: Any, base: Any, least: Any, start_a: Any, long_a: Any, start_b: Any, long_b: Any,
    alone_a: Any, alone_b: Any, places: Any, taken: Any, order: Any,
) -> None:  # fmt: skip
    """Tell which of the values without an equal one have a near one on the other side."""
    for i in range(long_a):
        x = _value(flat, start_a, long_a, i)
        for j in range(long_b):
            # Only what is still alone on either side can be changed.
            if not (alone_a[i] or alone_b[j]):
                continue
            y = _value(flat, start_b, long_b, j)
            if (
                x != y
                and _alike(sketches, data, np.uint32(base + x), np.uint32(base + y), least, places, taken, order)
                >= least
            ):
                alone_a[i] = alone_b[j] = False


@bare
def _in_common(lists: Any, flat: Any, one: Any, first: Any, other: Any, second: Any) -> Any:
    """How many values two lists share; -1 where one is empty."""
    long_a, long_b = lists[one, first, 0], lists[other, second, 0]
    if long_a == 0 or long_b == 0:
        return -1
    start_a, start_b = lists[one, first, 1], lists[other, second, 1]
    if long_a == 1 and long_b == 1:
        return 1 if start_a == start_b else 0
    count = 0
    for i in range(long_a):
        x = _value(flat, start_a, long_a, i)
        for j in range(long_b):
            if _value(flat, start_b, long_b, j) == x:
                count += 1
                break
    return count


@bare
def _has(present: Any, record: Any, named: Any, leaf: Any) -> Any:
    for word in range(named.shape[1]):  # noqa: SIM110 - no generator can be compiled
        if present[record, word] & named[leaf, word]:
            return True
    return False


@bare
def _same(a: Any, b: Any) -> Any:
    return 1 if a < 0 or b < 0 else 2 if a == b else 0


@bare
def _at_most(gap: Any, limit: Any) -> Any:
    return 1 if np.isnan(gap) else 2 if gap <= limit else 0


@bare
def _run(
    left: Any, right: Any, present: Any, text: Any, lists: Any, flat: Any, numbers: Any, data: Any, sketches: Any,
    bases: Any, worth: Any, worth_bases: Any, steps: Any, weights: Any, leaves: Any, limits: Any, named: Any,
    forbids: Any, prior: Any, possible: Any, match: Any, levels: Any, total: Any, parted: Any, vetoes: Any, known: Any,
    common: Any, alike: Any, few: Any, places: Any, taken: Any, order: Any, line: Any, alone_a: Any, alone_b: Any,
) -> None:  # fmt: skip
    """`judge` with room to work in."""
    for pair in range(len(left)):
        one, other = np.uint32(left[pair]), np.uint32(right[pair])
        mark = pair + 1
        weight = prior
        step = np.uint32(0)
        while True:
            leaf = steps[step, 0]
            if leaf < ACTION:
                truth = known[leaf] - (mark << 2)
                if truth < 0:
                    what, x, y, z = leaves[leaf, 0], leaves[leaf, 1], leaves[leaf, 2], leaves[leaf, 3]
                    limit = limits[leaf]
                    if what == MISSING:
                        both = _has(present, one, named, leaf) and _has(present, other, named, leaf)
                        truth = 0 if both else 2
                    elif what == EQUAL:
                        truth = _same(text[one, x], text[other, y])
                        if x != y:
                            truth = max(truth, _same(text[one, y], text[other, x]))
                    elif what == OVERLAP:
                        if common[z, 0] != mark:
                            common[z, 0] = mark
                            common[z, 1] = common[z, 2] = _in_common(lists, flat, one, x, other, y)
                            if x != y:
                                common[z, 2] = _in_common(lists, flat, one, y, other, x)
                        many, more = common[z, 1], common[z, 2]
                        most = max(many, more)
                        truth = 2 if most >= limit else 1 if min(many, more) < 0 else 0
                    elif what == ALIKE or what == EDITS:  # noqa: SIM109 - a tuple would be made
                        truth = _same(text[one, x], text[other, x])
                        if truth == 0:
                            a, b = np.uint32(bases[y] + text[one, x]), np.uint32(bases[y] + text[other, x])
                            if what == EDITS:
                                start_a, start_b = np.int64(sketches[a, 3]), np.int64(sketches[b, 3])
                                long_a, long_b, most = _length(sketches, a), _length(sketches, b), np.int64(limit)
                                edits = distance(data, start_a, long_a, start_b, long_b, most, line)
                                truth = 2 if edits <= most else 0
                            else:
                                if alike[y, 0] != mark:
                                    alike[y, 0], alike[y, 1] = mark, bound(sketches, a, b) + 2.0
                                if alike[y, 1] >= limit + 2.0:
                                    alike[y, 1] = _alike(sketches, data, a, b, limit, places, taken, order)
                                truth = 2 if limit <= alike[y, 1] < 2.0 else 0
                    elif what == WITHIN:
                        truth = _at_most(abs(numbers[one, x] - numbers[other, y]), limit)
                        if x != y:
                            truth = max(truth, _at_most(abs(numbers[other, x] - numbers[one, y]), limit))
                    elif what == INSIDE:
                        opens, closes = z, leaves[leaf, 4]
                        forward = min(
                            _at_most(numbers[other, opens] - numbers[one, x], limit),
                            _at_most(numbers[one, y] - numbers[other, closes], limit),
                        )
                        back = min(
                            _at_most(numbers[one, opens] - numbers[other, x], limit),
                            _at_most(numbers[other, y] - numbers[one, closes], limit),
                        )
                        truth = max(forward, back)
                    elif lists[one, x, 0] == 0 or lists[other, x, 0] == 0:
                        truth = 1
                    else:
                        start_a, start_b = lists[one, x, 1], lists[other, x, 1]
                        long_a, long_b = lists[one, x, 0], lists[other, x, 0]
                        if what == SHARED or few[z, 0] != mark:
                            unequal = _alone(flat, start_a, long_a, start_b, long_b, alone_a, alone_b)
                            if unequal > 0 and limit < UNLIKE:
                                _near(
                                    sketches, data, flat, bases[y], limit, start_a, long_a, start_b, long_b,
                                    alone_a, alone_b, places, taken, order,
                                )  # fmt: skip
                        if what == COVERED:
                            if few[z, 0] != mark:
                                few[z, 0], few[z, 1], few[z, 2] = mark, 0, 0
                                for i in range(long_a):
                                    few[z, 1] += alone_a[i]
                                for j in range(long_b):
                                    few[z, 2] += alone_b[j]
                            fewest, most = min(few[z, 1], few[z, 2]), max(few[z, 1], few[z, 2])
                            truth = 2 if (fewest if leaves[leaf, 5] == 1 else most) <= leaves[leaf, 4] else 0
                        else:
                            base = worth_bases[leaves[leaf, 7]]
                            said_a = said_b = shared_a = shared_b = 0
                            for i in range(long_a):
                                tells = worth[base + _value(flat, start_a, long_a, i)]
                                said_a += tells
                                shared_a += 0 if alone_a[i] else tells
                            for j in range(long_b):
                                tells = worth[base + _value(flat, start_b, long_b, j)]
                                said_b += tells
                                shared_b += 0 if alone_b[j] else tells
                            shared = min(shared_a, shared_b)
                            whole = max(said_a, said_b) if leaves[leaf, 6] == 1 else min(said_a, said_b)
                            enough = shared >= leaves[leaf, 4] and shared * 100 >= whole * leaves[leaf, 5]
                            truth = 2 if enough else 0
                    known[leaf] = (mark << 2) + truth
                step = steps[step, 2] if truth == steps[step, 1] else steps[step, 3]
                continue
            number = steps[step, 1]
            if leaf == LEVEL:
                levels[number, pair] = steps[step, 2]
                weight += weights[step]
            elif leaf == VETO:
                parted[pair] = vetoes[pair] = number
            elif leaf == WEIGH:
                veto = parted[pair]
                if weight >= match if veto < 0 else weight >= possible or forbids[veto]:
                    step = steps[step, 2]
                    continue
            elif leaf == ASK:
                vetoes[pair] = number
            else:
                break
            step = steps[step, 3]
        total[pair] = weight


@compiled
def judge(left: Any, right: Any, records: Any, code: Any, thresholds: Any) -> Any:
    """Run a program over pairs.

    Args:
        thresholds: prior, possible match, match; in bits.

    Returns:
        Levels (a row per comparison), weights, vetoes that part, and vetoes with those that ask.
    """
    n = len(left)
    levels = np.zeros((code.sizes[3], n), dtype=np.int8)
    total = np.empty(n, dtype=np.float64)
    parted, vetoes = np.full(n, -1, dtype=np.int8), np.full(n, -1, dtype=np.int8)
    # What is known of a pair is kept with its number, so that nothing has to be wiped: pair * 4 + truth.
    known = np.full(len(code.leaves), -1, dtype=np.int64)
    common = np.zeros((code.sizes[0], 3), dtype=np.int64)
    alike, few = np.zeros((code.sizes[1], 2)), np.zeros((code.sizes[2], 3), dtype=np.int64)
    places = np.zeros(256, dtype=np.uint64)
    taken, order = np.empty(records.longest[1], dtype=np.bool_), np.empty(records.longest[1], dtype=np.uint8)
    line = np.empty(records.longest[1] + 1, dtype=np.int64)
    alone_a, alone_b = np.empty(records.longest[0], dtype=np.bool_), np.empty(records.longest[0], dtype=np.bool_)
    _run(
        left, right, *records[:-1], *code[:-1], *thresholds, levels, total, parted, vetoes, known, common, alike, few,
        places, taken, order, line, alone_a, alone_b,
    )  # fmt: skip
    return levels, total, parted, vetoes
