"""Blotting a subject out of what is not kept by row or golden record: remarks, dead letters, views, answers kept."""

from base64 import b64decode
from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import Any
from urllib.parse import unquote_plus

import orjson

from mdm.model.ids import CrosswalkKey
from mdm.privacy.traces import ERASED, blot, mentions, telling
from mdm.store import letters
from mdm.store.letter_groups import regrouping
from mdm.store.unit_of_work import UnitOfWork

#: Tables whose rows are small enough to be looked through whole, with the columns that people or messages filled.
ANYWHERE: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("bulk_item", ("detail", "seen")),
    ("bulk_job", ("command",)),
    ("checkpoint", ("reason", "answer")),
    ("onboarding_return", ("reason", "answer")),
    ("close_sign_off", ("points", "comment", "review", "reason")),
    ("command_key", ("answer",)),
    ("comment", ("text",)),
    ("contract_proposal", ("title", "reason")),
    ("customer_relation", ("reason",)),
    ("dead_letter", ("closed_reason",)),
    ("delegation", ("reason",)),
    ("erasure", ("reason", "comment", "kept")),
    ("exception", ("detail", "question", "closed_reason")),
    ("feed_control", ("reason",)),
    ("finding_work", ("explanation",)),
    ("golden_override", ("reason",)),
    ("idempotency_key", ("body",)),
    ("judgement", ("reason",)),
    ("release_run", ("step", "report", "error")),
    ("replay_job", ("conditions", "report", "error")),
    ("rule_release", ("title", "comment", "reason")),
    ("steward_task", ("detail",)),
    ("waiver", ("reason", "answer")),
)
#: Decisions and proposals about others, and what stewards pinned there: only what nobody else states goes.
OF_OTHERS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("decision", ("command", "effect", "reason")),
    ("proposal", ("command", "effect", "demands", "reason", "comment")),
)


def blot_anywhere(
    work: UnitOfWork, traces: Collection[str], alone: Collection[str], keys: Collection[CrosswalkKey]
) -> dict[str, int]:
    """Blot the subject out of tables that are not kept by entity; rows changed per table.

    Args:
        traces: what tells who the subject is, in whatever row it stands.
        alone: what nobody else states. A dead letter of somebody else who lives in the same town is theirs.
        keys: the subject's rows, for dead letters and findings about them.
    """
    changed = {table: blot_texts(work, table, columns, traces, "true") for table, columns in ANYWHERE}
    for table, columns in OF_OTHERS:
        changed[table] = blot_texts(work, table, columns, alone, "true")
    changed["audit_remark"] = _blot_audit(work, traces)
    changed["console_view"] = _forget_views(work, traces)
    changed["export_job"] = _forget_exports(work, traces)
    changed["attestation"] = _forget_attestations(work, traces)
    for table, count in _take_from(work, telling(traces)).items():
        changed[table] = changed.get(table, 0) + count
    changed["dead_letter"] += _forget_dead_letters(work, alone, keys)
    changed["finding_work"] += _forget_finding_work(work, keys)
    return changed


def _take_from(work: UnitOfWork, traces: Collection[str]) -> dict[str, int]:
    """What was handed to the subject is nobody's again, and nobody decides in a name that is the subject's.

    Only by what tells somebody alone: a steward may have the subject's first name.
    """
    named = [f"%{escaped(trace)}%" for trace in sorted(traces)]
    if not named:
        return {}
    changed = {
        table: work.execute(f'update "{table}" set assignee = null where assignee ilike any(%s)', named)
        for table in ("task_work", "exception", "finding_work")
    }
    theirs = work.query("select dead_letter_id from dead_letter where assignee ilike any(%s) order by 1", named)
    letters.give(work, [row[0] for row in theirs], None)
    changed["dead_letter"] = len(theirs)
    work.execute(
        """update task_priority p set taken = false where taken
           and not exists (select from task_work w where w.task_id = p.task_id and w.assignee is not null)"""
    )
    # Whose name stands there cannot be rewritten, by nobody; the audit keeps that there was one.
    changed["delegation"] = work.execute("delete from delegation where delegate ilike any(%s)", named)
    return changed


