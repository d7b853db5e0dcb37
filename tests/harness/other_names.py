"""The shipped platforms under other names: sources and messages of a company that calls its ERP sap."""

import re
import shutil
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path

import orjson

from mdm.intake.catalogue import SHIPPED_SOURCES
from mdm.model.events import Message


def sources(folder: Path, names: Mapping[str, str], copies: Mapping[str, str] | None = None) -> Path:
    """The shipped sources with platforms under other names, and with copies of some beside; roles stay as they are."""
    shutil.copytree(SHIPPED_SOURCES, folder, ignore=shutil.ignore_patterns("__*"))
    for before, after in (copies or {}).items():
        shutil.copytree(folder / before, folder / after)
        _rewrite((folder / after).glob("*.yaml"), before, after)
    for before, after in names.items():
        (folder / before).rename(folder / after)
        _rewrite(folder.glob("*/*.yaml"), before, after)
    return folder


def _rewrite(files: Iterable[Path], before: str, after: str) -> None:
    for file in files:
        text = file.read_text("utf-8")
        text = re.sub(rf"(property: (?:system|topicPrefix), value: ){before}\b", rf"\g<1>{after}", text)
        text = re.sub(rf"(issuer: ){before}\b", rf"\g<1>{after}", text)
        text = re.sub(rf"(to: ){before}\.", rf"\g<1>{after}.", text)
        file.write_text(text, "utf-8")


def sent_by(messages: Iterable[Message], names: Mapping[str, str]) -> Iterator[Message]:
    """The messages as the platforms send them under their other names: topic and source say so."""
    for message in messages:
        prefix, _, rest = message.place.topic.partition(".")
        if prefix not in names:
            yield message
            continue
        value = message.value
        if value is not None:
            told = orjson.loads(value)
            if isinstance(told, dict) and isinstance(told.get("source"), dict):
                told["source"]["name"] = names[prefix]
                value = orjson.dumps(told)
        yield replace(message, place=message.place._replace(topic=f"{names[prefix]}.{rest}"), value=value)
