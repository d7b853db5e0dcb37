"""Training finds what was put into the data, and keeps its promises about weights."""

import json
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from matching.model import profile_model, read_model
from matching.training.fit_labels import Sample, Store, common_tokens, fit, main, sample, train

PROFILE = """
domain: customer
thresholds: {match: 3, possible: 0, groups: 1, attach: -1, absent: -5}
blocking: [{rule: city, columns: [city]}]
comparisons:
  - name: name
    worst: -3
    unknown: {missing: name}
    levels:
      - {label: same, when: {equal: name}}
      - {label: near, expected: 1.5, when: {jaro_winkler: {column: name, at_least: 0.9}}}
    otherwise: different
  - name: phone
    unknown: {missing: phones}
    levels:
      - {label: same phone, when: {overlap: phones}}
    otherwise: other phone
"""


def labelled(weights: tuple[list[float], ...], prior: float, size: int) -> Sample:
    """Pairs whose matches are drawn by exactly these weights in bits."""
    random = np.random.default_rng(7)
    levels = np.stack([random.integers(0, len(each) + 1, size) for each in weights], axis=1).astype(np.int8)
    tables = [np.array([0.0, *each]) for each in weights]
    bits = prior + sum(table[levels[:, i]] for i, table in enumerate(tables))
    return Sample(levels, random.random(size) < 1 / (1 + 2.0**-bits))


def test_training_recovers_the_weights_behind_the_data() -> None:
    model = profile_model(PROFILE, ())
    truth = ([4.0, 1.0, -2.5], [3.0, -1.0])

    found = fit(model.comparisons, labelled(truth, -1.0, 60_000), shrinkage=0.01)

    assert found.prior == pytest.approx(-1.0, abs=0.15)
    for weights, true in zip(found.weights, truth, strict=True):
        np.testing.assert_allclose(weights, true, atol=0.2)


def test_no_level_weighs_less_than_a_worse_one_or_than_the_worst_allowed() -> None:
    model = profile_model(PROFILE, ())
    # "near" speaks against and "different" far more against than the profile allows.
    found = fit(model.comparisons, labelled(([1.0, -6.0, -5.0], [2.0, -1.0]), 0.0, 20_000), shrinkage=0.01)

    assert list(found.weights[0]) == sorted(found.weights[0], reverse=True)
    assert found.weights[0][-1] >= -3.0


def test_a_level_that_was_never_seen_weighs_what_is_expected_of_it() -> None:
    model = profile_model(PROFILE, ())
    data = labelled(([4.0, 1.0, -2.0], [3.0, -1.0]), -1.0, 20_000)
    unseen = data.levels[:, 0] != 2

    found = fit(model.comparisons, Sample(data.levels[unseen], data.matches[unseen]), shrinkage=0.05)

    assert found.weights[0][1] == pytest.approx(1.5, abs=0.05)


def store(size: int) -> Store:
    """Two records per company; every fourth name is mistyped, phones are shared within the company."""
    comparisons: list[dict[str, Any]] = []
    entities = []
    for number in range(size):
        for copy in range(2):
            name = f"company {number:04d}" + ("x" if copy and not number % 4 else "")
            comparisons.append({"name": name, "phones": [f"31{number:04d}"], "city": f"city {number // 10}"})
            entities.append(f"E{number}")
    return Store(comparisons, entities)


def test_pairs_are_drawn_from_the_blocks_of_the_profile() -> None:
    data = sample(profile_model(PROFILE, ()), [store(40)])

    # Ten companies of two records share a city: 190 pairs, ten of them matches.
    assert len(data.matches) == 4 * 190
    assert data.matches.sum() == 40


def test_words_of_many_companies_are_common() -> None:
    assert common_tokens([store(40)], share=0.1) == ["company"]


def test_training_twice_gives_the_same_document_and_it_loads() -> None:
    first, second = (train("customer", PROFILE, [store(60)], 0.05, 0.1, "test") for _ in range(2))

    assert first == second
    model = read_model(PROFILE, json.dumps(first))
    assert model.common_tokens == {"company"}
    weights = {level.label: level.weight for comparison in model.comparisons for level in comparison.levels}
    assert weights["same phone"] > 0 > weights["other phone"]


def test_the_command_reads_records_and_writes_weights(tmp_path: Path) -> None:
    world = store(60)
    lines = [
        json.dumps({"comparison": comparison, "entity": entity})
        for comparison, entity in zip(world.comparisons, world.entities, strict=True)
    ]
    (tmp_path / "records.jsonl").write_text("\n".join(lines), "utf-8")
    (tmp_path / "profile.yaml").write_text(PROFILE, "utf-8")
    out = tmp_path / "weights.json"

    main(["--domain", "customer", "--records", str(tmp_path / "records.jsonl"),
          "--profile", str(tmp_path / "profile.yaml"), "--out", str(out)])  # fmt: skip

    assert read_model(PROFILE, out.read_text("utf-8")).provenance.startswith("Logistic regression")


@pytest.mark.parametrize("domain", ["customer", "contract", "product"])
def test_shipped_weights_name_every_level_once(domain: str) -> None:
    weights = json.loads((files("matching") / "models" / f"{domain}.weights.json").read_text("utf-8"))
    neutral = profile_model((files("matching") / "models" / f"{domain}.yaml").read_text("utf-8"), ())

    assert {name: list(levels) for name, levels in weights["comparisons"].items()} == {
        comparison.name: [level.label for level in comparison.levels] for comparison in neutral.comparisons
    }
