"""From two CSV files to a trained model, its evaluation, and the page about it, by the commands that people use."""

import json
from pathlib import Path

import pytest
import yaml
from typer.testing import CliRunner, Result

from mdm.cli.app import app
from mdm.errors import OperatorError
from mdm.hub.tabular import Table, read_table
from tests.unit.matching.profiles import PEOPLE, people

CASE = Path(__file__).parents[3] / "cases" / "restaurants"
TABLES = [
    "--domain", "restaurant", "--config", str(CASE / "mapping.yaml"),
    "--records", f"{CASE / 'fodors.csv'},{CASE / 'zagats.csv'}",
]  # fmt: skip


def run(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["match", *arguments])


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("models")
    found = run("train", *TABLES, "--out", str(folder), "--json")
    assert found.exit_code == 0, found.output
    return folder


def test_training_writes_the_documents_of_a_model(models: Path) -> None:
    assert sorted(path.name for path in models.iterdir()) == [
        "restaurant.frequencies.json",
        "restaurant.weights.json",
        "restaurant.yaml",
    ]


def test_evaluation_tells_how_right_the_model_is(models: Path, tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    truth = ("--truth", str(CASE / "matches.csv"))

    found = run("evaluate", *TABLES, *truth, "--models", str(models), "--html", str(page), "--json")

    result = json.loads(found.stdout)
    assert result["pairwise"]["f1"] > 0.95
    assert result["candidate_recall"] > 0.98
    assert result["largest_entity"] == 2
    assert result["calibration"]["mean_distance"] < 0.05
    assert {"sizes", "thresholds", "joined_wrongly", "left_apart_wrongly", "queue"} <= result.keys()
    assert "<svg" in page.read_text("utf-8")


def test_labels_are_read_from_the_truth(tmp_path: Path) -> None:
    found = run("train", *TABLES, "--labels", str(CASE / "matches.csv"), "--out", str(tmp_path), "--json")

    assert json.loads(found.stdout)["provenance"]["method"].startswith("m and u from labels")


def lists_of_people(folder: Path) -> tuple[str, ...]:
    """The options that name a file of people, which says who is one person, and what its columns mean."""
    records, entities = people(120)
    lines = ["id,name,city,phone,person"]
    for number, (record, entity) in enumerate(zip(records, entities, strict=True)):
        lines.append(f"{number},{record['name']},{record['city']},{''.join(record.get('phones', []))},{entity}")
    (folder / "people.csv").write_text("\n".join(lines), "utf-8")
    (folder / "profile.yaml").write_text(PEOPLE, "utf-8")
    (folder / "mapping.yaml").write_text(
        "domain: people\nprofile: profile.yaml\nid: id\ntruth: {entity: person}\ncolumns:\n"
        "  name: {as: folded, from: name}\n  words: {as: words, from: name}\n  city: {as: folded, from: city}\n"
        "  phones: {as: digits, from: phone, each: true}\n",
        "utf-8",
    )
    return "--domain", "people", "--config", str(folder / "mapping.yaml"), "--records", str(folder / "people.csv")


def test_an_aim_chooses_the_threshold_that_the_written_profile_has(tmp_path: Path) -> None:
    named = lists_of_people(tmp_path)

    found = run("train", *named, "--labelled", "--aim", "best", "--out", str(tmp_path / "models"), "--json")

    assert found.exit_code == 0, found.exception
    told = json.loads(found.stdout)
    chosen, own = (told["provenance"]["thresholds"][which] for which in ("chosen", "own"))
    assert told["match"] == chosen["match"] < 0
    assert chosen["recall"] > own["recall"]
    assert chosen["b_cubed_f1"] > own["b_cubed_f1"]
    written = yaml.safe_load((tmp_path / "models" / "people.yaml").read_text("utf-8"))
    given = yaml.safe_load(PEOPLE)
    assert own["match"] == 0
    assert written["thresholds"].pop("match") == chosen["match"]
    assert written["thresholds"].pop("possible") == min(chosen["match"], given["thresholds"]["possible"])
    assert (given["thresholds"].pop("match"), given["thresholds"].pop("possible")) == (0, -2)
    assert written == given
    measured = run("evaluate", *named, "--models", str(tmp_path / "models"), "--json")
    assert json.loads(measured.stdout)["pairwise"]["f1"] > 0.7


@pytest.mark.parametrize("aim", ["", "high", "1", "0", "-0.5", "95", "nan", "inf"])
def test_what_is_no_aim_is_refused(tmp_path: Path, aim: str) -> None:
    found = run("train", *TABLES, "--labels", str(CASE / "matches.csv"), f"--aim={aim}", "--out", str(tmp_path))

    assert isinstance(found.exception, OperatorError)
    assert "--aim best" in found.exception.advice
    assert not list(tmp_path.iterdir())


def test_an_aim_without_labels_is_refused(tmp_path: Path) -> None:
    found = run("train", *TABLES, "--aim", "best", "--out", str(tmp_path))

    assert isinstance(found.exception, OperatorError)
    assert "--aim means nothing" in str(found.exception)


@pytest.mark.parametrize(("command", "option"), [("train --labelled", "--labels"), ("evaluate", "--truth")])
def test_a_missing_file_of_true_pairs_is_asked_for_by_the_option_that_the_command_has(
    models: Path, command: str, option: str
) -> None:
    found = run(*command.split(), *TABLES, *(["--models", str(models)] if command == "evaluate" else []))

    assert isinstance(found.exception, OperatorError)
    assert found.exception.advice == f"Give it with {option}."


def test_a_domain_without_a_model_says_how_to_get_one() -> None:
    found = run("evaluate", *TABLES, "--truth", str(CASE / "matches.csv"))

    assert isinstance(found.exception, OperatorError)
    assert "mdm match train" in str(found.exception.advice)


#: A mapping of companies to the domain that the hub has a model for.
COMPANIES = (
    "domain: customer\nid: id\ntruth: {entity: company}\nattributes: {name: {as: organisation_name, from: name}}\n"
)


def companies(folder: Path, mapping: str = COMPANIES, **more: str) -> list[str]:
    """Ten companies, each written twice, and what to evaluate them by."""
    rows = "".join(f"{each},Oakridge {chr(65 + each // 2) * 5} Foundry GmbH,{each // 2}\n" for each in range(20))
    (folder / "companies.csv").write_text(f"id,name,company\n{rows}", "utf-8")
    (folder / "mapping.yaml").write_text(mapping, "utf-8")
    given = {"domain": "customer", "records": str(folder / "companies.csv"), "config": str(folder / "mapping.yaml")}
    return [part for name, value in (given | more).items() for part in (f"--{name}", value)]


def test_any_table_of_companies_is_held_against_the_model_that_ships(tmp_path: Path) -> None:
    found = run("evaluate", *companies(tmp_path), "--json")

    assert found.exit_code == 0, found.exception
    assert json.loads(found.stdout)["candidate_recall"] == 1.0


def test_keys_that_too_many_share_are_told_by_rule(tmp_path: Path) -> None:
    """A name of thirteen companies is above the cap of names alone, which is 12: no two of them are compared by it."""
    rows = "".join(f"{each},Oakridge Foundry,{each // 2}\n" for each in range(13))
    given = companies(tmp_path)
    (tmp_path / "companies.csv").write_text(f"id,name,company\n{rows}", "utf-8")

    found = json.loads(run("evaluate", *given, "--json").stdout)
    printed = run("evaluate", *given, "--html", str(tmp_path / "page.html")).stdout

    words = {"rule": "words", "cap": 12, "blocks": 1, "records": 13, "pairs": 78, "true_pairs_lost": 6}
    assert words in found["blocking"]["above_cap"]
    assert found["blocking"]["true_pairs_lost"] == 6
    assert found["candidate_pairs"] == 0
    assert "6 true pairs are not compared for that" in " ".join(printed.split())
    assert "Keys that too many records share" in (tmp_path / "page.html").read_text("utf-8")


def test_records_that_share_an_entity_with_others_are_counted(tmp_path: Path) -> None:
    """Where every record is an entity of its own, pairs say nothing: recall has nothing to find."""
    given = companies(tmp_path)
    rows = "a,Oakridge Foundry GmbH,a\nb,Oakridge Foundry GmbH,b\nc,Seebad Werke AG,c\n"
    (tmp_path / "companies.csv").write_text(f"id,name,company\n{rows}", "utf-8")

    found = json.loads(run("evaluate", *given, "--json").stdout)

    assert (found["entities"], found["mixed_entities"], found["records_in_mixed_entities"]) == (2, 1, 2)


@pytest.mark.parametrize(
    ("changes", "more", "complaint"),
    [
        (("entity: company", "entity: firm"), {}, "firm"),
        (("id: id", "id: id\nonly: {colour: [red]}"), {}, "colour"),
        (("entity: company", "pairs: [id, company], label: same"), {}, "label"),
        (
            ("{name: {as", "{nmae: {as"),
            {},
            r"mapping.yaml:4: attributes.nmae is not an attribute of customer; there are",
        ),
        (
            ("attributes", "columns: {nmae: name}\nattributes"),
            {},
            "mapping.yaml:4: columns.nmae is not a column of cust",
        ),
        (("id: id", "id: id\nonly: {name: [Nobody]}"), {}, "no record"),
        (("", ""), {"domain": "product"}, "not product"),
        (("", ""), {"models": "nowhere"}, "no folder"),
        (("", ""), {"models": "."}, "no model of customer"),
        (("", ""), {"html": "no/where/page.html"}, "cannot be written"),
    ],
)
def test_what_cannot_be_meant_is_refused_with_advice(
    tmp_path: Path, changes: tuple[str, str], more: dict[str, str], complaint: str
) -> None:
    more = {name: str(tmp_path / value) if name in ("models", "html") else value for name, value in more.items()}

    found = run("evaluate", *companies(tmp_path, COMPANIES.replace(*changes), **more))

    assert isinstance(found.exception, OperatorError)
    assert complaint in str(found.exception)
    assert found.exception.advice


#: The table of `companies` as other programs write it, and what of it is refused.
TABLE = "id,name,company\n" + "".join(f"{n},Oakridge {chr(65 + n // 2) * 5} Foundry GmbH,{n // 2}\n" for n in range(20))


def written(folder: Path, text: str) -> Table:
    """The table that a file of this text is read as."""
    (folder / "companies.csv").write_bytes(text.encode())
    (folder / "mapping.yaml").write_text(COMPANIES, "utf-8")
    return read_table([folder / "companies.csv"], folder / "mapping.yaml")


@pytest.mark.parametrize(
    "text",
    [
        TABLE.replace(",", ";"),
        TABLE.replace(",", "\t"),
        TABLE.replace("\n", "\r"),
        "\ufeff" + TABLE.replace("\n", "\r\n"),
    ],
    ids=["semicolons", "tabs", "line ends of old", "line ends and mark of Windows"],
)
def test_a_table_is_read_however_a_program_writes_it(tmp_path: Path, text: str) -> None:
    found = written(tmp_path, text)

    assert found.rows == written(tmp_path, TABLE).rows
    assert len(found.rows) == 20


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        (("\n3,Oakridge", '\n3,"Oakridge'), "after line 4: unexpected end of data"),
        ((",Oakridge BBB", ',"Oakridge BBB'), "after line 3: ',' expected"),
        (("id,name,company", "id,name,company,name"), "two columns 'name'"),
        (("\n3,Oakridge", "\n3,Oakridge, Inc.,"), "line 5: there are more values than columns"),
        (("\n3,", "\n4,"), "'4', for one, stands there more than once"),
    ],
)
def test_a_table_of_which_some_would_be_lost_is_refused(
    tmp_path: Path, changes: tuple[str, str], complaint: str
) -> None:
    with pytest.raises(OperatorError, match=complaint):
        written(tmp_path, TABLE.replace(*changes))