def _blot_audit(work: UnitOfWork, traces: Collection[str]) -> int:
    """Remarks of the audit go whole, with their salt: the chain holds a digest that nobody can try names against."""
    rows = work.query("select seq, name, text from audit_remark where salt is not null")
    gone = [(seq, name) for seq, name, words in rows if mentions(words, traces)]
    if not gone:
        return 0
    return work.execute(
        """update audit_remark m set text = %s, salt = null from unnest(%s::bigint[], %s::text[]) as s(seq, name)
           where m.seq = s.seq and m.name = s.name""",
        ERASED, *(list(column) for column in zip(*gone, strict=True)),
    )  # fmt: skip


def _forget_views(work: UnitOfWork, traces: Collection[str]) -> int:
    """Saved filters that look for the subject. Their conditions stand as in an address: %40 for @, + for a space."""
    rows = work.query("select view_id, name, query from console_view")
    gone = [view for view, name, query in rows if mentions(f"{name}\n{query}\n{unquote_plus(query)}", traces)]
    return work.execute("delete from console_view where view_id = any(%s)", gone) if gone else 0


def _forget_exports(work: UnitOfWork, traces: Collection[str]) -> int:
    """Exports that were narrowed to the subject; what they held went to whoever asked and is not kept."""
    rows = work.query("select job_id, query, place from export_job")
    gone = [job for job, query, place in rows if mentions(f"{query}\n{unquote_plus(query)}\n{place}", traces)]
    return work.execute("delete from export_job where job_id = any(%s)", gone) if gone else 0


def blot_texts(
    work: UnitOfWork, table: str, columns: Sequence[str], traces: Collection[str], where: str, *parameters: object
) -> int:
    """Rows of a table in which a trace was blotted out. The database finds them, and takes all of them at once.

    A JSON text may write letters as escapes: rows with an escape are looked at, too.
    """
    if not traces:
        return 0
    texts = [f'"{column}"::text' for column in columns]
    suspect = " or ".join(f"{each} ilike any(%s)" for each in texts)
    patterns = [f"%{escaped(trace)}%" for trace in sorted(traces)] + ["%\\\\u%"]
    rows = work.query(
        f"select ctid::text, {', '.join(texts)} from {table} where ({where}) and ({suspect})",
        *parameters,
        *([patterns] * len(columns)),
    )
    types = dict(
        work.query(
            """select column_name, data_type from information_schema.columns
               where table_schema = current_schema() and table_name = %s""",
            table,
        )
    )
    changed = []
    for ctid, *found in rows:
        after = [_blotted(text, types[column], traces) for text, column in zip(found, columns, strict=True)]
        if after != found:
            changed.append((ctid, *after))
    if not changed:
        return 0
    names = [f"c{number}" for number in range(len(columns))]
    settings = ", ".join(f'"{column}" = s.{name}::{types[column]}' for column, name in zip(columns, names, strict=True))
    arrays = ", ".join(["%s::text[]"] * (len(columns) + 1))
    return work.execute(
        f"""update {table} t set {settings} from unnest({arrays}) as s(place, {", ".join(names)})
            where t.ctid = s.place::tid""",
        *(list(column) for column in zip(*changed, strict=True)),
    )


def _blotted(text: str | None, type_: str, traces: Collection[str]) -> str | None:
    # JSON may write a letter as an escape; only then is a text without a visible trace worth reading.
    if text is None or (not mentions(text, traces) and "\\u" not in text):
        return text
    if type_ in ("json", "jsonb"):
        return orjson.dumps(blot(orjson.loads(text), traces)).decode()
    return str(blot(text, traces))


def _forget_attestations(work: UnitOfWork, traces: Collection[str]) -> int:
    patterns = [f"%{escaped(trace)}%" for trace in sorted(traces)] + ["%\\\\u%"]
    rows = work.query(
        "select provider, key, facts::text from attestation where key ilike any(%s) or facts::text ilike any(%s)",
        patterns,
        patterns,
    )
    gone = [
        (provider, key)
        for provider, key, facts in rows
        if any(mentions(text, traces) for text in (key, *_decoded((facts,))))
    ]
    if not gone:
        return 0
    return work.execute(
        """delete from attestation a using unnest(%s::text[], %s::text[]) as s(provider, key)
           where a.provider = s.provider and a.key = s.key""",
        *(list(column) for column in zip(*gone, strict=True)),
    )


