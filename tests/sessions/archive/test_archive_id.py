"""The archive id: made once, whole, and never taken for another one's."""

import json
import re

import pytest

from jvgate.errors import ArchiveError
from jvgate.sessions.archive.archive_id import FILE_NAME, ArchiveId, name_of_place


def test_an_archive_gets_one_id_for_ever(tmp_path):
    made = ArchiveId.ensure(tmp_path / "new", provider="nv", origin="nvlink:")
    assert re.fullmatch("[0-9a-f]{32}", made.id)
    assert ArchiveId.read(tmp_path / "new") == made == ArchiveId.ensure(tmp_path / "new", provider="nv", origin="")
    assert [path.name for path in (tmp_path / "new").iterdir()] == [FILE_NAME]
    assert ArchiveId.ensure(tmp_path, provider="nv", origin="nvlink:") != made


def test_a_folder_without_one_or_that_is_away_has_none(tmp_path):
    assert ArchiveId.read(tmp_path) is ArchiveId.read(tmp_path / "away") is None
    assert name_of_place(tmp_path) != name_of_place(tmp_path / "away")


def test_data_of_another_provider_are_recorded_elsewhere(tmp_path):
    ArchiveId.ensure(tmp_path, provider="jra", origin="")
    with pytest.raises(ArchiveError, match=r"data of provider jra.*another folder"):
        ArchiveId.ensure(tmp_path, provider="nv", origin="nvlink:")


@pytest.mark.parametrize("change", [{"version": 2}, {"provider": "x"}, {"id": "../../a"}, {"id": 7}, None])
def test_a_damaged_one_is_an_error_and_not_another_archive(tmp_path, change):
    ArchiveId.ensure(tmp_path, provider="jra", origin="")
    path = tmp_path / FILE_NAME
    fields = json.loads(path.read_bytes())
    path.write_text(json.dumps(fields | change) if change else path.read_text()[:20])
    with pytest.raises(ArchiveError, match="cannot be understood"):
        ArchiveId.read(tmp_path)