def test_separators_at_the_end_of_a_row_are_no_values(tmp_path: Path) -> None:
    assert written(tmp_path, TABLE.rstrip("\n") + ",,\n").rows == written(tmp_path, TABLE).rows


@pytest.mark.parametrize("command", ["train", "evaluate"])
def test_a_column_that_the_profile_does_not_know_is_refused(tmp_path: Path, command: str) -> None:
    """It would be read, stand in every record, and be compared by nothing."""
    wrong = (CASE / "mapping.yaml").read_text("utf-8").replace("  phone:", "  telephone:")
    (tmp_path / "mapping.yaml").write_text(wrong, "utf-8")
    (tmp_path / "profile.yaml").write_text((CASE / "profile.yaml").read_text("utf-8"), "utf-8")
    more = ("--out", str(tmp_path / "out")) if command == "train" else ("--truth", str(CASE / "matches.csv"))

    found = run(command, *TABLES, "--config", str(tmp_path / "mapping.yaml"), *more)

    assert isinstance(found.exception, OperatorError)
    line = wrong[: wrong.index("  telephone:")].count("\n") + 1
    told = str(found.exception)
    assert f"mapping.yaml:{line}: columns.telephone is not a column of the profile profile.yaml; there are" in told
    assert "phone" in told.split("there are")[1]


