"""Tables with known truth, read for training and evaluation of the matching engine."""

import csv
import gzip
import io
import re
import sys
import zlib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from matching.documents import read_profile
from matching.features import FORMS
from matching.model import MatchModel, declared_columns, load_model
from mdm.errors import OperatorError
from mdm.intake.tabular import Known, TabularMapping, Truth, Vocabulary, read_tabular
from mdm.model.canonical import ATTRIBUTES
from mdm.model.ids import Domain

Rows = list[dict[str, str]]

csv.field_size_limit(sys.maxsize)

#: The first is meant where the columns' names do not tell.
_DELIMITERS = ",;\t"
_QUOTED = re.compile(r'"[^"]*"')


#: What reads the attributes that are compared, where a mapping leaves them plain text.
_READ_AS: Mapping[str, Mapping[str, str]] = {
    "customer": {
        "name": "organisation_name",
        "alternate_names": "organisation_names",
        "legal_form": "legal_form",
        "country": "country",
        "address": "address",
        "phones": "phones",
        "emails": "emails",
        "web_domain": "web_domain",
        "identifiers": "identifiers",
    },
    "product": {"name": "product_name", "code": "product_code", "identifiers": "gtin", "version": "version"},
    "contract": {"number": "own_number", "start_date": "start", "end_date": "end"},
}


@dataclass(frozen=True, slots=True)
class Table:
    """Records in comparison form, what each is called, and what is known of their truth.

    `entities` names the entity of each record, or is empty when the truth is not known. `strangers` are ids of the
    truth that no record has, `silent` names of the mapping that fill nothing which is compared.
    """

    mapping: TabularMapping
    names: Sequence[str]
    comparisons: Sequence[Mapping[str, Any]]
    rows: Sequence[Mapping[str, str]]
    entities: Sequence[str | None]
    strangers: Sequence[str] = ()
    silent: Sequence[str] = ()

    @property
    def remarks(self) -> Sequence[str]:
        """What somebody should know who believes that all of the tables counts."""
        found = []
        if self.strangers:
            found.append(
                f"{len(self.strangers):,} ids of the truth are not among the {len(self.names):,} records, such as "
                f"{self.strangers[0]!r}: they count for nothing."
            )
        if self.silent:
            found.append(f"Fills nothing that is compared, in any record: {', '.join(self.silent)}.")
            found += self._better_read
        return found

    @property
    def _better_read(self) -> Sequence[str]:
        """How attributes that are read as plain text must be read to be compared."""
        known = _READ_AS.get(self.mapping.domain, _READ_AS["customer"])
        return [
            f"Plain text is not compared: write `{rule.attribute}: {{as: {known[rule.attribute]}, "
            f"from: {rule.sources[0].path.column}}}`."
            for rule in self.mapping.attributes
            if f"attributes.{rule.attribute}" in self.silent
            and rule.standardiser in ("text", "texts")
            and rule.attribute in known
        ]


def read_table(
    records: Sequence[Path],
    config: Path,
    truth: Path | None = None,
    *,
    truth_known: bool = True,
    models: Path | None = None,
    option: str = "--truth",
) -> Table:
    """Read one or more CSV files as the mapping says; without `truth_known` the truth is not looked at.

    Columns are parted by commas, semicolons or tabs, as the first line tells; a file may be packed by gzip.

    `models` is the folder of a model whose profile the mapping does not name, `option` how the command at work calls
    the file of the truth.

    Raises:
        OperatorError: a file is missing, or the truth names records that are not there.
        ConfigurationInvalid: the mapping is wrong, or names what the model does not know.
    """
    files = {path.name.split(".")[0]: _read(path) for path in records}
    if len(files) != len(records):
        raise OperatorError("Two files of records have one name.", action="Rename one of them.")
    there = {column for rows in files.values() for row in rows[:1] for column in row}
    mapping = read_tabular(config, there, vocabulary(models))
    names: list[str] = []
    kept: Rows = []
    comparisons: list[Mapping[str, Any]] = []
    for table, rows in files.items():
        for number, row in enumerate(rows):
            if not mapping.accepts(row):
                continue
            key = "|".join(row.get(column, "") for column in mapping.key) if mapping.key else str(number)
            names.append(f"{table}:{key}" if len(files) > 1 else key)
            kept.append(row)
            comparisons.append(mapping.comparison(row, names[-1], table))
    if not kept:
        raise OperatorError("`only` leaves no record.", action="Correct `only` in the mapping.")
    if len(set(names)) != len(names):
        name = Counter(names).most_common(1)[0][0]
        raise OperatorError(
            f"{len(names):,} records have {len(set(names)):,} ids; {name!r}, for one, stands there more than once.",
            action="Correct `id` in the mapping, or leave it out: the rows are numbered then.",
        )
    entities, strangers = _entities(mapping.truth, names, kept, list(files), truth, option) if truth_known else ((), ())
    return Table(mapping, names, comparisons, kept, entities, strangers, mapping.silent(kept))


