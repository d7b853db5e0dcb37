"""The client: pages, redirects of merged ids, waiting after 429 and 503, resumed exports."""

import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from types import TracebackType
from typing import Any, Self
from urllib.parse import quote

import httpx

from mdm.client.values import (
    Change,
    Event,
    Fact,
    Finding,
    Match,
    PostingVerdict,
    Problem,
    Process,
    Projection,
    Record,
    SourceRecord,
    Task,
    Trace,
    change_of,
    event_of,
    fact_of,
    finding_of,
    match_of,
    posting_verdict_of,
    process_of,
    projection_of,
    record_of,
    source_record_of,
    task_of,
    trace_of,
)

_RETRIED = frozenset({429, 503})


class Hub:
    """One hub. `domain` arguments are `customers`, `contracts` or `products`.

    Raises of every method:
        Problem: the API refused.
    """

    def __init__(
        self,
        url: str,
        key: str,
        *,
        attempts: int = 5,
        transport: httpx.BaseTransport | None = None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._attempts = attempts
        self._sleep = sleep
        self._http = httpx.Client(
            base_url=url,
            headers={"Authorization": f"Bearer {key}"},
            transport=transport,
            follow_redirects=True,  # a merged id leads to its survivor
            timeout=60,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Give the connections up."""
        self._http.close()

    def get(self, path: str, **parameters: Any) -> Any:
        """Any address of the API, as JSON."""
        return self._asked("GET", _with(path, parameters)).json()

    def text(self, path: str, **parameters: Any) -> tuple[str, bool]:
        """What any address of the API answers, as it stands, and whether that is one JSON document."""
        answer = self._asked("GET", _with(path, parameters))
        kind = answer.headers.get("content-type", "").partition(";")[0].strip()
        return answer.text, kind == "application/json" or kind.endswith("+json")

    def record(self, domain: str, id: str, **parameters: Any) -> Record:
        """One golden record; `known_at`, `valid_at`, `rules`, `fields`, `after` as the API takes them."""
        return record_of(self.get(f"/v1/{domain}/{id}", **parameters))

    def search(self, domain: str, **parameters: Any) -> Iterator[Record]:
        """All golden records of a list or search, page by page."""
        return map(record_of, self._items(f"/v1/{domain}", parameters))

    def projected(self, erp: str, domain: str, id: str, **parameters: Any) -> Projection:
        """One golden record as an object of an ERP (`sap`, `odoo`, `erpnext`, `netsuite`).

        `require="ready"` refuses customers that may not be created there.
        """
        return projection_of(self.get(f"/v1/erp/{erp}/{domain}/{id}", **parameters))

    def projections(self, erp: str, domain: str, **parameters: Any) -> Iterator[Projection]:
        """All golden records of a domain as objects of an ERP, page by page."""
        return map(projection_of, self._items(f"/v1/erp/{erp}/{domain}", parameters))

    def facts(self, domain: str, id: str, kind: str | None = None) -> Iterator[Fact]:
        """Orders, entitlements, invoices, payments, postings of a customer or contract, page by page."""
        return map(fact_of, self._items(f"/v1/{domain}/{id}/facts", {"kind": kind}))

    def trace(self, system: str, table: str, key: str) -> Trace:
        """The chain around a source row, from order to posting; `table#name` for another name of its rows."""
        return trace_of(self.get(f"/v1/trace/{_row(system, table, key)}"))

    def source_record(self, system: str, table: str, key: str, history: bool = False) -> SourceRecord:
        """A source row, raw and canonical; `table#name` for another name of its rows."""
        asked = {"history": "true"} if history else {}
        return source_record_of(self.get(f"/v1/source-records/{_row(system, table, key)}", **asked))

    def timeline(self, customer: str, **parameters: Any) -> Iterator[Event]:
        """What happened with a customer, the oldest first, page by page; `since`, `until`, `kinds` as the API takes
        them."""
        return map(event_of, self._items(f"/v1/customers/{customer}/timeline", parameters))

    def quote_to_cash(self, contract: str) -> Process:
        """How far a contract got, from order to posting."""
        return process_of(self.get(f"/v1/process/quote-to-cash/{contract}"))

    def all_quote_to_cash(self, **parameters: Any) -> Iterator[Process]:
        """How far contracts got, page by page; `stage`, `state`, `owner`, `customer` as the API takes them."""
        return map(process_of, self._items("/v1/process/quote-to-cash", parameters))

    def usage_to_revenue(self, batch: str) -> Process:
        """How far a usage batch got: `platform/table/key`, or the key alone where one batch has it."""
        return process_of(self.get(f"/v1/process/usage-to-revenue/{quote(batch, safe='/')}"))

    def all_usage_to_revenue(self, **parameters: Any) -> Iterator[Process]:
        """How far usage batches got, page by page; `stage`, `state`, `owner`, `customer`, `contract` as the API takes
        them."""
        return map(process_of, self._items("/v1/process/usage-to-revenue", parameters))

    def resolve(self, system: str, table: str, key: str, **parameters: Any) -> str:
        """The golden record id that a source row belongs to; `table#name` for another name of its rows."""
        found: str = self.get(f"/v1/crosswalk/{_row(system, table, key)}", **parameters)["entity_id"]
        return found

    def match(self, domain: str, values: Mapping[str, Any], limit: int = 10) -> Match:
        """Search before create."""
        return match_of(self._asked("POST", f"/v1/{domain}/match", json={"values": values, "limit": limit}).json())

    def validate_postings(self, postings: Sequence[Mapping[str, Any]]) -> list[PostingVerdict]:
        """May these postings be made, or would ERP refuse them? Of each in their order; any number, stores nothing."""
        found: list[PostingVerdict] = []
        for start in range(0, len(postings), 500):
            body = {"postings": list(postings[start : start + 500])}
            answer = self._asked("POST", "/v1/postings/validate", json=body).json()
            found += map(posting_verdict_of, answer["postings"])
        return found

    def classify(self, ids: Sequence[str]) -> dict[str, Mapping[str, Any]]:
        """What became of these ids, by id; any number of them."""
        found: dict[str, Mapping[str, Any]] = {}
        for start in range(0, len(ids), 10_000):
            body = self._asked("POST", "/v1/ids:classify", json={"ids": list(ids[start : start + 10_000])}).json()
            found |= {each["id"]: each for each in body["ids"]}
        return found

    def changes(self, since: str | None = None, wait: float = 0, domain: str | None = None) -> tuple[list[Change], str]:
        """Changes after a place, and the place to store with their effect; empty when there are none in `wait`."""
        body = self.get("/v1/changes", since=since, wait=wait, domain=domain, limit=200)
        return [change_of(each) for each in body["changes"]], body["next"]

    def tasks(self, **parameters: Any) -> Iterator[Task]:
        """Open tasks, the most urgent first, page by page; `state`, `domain`, `assigned`, ... as the API takes them."""
        return map(task_of, self._items("/v1/tasks", parameters))

    def task(self, task_id: int) -> Task:
        """One task, also a closed one."""
        return task_of(self.get(f"/v1/tasks/{task_id}"))

    def findings(self, **parameters: Any) -> Iterator[Finding]:
        """Where the platforms disagree, errors first, page by page; `rule`, `customer`, `owner`, ... as the API takes
        them."""
        return map(finding_of, self._items("/v1/findings", parameters))

    def export(self, domain: str) -> Iterator[Record]:
        """All golden records as of one instant; goes on where a broken connection left off."""
        place: dict[str, Any] = {}
        for attempt in range(self._attempts):
            try:
                with self._http.stream("GET", f"/v1/{domain}/export", params=place) as answer:
                    if answer.status_code in _RETRIED and attempt + 1 < self._attempts:
                        self._sleep(float(answer.headers.get("retry-after", 1)))
                        continue
                    if answer.status_code != 200:
                        answer.read()
                        raise Problem(answer.status_code, _body(answer))
                    place.setdefault("as_of", answer.headers["x-export-as-of"])
                    for line in answer.iter_lines():
                        record = record_of(json.loads(line))
                        yield record
                        place["after"] = record.id
                return
            except httpx.TransportError:
                if attempt + 1 == self._attempts:
                    raise
                self._sleep(2.0**attempt)

    def _items(self, path: str, parameters: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
        cursor: str | None = None
        while True:
            page = self.get(path, **parameters, cursor=cursor)
            yield from page["items"]
            cursor = page["next"]
            if cursor is None:
                return

    def _asked(self, method: str, path: str, **how: Any) -> httpx.Response:
        for attempt in range(self._attempts):
            answer = self._http.request(method, path, **how)
            if answer.status_code not in _RETRIED or attempt + 1 == self._attempts:
                break
            self._sleep(float(answer.headers.get("retry-after", 1)))
        if answer.status_code >= 300 or answer.status_code == 202:
            raise Problem(answer.status_code, _body(answer))
        return answer


def _row(system: str, table: str, key: str) -> str:
    """How an address names a source row: an alias has a #, which would begin a fragment."""
    return "/".join(quote(each, safe="/") for each in (system, table, key))


def _with(path: str, parameters: Mapping[str, Any]) -> str:
    """The address with the parameters that are given, beside those that stand in it already."""
    given = {name: value for name, value in parameters.items() if value is not None}
    # httpx takes parameters instead of those of the address, also when they are none.
    return str(httpx.URL(path).copy_merge_params(given)) if given else path


def _body(answer: httpx.Response) -> Mapping[str, Any]:
    try:
        body = answer.json()
    except ValueError:
        return {"title": answer.reason_phrase, "detail": ""}
    return body if isinstance(body, Mapping) else {"title": answer.reason_phrase, "detail": ""}
