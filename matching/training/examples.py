"""Records that ship with the package, as matching reads them: what every model is scored on before it is released.

One generated store per domain (`samples/README.md`), which took no part in training; no record describes anybody.
"""

import gzip
from functools import cache
from importlib.resources import files
from typing import Any

import orjson

#: Letters of other scripts, of one to three bytes more.
_FOREIGN = str.maketrans({"a": "ä", "e": "é", "n": "н", "o": "山", "1": "１", "7": "𝟕"})
#: Each such record is there in other letters too.
_EACH = 10


@cache
def stored(domain: str) -> tuple[dict[str, Any], ...]:
    """The comparison forms of the store of a domain; none for a domain of somebody's own."""
    path = files("matching") / "training" / "samples" / f"{domain}.jsonl.gz"
    if not path.is_file():
        return ()
    lines = gzip.decompress(path.read_bytes()).splitlines()
    return tuple(orjson.loads(line)["comparison"] for line in lines)


def examples(domain: str) -> list[dict[str, Any]]:
    """The store of a domain, each tenth record of it in letters of other scripts too, and a record that says nothing.

    They are read as they come from a hub: no two share a value in memory.
    """
    found = stored(domain)
    written = [
        orjson.dumps(record, option=orjson.OPT_SORT_KEYS) for record in (*found, *map(foreign, found[::_EACH]), {})
    ]
    return [orjson.loads(text) for text in written]


def foreign(value: Any) -> Any:
    """The same in letters of other scripts; what names a thing of the hub (`crm:account:1`) stays."""
    if isinstance(value, dict):
        return {key: foreign(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return type(value)(foreign(each) for each in value)
    return value.translate(_FOREIGN) if isinstance(value, str) and ":" not in value else value