def truth(folder: Path, *lines: str) -> list[str]:
    """The ten companies with their truth in a file of its own."""
    (folder / "truth.csv").write_text("\n".join(("row,company", *lines)), "utf-8")
    mapping = COMPANIES.replace("{entity: company}", "{entity: company, id: row}")
    return companies(folder, mapping, truth=str(folder / "truth.csv"))


def test_truth_about_other_records_is_told(tmp_path: Path) -> None:
    found = run("evaluate", *truth(tmp_path, "0,a", "1,a", "98,b", "99,b"), "--json")

    assert found.exit_code == 0, found.exception
    assert json.loads(found.stdout)["truth_without_record"] == 2
    assert "2 ids of the truth are not among the 20 records, such as '98'" in " ".join(found.stderr.split())


def test_truth_about_nothing_but_other_records_is_refused(tmp_path: Path) -> None:
    found = run("evaluate", *truth(tmp_path, "98,b", "99,b"))

    assert isinstance(found.exception, OperatorError)
    assert "None of the 20 records" in str(found.exception)


def test_a_column_of_truth_that_is_empty_is_named(tmp_path: Path) -> None:
    """The config says where the truth stands, and the file names the records: neither is what is wrong."""
    in_a_file = run("evaluate", *truth(tmp_path, "0,", "1,"))
    of_records = companies(tmp_path)
    (tmp_path / "companies.csv").write_text("id,name,company\n1,Oakridge Foundry GmbH,\n2,Acme GmbH,\n", "utf-8")
    in_the_records = run("evaluate", *of_records)

    for found, where in ((in_a_file, "truth.csv"), (in_the_records, "the records")):
        assert isinstance(found.exception, OperatorError)
        assert "is empty for every record" in str(found.exception)
        assert where in str(found.exception)


