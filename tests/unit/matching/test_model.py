"""Models are checked when they are loaded, not when the millionth pair is scored."""

import json
from collections.abc import Callable
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
import yaml

from matching.blocking import BlockingKey, block_numbers
from matching.frequencies import count_values, read_frequencies
from matching.model import MatchModel, load_model, profile_model, read_model
from mdm.errors import ConfigurationInvalid
from mdm.model.blocks import cap_of

DOMAINS = ("customer", "contract", "product")
PUBLIC_SETS = sorted((Path(__file__).parents[3] / "bench" / "accuracy").glob("*/profile.yaml"))


def documents(domain: str) -> tuple[Any, Any]:
    folder = files("matching") / "models"
    profile = yaml.safe_load((folder / f"{domain}.yaml").read_text("utf-8"))
    return profile, json.loads((folder / f"{domain}.weights.json").read_text("utf-8"))


def load_weights(domain: str) -> Any:
    return documents(domain)[1]


def changed(change: Callable[[Any, Any], None]) -> MatchModel:
    profile, weights = documents("customer")
    weights.pop("checksum")
    change(profile, weights)
    return read_model(yaml.safe_dump(profile, sort_keys=False), json.dumps(weights))


@pytest.mark.parametrize("domain", DOMAINS)
def test_shipped_models_load_and_say_where_their_weights_come_from(domain: str) -> None:
    model = load_model(domain)

    assert model.domain == domain
    assert len(model.fingerprint) == 16
    assert 10 < model.block_cap <= 100
    assert model.provenance


def test_a_coarse_rule_pairs_fewer_and_its_keys_say_so_wherever_they_are_met() -> None:
    model = changed(lambda profile, _: profile.update(block_cap=40))
    coarse = next(rule for rule in model.blocking if rule.name == "words")
    fine = next(rule for rule in model.blocking if rule.name == "words+city")

    blocks = block_numbers(model, [BlockingKey("words", "acme"), BlockingKey("words+city", "acme|bonn")])

    assert (model.cap_of(coarse), model.cap_of(fine)) == (10, 40)
    assert [cap_of(model.block_cap, block) for block in blocks] == [10, 40]
    assert block_numbers(load_model("customer"), [BlockingKey("words", "acme")]) == blocks[:1]
    # A cap that is small already leaves two to compare.
    assert [cap_of(3, block) for block in blocks] == [2, 3]


@pytest.mark.parametrize("domain", DOMAINS)
def test_levels_of_a_comparison_are_ordered_from_for_to_against(domain: str) -> None:
    for comparison in load_model(domain).comparisons:
        weights = [round(level.weight, 6) for level in comparison.levels]
        assert weights == sorted(weights, reverse=True), comparison.name


def test_the_fingerprint_covers_profile_and_weights() -> None:
    unchanged = changed(lambda profile, weights: None)
    other_threshold = changed(lambda profile, weights: profile["thresholds"].update(match=1.25))
    other_weight = changed(lambda profile, weights: weights.update(prior=weights["prior"] + 0.5))

    assert unchanged.fingerprint == load_model("customer").fingerprint
    assert len({unchanged.fingerprint, other_threshold.fingerprint, other_weight.fingerprint}) == 3


def test_an_unknown_domain_is_refused() -> None:
    with pytest.raises(ConfigurationInvalid, match="invoice"):
        load_model("invoice")


