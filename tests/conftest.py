"""Settings of all tests: markers that follow from a test's place, and which tests share a worker of xdist."""

import gc
import sys
from pathlib import Path

import pytest
from hypothesis import settings

TESTS = Path(__file__).parent
PROCESS_FOLDERS = {"faults", "served", "web"}  # every test there asks a server

# A slow example on a busy machine is no failure: no test depends on how fast it runs.
settings.register_profile("jvgate", deadline=None)
settings.load_profile("jvgate")

_running: list[pytest.Item] = []


@pytest.fixture(scope="session", autouse=True)
def cache_home(tmp_path_factory):
    """The user's cache directory of this process and of those that it starts."""
    with pytest.MonkeyPatch.context() as patch:
        place = tmp_path_factory.mktemp("cache")
        for name in ("XDG_CACHE_HOME", "LOCALAPPDATA"):
            patch.setenv(name, str(place))
        yield place


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items):
    """Mark by folder, and keep the tests of a module that starts processes together: they share its servers."""
    for item in items:
        if item.path.relative_to(TESTS).parts[0] in PROCESS_FOLDERS:
            item.add_marker(pytest.mark.process)
        if item.get_closest_marker("process") and not item.get_closest_marker("xdist_group"):
            item.add_marker(pytest.mark.xdist_group("/".join(item.path.relative_to(TESTS).with_suffix("").parts)))


def pytest_collection_finish():
    """Keep the garbage collector from what lives as long as the suite: closing a COM object runs it each time."""
    gc.freeze()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item):
    _running[:] = [item]
    try:
        return (yield)
    finally:
        _running.clear()


def _refuse_processes(event, arguments):
    """Refuse to start a process in a test that is not marked so: `make quick` stays quick."""
    if event == "subprocess.Popen" and _running and not _running[0].get_closest_marker("process"):
        raise RuntimeError(f"{_running[0].nodeid} starts {arguments[0]}: mark it with pytest.mark.process")


sys.addaudithook(_refuse_processes)