def test_a_file_of_truth_needs_the_column_that_names_the_record(tmp_path: Path) -> None:
    truth(tmp_path, "0,a", "1,a")
    (tmp_path / "mapping.yaml").write_text(COMPANIES, "utf-8")

    found = run("evaluate", *companies(tmp_path, truth=str(tmp_path / "truth.csv")))

    assert isinstance(found.exception, OperatorError)
    assert "`truth` lacks `id`" in str(found.exception)
    assert "truth: {entity: company, id: ...}" in found.exception.advice
    assert "(row)" in found.exception.advice


def test_a_name_that_is_read_as_plain_text_is_told_how_to_be_compared(tmp_path: Path) -> None:
    plain = COMPANIES.replace("{as: organisation_name, from: name}", "name")

    said = " ".join(run("evaluate", *companies(tmp_path, plain)).stderr.split())

    assert "in any record: attributes.name." in said
    assert "write `name: {as: organisation_name, from: name}`" in said


def test_truth_that_contradicts_itself_is_refused(tmp_path: Path) -> None:
    found = run("evaluate", *truth(tmp_path, "0,a", "1,a", "0,b"))

    assert isinstance(found.exception, OperatorError)
    assert "says of '0' that it is 'a' and that it is 'b'" in str(found.exception)


def test_ids_that_differ_by_a_capital_are_two_records(tmp_path: Path) -> None:
    """The ids of some CRM systems do."""
    truth(tmp_path, "a0,one", "A0,two")
    (tmp_path / "companies.csv").write_text("id,name\na0,Oakridge\nA0,Elmwood\n", "utf-8")

    found = read_table([tmp_path / "companies.csv"], tmp_path / "mapping.yaml", tmp_path / "truth.csv")

    assert found.entities == ["one", "two"]


