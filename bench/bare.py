"""The peer of `bench.api`: one FastAPI route, one primary-key select, JSON out. Nothing else."""

import argparse
import os

import orjson
import uvicorn
from fastapi import FastAPI
from fastapi.responses import Response
from sqlalchemy import select

from mdm.bootstrap import make_engine
from mdm.store.tables import golden


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    port = parser.parse_args().port
    engine = make_engine(os.environ["BENCH_DATABASE"])
    app = FastAPI()
    query = select(golden.c["values"], golden.c.name, golden.c.version)

    @app.get("/livez")
    async def livez() -> None:
        return None

    @app.get("/{id}")
    def read(id: str) -> Response:
        with engine.connect() as connection:
            row = connection.execute(query.where(golden.c.entity_id == id, golden.c.version == 1)).one()
        return Response(
            orjson.dumps({"values": row[0], "name": row[1], "version": row[2]}), media_type="application/json"
        )

    uvicorn.run(app, port=port, access_log=False, log_level="warning")


if __name__ == "__main__":
    main()
