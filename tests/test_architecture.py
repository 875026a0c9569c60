"""Who may import whom, and how large a module may be: the walls of design.md and style.md."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import jvgate

ROOT = Path(jvgate.__file__).parent
TESTS = Path(__file__).parent
MODULES = sorted(ROOT.glob("**/*.py"))

BASE = {"errors", "listeners", "values"}
MAY_IMPORT = {
    "errors": set(),
    "listeners": set(),
    "spec": {"errors"},
    "values": {"errors", "spec", "records"},  # a dataset has its scan
    "question": BASE | {"spec"},
    "settings": {"errors"},
    "records": {"errors", "spec"},
    "jvlink": {"errors"},  # and the standard library: it runs in a bare 32-bit Python
    "season": BASE | {"spec", "records"},  # the generated season behind demo:
    "sessions": BASE | {"spec", "records", "jvlink", "season", "settings"},
    "render": BASE | {"spec", "records"},
    "cache": BASE | {"spec"},
    "freshness": BASE | {"spec", "records", "cache"},
    "gateway": BASE | {"spec", "records", "sessions", "render", "cache", "freshness", "settings", "jvlink"},
    "doctor": BASE | {"spec", "sessions", "settings", "gateway", "cache"},
    "live": BASE | {"spec", "sessions", "render", "gateway"},
    "web": BASE | {"spec", "render", "gateway", "freshness", "live", "settings", "question"},
    "client": {"errors"},
    "bench": {"errors", "client"},
}
ROOMS = {path.stem for path in ROOT.iterdir() if path.suffix == ".py" or (path / "__init__.py").exists()} - {"__init__"}
MAY_IMPORT |= dict.fromkeys(("cli", "commands"), ROOMS | set(MAY_IMPORT))


def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text("utf-8"))


def imported(path: Path) -> set[str]:
    """Return the full names of what the module at *path* imports, wherever in it."""
    names: list[str] = []
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            names += [f"{node.module}.{alias.name}" for alias in node.names]
    return set(names)


def rooms_of(path: Path) -> set[str]:
    return {name.split(".")[1] for name in imported(path) if name.startswith("jvgate.")} - {"__version__"}


def test_every_room_stands_in_the_table():
    assert set(MAY_IMPORT) >= ROOMS


@pytest.mark.parametrize("room", MAY_IMPORT)
def test_a_room_imports_only_what_it_may(room):
    files = [ROOT / f"{room}.py", *ROOT.glob(f"{room}/**/*.py")]
    used = set().union(*(rooms_of(file) for file in files if file.exists()))
    assert used <= MAY_IMPORT[room] | {room}


def test_the_cache_knows_its_shared_tier_by_the_protocol_alone():
    for path in ROOT.glob("cache/*.py"):
        assert not {name for name in imported(path) if name.startswith("jvgate.cache.redis")}, path


@pytest.mark.parametrize("folder", ["agent", "archive"])
def test_the_sources_use_agents_and_archives_and_not_the_other_way_round(folder):
    for path in ROOT.glob(f"sessions/{folder}/*.py"):
        assert not {name for name in imported(path) if name.startswith("jvgate.sessions.sources")}, path


def test_at_most_six_modules_stand_loose_beside_the_packages():
    assert len([path for path in ROOT.glob("*.py") if path.stem != "__init__"]) <= 6


FOLDERS = sorted({path.parent for path in MODULES})


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: str(folder.relative_to(ROOT)))
def test_a_folder_fits_a_screen_and_states_its_job(folder):
    modules = [path for path in folder.glob("*.py") if path.stem != "__init__"]
    assert len(modules) <= 18
    assert ast.get_docstring(tree(folder / "__init__.py"))


def test_the_package_itself_holds_the_version_alone():
    docstring, version = tree(ROOT / "__init__.py").body
    assert isinstance(docstring, ast.Expr)
    assert isinstance(version, ast.Assign)
    assert [target.id for target in version.targets] == ["__version__"]


@pytest.mark.parametrize("path", [ROOT / "errors.py", *ROOT.glob("jvlink/*.py")], ids=lambda path: path.stem)
def test_what_a_bare_python_runs_imports_the_standard_library_alone(path):
    pywin32 = {"pythoncom", "win32com"} if path.stem == "com" else set()
    outside = {name for name in imported(path) if name.split(".")[0] not in sys.stdlib_module_names | pywin32}
    assert all(name.startswith(("jvgate.errors.", "jvgate.jvlink.")) for name in outside)


@pytest.mark.process
def test_jvlink_loads_in_a_python_without_any_package():
    names = ", ".join(f"jvgate.jvlink.{path.stem}" for path in ROOT.glob("jvlink/*.py") if path.stem != "__init__")
    code = f"import sys; sys.path.insert(0, {str(ROOT.parent)!r}); import {names}"
    subprocess.run([sys.executable, "-I", "-S", "-c", code], check=True)


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_module_is_of_a_readable_size_and_hides_no_module_of_the_standard_library(path):
    assert len(path.read_text("utf-8").splitlines()) <= 450
    assert path.stem not in sys.stdlib_module_names


def test_a_public_class_name_is_used_once_in_the_package():
    places: dict[str, list[str]] = {}
    for path in MODULES:
        for node in tree(path).body:
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                places.setdefault(node.name, []).append(path.relative_to(ROOT).as_posix())
    assert not {name: paths for name, paths in places.items() if len(paths) > 1}


def test_nothing_is_imported_as_if_the_package_lay_open():
    """`import values` would work from within the folder only; every import of ours begins with jvgate."""
    ours = {path.stem for path in MODULES} | {path.name for path in ROOT.iterdir() if path.is_dir()}
    for path in MODULES:
        assert not {name for name in imported(path) if name.split(".")[0] in ours}, path


def _components_reached(path: Path) -> set[str]:
    """Return the chains `gateway.x.y` in the module: a component of the gateway used from outside."""
    return {
        ast.unparse(node)
        for node in ast.walk(tree(path))
        if isinstance(node, ast.Attribute)
        and isinstance(node.value, ast.Attribute)
        and ast.unparse(node.value.value).rpartition(".")[2] in ("gateway", "_gateway")
    }


@pytest.mark.parametrize("room", ["web", "commands"])
def test_nobody_reaches_through_the_gateway_for_its_components(room):
    assert not set().union(*(_components_reached(path) for path in ROOT.glob(f"{room}/**/*.py")))


# Where a process is put together: the only places that load a provider's facts; all others are given them.
LOADERS = {"gateway/opening.py", "sessions/sources/simulated.py", "spec/spec.py"}


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_facts_are_loaded_where_a_process_is_put_together_and_nowhere_else(path):
    name = path.relative_to(ROOT).as_posix()
    loads = {node.id for node in ast.walk(tree(path)) if isinstance(node, ast.Name)} & {"load_spec"}
    assert not loads or name in LOADERS or name.startswith("commands/")


def test_only_the_spec_package_reads_its_data_files():
    outside = [path for path in MODULES if path.parent != ROOT / "spec"]
    assert not [path for path in outside if any(name.startswith("jvgate.spec.files") for name in imported(path))]


# Modules without behaviour of their own, and why.
NO_TEST_FILE = {
    "jvlink/holding.py": "fields alone",
    "jvlink/shelf.py": "protocols alone; every implementation has its tests",
}
# These are tested through `records/lines/writer.py`, and have no test file of their name yet.
NO_TEST_FILE_YET = {
    "records/lines/narrow_keys.py",
    "records/lines/page.py",
    "records/lines/prose.py",
    "records/lines/readings.py",
    "records/lines/sheet.py",
    "records/lines/text_batch.py",
    "records/lines/wordlist.py",
}


def test_every_module_has_a_test_file_of_its_name():
    names = {path.relative_to(ROOT) for path in MODULES if path.stem != "__init__"}
    untested = {name.as_posix() for name in names if not (TESTS / name.with_name(f"test_{name.name}")).exists()}
    assert untested - NO_TEST_FILE_YET == set(NO_TEST_FILE)
