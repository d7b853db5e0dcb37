"""Settings, read once at start-up from the environment into one frozen object and handed down."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from mdm.errors import ConfigurationInvalid


@dataclass(frozen=True, slots=True)
class Settings:
    """How this hub is set up.

    `database_url` is None for the embedded PostgreSQL, whose data live below `data_dir`. `models_dir` has matching
    models of one's own; a domain without one there uses the model that ships. `steward_policy` names
    the document that says when a steward's command needs a second person, `ownership` the one that says who answers for
    what; None for the shipped ones.
    """

    data_dir: Path
    database_url: str | None
    batch_size: int
    dead_letter_limit: int
    models_dir: Path | None = None
    #: The platforms' contracts and mappings; None for the shipped ones.
    sources: Path | None = None
    steward_policy: Path | None = None
    ownership: Path | None = None
    #: Seconds without a message or heartbeat after which a platform counts as silent.
    silent_after: int = 3600
    #: Seconds that a statement of a read may take, in the API and the console.
    longest_statement: int = 60
    #: Says where golden records belong, for the scopes of principals; None for the shipped plan.
    placement: Path | None = None
    #: What this company says else than the shipped rules of reconciliation; None for the shipped ones as they are.
    reconciliation: Path | None = None
    #: The chart of accounts and the tax codes that postings are held against; None for the shipped ones.
    accounts: Path | None = None
    tax_codes: Path | None = None
    #: Folder in which the calendar anchors the audit chain once a day; None: it does not.
    audit_anchors: Path | None = None
    #: Private key (Ed25519, PEM) that signs anchors; None: they are not signed.
    audit_anchor_key: str | None = field(default=None, repr=False)


def read_settings(environment: Mapping[str, str]) -> Settings:
    """Settings from `MDM_DATA_DIR`, `MDM_DATABASE_URL` (or `_FILE`), `MDM_BATCH_SIZE`, `MDM_DEAD_LETTER_LIMIT`,
    `MDM_MODELS_DIR`, `MDM_SOURCES`, `MDM_STEWARD_POLICY`, `MDM_PLACEMENT`, `MDM_RECONCILIATION`, `MDM_OWNERSHIP`,
    `MDM_ACCOUNTS`, `MDM_TAX_CODES`, `MDM_SILENT_AFTER`, `MDM_LONGEST_STATEMENT`, `MDM_AUDIT_ANCHORS` and
    `MDM_AUDIT_ANCHOR_KEY` (or `_FILE`).

    Raises:
        ConfigurationInvalid: a value cannot be read; the message names the variable.
    """
    return Settings(
        data_dir=Path(environment.get("MDM_DATA_DIR") or ".mdm").expanduser().absolute(),
        database_url=secret(environment, "MDM_DATABASE_URL"),
        batch_size=_positive(environment, "MDM_BATCH_SIZE", 1000),
        dead_letter_limit=_positive(environment, "MDM_DEAD_LETTER_LIMIT", 1000),
        models_dir=_folder(environment, "MDM_MODELS_DIR"),
        sources=_folder(environment, "MDM_SOURCES"),
        steward_policy=_path(environment, "MDM_STEWARD_POLICY"),
        placement=_path(environment, "MDM_PLACEMENT"),
        reconciliation=_path(environment, "MDM_RECONCILIATION"),
        accounts=_path(environment, "MDM_ACCOUNTS"),
        tax_codes=_path(environment, "MDM_TAX_CODES"),
        ownership=_path(environment, "MDM_OWNERSHIP"),
        silent_after=_positive(environment, "MDM_SILENT_AFTER", 3600),
        longest_statement=_positive(environment, "MDM_LONGEST_STATEMENT", 60),
        audit_anchors=_path(environment, "MDM_AUDIT_ANCHORS"),
        audit_anchor_key=secret(environment, "MDM_AUDIT_ANCHOR_KEY"),
    )


def secret(environment: Mapping[str, str], name: str) -> str | None:
    """A value that nobody else should read: from the variable, or from the file that the variable with `_FILE` names.

    Orchestrators mount secrets as files, because an environment is shown to whoever may look at a container. The line
    break at the end of a file is no part of the secret.

    Raises:
        ConfigurationInvalid: both are set, or the file cannot be read or is empty. The message never holds the value.
    """
    written, file = environment.get(name) or None, environment.get(f"{name}_FILE") or None
    if file is None:
        return written
    if written is not None:
        raise ConfigurationInvalid(f"{name} and {name}_FILE are both set.", action="Set one of them.")
    try:
        held = Path(file).expanduser().read_text("utf-8").rstrip("\r\n")
    except (OSError, UnicodeError) as fault:
        raise ConfigurationInvalid(
            f"{name}_FILE names {file}, which cannot be read ({type(fault).__name__})."
        ) from fault
    if not held:
        raise ConfigurationInvalid(f"{name}_FILE names {file}, which is empty.")
    return held


def _folder(environment: Mapping[str, str], name: str) -> Path | None:
    text = environment.get(name)
    if not text:
        return None
    folder = Path(text).expanduser().absolute()
    if not folder.is_dir():
        raise ConfigurationInvalid(f"{name} must name a folder, and {folder} is none.")
    return folder


def _path(environment: Mapping[str, str], name: str) -> Path | None:
    text = environment.get(name)
    return Path(text).expanduser().absolute() if text else None


def _positive(environment: Mapping[str, str], name: str, default: int) -> int:
    text = environment.get(name)
    if not text:
        return default
    if not text.isdigit() or int(text) == 0:
        raise ConfigurationInvalid(f"{name} must be a positive whole number, not {text!r}.")
    return int(text)
