"""Files of registries in their official shapes, and a VAT service that fails in every way."""

import gzip
import json
import zipfile
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest

from mdm.errors import OperatorError
from mdm.onboarding.attestation import Answer
from mdm.providers.gleif import (
    GleifEntity,
    GleifException,
    GleifRelationship,
    read_entities,
    read_exceptions,
    read_relationships,
)
from mdm.providers.sanctions import read_sanctions
from mdm.providers.vies import Vies

NOON = datetime(2026, 11, 25, 12, tzinfo=UTC)
HEADER = (
    '"LEI","Entity.LegalName","Entity.LegalAddress.Country","Entity.EntityStatus","Registration.RegistrationStatus"'
)
ROW = '"21380013Y56DETNBF423","PRABHNEET LIMITED","GB","ACTIVE","LAPSED"'
ENTITY = GleifEntity("21380013Y56DETNBF423", "PRABHNEET LIMITED", "LAPSED", "ACTIVE", "GB", None, None)


def test_entities_come_as_csv_plain_or_packed(tmp_path: Path) -> None:
    text = f"\ufeff{HEADER}\n{ROW}\n".encode()
    (tmp_path / "plain.csv").write_bytes(text)
    (tmp_path / "packed.csv.gz").write_bytes(gzip.compress(text))
    with zipfile.ZipFile(tmp_path / "packed.zip", "w") as archive:
        archive.writestr("inside.csv", text)

    for name in ("plain.csv", "packed.csv.gz", "packed.zip"):
        assert list(read_entities(tmp_path / name)) == [ENTITY]


def test_entities_come_as_json_of_the_common_data_file(tmp_path: Path) -> None:
    record = {
        "LEI": {"$": ENTITY.lei},
        "Entity": {
            "LegalName": {"@xml:lang": "en", "$": ENTITY.name},
            "LegalAddress": {"Country": {"$": "GB"}},
            "EntityStatus": {"$": "ACTIVE"},
        },
        "Registration": {"RegistrationStatus": {"$": "LAPSED"}},
    }
    (tmp_path / "a.json").write_text(json.dumps({"records": [record]}))

    assert list(read_entities(tmp_path / "a.json")) == [ENTITY]


def test_parents_are_relationships_in_force(tmp_path: Path) -> None:
    file = tmp_path / "rr.csv"
    file.write_text(
        "Relationship.StartNode.NodeID,Relationship.EndNode.NodeID,Relationship.RelationshipType,"
        "Relationship.RelationshipStatus\n"
        "A,B,IS_DIRECTLY_CONSOLIDATED_BY,ACTIVE\nA,C,IS_ULTIMATELY_CONSOLIDATED_BY,ACTIVE\n"
        "D,E,IS_DIRECTLY_CONSOLIDATED_BY,INACTIVE\nF,G,IS_FUND-MANAGED_BY,ACTIVE\n"
    )

    assert list(read_relationships(file)) == [
        GleifRelationship("A", "direct_parent", "B"),
        GleifRelationship("A", "ultimate_parent", "C"),
    ]


def test_why_no_parent_is_reported(tmp_path: Path) -> None:
    file = tmp_path / "repex.csv"
    file.write_text(
        "LEI,Exception.Category,Exception.Reason.1\nA,DIRECT_ACCOUNTING_CONSOLIDATION_PARENT,NATURAL_PERSONS\n"
        "A,ULTIMATE_ACCOUNTING_CONSOLIDATION_PARENT,NATURAL_PERSONS\n"
    )

    assert list(read_exceptions(file)) == [GleifException("A", "NATURAL_PERSONS")]


@pytest.mark.parametrize("content", [b"a,b\n1,2\n", b"", b'{"records": [{"LEI": {"$": "x"}}]}', b"{", b"PK\x03\x04"])
def test_a_file_that_is_not_gleifs_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a").write_bytes(content)
    with pytest.raises(OperatorError):
        list(read_entities(tmp_path / "a"))


def test_names_and_aliases_of_opensanctions(tmp_path: Path) -> None:
    file = tmp_path / "targets.csv"
    file.write_text('"id","schema","name","aliases","countries"\n"NK-1","Company","Acme","ACME Ltd;Acme","mm;ru"\n')

    assert [(each.entry, each.name, each.countries) for each in read_sanctions(file)] == [
        ("NK-1", "Acme", ("MM", "RU")),
        ("NK-1", "ACME Ltd", ("MM", "RU")),
    ]


def test_names_and_aliases_of_ofac(tmp_path: Path) -> None:
    file = tmp_path / "sdn.csv"
    nothing = ",-0- " * 7
    file.write_text(f'306,"BANCO NACIONAL DE CUBA",-0- ,"CUBA"{nothing},"a.k.a. \'BNC\'."\n')

    assert [(each.entry, each.name) for each in read_sanctions(file)] == [
        ("306", "BANCO NACIONAL DE CUBA"),
        ("306", "BNC"),
    ]


def vies(answer: object, status: int = 200) -> Vies:
    def respond(request: httpx.Request) -> httpx.Response:
        if isinstance(answer, Exception):
            raise answer
        return httpx.Response(status, json=answer)

    return Vies(httpx.Client(transport=httpx.MockTransport(respond)), "https://vies.invalid/check")


def test_a_registered_number_and_its_name() -> None:
    said = {"valid": True, "name": "MUSTER GMBH", "address": "---", "requestIdentifier": "WAPI1"}
    [found] = vies(said).ask(["DE136695976"], NOON)
    assert (found.answer, found.reference, dict(found.facts)) == (Answer.CONFIRMED, "WAPI1", {"name": "MUSTER GMBH"})


def test_a_number_nobody_knows() -> None:
    assert vies({"valid": False, "userError": "INVALID"}).ask(["DE1"], NOON)[0].answer is Answer.REFUTED


@pytest.mark.parametrize(
    ("answer", "status", "reason"),
    [
        ({"valid": False, "userError": "MS_UNAVAILABLE"}, 200, "MS_UNAVAILABLE"),
        (
            {"actionSucceed": False, "errorWrappers": [{"error": "GLOBAL_MAX_CONCURRENT_REQ"}]},
            200,
            "GLOBAL_MAX_CONCURRENT_REQ",
        ),
        ({}, 503, "HTTPStatusError"),
        ([], 200, "ValueError"),
        (httpx.ConnectTimeout("slow"), 200, "ConnectTimeout"),
    ],
)
def test_an_outage_is_an_answer_of_its_own(answer: object, status: int, reason: str) -> None:
    [found] = vies(answer, status).ask(["DE136695976"], NOON)
    assert (found.answer, found.reason) == (Answer.UNAVAILABLE, reason)