def vocabulary(models: Path | None) -> Known:
    """What the model of a domain knows, as far as it can be told: of one that ships, of a profile, or in a folder."""

    def known(domain: str, profile: Path | None) -> Vocabulary | None:
        if domain in FORMS:
            return Vocabulary(domain, FORMS[domain], frozenset(each.name for each in ATTRIBUTES[Domain(domain)]))
        path = profile or (models / f"{domain}.yaml" if models is not None else None)
        if path is None or not (profile or path.is_file()):
            return None
        declared = read_profile(_profile_text(path)).get("columns")
        if not isinstance(declared, Mapping):
            return None  # refused where the model is made of it
        columns = frozenset(declared_columns(declared))
        canonical = frozenset(each.name for attributes in ATTRIBUTES.values() for each in attributes)
        return Vocabulary(f"the profile {path.name}", columns, columns | canonical)

    return known


def model_of(table: Table, folder: Path | None) -> MatchModel:
    """The released model for a table: from `folder`, else the one that ships.

    Raises:
        ConfigurationInvalid: there is none, or it is wrong.
    """
    return load_model(table.mapping.domain, folder)


def profile_of(table: Table) -> str | None:
    """The text of the profile that the mapping names."""
    path = table.mapping.profile
    return None if path is None else _profile_text(path)


def _profile_text(path: Path) -> str:
    try:
        return path.read_text("utf-8")
    except OSError as error:
        raise OperatorError(
            f"The profile {path} cannot be read: {error.strerror}.", action="Correct `profile` in the mapping."
        ) from error
    except UnicodeDecodeError as error:
        raise OperatorError(f"The profile {path} is not UTF-8.", action="Save it as UTF-8.") from error


def _read(path: Path) -> Rows:
    try:
        data = path.read_bytes()
        text = (gzip.decompress(data) if path.suffix == ".gz" else data).decode("utf-8-sig")
    except OSError as error:
        if isinstance(error, gzip.BadGzipFile):
            raise OperatorError(f"{path} cannot be read: {error}.", action="Give a CSV file in UTF-8.") from error
        raise OperatorError(
            f"{path} cannot be read: {error.strerror}.", action="Correct the path: a CSV file in UTF-8 is read."
        ) from error
    except (UnicodeDecodeError, zlib.error, EOFError) as error:
        raise OperatorError(f"{path} cannot be read: {error}.", action="Give a CSV file in UTF-8.") from error
    # Line ends as one, because the reader takes those of old spreadsheets for a fault. Strictly, because a quotation
    # mark that is not closed would swallow the rows up to the next one without a word.
    reader = csv.DictReader(io.StringIO(text, newline=None), delimiter=_delimiter(text), strict=True)
    try:
        twice = sorted(name for name, times in Counter(reader.fieldnames or ()).items() if name and times > 1)
        rows = [{name: value or "" for name, value in row.items() if name} for row in _whole(path, reader)]
    except csv.Error as error:
        raise OperatorError(
            f"{path} cannot be read after line {reader.line_num}: {error}.",
            action="See that quotation marks stand around whole values, and are written twice inside.",
        ) from error
    if twice:
        raise OperatorError(
            f"{path} has two columns {twice[0]!r}, and only one of them would be read.", action="Rename one of them."
        )
    if not rows:
        raise OperatorError(f"{path} has no rows.", action="Give a CSV file whose first line names its columns.")
    return rows


def _whole(path: Path, reader: "csv.DictReader[str]") -> Iterator[dict[str, str]]:
    """The rows; one with more values than columns has its values in each other's columns."""
    for row in reader:
        # Spreadsheets fill rows up with separators.
        if any(row.get(None, ())):  # the values that have no column
            raise OperatorError(
                f"{path}, line {reader.line_num}: there are more values than columns.",
                action="Put quotation marks around values in which the separator stands.",
            )
        yield row


def _delimiter(text: str) -> str:
    """What parts the columns: a semicolon or a tab where the first line has more of them than commas."""
    head = _QUOTED.sub("", text.partition("\n")[0])
    return max(_DELIMITERS, key=head.count)


