"""A Python client of the hub's API: typed, thin, with the manners that the API asks of its callers.

from mdm.client import Hub

with Hub("http://127.0.0.1:8080", key) as hub:
    for customer in hub.search("customers", q="acme"):
        print(customer.id, customer.name)
"""

from mdm.client.hub import Hub
from mdm.client.values import (
    Candidate,
    Change,
    Event,
    Fact,
    Finding,
    Match,
    PostingReason,
    PostingVerdict,
    Problem,
    Process,
    Projection,
    Record,
    SourceRecord,
    Task,
    Trace,
)

__all__ = [
    "Candidate", "Change", "Event", "Fact", "Finding", "Hub", "Match", "PostingReason", "PostingVerdict", "Problem",
    "Process", "Projection", "Record", "SourceRecord", "Task", "Trace",
]  # fmt: skip
