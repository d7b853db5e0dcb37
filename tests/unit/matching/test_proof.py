"""Weights decide only where a report says that they were compared with Splink, and are those that it is about."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from matching.documents import CHECKSUM, checksum_of
from matching.model import load_model, read_model
from matching.proof import TOLERANCE, check_proven
from mdm.cli.app import app
from mdm.errors import ConfigurationInvalid, Invalid
from mdm.hub.in_force import must_fit

Change = Callable[[Any], None]


def weights_with(change: Change) -> str:
    """The shipped weights of products, changed, and sealed again as training seals them."""
    document = json.loads(load_model("product").texts[1])
    document.pop(CHECKSUM)
    change(document)
    document.setdefault(CHECKSUM, checksum_of(document))
    return json.dumps({key: value for key, value in document.items() if value is not None or key != CHECKSUM})


def reported(**parity: Any) -> Change:
    return lambda weights: weights["provenance"]["parity"].update(parity)


UNPROVEN: list[tuple[Change, str]] = [
    (lambda w: w.pop("provenance"), "has no `parity`"),
    (lambda w: w["provenance"].pop("parity"), "has no `parity`"),
    (lambda w: w["provenance"].update(parity="yes"), "has no `parity`"),
    (reported(pairs=0, weight=9.0), "parity.pairs` of the weights is 0"),
    (reported(pairs=-1), "parity.pairs` of the weights is -1"),
    (reported(pairs=True), "parity.pairs` of the weights is True"),
    (lambda w: w["provenance"]["parity"].pop("pairs"), "parity.pairs` of the weights is None"),
    (reported(weight=9.0), "parity.weight` of the weights is 9.0"),
    (reported(weight=TOLERANCE * 1.01), "by 1e-09 bits at most"),
    (reported(weight=-1.0), "parity.weight` of the weights is -1.0"),
    (reported(weight=float("nan")), "parity.weight` of the weights is nan"),
    (reported(weight=None), "parity.weight` of the weights is None"),
    (reported(contribution=1e-6), "parity.contribution` of the weights is 1e-06"),
    (lambda w: w["provenance"].pop("data"), "has no `data`"),
    (lambda w: w["provenance"].update(data=""), "has no `data`"),
    (lambda w: w["provenance"].pop("versions"), "has no `splink`"),
    (lambda w: w["provenance"].update(versions={"duckdb": "2"}), "has no `splink`"),
    (lambda w: w.update({CHECKSUM: None}), "the weights have no `checksum`"),
]


@pytest.mark.parametrize(("change", "complaint"), UNPROVEN)
def test_weights_without_proof_are_refused_where_they_would_decide(
    change: Change, complaint: str, tmp_path: Path
) -> None:
    profile, weights = load_model("product").texts[0], weights_with(change)
    files = {"product.yaml": profile, "product.weights.json": weights}
    for name, text in files.items():
        (tmp_path / name).write_text(text, "utf-8")
    paths = [str(tmp_path / name) for name in files]

    with pytest.raises(ConfigurationInvalid, match=complaint) as at_load:
        load_model("product", tmp_path)
    with pytest.raises(Invalid, match=complaint) as at_release:
        must_fit(None, read_model(profile, weights))  # type: ignore[arg-type]  # rules say nothing about a model
    checked = CliRunner().invoke(
        app, ["releases", "check", "matching", "product", paths[0], "--weights", paths[1], "--json"]
    )

    assert checked.exit_code != 0
    assert isinstance(checked.exception, ConfigurationInvalid)
    assert {at_load.value.message, at_release.value.message} == {checked.exception.message}
    assert "mdm match train --domain product" in at_load.value.advice == at_release.value.advice


@pytest.mark.parametrize("bits", [0, 0.0, TOLERANCE])
def test_a_difference_of_rounding_is_proof(bits: float) -> None:
    model = read_model(load_model("product").texts[0], weights_with(reported(pairs=1, weight=bits, contribution=bits)))

    check_proven(model)

    assert model.provenance["parity"]["weight"] == bits


def test_a_document_is_scored_with_splink_without_a_hub(tmp_path: Path) -> None:
    file = tmp_path / "product.yaml"
    file.write_text(load_model("product").texts[0], "utf-8")
    asked = ["releases", "check", "matching", "product", str(file)]

    told = CliRunner().invoke(app, asked)
    machine = json.loads(CliRunner().invoke(app, [*asked, "--json"]).stdout)

    assert told.exit_code == 0
    assert "Splink" in told.stdout
    assert "levels" in told.stdout
    assert machine["parity"]["levels"] == machine["parity"]["of_levels"]
    assert max(machine["parity"]["weight"], machine["parity"]["contribution"]) <= TOLERANCE