def test_pairs_of_three_files_are_refused(tmp_path: Path) -> None:
    (tmp_path / "third.csv").write_bytes((CASE / "zagats.csv").read_bytes())

    found = run("evaluate", *TABLES, "--records", str(tmp_path / "third.csv"), "--truth", str(CASE / "matches.csv"))

    assert isinstance(found.exception, OperatorError)
    assert "3 files of records" in str(found.exception)


def test_what_is_read_and_compared_by_nothing_is_told(tmp_path: Path) -> None:
    """A company name read as plain text makes a golden value, and nothing to compare."""
    mapping = COMPANIES.replace("from: name}", "from: name}, segment: name")
    mapping += "columns: {phones: {as: digits, from: name}}"

    found = run("evaluate", *companies(tmp_path, mapping), "--json")

    assert found.exit_code == 0, found.exception
    assert json.loads(found.stdout)["filled_by_nothing"] == ["attributes.segment", "columns.phones"]
    assert "attributes.segment, columns.phones" in " ".join(found.stderr.split())


@pytest.mark.parametrize(
    ("profile", "complaint"), [("", "mapping"), ("- a", "mapping"), ("a: [", "cannot be read"), ("x: 1", "domain")]
)
def test_what_is_no_profile_trains_nothing(tmp_path: Path, profile: str, complaint: str) -> None:
    (tmp_path / "profile.yaml").write_text(profile, "utf-8")
    (tmp_path / "records.jsonl").write_text('{"comparison": {"name": "acme"}}\n' * 3, "utf-8")
    records = ("--domain", "customer", "--records", str(tmp_path / "records.jsonl"))

    found = run("train", *records, "--profile", str(tmp_path / "profile.yaml"), "--out", str(tmp_path))

    assert isinstance(found.exception, OperatorError)
    assert complaint in str(found.exception)


def test_what_is_learned_from_labels_is_not_learned_afresh(tmp_path: Path) -> None:
    found = run("train", "--domain", "customer", "--world", "W", "--labelled", "--afresh", "--out", str(tmp_path))

    assert isinstance(found.exception, OperatorError)
    assert "--afresh means nothing" in str(found.exception)


def test_options_that_would_be_ignored_are_refused(tmp_path: Path) -> None:
    found = run("train", "--domain", "customer", "--hub", "--labelled", "--out", str(tmp_path))

    assert isinstance(found.exception, OperatorError)
    assert "--labelled" in str(found.exception)
