"""The OpenAPI document: generated from the application, committed beside it, compared by `--check`.

python -m api.openapi            writes api/openapi.json
python -m api.openapi --check    exits with 1 when the committed document is not what the application says
"""

import copy
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from fastapi import FastAPI
from pydantic.json_schema import models_json_schema

from api import layers
from api.committed import write_or_check
from api.matrix import describe_access
from api.routes.responses import PROBLEM_FORMS, TOO_LARGE
from mdm.model.ids import Domain

COMMITTED = Path(__file__).parent / "openapi.json"
_COMPONENTS = "#/components/schemas/{model}"


def describe(app: FastAPI) -> dict[str, Any]:
    """The OpenAPI 3.1 document of the service, which is made once."""
    if not hasattr(app.state, "description"):
        app.state.description = _described(app)
    described: dict[str, Any] = app.state.description
    return described


def _described(app: FastAPI) -> dict[str, Any]:
    document = copy.deepcopy(app.openapi())
    _, definitions = models_json_schema([(form, "serialization") for form in PROBLEM_FORMS], ref_template=_COMPONENTS)
    schemas = document["components"]["schemas"]
    schemas.update(definitions["$defs"])
    # The framework describes its own validation errors; ours are problem details.
    for unused in ("HTTPValidationError", "ValidationError"):
        schemas.pop(unused, None)
    document["components"]["schemas"] = dict(sorted(schemas.items()))
    _link(document)
    _limit_bodies(document)
    layers.tag(document)
    describe_access(document, app.routes)
    return document


def _link(document: dict[str, Any]) -> None:
    """Say which answers hold ids that other operations take, so that clients and tests can walk along."""
    for domain in Domain:
        listed = document["paths"][f"/v1/{domain.plural}"]["get"]["responses"]["200"]
        one = document["paths"][f"/v1/{domain.plural}/{{id}}"]["get"]["responses"]["200"]
        listed["links"] = _links(domain, "$response.body#/items/0/id")
        one["links"] = _links(domain, "$response.body#/id")


def _limit_bodies(document: dict[str, Any]) -> None:
    """Whatever reads a body may refuse it for its length."""
    for operations in document["paths"].values():
        for operation in operations.values():
            if "requestBody" in operation:
                operation["responses"].update({str(status): told for status, told in TOO_LARGE.items()})


def _links(domain: Domain, where: str) -> dict[str, Any]:
    noun = domain.value
    operations = [f"get_{noun}", f"get_{noun}_lineage", f"get_{noun}_sources", f"get_{noun}_history", "get_id"]
    operations.append(f"explain_{noun}")
    return {operation: {"operationId": operation, "parameters": {"id": where}} for operation in operations}


def rendered(app: FastAPI) -> str:
    """The document as it is committed."""
    return json.dumps(describe(app), indent=1, ensure_ascii=False) + "\n"


def main(arguments: Sequence[str]) -> int:
    """Write or check the committed document; the exit code says whether they agree."""
    from api.app import ApiOptions, assemble

    return write_or_check(arguments, {COMMITTED: rendered(assemble(ApiOptions()))}, module="api.openapi")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
