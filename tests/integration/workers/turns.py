"""Turns that sessions take and give back."""

from sqlalchemy import Engine, event, text


def turns_at_the_end(engine: Engine, lock: int) -> list[int]:
    """Grows by how often an advisory lock is held at the moment when a session is closed for good.

    A server notices a closed session late, so what is held then is found taken by whoever is next.
    """
    counts: list[int] = []

    def count(*_: object) -> None:
        with engine.connect() as connection:
            held = "select count(*) from pg_locks where locktype = 'advisory' and objid = :lock"
            counts.append(int(connection.scalar(text(held), {"lock": lock}) or 0))

    event.listen(engine, "invalidate", count)
    return counts
