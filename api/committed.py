"""Documents that are generated from the application and committed: written anew, or held against what it says now."""

import sys
from collections.abc import Mapping, Sequence, Set
from pathlib import Path


def write_or_check(
    arguments: Sequence[str], documents: Mapping[Path, str], present: Set[Path] = frozenset(), *, module: str
) -> int:
    """Write the documents or, with `--check`, compare; returns the exit code, which is 1 when they differ.

    Args:
        documents: what each file should say.
        present: generated files that exist, where which ones there are may change.
        module: what writes them, for the message.
    """
    if "--check" not in arguments:
        for file, text in documents.items():
            file.parent.mkdir(exist_ok=True)
            file.write_text(text, encoding="utf-8")
        return 0
    differing = [file for file, text in documents.items() if not _says(file, text)] + sorted(present - set(documents))
    for file in differing:
        sys.stderr.write(f"{file.name} is not what the application says. Run: python -m {module}\n")
    return 1 if differing else 0


def _says(file: Path, text: str) -> bool:
    return file.is_file() and file.read_text(encoding="utf-8") == text
