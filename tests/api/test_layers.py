"""Every operation belongs to one layer of the API landscape."""

from api.app import ApiOptions, assemble
from api.layers import DESCRIPTIONS, Layer
from api.openapi import describe

DOCUMENT = describe(assemble(ApiOptions()))
LAYERS = {layer.value for layer in Layer}


def layer_of(path: str, method: str = "get") -> str:
    return next(tag for tag in DOCUMENT["paths"][path][method]["tags"] if tag in LAYERS)


def test_every_operation_has_exactly_one_layer() -> None:
    for path, operations in DOCUMENT["paths"].items():
        for method, operation in operations.items():
            assert len(LAYERS & set(operation["tags"])) == 1, (method, path)


def test_layers_are_described() -> None:
    assert {each["name"] for each in DOCUMENT["tags"]} == set(DESCRIPTIONS) == LAYERS


def test_records_work_and_channels_are_apart() -> None:
    assert layer_of("/v1/customers/{id}") == "system"
    assert layer_of("/v1/changes") == "system"
    assert layer_of("/v1/customers/match", "post") == "process"
    assert layer_of("/v1/explain") == "process"
    assert layer_of("/v1/source-records/{system}/{type}/{key}") == "system"
    assert layer_of("/v1/process/quote-to-cash/{contract}") == "process"
    assert layer_of("/v1/onboarding/validate", "post") == "process"
    assert layer_of("/v1/decisions", "post") == "process"
    assert layer_of("/v1/erp/{erp}/{plural}") == "experience"
    assert layer_of("/v1/reconcile", "post") == "experience"