def _first_level(profile: Any) -> Any:
    return profile["comparisons"][0]["levels"][0]


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        (lambda p, w: _first_level(p).update(when={"overlap": "nmaes"}), "nmaes"),
        (lambda p, w: _first_level(p).update(when={"equal": "phones"}), "phones"),
        (lambda p, w: _first_level(p).update(when={"soundex": "name"}), "soundex"),
        (lambda p, w: _first_level(p).update(when={"jaro_winkler": {"column": "name"}}), "at_least"),
        (lambda p, w: _first_level(p).update(when={"overlap": {"column": "names", "at_least": 0}}), "from 1 to 127"),
        (lambda p, w: _first_level(p).update(when={"overlap": {"column": "names", "at_least": 128}}), "from 1 to 127"),
        *(
            (lambda p, w, when=when: _first_level(p).update(when=when), complaint)
            for when, complaint in [
                ({"jaro_winkler": {"column": "name", "at_least": 1.5}}, "at_least is 1.5; it must be from 0.01 to 1"),
                ({"jaro_winkler": {"column": "name", "at_least": float("nan")}}, "at_least is nan"),
                ({"levenshtein": {"column": "vat", "at_most": -1}}, "at_most is -1; it must be from 0 to 127"),
                ({"covered": {"column": "name_tokens", "near": 0}}, "near is 0; it must be from 0.01 to 1"),
                ({"contained": {"column": "name_tokens", "near": 0.9, "at_most": -1}}, "at_most is -1"),
                ({"overlap": {"column": "names", "at_least": 1.5}}, "at_least is 1.5; it must be a whole number"),
                ({"overlap": {"column": "names", "at_least": True}}, "at_least is True, which is no number"),
                ({"levenshtein": {"column": "vat", "at_most": 1.5}}, "at_most is 1.5; it must be a whole number"),
                ({"levenshtein": {"column": "vat", "at_most": True}}, "at_most is True, which is no number"),
                ({"levenshtein": {"column": "vat", "at_most": "1"}}, "at_most is '1', which is no number"),
                ({"covered": {"column": "name_tokens", "near": 1, "at_most": 0.5}}, "at_most is 0.5; it must be a who"),
                ({"within": {"columns": ["a", "b"], "distance": -1}}, "distance is -1"),
                ({"inside": {"inner": ["a", "b"], "outer": ["c", "d"], "slack": float("inf")}}, "slack is inf"),
            ]
        ),
        *(
            (lambda p, w, when=when: p["vetoes"][0].update(when=when), "a condition and its opposite stand beside")
            for when in (
                {"any": [{"equal": "country"}, {"not": {"equal": "country"}}]},
                {"all": [{"missing": "vat"}, {"any": [{"not": {"overlap": "names"}}, {"overlap": "names"}]}]},
                {"not": {"all": [{"equal": "country"}, {"not": {"equal": ["country", "country"]}}]}},
            )
        ),
        (lambda p, w: p["vetoes"].extend({**p["vetoes"][0], "name": f"v{i}"} for i in range(127)), "vetoes are more"),
        (lambda p, w: _first_level(p).update(label="renamed level"), "renamed level"),
        (lambda p, w: w["comparisons"]["name"][_first_level(p)["label"]].update(m=0.0), "probabilities"),
        (lambda p, w: w["comparisons"]["name"][_first_level(p)["label"]].update(m=1.0, u=1e-30), "bits"),
        (lambda p, w: w.update(features=99), "99"),
        (lambda p, w: w.update(domain="product"), "product"),
        (lambda p, w: p.pop("thresholds"), "thresholds"),
        (lambda p, w: p["vetoes"][0].update(effect="maybe"), "maybe"),
        (lambda p, w: w["comparisons"].update(moon={"full": {"m": 0.5, "u": 0.5}}), "moon"),
        (lambda p, w: w["comparisons"]["name"].update(moon={"m": 0.5, "u": 0.5}), "moon"),
        (lambda p, w: p["thresholds"].update(possible=p["thresholds"]["match"] + 1), "thresholds"),
        (lambda p, w: p["thresholds"].update(match=float("nan")), "nan"),
        (lambda p, w: p["thresholds"].update(match=100_000), "thresholds.match: 100000 is no match weight"),
        (
            lambda p, w: p["thresholds"].update(match=90, sure=90),
            "thresholds.match: 90 bits are more than any pair can weigh",
        ),
        (lambda p, w: p["thresholds"].update(match=-90, possible=-90), "all that is compared would be joined"),
        (lambda p, w: p["thresholds"].update(groups=-1e9), "thresholds.groups"),
        (lambda p, w: p["thresholds"].update(absent=5), "thresholds.absent: 5 bits for a pair that is no link"),
        (lambda p, w: p["thresholds"].update(groups=-3, attach=-1), "thresholds.groups: -3 bits are less than"),
        (lambda p, w: p["thresholds"].update(rival=-1), "thresholds.rival: -1 bits worse is better"),
        (lambda p, w: p["vetoes"][1].update(name=p["vetoes"][0]["name"]), "two vetoes are named"),
        (lambda p, w: p["thresholds"].update(rival=100), "rival: 100 bits are more than .* differ by .85.6."),
        (lambda p, w: p["thresholds"].update(sure=-50), "thresholds.sure: -50 bits are less than `match` .1.5."),
        (lambda p, w: p["thresholds"].update(sure=1.4), "thresholds.sure: 1.4 bits are less than `match` .1.5."),
        (lambda p, w: p["thresholds"].update(sure=49), "sure: 49 bits are more than .* no match would ever be sure"),
        (
            lambda p, w: p["thresholds"].update(attach=60, groups=60),
            "thresholds.attach: 60 bits are more than .* .48.3.: no",
        ),
        (
            lambda p, w: p["thresholds"].update(groups=60),
            "thresholds.groups: 60 bits are more than .* .48.3.: no two gr",
        ),
        (lambda p, w: p["thresholds"].update(possible=-100), "possible: -100 bits are less than .* asked about all"),
        (lambda p, w: p["thresholds"].update(possible=-38), "possible: -38 bits are less than any pair weighs"),
        (lambda p, w: p["thresholds"].update(possible=1.6), "thresholds.possible: people would be asked from 1.6"),
        (lambda p, w: p["thresholds"].update(attach=-38), "thresholds.attach: -38 bits are less than any pair weighs"),
        (lambda p, w: p["thresholds"].update(groups=-38, attach=-38), "thresholds.attach: -38 bits are less than"),
        (lambda p, w: p["thresholds"].update(absent=-38), "thresholds.absent: -38 bits are less than any pair weighs"),
        (lambda p, w: p.update(block_cap=10_001), "10,001 records of one block"),
        (lambda p, w: p.update(block_cap=2.7), "customer.block_cap: 2.7 is no whole number"),
        (lambda p, w: p.update(block_cap=True), "customer.block_cap: true is no number"),
        (lambda p, w: p.update(reach_cap=2.7), "customer.reach_cap: 2.7 is no whole number"),
        (lambda p, w: p.update(reach_cap=1), "customer.reach_cap: 1 would leave no two records"),
        (lambda p, w: p.update(reach_cap=10**9), "reach_cap: 1,000,000,000 records that links connect"),
        (lambda p, w: p["blocking"][0].update(limit=10**9), "limit: 1,000,000,000 keys of one record would each"),
        (lambda p, w: p["blocking"][0].update(limit=2.5), "limit: 2.5 is no whole number"),
        (lambda p, w: w.update(prior=39), "39.0 bits is not a weight"),
        (lambda p, w: w["comparisons"]["name"][_first_level(p)["label"]].update(m=1, u=2**-39), "39.0 bits is not"),
        (
            lambda p, w: w["comparisons"]["name"][_first_level(p)["label"]].update(u="0.1"),
            "u: the text '0.1' is no num",
        ),
        (lambda p, w: p["thresholds"].update(match="1.5"), "match: the text '1.5' is no number"),
        (lambda p, w: p.update(block_cap=1), "block_cap"),
        (lambda p, w: p["comparisons"][0].update(worst=9, best=-9), "worst"),
        (lambda p, w: p["comparisons"][0].update(worst=0), "weighs -[0-9.]+ bits, and the worst .* is 0"),
        (lambda p, w: p["comparisons"][0].update(best=1.5), "weighs [0-9.]+ bits, and the best .* is 1.5"),
        (lambda p, w: p["comparisons"][0].update(worst=True), "name.worst: true is no number"),
        (lambda p, w: p["thresholds"].update(match=True), "thresholds.match: true is no number"),
        (lambda p, w: p["blocking"][0].update(limit=True), "limit: true is no number"),
        (lambda p, w: w.update(prior=True), "customer.prior: true is no number"),
        (lambda p, w: w.update(prior=False), "customer.prior: false is no number"),
        (lambda p, w: w["comparisons"]["name"][_first_level(p)["label"]].update(m=True), "m: true is no number"),
        (lambda p, w: p.update(vetos=p.pop("vetoes")), "'vetos' is not a known key here; there are .*vetoes"),
        (lambda p, w: p["cannot_link"].update(identifier=["vat"]), "cannot_link: 'identifier' is not a known key"),
        (lambda p, w: p["cannot_link"].update(identifiers=["vta"]), "no column 'vta'"),
        (lambda p, w: p["cannot_link"].update(identifiers="vat"), "list of texts"),
        (lambda p, w: p["cannot_link"].update(parents=["self", "mothers"]), "no column 'mothers'"),
        (lambda p, w: p["thresholds"].update(mach=3), "'mach' is not a known key"),
        (lambda p, w: _first_level(p).update(expcted=3), "name.same name of rare words: 'expcted' is not a known key"),
        (lambda p, w: _first_level(p).update(expected=float("nan")), "nan bits"),
        (lambda p, w: p["blocking"][0].update(limit=0), "makes no keys"),
        (lambda p, w: p["blocking"][0].update(halved=4), "block_cap cannot be halved 4 times"),
        (lambda p, w: p["blocking"][0].update(halved=-1), "block_cap cannot be halved -1 times"),
        (lambda p, w: p["blocking"][0].update(halved=1.5), "block_cap cannot be halved 1.5 times"),
        (lambda p, w: p["blocking"][0].update(halved=float("nan")), "block_cap cannot be halved nan times"),
        (lambda p, w: p["blocking"][0].update(halved=True), "halved: true is no number"),
        (lambda p, w: p["blocking"][0].update(columns=[]), "makes no keys"),
        (lambda p, w: p["blocking"].append(p["blocking"][0]), "two blocking rules"),
        (
            lambda p, w: [p["blocking"][a].update(refines=p["blocking"][b]["rule"]) for a, b in ((0, 1), (1, 0))],
            "itself",
        ),
        (lambda p, w: p.update(block_cap=float("inf")), "block_cap: inf is no whole number"),
        (lambda p, w: w.update(common_tokens="acme"), "list of texts"),
        (lambda p, w: w.update(priors=0.0), "customer.weights: 'priors' is not a known key here; there are .*prior"),
        (
            lambda p, w: w["comparisons"]["name"][_first_level(p)["label"]].update(weight=3),
            r"weights\.name\.same name of rare words: 'weight' is not a known key here; there are m, u",
        ),
        (lambda p, w: w.pop("prior"), "lacks 'prior'"),
        (lambda p, w: w.update(prior=float("nan")), "nan bits"),
        (lambda p, w: w["comparisons"]["name"][_first_level(p)["label"]].update(m=float("nan")), "probabilities"),
        (lambda p, w: w["comparisons"].update(name=load_weights("product")["comparisons"]["name"]), "has no weight"),
    ],
)
def test_a_wrong_document_is_refused_with_what_is_wrong(change: Callable[[Any, Any], None], complaint: str) -> None:
    with pytest.raises(ConfigurationInvalid, match=complaint) as refused:
        changed(change)
    assert refused.value.advice


