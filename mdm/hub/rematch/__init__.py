"""Matching everything anew with the released model: after a model release, and after a bulk load.

An engine computes what links and entities the hub must have; where the hub differs, the records concerned are settled
again through the unit of work that ingest uses. What would change can be seen before anything is written.
"""

from mdm.hub.rematch.run import in_bulk, preview, rematch

__all__ = ["in_bulk", "preview", "rematch"]
