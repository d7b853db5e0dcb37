"""Failures of the database: which of them may pass, and what may be told of one.

PostgreSQL adds to what it says the values it was at work on (`DETAIL`, `CONTEXT`), and logs hold no values.
"""

from typing import Final

import psycopg
from psycopg import errors

#: Failures of the surroundings. The driver counts the last three among defects of the program: nobody may write (a
#: failover left us at the standby, a provider keeps the disk from filling up), or a limit to the session has ended it.
PASSING: Final = (
    psycopg.OperationalError,
    errors.ReadOnlySqlTransaction,
    errors.IdleInTransactionSessionTimeout,
    errors.TransactionTimeout,
)


def told(failure: BaseException) -> str:
    """What the database said, without the values that it was said about."""
    cause = getattr(failure, "orig", failure)
    if isinstance(cause, psycopg.Error) and cause.diag.message_primary is not None:
        return cause.diag.message_primary
    return str(cause).strip()