@pytest.mark.parametrize("beyond", [0.5e-6, 2e-6])
@pytest.mark.parametrize(("limit", "sign"), [("worst", 1), ("best", -1)])
def test_a_weight_may_pass_its_limit_by_rounding_alone(limit: str, sign: int, beyond: float) -> None:
    name = load_model("customer").comparisons[0]
    extreme = name.levels[-1 if limit == "worst" else 0].weight

    def change(profile: Any, _weights: Any) -> None:
        profile["comparisons"][0][limit] = extreme + sign * beyond

    if beyond < 1e-6:
        assert changed(change).comparisons[0].levels == name.levels
    else:
        with pytest.raises(ConfigurationInvalid, match=f"the {limit} that the comparison may weigh"):
            changed(change)


@pytest.mark.parametrize("domain", DOMAINS)
def test_a_weight_that_training_did_not_write_is_refused(domain: str) -> None:
    """Provenance and parity are about the weights that were measured."""
    profile, weights, tables = load_model(domain).texts
    document = json.loads(weights)
    level = next(iter(next(iter(document["comparisons"].values())).values()))
    level["m"] /= 2

    with pytest.raises(ConfigurationInvalid, match="not those that training wrote") as refused:
        read_model(profile, json.dumps(document), tables)
    assert "mdm match train" in str(refused.value.advice)
    document.pop("checksum")
    assert read_model(profile, json.dumps(document), tables).fingerprint != load_model(domain).fingerprint


