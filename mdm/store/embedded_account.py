"""Running the embedded server as root: which operating-system account it gets, and what that account can reach.

PostgreSQL refuses to run as root. Nothing here changes the permissions of a directory that the hub did not create.
"""

import hashlib
import os
import pwd
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from mdm.errors import OperatorError

_ACCOUNTS = ("postgres", "mdm-postgres")
#: Where binaries are copied to when the account cannot reach the installed ones (a virtual environment below /root).
_COPIES = Path("/var/lib/mdm-hub")


@dataclass(frozen=True, slots=True)
class Account:
    """The operating-system user that owns the data directory and runs the server."""

    uid: int
    gid: int


def server_account(cluster: Path) -> Account | None:
    """The account for this data directory; None when the hub itself is not root and simply runs the server.

    An existing data directory keeps its owner. Otherwise `postgres` is taken, or an account is created, or, where that
    is not possible, `nobody`.
    """
    owner = cluster.stat().st_uid if cluster.exists() else None
    if os.geteuid() != 0:
        if owner not in (None, os.geteuid()):
            raise OperatorError(
                f"{cluster} belongs to another operating-system user (uid {owner}).",
                action="Run the hub as that user, or choose another MDM_DATA_DIR.",
            )
        return None
    if owner:
        return _account(pwd.getpwuid(owner).pw_name)
    for name in _ACCOUNTS:
        if found := _account(name):
            return found
    if useradd := shutil.which("useradd"):
        command = [useradd, "--system", "--no-create-home", "--shell", "/usr/sbin/nologin", _ACCOUNTS[-1]]
        subprocess.run(command, check=False, capture_output=True)
    account = _account(_ACCOUNTS[-1]) or _account("nobody")
    if account is None:
        raise OperatorError(
            "PostgreSQL does not run as root and no other account was found.",
            action="Create an operating-system user named postgres, or run the hub as an ordinary user.",
        )
    return account


def _account(name: str) -> Account | None:
    try:
        entry = pwd.getpwnam(name)
    except KeyError:
        return None
    return Account(entry.pw_uid, entry.pw_gid)


def hand_over(directory: Path, account: Account | None) -> None:
    """Make the account the owner of a directory of the hub and of everything in it."""
    if account is None or directory.stat().st_uid == account.uid:
        return
    for folder, _, files in os.walk(directory):
        os.chown(folder, account.uid, account.gid)
        for name in files:
            os.chown(os.path.join(folder, name), account.uid, account.gid, follow_symlinks=False)


def can_reach(directory: Path, account: Account | None) -> bool:
    """Whether the account may pass every directory on the way to this one."""
    return account is None or all(_may_pass(parent, account) for parent in directory.resolve().parents)


def _may_pass(directory: Path, account: Account) -> bool:
    status = directory.stat()
    if status.st_uid == account.uid:
        return bool(status.st_mode & 0o100)
    if status.st_gid == account.gid:
        return bool(status.st_mode & 0o010)
    return bool(status.st_mode & 0o001)


def directory_argument(cluster: Path, account: Account | None) -> str:
    """How to name the data directory to a server whose working directory it is.

    Under another account the parents may be closed (/root is 0700). `/proc/self/cwd` leads to the working directory
    itself, without passing them, so they can stay closed.
    """
    if account is None or not os.path.isdir("/proc/self/cwd"):
        return str(cluster)
    return "/proc/self/cwd"


def reachable_binaries(binaries: Path, account: Account | None, copies: Path = _COPIES) -> Path:
    """The directory of `postgres` and `initdb` as the account can run them: the installed one or a copy of it."""
    if can_reach(binaries / "postgres", account):
        return binaries
    status = (binaries / "postgres").stat()
    mark = hashlib.sha256(f"{status.st_size}:{status.st_mtime_ns}".encode()).hexdigest()[:12]
    copy = copies / f"postgresql-{mark}"
    installation, package = binaries.parent, binaries.parent.parent
    if not copy.exists():
        partial = copies / f"{copy.name}.{os.getpid()}"
        # The wheel keeps the shared libraries beside the package, and the programs look for them there.
        for folder in (installation, package.with_name(f"{package.name}.libs")):
            if folder.exists():
                target = partial / folder.relative_to(package.parent)
                shutil.copytree(folder, target, symlinks=True, ignore=shutil.ignore_patterns("include"))
        copies.chmod(0o755)
        _open_to_readers(partial)
        try:
            partial.rename(copy)
        except OSError:  # another process was faster
            shutil.rmtree(partial)
    return copy / package.name / installation.name / binaries.name


def _open_to_readers(directory: Path) -> None:
    """Let everybody read and run what is in a directory, whatever the umask of root was when it was made."""
    for folder, _, files in os.walk(directory):
        os.chmod(folder, 0o755)  # noqa: S103 - programs that anybody may run
        for name in files:
            path = os.path.join(folder, name)
            if not os.path.islink(path):
                os.chmod(path, 0o755 if os.stat(path).st_mode & 0o100 else 0o644)
