"""`jvgate decode` of damaged files: what is saved from files that editors, mail and text-mode programs changed."""

import json

import pytest

from jvgate.commands.decode import decode_files
from tests.raceday import race_day, record

RA, SE1, SE2, SE3, HR, O1 = race_day()
RA = record("RA", Hondai="テストカップ", Kyori=2400, SyussoTosu=16, HaronTimeL3=34.8)
HR = record("HR", PayTansyo=[{"Umaban": 1, "Pay": 350, "Ninki": 1}], PayFukusyo=[{"Umaban": 1, "Pay": 150, "Ninki": 1}])
O2 = record("O2", OddsUmarenInfo=[{"Kumi": f"01{number:02}", "Odds": number + 0.1, "Ninki": number}
                                  for number in range(2, 9)], TotalHyosuUmaren=1000)  # fmt: skip
MEETING = (RA, SE1, SE2, SE3, HR)


def decoded(folder, data, name="a.jvd"):
    """The records of a file, and whether it is damaged."""
    (folder / name).write_bytes(data)
    out = folder / "out.ndjson"
    is_damaged = decode_files([folder / name], {}, out)
    return [json.loads(line) for line in out.read_bytes().splitlines()], is_damaged


def lines(*records, ending):
    return b"".join(raw[:-2] + ending for raw in records)


@pytest.mark.parametrize(
    "data",
    [
        RA.replace("ト".encode("cp932"), b"?", 1),
        HR.replace(b"000000350", b"00000350"),
        O2[:60] + O2[61:],
        SE1[:35] + b"0" + SE1[35:],
    ],
    ids=["RA", "HR", "O2", "SE"],
)
def test_a_lost_or_added_byte_costs_its_record_and_no_number_behind_it_is_shown(tmp_path, data):
    rows, is_damaged = decoded(tmp_path, RA + data + SE1)
    assert is_damaged
    assert [set(row) == {"RecordSpec", "_raw", "_errors"} for row in rows] == [False, True, False]
    assert (rows[0]["Kyori"], rows[0]["SyussoTosu"], rows[0]["HaronTimeL3"]) == (2400, 16, 34.8)


@pytest.mark.parametrize("kind", ["HR", "TM", "DM", "WF", "CS", "BT", "TK", "H1", "H6", "AV"])
@pytest.mark.parametrize("padding", [" ", " \u3000"], ids=["spaces", "wide spaces"])
def test_padding_that_was_cut_off_is_put_back(tmp_path, kind, padding):
    raw = record(kind)
    stripped = raw[:-2].decode("cp932").rstrip(padding).encode("cp932")
    rows, is_damaged = decoded(tmp_path, RA + stripped + b"\r\n" + SE1)
    (whole, *_), _ = decoded(tmp_path, raw)
    assert not is_damaged
    assert rows[1] == whole


@pytest.mark.parametrize(
    ("data", "count", "is_damaged"),
    [
        (SE1 + b"x" + SE2 + SE3, 3, True),
        (SE1 + b"\n" + SE2 + SE3, 3, False),
        (lines(*MEETING, ending=b"\n"), 5, False),
        (lines(*MEETING, ending=b"\r\r\n"), 5, False),
        (lines(O1, ending=b"\r\r\n\r\n") + lines(O1, ending=b"\r\r\n"), 2, False),
        (O1 + b"\n" + O1, 2, False),
        (b"".join(MEETING)[:-2], 5, False),
        (b"".join((raw + b"\0").ljust(2000) for raw in MEETING), 5, False),
        (b"\xef\xbb\xbf" + b"".join(MEETING) + b"\x1a", 5, False),
    ],
    ids=[
        "x between",
        "LF between",
        "LF",
        "CR CR LF",
        "dump of Windows",
        "dump of Linux",
        "no last line end",
        "buffers",
        "marks",
    ],
)
def test_other_line_ends_and_fill_cost_no_record(tmp_path, capsys, data, count, is_damaged):
    rows, found_damage = decoded(tmp_path, data)
    assert (len(rows), found_damage) == (count, is_damaged)
    assert not [row for row in rows if "_errors" in row or "_raw" in row]
    told = capsys.readouterr().err
    assert any(word in told for word in ("1 bytes lost", "line end", "bytes of fill"))


def test_whole_records_are_read_without_a_word(tmp_path, capsys):
    assert len(decoded(tmp_path, b"".join(MEETING))[0]) == 5
    assert capsys.readouterr().err.strip().endswith("a.jvd: 5 records")