@pytest.mark.parametrize("caps", [{"block_cap": 60.0}, {"reach_cap": 10_000}, {"block_cap": 10_000}])
def test_a_whole_number_may_be_written_as_one_and_a_bound_may_be_reached(caps: dict[str, float]) -> None:
    model = changed(lambda profile, _: profile.update(caps))

    assert {key: getattr(model, key) for key in caps} == caps
    assert all(isinstance(getattr(model, key), int) for key in caps)


def test_a_threshold_may_be_where_a_pair_can_be() -> None:
    bounds = {"sure": 48, "attach": 48, "groups": 48, "possible": -37, "absent": -37, "rival": 85}

    limits = changed(lambda profile, _: profile["thresholds"].update(bounds)).thresholds

    assert {key: getattr(limits, key) for key in bounds} == bounds


@pytest.mark.parametrize("path", PUBLIC_SETS, ids=lambda path: path.parent.name)
def test_the_profiles_of_the_public_sets_are_none_of_those_that_are_refused(path: Path) -> None:
    text = path.read_text("utf-8")
    assert len(PUBLIC_SETS) > 10
    tables = {column: count_values(column, ["a", "b"]) for column in yaml.safe_load(text).get("frequencies", {})}

    assert profile_model(text, (), tables).comparisons


def test_the_weights_of_another_domain_are_refused() -> None:
    customer, product = load_model("customer").texts, load_model("product").texts

    with pytest.raises(ConfigurationInvalid, match="the weights are for domain product"):
        read_model(customer[0], product[1], None)