def empty_truth(column: str, where: str) -> OperatorError:
    """The column that should name the entity of each record is there, and says nothing of any."""
    return OperatorError(
        f"The column {column!r} of {where} is empty for every record: the truth of these records is not known.",
        action="Fill it, or name the column that has the entities in `truth: {entity: ...}` of the mapping.",
    )


def _entities(
    truth: Truth, names: Sequence[str], rows: Rows, files: Sequence[str], path: Path | None, option: str
) -> tuple[Sequence[str | None], Sequence[str]]:
    """The entity of each record, and ids of the truth that no record has."""
    if truth.pairs is not None:
        if path is None:
            raise OperatorError("The mapping expects a file of true pairs.", action=f"Give it with {option}.")
        if len(files) > 2:
            raise OperatorError(
                f"True pairs are pairs of two files (or of one), and {len(files)} files of records are given.",
                action="Give two, or a truth that names the entity of each record (`truth: {entity: ..., id: ...}`).",
            )
        lines = _read(path)
        _need(truth.pairs, lines, path)
        return _components(names, _true_pairs(truth.pairs, lines, files)), ()
    if truth.entity is None:
        return (), ()
    if path is None:
        _need([truth.entity], rows, "the records")
        return [row.get(truth.entity) or None for row in rows], ()
    key, lines = truth.key, _read(path)
    if not key:
        columns = ", ".join(name for name in lines[0] if name != truth.entity)
        raise OperatorError(
            f"The mapping does not say which column of {path} names the record: `truth` lacks `id`.",
            action=f"Write `truth: {{entity: {truth.entity}, id: ...}}` with one of its columns ({columns}), whose "
            f"values are those of `id` of the records; or leave {option} out if the records name their entity.",
        )
    _need([*key, truth.entity], lines, path)
    known: dict[str, str | None] = {}
    for line in lines:
        name, entity = _key(line, key, files), line.get(truth.entity) or None
        if known.setdefault(name, entity) != entity:
            raise OperatorError(
                f"{path} says of {name!r} that it is {known[name]!r} and that it is {entity!r}.",
                action="Say of each record once what entity it is, or correct `truth: {id: ...}` in the mapping.",
            )
    found = [known.get(name) for name in names]
    if not any(found):
        if not known.keys().isdisjoint(names):
            raise empty_truth(truth.entity, str(path))
        raise OperatorError(
            f"None of the {len(names)} records is named in {path}.",
            action="Correct `truth: {id: ...}` in the mapping.",
        )
    return found, sorted(known.keys() - set(names))


def _need(columns: Sequence[str], lines: Rows, where: Path | str) -> None:
    there = {column for line in lines for column in line}
    for column in columns:
        if column not in there:
            named = ", ".join(sorted(there)) or "none"
            raise OperatorError(
                f"`truth` names the column {column!r}, which is not in {where}; there are {named}.",
                action="Correct `truth` in the mapping, or give another file.",
            )


def _key(line: Mapping[str, str], key: Sequence[str], files: Sequence[str]) -> str:
    """The name of the record that a line of truth is about; with several files the first part names the file.

    Small and capital letters are the same in the name of a file, and are not in an id.
    """
    parts = [line.get(column, "") for column in key]
    if len(files) < 2 or not parts:
        return "|".join(parts)
    file = next((each for each in files if each.casefold() == parts[0].casefold()), parts[0])
    return f"{file}:{'|'.join(parts[1:])}"


def _true_pairs(columns: tuple[str, str], lines: Rows, files: Sequence[str]) -> Iterator[tuple[str, str]]:
    first, second = (files[0], files[-1]) if len(files) > 1 else ("", "")
    for line in lines:
        a, b = line.get(columns[0], ""), line.get(columns[1], "")
        yield (f"{first}:{a}", f"{second}:{b}") if first else (a, b)


def _components(names: Sequence[str], pairs: Iterator[tuple[str, str]]) -> list[str | None]:
    """Records that a chain of true pairs connects are one entity, named by one of them."""
    leader = {name: name for name in names}

    def lead(name: str) -> str:
        while leader[name] != name:
            leader[name] = leader[leader[name]]
            name = leader[name]
        return name

    strangers = []
    for a, b in pairs:
        if a in leader and b in leader:
            leader[lead(a)] = lead(b)
        else:
            strangers.append(a if a not in leader else b)
    if strangers:
        raise OperatorError(
            f"{len(strangers)} true pairs name records that are not there, such as {strangers[0]!r}.",
            action="Correct `pairs` or `id` in the mapping, or take these pairs out of the file.",
        )
    return [lead(name) for name in names]