def _forget_finding_work(work: UnitOfWork, keys: Collection[CrosswalkKey]) -> int:
    """What people did about findings of the subject's rows, and when there were such."""
    if not keys:
        return 0
    return sum(
        work.execute(
            f"""delete from {table} f using unnest(%s::text[], %s::text[], %s::text[]) as k(system, type, key)
                where f.system = k.system and f.type = k.type and f.key = k.key""",
            *map(list, zip(*keys, strict=True)),
        )
        for table in ("finding_work", "finding_seen")
    )


_LETTERS_ABOUT = """
select dead_letter_id from dead_letter d join unnest(%s::text[], %s::text[], %s::text[]) as k(system, type, key)
  on d.system = k.system and d.type = k.type and d.row_key = k.key
"""
#: Dead letters that are looked at in memory at once: each may be a megabyte.
_LETTERS_AT_ONCE = 500


def _forget_dead_letters(work: UnitOfWork, traces: Collection[str], keys: Collection[CrosswalkKey]) -> int:
    """Empty the dead letters of the subject's rows, and those in which a trace stands, also written as escapes or in a
    mended form. The database picks who is looked at.
    """
    patterns = [f"%{escaped(each)}%" for trace in sorted(traces) for each in _in_bytes(trace)] + ["%\\\\u%"]
    gone: list[int] = (
        [row[0] for row in work.query(_LETTERS_ABOUT, *map(list, zip(*keys, strict=True)))] if keys else []
    )
    suspects = work.query(
        """select dead_letter_id from dead_letter
           where encode(coalesce(key, ''), 'escape') ilike any(%s)
              or encode(coalesce(value, ''), 'escape') ilike any(%s)
              or headers::text <> '[]' or reason ilike any(%s)
              or dead_letter_id in (select f.dead_letter_id from dead_letter_fix f) order by 1""",
        patterns, patterns, patterns,
    )  # fmt: skip
    for start in range(0, len(suspects), _LETTERS_AT_ONCE):
        some = [row[0] for row in suspects[start : start + _LETTERS_AT_ONCE]]
        rows = work.query(
            """select dead_letter_id, key, value, reason, headers::text from dead_letter where dead_letter_id = any(%s)
               union all select dead_letter_id, key, value, reason, headers::text from dead_letter_fix
               where dead_letter_id = any(%s)""",
            some, some,
        )  # fmt: skip
        gone += [row[0] for row in rows if any(mentions(text, traces) for text in _decoded(_parts(row)))]
    gone = sorted(set(gone))
    if gone:
        work.execute("delete from dead_letter_fix where dead_letter_id = any(%s)", gone)
        with regrouping(work, gone):
            work.execute(
                """update dead_letter set key = null, value = null, headers = '[]', status = 'discarded',
                       alike = '', closed_reason = null,
                       reason = 'The subject of the message was erased.' where dead_letter_id = any(%s)""",
                gone,
            )
    return len(gone)


def _in_bytes(trace: str) -> set[str]:
    """How PostgreSQL's escape format may write a trace: bytes beyond ASCII as octal, which no comparison folds."""
    return {
        "".join(
            chr(byte) if 32 <= byte < 127 and byte != 92 else "\\\\" if byte == 92 else f"\\{byte:03o}"
            for byte in form.encode()
        )
        for form in (trace, trace.lower(), trace.upper(), trace.title(), trace.casefold())
    }


def _parts(row: Sequence[Any]) -> Iterator[object]:
    """Key, value and reason of a letter, and its headers, which are stored as [[name, base64]]."""
    yield from row[1:4]
    yield from (b64decode(value) for _, value in orjson.loads(row[4]) if value is not None)


def _decoded(values: Iterable[object]) -> Iterator[str]:
    for value in values:
        if isinstance(value, bytes | memoryview):
            text = bytes(value).decode("utf-8", "replace")
            yield text
            if "\\u" in text:
                yield text.encode("utf-8", "replace").decode("unicode_escape", "replace")
        elif value is not None:
            yield str(value)


def escaped(trace: str) -> str:
    """A trace as a pattern of LIKE that means only itself."""
    return trace.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