@pytest.mark.parametrize("share", [0.1, 0.5, 0.97])
@pytest.mark.parametrize("which", [0, 1])
def test_a_document_that_was_cut_off_is_refused(which: int, share: float) -> None:
    texts = list(load_model("customer").texts)
    whole = texts[which]
    assert whole is not None
    texts[which] = whole[: int(len(whole) * share)]

    with pytest.raises(ConfigurationInvalid):
        read_model(str(texts[0]), str(texts[1]), texts[2])


@pytest.mark.parametrize("missing", ["customer.yaml", "customer.weights.json"])
def test_half_a_model_does_not_give_way_to_the_one_that_ships(tmp_path: Path, missing: str) -> None:
    for name in ("customer.yaml", "customer.weights.json"):
        if name != missing:
            (tmp_path / name).write_text((files("matching") / "models" / name).read_text("utf-8"), "utf-8")

    with pytest.raises(ConfigurationInvalid, match="half"):
        load_model("customer", tmp_path)


def test_what_is_no_text_is_refused(tmp_path: Path) -> None:
    for name in ("customer.yaml", "customer.weights.json"):
        (tmp_path / name).write_bytes(b"\xff")

    with pytest.raises(ConfigurationInvalid, match="cannot be read"):
        load_model("customer", tmp_path)


def test_a_value_that_never_occurs_is_no_frequency() -> None:
    with pytest.raises(ConfigurationInvalid, match="occurs 0 times"):
        read_frequencies('{"words": {"total": 3, "values": {"0": ["acme"]}}}')


@pytest.mark.parametrize("profile", ["", "0", "- a", "2001-13-45", "!!timestamp x", "domain: [", "domain: customer"])
def test_what_is_no_profile_at_all_is_refused(profile: str) -> None:
    with pytest.raises(ConfigurationInvalid):
        read_model(profile, "{}")


def test_a_key_that_stands_twice_is_refused_with_its_line() -> None:
    """The last would count, and what the first said would be gone."""
    folder = files("matching") / "models"
    profile, weights = ((folder / f"contract.{each}").read_text("utf-8") for each in ("yaml", "weights.json"))
    frequencies = folder / "contract.frequencies.json"
    tables = frequencies.read_text("utf-8") if frequencies.is_file() else None

    with pytest.raises(ConfigurationInvalid, match=r"(?s)'block_cap' stands there twice.*line \d+"):
        read_model(f"{profile}\nblock_cap: 7\n", weights, tables)
    with pytest.raises(ConfigurationInvalid, match="'prior' stands there twice"):
        read_model(profile, weights.replace("{", '{"prior": 0, ', 1), tables)
