"""The identity of a source: what shares data has one, and nothing else does."""

from itertools import combinations

import pytest

from jvgate.sessions.archive.archive_id import ArchiveId
from jvgate.sessions.sources.identity import SourceIdentity
from jvgate.sessions.sources.registry import parse_source
from tests.raceday import archive, race_day


def identity(url):
    return parse_source(url).identity.text


@pytest.mark.parametrize(("url", "text"), [
    ("jvlink:", "jra"),
    ("nvlink:", "nv"),
    ("demo:", "jra.demo.seed_1"),
    ("demo:?seed=7&date=2026-11-24&speed=60&fault=crash:0.1&open_ms=5",
     "jra.demo.seed_7.date_20261124.speed_60.fault_crash_0.1"),
    ("agent://127.0.0.1:8900", ""),
])  # fmt: skip
def test_an_identity_names_the_provider_the_kind_and_what_makes_the_data(url, text):
    assert identity(url) == text


def test_sources_of_different_data_have_different_identities(tmp_path):
    places = [archive(tmp_path / name, *race_day()) for name in ("a", "b")]
    demos = [
        "demo:",
        "demo:?seed=2",
        "demo:?date=2026-11-24",
        "demo:?speed=2",
        "demo:?speed=2.0000001",
        "demo:?fault=crash:0.1",
    ]
    archives = [f"archive:{place}{more}" for place in places for more in ("", "?provider=nv", "?date=2026-11-24")]
    for one, other in combinations(["jvlink:", "nvlink:", *demos, *archives], 2):
        assert identity(one) != identity(other)


def test_an_archive_is_known_by_its_id_wherever_it_lies(tmp_path):
    first, copy = archive(tmp_path / "first", *race_day()), archive(tmp_path / "copy", *race_day())
    assert identity(f"archive:{first}") != identity(f"archive:{copy}")
    made = ArchiveId.ensure(first, provider="nv", origin="nvlink:")
    (copy / ".jvgate-archive.json").write_bytes((first / ".jvgate-archive.json").read_bytes())
    assert identity(f"archive:{first}") == identity(f"archive:{copy}") == f"nv.archive.{made.id}"


def test_an_identity_shows_nothing_of_the_path(tmp_path):
    (tmp_path / "secret").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "secret")
    text = identity(f"archive:{tmp_path}/secret")
    assert "secret" not in text
    assert text == identity(f"archive:{tmp_path}/link")


def test_a_listener_hears_what_is_known_and_what_changes():
    told, source = [], SourceIdentity()
    source.learn("a")
    source.add_listener(told.append)
    for text in ("a", "b", "b"):
        source.learn(text)
    assert told == ["a", "b"]
    assert (str(source), str(SourceIdentity()), source.is_fixed) == ("b", "unknown", False)
