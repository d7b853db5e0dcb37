"""The page of a question: what would survive, what differs, the weight, how the like was answered, what hangs on it."""

import re

import orjson
import pytest
from fastapi.testclient import TestClient
from sqlalchemy import Engine, text
from typer.testing import CliRunner

from mdm.cli.app import app as command_line
from mdm.clock import system_clock
from mdm.hub.process import Pipeline, process
from mdm.hub.release import load_rules
from mdm.intake.catalogue import load_catalogue
from tests.api.test_console import form_token
from tests.integration.hub.test_former import said


@pytest.mark.sample_world
def test_a_question_is_understood_from_its_page_alone(steward: TestClient, engine: Engine) -> None:
    with engine.connect() as connection:
        first, second = connection.scalars(
            text(
                """select task_id from steward_task t join source_record a on a.rec_id = t.a
                   join source_record b on b.rec_id = t.b
                   where t.status = 'open' and t.kind = 'conflict' and t.domain = 'customer'
                     and lower(a.attributes->>'name') <> lower(b.attributes->>'name')
                     and (a.system, b.system) = (
                       select x.system, y.system from steward_task u join source_record x on x.rec_id = u.a
                       join source_record y on y.rec_id = u.b
                       where u.status = 'open' and u.kind = 'conflict' and u.domain = 'customer'
                       group by 1, 2 order by count(*) desc, 1, 2 limit 1)
                   order by t.weight desc, task_id limit 2"""
            )
        ).all()
    page = steward.get(f"/console/reviews/{first}").text
    head, _, below = page.partition('id="compare-title"')

    # What hangs on the answer, before anything is compared.
    for told in ("Running contracts", "Open invoices", "ERP numbers"):
        assert f"<dt>{told}</dt>" in head, told
    # The golden record that would survive is the first column; what differs is said in words, and marked by letters.
    table = below.partition("</table>")[0]
    columns = re.findall(r'<th scope="col"[^>]*>(.*?)</th>', table, re.DOTALL)
    assert [
        bool(re.search(kind, each))
        for kind, each in zip(("Attribute", "Golden record", "A ·", "B ·"), columns, strict=False)
    ] == [True] * 4
    assert re.search(
        r'<tr data-item [^>]*class="differs">.*?<mark>.*?<span class="sign differs"><svg', table, re.DOTALL
    )
    # The picture of the weight has a name, and the table beside it says the same and adds up.
    weights = below.partition('id="weight-title"')[2]
    assert re.search(r'<svg [^>]*role="img"[^>]*aria-label="[^"]+"', weights)
    picture, _, contributions = weights.partition("</svg>")
    rows = re.findall(
        r'<tr><th scope="row">(.*?)</th>.*?<td class="number[^"]*">(.*?)</td></tr>', contributions, re.DOTALL
    )
    bits = [float(each.replace("−", "-").replace("+", "")) for _, each in rows]
    assert (rows[0][0], rows[-1][0]) == ("prior", "match weight")
    assert sum(bits[:-1]) == pytest.approx(bits[-1], abs=0.06 * len(bits))
    for name, value in rows:
        assert value == "0" or f">{name}<" in picture, name
    assert "None between these platforms yet." in below

    csrf = form_token(page)
    steward.post(f"/console/reviews/{first}/decide", data={"csrf": csrf, "verdict": "not_same", "reason": "a branch"})
    similar = steward.get(f"/console/reviews/{second}").text.partition("How similar questions were answered")[2]
    assert "a branch" in similar.partition("</section>")[0]


#: Two rows of one code in two platforms: the name in the CRM, the name and the brand in billing, what parts them, how
#: that is called, and the sentence.
_PARTED = {
    "size": ("Zeta Wash 0.5 l", "Zeta Wash 1 l", None, "other size", "The sizes in the names differ."),
    "pack": ("Yota Wash 6 x 0.5 l", "Yota Wash 12 x 0.5 l", None, "other pack", "The packs hold different numbers"),
    "brand": ("Makita Xeno Drill", "Xeno Drill", "Bosch", "other brand", "The brands differ."),
    "version": ("Vero Ledger V2", "Vero Ledger V3", None, "other version", "The versions differ."),
}


@pytest.mark.sample_world
def test_what_parts_two_products_of_one_code_is_told_in_words_with_its_weight(
    engine: Engine, steward: TestClient, erp: TestClient
) -> None:
    catalogue, messages = load_catalogue(None), []
    for at, (what, (first, second, brand, *_)) in enumerate(_PARTED.items()):
        stated = orjson.dumps({"sku": f"QX-{what}", **({"brand": brand} if brand else {})}).decode()
        crm = {"id": f"01t-{what}", "product_code": f"QX-{what}", "name": first, "family": None}
        billing = {"id": f"prod_{what}", "name": second, "metadata": stated}
        messages.append(said("crm.public.product2", 2 * at, "c", crm))
        messages.append(said("billing.public.product", 2 * at + 1, "c", billing))
    process(Pipeline(engine, system_clock, catalogue, load_rules(catalogue)), "test", messages)
    with engine.connect() as connection:
        asked = text(
            """select a.key, b.key, task_id from steward_task t join source_record a on a.rec_id = t.a
               join source_record b on b.rec_id = t.b where t.status = 'open' and t.domain = 'product'"""
        )
        tasks = {frozenset(row[:2]): row[2] for row in connection.execute(asked)}
    database = {"MDM_DATABASE_URL": engine.url.render_as_string(hide_password=False)}

    for what, (first, _, _, level, reason) in _PARTED.items():
        ends = {"a": f"crm/product2/01t-{what}", "b": f"billing/product/prod_{what}"}
        pair = erp.get("/v1/explain", params=ends).json()
        typed = {"values": {"name": first, "code": f"QX-{what}"}, "minimum_weight": -50}
        found = {
            each["record"]["key"]: each for each in erp.post("/v1/products/match", json=typed).json()["candidates"]
        }
        entity = erp.get(f"/v1/products/{found[f'prod_{what}']['entity_id']}/explain").json()
        (rejected,) = (each for each in entity["rejected"] if each["record"]["key"] == f"01t-{what}")

        for score in (pair["score"], rejected["score"], found[f"prod_{what}"]["score"]):
            (told,) = (each for each in score["contributions"] if each["comparison"] == what)
            assert told["level"] == level
            assert told["bits"] < -1
            assert any(reason in each for each in score["reasons"])
            parts = [each["bits"] for each in score["contributions"]]
            assert sum(parts) + score["prior"] == pytest.approx(score["weight"])
        bits = f"{abs(told['bits']):.1f}"
        page = steward.get(f"/console/reviews/{tasks[frozenset((f'01t-{what}', f'prod_{what}'))]}").text
        assert reason in page
        assert re.search(rf'<th scope="row">{what}</th><td>{level}</td><td class="number">−{bits}</td>', page)
        shown = CliRunner().invoke(command_line, ["explain", *ends.values()], env=database).stdout
        assert re.search(rf"{what}\W+{level}\W+{bits}", shown)
        assert reason in shown
