"""Going through all cases: over the shipped captures of real connectors, or over a feed of one's own."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from string import Template
from tempfile import TemporaryDirectory

from mdm.errors import OperatorError
from mdm.hub.conformance.cases import Case, Finding, Verdict, look_at
from mdm.hub.conformance.evidence import evidence_of
from mdm.intake.catalogue import Catalogue, load_catalogue
from mdm.model.events import Message
from mdm.streams.file import FileFeed
from mdm.streams.protocol import Consumer

HERE = Path(__file__).parent
CAPTURES = HERE / "captures"

Progress = Callable[[str, float], None]


@dataclass(frozen=True, slots=True)
class Setting:
    """A connector's settings, under which one of the shipped captures was made.

    `refused` is the code with which events are rightly refused because they do not say where they stand: rows without
    envelope as the transform leaves them, and, in that form, the reads of an incremental snapshot.
    """

    database: str = "postgresql"
    decimals: str = "string"
    times: str = "adaptive"
    binary: str = "bytes"
    envelope: str = "debezium"
    refused: str = ""

    def values(self) -> dict[str, str]:
        """What the contracts' templates leave open."""
        return {"decimals": self.decimals, "times": self.times, "binary": self.binary, "envelope": self.envelope}


_MYSQL = "adaptive_time_microseconds"
SETTINGS = {
    "plain_precise_adaptive": Setting(decimals="precise"),
    "schemas_precise_adaptive": Setting(decimals="precise"),
    "plain_precise_microseconds": Setting(decimals="precise", times="microseconds"),
    "plain_string_isostring": Setting(times="isostring", binary="base64"),
    "schemas_string_connect": Setting(times="connect"),
    "plain_double_connect": Setting(decimals="double", times="connect", binary="hex"),
    "flat_rewrite": Setting(envelope="flat", refused="POSITION_MISSING"),
    "flat_schemas": Setting(decimals="precise", envelope="flat", refused="POSITION_MISSING"),
    "flat_default": Setting(envelope="flat", refused="POSITION_MISSING"),
    "mysql_plain_string_adaptive_us": Setting("mysql", times=_MYSQL),
    "mysql_plain_string_isostring_bigu": Setting("mysql", times="isostring"),
    "mysql_schemas_precise": Setting("mysql", decimals="precise", times=_MYSQL),
}


@dataclass(frozen=True, slots=True)
class Examined:
    """What all cases found in one feed."""

    feed: str
    messages: int
    findings: tuple[tuple[Case, Finding], ...]

    @property
    def conforms(self) -> bool:
        return all(finding.verdict is not Verdict.BROKEN for _, finding in self.findings)


def examine(name: str, messages: Sequence[Message], catalogue: Catalogue) -> Examined:
    """Go through all cases with these messages."""
    return Examined(name, len(messages), tuple(look_at(evidence_of(messages, catalogue))))


def examine_feed(feed: Consumer, catalogue: Catalogue, limit: int) -> Examined:
    """Go through all cases with up to `limit` messages of a feed. Nothing is stored, no position is kept.

    Raises:
        OperatorError: the feed has no messages.
    """
    messages: list[Message] = []
    while len(messages) < limit:
        batch = feed.poll(min(limit - len(messages), 10_000), 1.0)
        messages.extend(batch)
        if not batch and feed.at_end():
            break
    feed.close()
    if not messages:
        raise OperatorError("The feed has no messages.", action="Check its path, or the topics.")
    return examine(feed.name, messages, catalogue)


def examine_captures(progress: Progress = lambda _name, _share: None) -> Iterator[Examined]:
    """Go through all cases with every shipped capture. One that must be refused conforms when it is."""
    for number, (name, setting) in enumerate(SETTINGS.items()):
        progress(name, number / len(SETTINGS))
        examined = examine(name, capture(name), contracts_of(setting))
        yield _refused(examined, setting.refused) if setting.refused else examined
    progress("done", 1.0)


def capture(name: str) -> tuple[Message, ...]:
    """The messages of a shipped capture."""
    return tuple(FileFeed(CAPTURES / f"{name}.jsonl.gz").poll(100_000, 0.0))


def contracts_of(setting: Setting) -> Catalogue:
    """The contracts of the captured tables, for one setting of the connector."""
    with TemporaryDirectory() as folder:
        for template in (HERE / "contracts" / setting.database).glob("*/contract.odcs.yaml"):
            contract = Path(folder) / template.parent.name / template.name
            contract.parent.mkdir()
            contract.write_text(Template(template.read_text("utf-8")).substitute(setting.values()), "utf-8")
        return load_catalogue(Path(folder))


def _refused(examined: Examined, code: str) -> Examined:
    """A capture whose events are all refused by this code, as they must be."""
    findings = []
    for case, finding in examined.findings:
        expected = case.name == "decodes" and all(f" {code}: " in problem for problem in finding.problems)
        findings.append((case, Finding(finding.seen, (), finding.problems) if expected else finding))
    return Examined(examined.feed, examined.messages, tuple(findings))
