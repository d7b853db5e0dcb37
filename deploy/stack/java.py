"""Java programs of the stack: small heaps, few threads, logs to standard output."""

from collections.abc import Mapping, Sequence
from pathlib import Path

_LOG_SETTINGS = Path(__file__).with_name("log4j2.properties")


def java(jars: Path, heap_megabytes: int, main_class: str, *arguments: str) -> Sequence[str]:
    """The command line of a Java program on these jars."""
    return (
        "java",
        "-Xms64m",
        f"-Xmx{heap_megabytes}m",
        # One machine with few cores runs several of these: the serial collector and C1 alone cost the least.
        "-XX:+UseSerialGC",
        "-XX:TieredStopAtLevel=1",
        "-Xshare:auto",
        "-Djava.awt.headless=true",
        f"-Dlog4j2.configurationFile={_LOG_SETTINGS}",
        "-cp",
        f"{jars}/*",
        main_class,
        *arguments,
    )


def write_properties(file: Path, settings: Mapping[str, object]) -> Path:
    """A Java properties file."""
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("".join(f"{name}={value}\n" for name, value in settings.items()))
    return file
