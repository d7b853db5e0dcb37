"""The command line: `mdm --help`. Thin: reads arguments, calls one use case, prints."""

from mdm.cli.app import main

__all__ = ["main"]
