"""What explanations tell of matches that were not followed, and to whom."""

from mdm.access import Role
from mdm.model.ids import Domain
from tests.api.test_matching import World, records


def test_identifiers_that_keep_two_records_apart_are_told_to_whom_may_see_them(world: World) -> None:
    erp = world(Role.ERP)
    found = [
        (item["id"], place, each)
        for item in records(erp, Domain.CUSTOMER)
        for place, each in enumerate(erp.get(f"/v1/customers/{item['id']}/explain").json()["rejected"])
        if each["refused"] and each["refused"]["identifiers"]
    ]
    entity, place, rejected = found[0]
    (differing, *_) = rejected["refused"]["identifiers"]
    ends = {end: "/".join(key.values()) for end, key in zip("ab", rejected["refused"]["match"], strict=True)}

    pair = erp.get("/v1/explain", params=ends).json()
    reader = world(Role.READER)
    hidden = [
        reader.get("/v1/explain", params=ends).json()["refused"],
        reader.get(f"/v1/customers/{entity}/explain").json()["rejected"][place]["refused"],
    ]

    assert pair["refused"] == rejected["refused"]
    assert differing["a"]
    assert differing["b"]
    assert f"identifiers differ ({differing['kind']}" in pair["verdict"]
    assert not any(value in pair["verdict"] for value in (*differing["a"], *differing["b"]))
    for refused in hidden:
        assert {(each["a"], each["b"]) for each in refused["identifiers"]} == {(None, None)}
