"""Local racing (`provider=nv`): what jvgate does not know of it is passed on, and errors name NV-Link."""

import pytest

from tests.raceday import record

OBIHIRO = "202611158311"
UNKNOWN = b"NU120261116 something of local racing\r\n"


@pytest.fixture(scope="module")
def local(serve, tmp_path_factory):
    folder = tmp_path_factory.mktemp("nv")
    (folder / "0B12").mkdir()
    (folder / "0B12" / f"{OBIHIRO}.jvd").write_bytes(record("RA", JyoCD="83"))
    (folder / "0B3A").mkdir()
    (folder / "0B3A" / f"{OBIHIRO}.jvd").write_bytes(UNKNOWN)
    (folder / "XXXX").mkdir()
    (folder / "XXXX" / "a20261116120000.jvd").write_bytes(record("RA", JyoCD="83") + UNKNOWN)
    return serve(f"archive:{folder}?provider=nv&date=2026-11-18")


def test_a_race_of_obihiro_is_answered_and_has_its_label(local):
    (race,) = local.data("0B12", key=OBIHIRO, labels="en").json()["data"]
    assert (race["JyoCD"], race["JyoCDLabel"]) == ("83", "Obihiro (ban'ei)")


def test_a_data_spec_that_nobody_knows_is_read(local):
    (found,) = local.data("0B3A", key=OBIHIRO).json()["data"]
    assert found["RecordSpec"] == "NU"
    assert [one["RecordSpec"] for one in local.data("XXXX").json()["data"]] == ["RA", "NU"]


def test_a_record_type_that_nobody_knows_can_be_chosen(local):
    assert [one["RecordSpec"] for one in local.data("XXXX", record="NU").json()["data"]] == ["NU"]
    assert [one["JyoCD"] for one in local.data("XXXX", where="JyoCD=83").json()["data"]] == ["83"]


def test_a_record_of_unknown_layout_is_no_table(local):
    refused = local.data("XXXX", record="NU", format="csv")
    assert (refused.status_code, refused.json()["type"]) == (400, "/problems/unknown-record")


def test_a_purge_takes_what_nobody_knows(local):
    for name, value in (("race", OBIHIRO), ("dataspec", "0B3A"), ("record", "NU")):
        assert local.delete("/api/v1/cache", params={name: value}).status_code == 200


@pytest.mark.parametrize(("dataspec", "key"), [("0B12", "2026111583"), ("0b3a", OBIHIRO), ("2026", OBIHIRO)])
def test_what_has_not_the_right_form_is_refused_there_too(local, dataspec, key):
    assert local.data(dataspec, key=key).status_code in (400, 404)


def test_errors_name_nv_link(local):
    refused = local.data("TOKU", to_time="20261201").json()
    assert "NV-Link would answer" in refused["detail"]
    about = local.get("/problems/jvlink-hung").json()
    assert (about["title"], "JV-Link" in about["title_ja"]) == ("NV-Link hung and is being restarted", False)


def test_a_query_of_local_racing_has_a_text_of_its_own(local):
    for _ in range(2):
        local.data("0B12", key=OBIHIRO)
    assert f"0B12|nv:0B12:{OBIHIRO}|json" in local.get("/api/v1/cache").text
