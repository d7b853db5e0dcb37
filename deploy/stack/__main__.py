"""python -m deploy.stack up|demo|status|down|sql"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from deploy.stack.demo import NotSeen, run_demo
from deploy.stack.hub import ROOT
from deploy.stack.maven import StackUnavailable
from deploy.stack.platform_sql import PLATFORMS, platform_sql
from deploy.stack.processes import DidNotStart
from deploy.stack.stack import Stack
from mdm.intake.catalogue import load_catalogue

_HOME = ROOT / "var" / "stack"


def main(arguments: Sequence[str]) -> int:
    """Run one command; the exit code is 0 when it did what it should."""
    parser = argparse.ArgumentParser(prog="python -m deploy.stack", description="The stack without containers.")
    parser.add_argument("command", choices=("up", "demo", "status", "down", "sql"))
    parser.add_argument("--directory", type=Path, default=_HOME, help="data, logs and pid files (default var/stack)")
    parser.add_argument("--workers", type=int, default=1, help="ingest workers")
    options = parser.parse_args(arguments)
    try:
        if options.command == "sql":
            return write_sql(options.directory)
        stack = Stack(options.directory, workers=options.workers, say=_say)
        return {"up": _up, "demo": _demo, "status": _status, "down": _down}[options.command](stack)
    except (StackUnavailable, DidNotStart, NotSeen) as problem:
        print(problem, file=sys.stderr)
        return 1


def _up(stack: Stack) -> int:
    stack.up()
    key = stack.hub.issue_key("reader")
    print(f"broker      {stack.broker.bootstrap}")
    print(f"Connect     {stack.connect.url}/connectors")
    print(f"API         http://127.0.0.1:{stack.ports.api}/v1   console at /console/   key {key}")
    print(f"metrics     relay :{stack.ports.metrics}, workers from :{stack.ports.metrics + 1}")
    print(f"logs        {stack.directory}")
    return 0


def _demo(stack: Stack) -> int:
    run_demo(stack, _say)
    return 0


def _status(stack: Stack) -> int:
    running = {program.name: program.process() for program in stack.programs()}
    for name, process in running.items():
        print(f"{name:<12} {'runs, pid ' + str(process.pid) if process else 'does not run'}")
    return 0 if all(running.values()) else 1


def _down(stack: Stack) -> int:
    stack.down()
    return 0


def write_sql(directory: Path) -> int:
    """Write one SQL file per platform, for the databases of `compose.yaml`."""
    directory.mkdir(parents=True, exist_ok=True)
    catalogue = load_catalogue(None)
    for platform in PLATFORMS:
        statements = ";\n".join(platform_sql(catalogue, platform))
        text = f"create database {platform};\n\\connect {platform}\n{statements};\n"
        (directory / f"{platform}.sql").write_text(text, "utf-8")
    return 0


def _say(message: str) -> None:
    print(message, flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
