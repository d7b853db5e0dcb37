"""Is what was said under one identifier said of two legal entities? The rule is a document, and symmetric.

Who holds an identifier when is decided in `mdm.core.recycled`; what a demoted identifier is worth, in
`matching.features.demoted`.
"""

from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Any

from matching.conditions import Condition, Judged
from matching.documents import read_mapping, read_yaml, text_of
from matching.features import COLUMNS, derive
from matching.features.demoted import DEMOTED
from matching.model import load_model
from matching.parsing import parse_condition
from mdm.errors import ConfigurationInvalid

_DOCUMENT = files("matching") / "recycled.yaml"


@cache
def recycling_rule(domain: str) -> Condition | None:
    """When two statements are about two entities; None where identifiers of a domain are not watched.

    Raises:
        ConfigurationInvalid: the document names an operator or column that there is not.
    """
    document = read_mapping("recycling rule", read_yaml, text_of(_DOCUMENT))
    if domain not in document:
        return None
    condition = parse_condition(document[domain], f"recycled.{domain}")
    for name, kind in condition.columns():
        known = COLUMNS[domain].get(name)
        if known is None or kind not in (None, known):
            raise ConfigurationInvalid(f"recycled.{domain} reads {name}, which is no column of that kind.")
    return condition


def other_entity(domain: str, identifier: str, one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """Whether two statements under an identifier are about two entities. What is not known tells nothing.

    Which words of a name are too frequent to tell anything is that of the model that ships: what was found stays found
    when another model is released.

    Args:
        identifier: `type:country:number`, or the name of a row; it counts for neither side.
        one, other: comparison forms.
    """
    rule = recycling_rule(domain)
    if rule is None:
        return False
    common = load_model(domain).common_tokens
    left, right = (derive(domain, {**form, DEMOTED: [identifier]}, common) for form in (one, other))
    return Judged(left, right).truth(rule) == 2
