"""A change in a platform's database, followed to the golden record at the API and to the event in Kafka."""

import time
from collections.abc import Callable
from contextlib import closing
from typing import Any

import httpx
from kafka import KafkaConsumer

from deploy.stack.stack import Stack

_PATIENCE_SECONDS = 60.0
_CRM_KEY = "/v1/crosswalk/crm/account/{key}"


class NotSeen(Exception):
    """The change did not arrive in time."""


def run_demo(stack: Stack, say: Callable[[str], None]) -> dict[str, float]:
    """Update, insert and delete an account in the CRM's database; returns the seconds each took to be visible.

    Raises:
        NotSeen: a change did not reach the API.
    """
    headers = {"Authorization": f"Bearer {stack.hub.issue_key('reader')}"}
    with httpx.Client(base_url=f"http://127.0.0.1:{stack.ports.api}", headers=headers, timeout=10) as api:
        demo = _Demo(stack, api, say)
        return {"update": demo.update(), "insert": demo.insert(), "delete": demo.delete()}


class _Demo:
    def __init__(self, stack: Stack, api: httpx.Client, say: Callable[[str], None]) -> None:
        self._stack, self._api, self._say = stack, api, say
        self._new_key = f"001DEMO{int(time.time()):011d}"

    def update(self) -> float:
        key, employees = self._rows(
            "select id, coalesce(number_of_employees, 0) from account where not is_deleted order by id limit 1"
        )[0]
        entity = self._wait_for(key)
        self._say(f"{entity['id']} ({entity['name']}) has {entity['values'].get('employees')} employees")
        self._say(f"SQL in crm: update account set number_of_employees = {employees + 1} where id = '{key}'")
        began = time.monotonic()
        self._execute("update account set number_of_employees = %s where id = %s", employees + 1, key)
        self._until(lambda: self._golden(entity["id"]).get("values", {}).get("employees") == employees + 1)
        seconds = time.monotonic() - began
        lineage = self._get(f"/v1/customers/{entity['id']}/lineage")
        self._say(f"the API shows {employees + 1} after {seconds:.2f} s; its lineage:")
        self._say(f"  {_lineage_of(lineage, 'employees')}")
        self._say(f"the event in Kafka: {self._newest_event(entity['id'])}")
        return seconds

    def insert(self) -> float:
        self._say(f"SQL in crm: insert into account ... '{self._new_key}'")
        began = time.monotonic()
        self._execute(
            """insert into account (id, name, billing_country, website, owner_id, validation_status__c, is_deleted,
                   created_date, last_modified_date, system_modstamp)
               values (%s, 'Zephyrine Glassworks GmbH', 'Germany', 'www.zephyrine-glassworks.example', '005DEMO',
                   'Unverified', false, now(), now(), now())""",
            self._new_key,
        )
        entity = self._wait_for(self._new_key)
        seconds = time.monotonic() - began
        self._say(f"a new golden record after {seconds:.2f} s: {entity['id']} ({entity['name']})")
        return seconds

    def delete(self) -> float:
        self._say(f"SQL in crm: delete from account where id = '{self._new_key}'")
        began = time.monotonic()
        self._execute("delete from account where id = %s", self._new_key)
        self._until(lambda: not self._found(_CRM_KEY.format(key=self._new_key)))
        seconds = time.monotonic() - began
        self._say(f"it is retired after {seconds:.2f} s")
        return seconds

    def _wait_for(self, key: str) -> dict[str, Any]:
        path = _CRM_KEY.format(key=key)
        self._until(lambda: self._found(path))
        found = self._get(path)
        return self._golden(str(found.get("entity_id") or found["id"]))

    def _golden(self, entity_id: str) -> dict[str, Any]:
        return self._get(f"/v1/customers/{entity_id}")

    def _found(self, path: str) -> bool:
        return self._api.get(path).is_success

    def _get(self, path: str) -> dict[str, Any]:
        answer = self._api.get(path)
        answer.raise_for_status()
        return dict(answer.json())

    def _until(self, seen: Callable[[], bool]) -> None:
        deadline = time.monotonic() + _PATIENCE_SECONDS
        while not seen():
            if time.monotonic() > deadline:
                raise NotSeen(f"The change did not reach the API within {_PATIENCE_SECONDS:.0f} s.")
            time.sleep(0.02)

    def _execute(self, statement: str, *values: object) -> None:
        with self._stack.platforms.connect("crm") as connection:
            connection.execute(statement.encode(), values)

    def _rows(self, statement: str) -> list[Any]:
        with self._stack.platforms.connect("crm") as connection:
            return connection.execute(statement.encode()).fetchall()

    def _newest_event(self, entity_id: str) -> str:
        """The type, id and sequence of the newest event about an entity."""
        settings: dict[str, Any] = {
            "bootstrap_servers": self._stack.broker.bootstrap,
            "auto_offset_reset": "earliest",
            "consumer_timeout_ms": 3_000,
        }
        newest = "none yet"
        with closing(KafkaConsumer("mdm.customer.golden.v1", **settings)) as consumer:
            for record in consumer:
                if record.key == entity_id.encode():
                    told = {name: value.decode() for name, value in record.headers}
                    newest = f"{told['ce_type']} id {told['ce_id']} sequence {told['ce_sequence']}"
        return newest


def _lineage_of(lineage: dict[str, Any], attribute: str) -> object:
    attributes = lineage.get("attributes", lineage)
    return attributes.get(attribute) if isinstance(attributes, dict) else attributes
