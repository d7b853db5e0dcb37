"""House rules that no other tool checks: engines know no time and no chance, files stay short, imports are declared."""

import ast
import re
import sys
import tomllib
from collections.abc import Iterator
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
OUR_PACKAGES = ("mdm", "matching", "survivorship", "api", "migrations")
#: Packages that decide. They get the time as a value, and chance has no place in them.
ENGINES = (
    "mdm/model",
    "mdm/intake",
    "mdm/core",
    "mdm/lifecycle",
    "mdm/onboarding",
    "mdm/projection",
    "matching",
    "survivorship",
)
#: Training is not deciding: it runs on a workbench, with samples and seeds.
NOT_ENGINES = ("matching/training",)
FORBIDDEN_CALLS = {
    "datetime.now", "datetime.utcnow", "datetime.today", "date.today", "time.time", "time.monotonic",
    "time.perf_counter", "uuid.uuid1", "uuid.uuid4", "os.environ", "os.getenv", "os.urandom",
}  # fmt: skip
FORBIDDEN_MODULES = {"random", "secrets", "time", "logging", "socket", "subprocess", "tempfile"}
#: A file is read in one sitting.
MAX_LINES = 450


def engine_sources(folder: str) -> Iterator[Path]:
    for file in sorted((ROOT / folder).rglob("*.py")):
        if not file.relative_to(ROOT).as_posix().startswith(NOT_ENGINES):
            yield file


def dotted(node: ast.AST) -> str:
    return ast.unparse(node) if isinstance(node, ast.Attribute | ast.Name) else ""


@pytest.mark.parametrize("folder", ENGINES)
def test_engines_read_no_clock_no_chance_and_no_surroundings(folder: str) -> None:
    found = []
    for file in engine_sources(folder):
        for node in ast.walk(ast.parse(file.read_text())):
            name = dotted(node)
            if name in FORBIDDEN_CALLS or name.removeprefix("datetime.") in FORBIDDEN_CALLS:
                found.append(f"{file.relative_to(ROOT)}:{getattr(node, 'lineno', 0)} uses {name}")
            imported = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            imported += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            found += [f"{file.relative_to(ROOT)} imports {each}" for each in imported if each in FORBIDDEN_MODULES]
    assert found == []


#: A platform is asked for by its role: what a company calls its ERP is its own affair.
_BY_NAME = re.compile(r"""(system|platform)\b\s*(=|==|!=|<>|in|not in)\s*\(?\s*['"](crm|billing|product|erp)['"]""")


def test_no_platform_is_asked_for_by_its_name() -> None:
    by_name = [
        f"{file.relative_to(ROOT)}:{number}"
        for folder in OUR_PACKAGES
        for file in (ROOT / folder).rglob("*.py")
        if not file.is_relative_to(ROOT / "mdm" / "demo")
        for number, line in enumerate(file.read_text().splitlines(), 1)
        if _BY_NAME.search(line)
    ]
    assert by_name == []
    assert _BY_NAME.search("where r.system = 'erp' and not r.deleted")
    assert _BY_NAME.search('any(key.system == "erp" for key in members)')


#: Where the shipped rules of reconciliation are a default, or what a word of them is checked against.
_ASK_FOR_SHIPPED = {
    "mdm/cli/governance.py", "mdm/core/rules.py", "mdm/hub/finding_order.py", "mdm/hub/reconcile.py",
    "mdm/hub/reconciliation_rules.py", "mdm/hub/worklist.py",
}  # fmt: skip


def test_reconciliation_goes_by_the_rules_of_the_company_everywhere() -> None:
    asking = {
        file.relative_to(ROOT).as_posix()
        for folder in OUR_PACKAGES
        for file in (ROOT / folder).rglob("*.py")
        if re.search(r"from mdm\.lifecycle\.policy import .*\bshipped_policy\b", file.read_text())
    }
    assert asking == _ASK_FOR_SHIPPED


def test_no_source_file_is_longer_than_one_sitting() -> None:
    long = {
        str(file.relative_to(ROOT)): lines
        for folder in (*OUR_PACKAGES, "tests")
        for file in (ROOT / folder).rglob("*.py")
        if (lines := len(file.read_text().splitlines())) > MAX_LINES and not _is_a_catalogue(file)
    }
    assert long == {}


def test_every_module_begins_with_what_it_is_for() -> None:
    silent = [
        str(file.relative_to(ROOT))
        for folder in OUR_PACKAGES
        for file in (ROOT / folder).rglob("*.py")
        if file.name != "__main__.py"
        and file.read_text().strip()
        and ast.get_docstring(ast.parse(file.read_text())) is None
    ]
    assert silent == []


def test_what_is_imported_is_declared() -> None:
    """A package that is merely there, because another one needs it, may be gone with the next version."""
    declared = _declared("runtime.in")
    for_training = declared | _declared("dev.in")
    for_engines = declared | _declared("spark.in")
    distributions = packages_distributions()
    missing = set()
    for folder in OUR_PACKAGES:
        for file in (ROOT / folder).rglob("*.py"):
            allowed = for_training if "training" in file.parts else for_engines if "engines" in file.parts else declared
            for name in _top_level_imports(file) - set(OUR_PACKAGES) - set(sys.stdlib_module_names):
                if not {each.lower().replace("_", "-") for each in distributions.get(name, [name])} & allowed:
                    missing.add(f"{file.relative_to(ROOT)} imports {name}")
    assert sorted(missing) == []


def test_pinned_packages_name_no_address() -> None:
    for file in (ROOT / "requirements").glob("*.txt"):
        assert "://" not in file.read_text(), f"{file.name} must not say where packages come from"


def test_a_decision_is_cited_by_a_number_of_its_own() -> None:
    numbers = [file.name[:4] for file in (ROOT / "mdm" / "decisions").glob("[0-9]*.md")]

    assert numbers
    assert sorted({each for each in numbers if numbers.count(each) > 1}) == []


def test_every_data_file_of_a_package_is_packaged() -> None:
    patterns = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]["package-data"]["*"]
    left_out = [
        str(file.relative_to(ROOT))
        for folder in OUR_PACKAGES
        for file in (ROOT / folder).rglob("*")
        if file.is_file()
        and file.suffix != ".py"
        and file.parent.name != "__pycache__"  # also where Numba keeps what it compiled
        and not any(file.match(pattern) for pattern in patterns)
    ]
    assert left_out == []


def _is_a_catalogue(file: Path) -> bool:
    """Lists of all tables, in which one looks things up; nobody reads them from top to bottom."""
    return file.parent.name == "versions" or file == ROOT / "mdm" / "store" / "tables.py"


def _declared(name: str) -> set[str]:
    lines = (ROOT / "requirements" / name).read_text().splitlines()
    names = (line.split("#")[0].strip() for line in lines)
    return {
        each.split("[")[0].split(">")[0].split("=")[0].lower().replace("_", "-")
        for each in names
        if each and not each.startswith("-")
    }


def _top_level_imports(file: Path) -> set[str]:
    found = set()
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found.add(node.module.split(".")[0])
    return found
