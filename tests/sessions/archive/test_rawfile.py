"""Raw files: split into records, told apart by type and key."""

import os

import pytest
import zstandard

from jvgate.sessions.archive.rawfile import carried_key, load, looks_like_jvdata, record_type, split
from tests.specs import JRA

KEY = "2026110805081111"


WE, TC = b"WE120261108".ljust(40) + b"\r\n", b"TC120261108".ljust(43) + b"\r\n"
BROKEN = WE[:20] + b"\r\n" + WE[22:]


@pytest.mark.parametrize(
    ("data", "records", "tail"),
    [
        (b"", [], b""),
        (WE + TC, [WE, TC], b""),
        (WE + b"\0" + TC + b"\0\0", [WE, TC], b""),
        (WE + b"TC1", [WE], b"TC1"),
        (WE + b"junk\r\n" + TC, [WE, b"junk\r\n", TC], b""),
        (BROKEN + TC, [BROKEN, TC], b""),
        (b"TC120261108 stripped\r\n" + WE, [b"TC120261108 stripped\r\n", WE], b""),
    ],
)
def test_a_file_comes_apart_into_its_records_as_they_stand(data, records, tail):
    assert split(data, JRA.layouts) == (records, tail)


@pytest.mark.parametrize(
    ("head", "key"),
    [
        (f"RA720261108{KEY}", "202611080511"),
        (f"\0RA720261108{KEY}", "202611080511"),
        (f"RC7202611081{KEY}", "202611080511"),
        ("WE72026110820261108050811", "2026110805"),
        ("WF72026110820261108", "20261108"),
        ("RA72026110820261108G0000001", "20261108G001"),
        ("UM7202611082026100001", None),
        ("ZZ720261108", None),
    ],
)
def test_a_record_carries_its_key_where_its_layout_has_it(head, key):
    assert carried_key(head.encode(), JRA.layouts) == key


def test_a_type_stands_behind_nuls():
    assert record_type(b"\0\0RA7") == b"RA"


def test_a_compressed_file_is_known_by_what_it_holds(tmp_path):
    noise = os.urandom(200_000).replace(b"\r\n", b"  ")
    for name, data in {"jv.zst": b"RA720261108" + noise + b"\r\n", "junk.zst": noise, "torn.zst": b""}.items():
        (tmp_path / name).write_bytes(zstandard.compress(data) if data else b"torn")
    looks = {path.name: looks_like_jvdata(path) for path in tmp_path.iterdir()}
    assert looks == {"jv.zst": True, "junk.zst": False, "torn.zst": True}
    assert len(load(tmp_path / "jv.zst")) == 200_013
