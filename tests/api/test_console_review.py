"""The page of a question: what would survive, what differs, the weight, how the like was answered, what hangs on it."""

import re

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import Engine, text

from tests.api.test_console import form_token


@pytest.mark.sample_world
def test_a_question_is_understood_from_its_page_alone(steward: TestClient, engine: Engine) -> None:
    with engine.connect() as connection:
        first, second = connection.scalars(
            text(
                """select task_id from steward_task t join source_record a on a.rec_id = t.a
                   join source_record b on b.rec_id = t.b
                   where t.status = 'open' and t.kind = 'conflict' and t.domain = 'customer'
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
