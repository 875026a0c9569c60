"""`jvgate decode`: files of raw records in any format, with all that can be saved of damaged ones."""

import io
import json
import pickle
import subprocess
from collections import Counter

import msgspec
import pyarrow.parquet as pq
import pytest
import zstandard

from tests.commands.command import DAMAGED, LIMIT_S, OK, USAGE, fails
from tests.raceday import GARBAGE, race_day, record
from tests.served.processes import COMMAND

pytestmark = pytest.mark.process


def damaged(folder):
    """A file with a whole record, garbage, a broken field and a torn end."""
    broken = bytearray(record("SE", Umaban=2))
    broken[40:42] = b"\x81\x20"
    path = folder / "damaged.jvd"
    path.write_bytes(record("SE", Umaban=1, Bamei="アイ") + GARBAGE + bytes(broken) + record("SE")[:100])
    return path


def test_decode_saves_what_can_be_saved_and_tells_where_the_rest_was(jvgate, tmp_path):
    done = jvgate("decode", damaged(tmp_path))
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    assert done.returncode == DAMAGED
    assert [(row["Umaban"], row["Bamei"], "_errors" in row) for row in rows] == [(1, "アイ", False), (2, None, True)]
    assert f"{len(GARBAGE)} bytes lost at byte 555" in done.stderr
    assert f"100 bytes lost at byte {2 * 555 + len(GARBAGE)}" in done.stderr
    assert "2 records, 1 with damaged fields" in done.stderr


@pytest.mark.parametrize(
    ("name", "pack"),
    [
        ("whole.jvd", lambda data: data),
        ("whole.jvd.zst", zstandard.compress),
        ("frames.zst", lambda data: zstandard.compress(data[:555]) + zstandard.compress(data[555:])),
    ],
)
def test_decode_reads_files_plain_and_compressed(jvgate, tmp_path, name, pack):
    (tmp_path / name).write_bytes(pack(record("SE") * 3))
    done = jvgate("decode", name)
    assert (done.returncode, len(done.stdout.splitlines())) == (OK, 3)
    assert done.stderr == f"{name}: 3 records\n"


@pytest.mark.parametrize("cut", [1, 20])
def test_decode_does_not_take_a_cut_compressed_file_for_whole(jvgate, tmp_path, cut):
    (tmp_path / "cut.zst").write_bytes(zstandard.compress(b"".join(race_day()))[:-cut])
    done = jvgate("decode", "cut.zst")
    assert (done.returncode, "cut.zst: " in done.stderr) == (DAMAGED, True)


@pytest.mark.parametrize(
    ("name", "content"), [("not there.jvd", None), ("no.zst", b"hello"), ("letter.txt", b"Dear reader,\n" * 9)]
)
def test_decode_of_no_jvdata_says_so(jvgate, tmp_path, name, content):
    if content is not None:
        (tmp_path / name).write_bytes(content)
    fails(jvgate("decode", name), DAMAGED, name)


def test_decode_goes_on_behind_a_file_that_cannot_be_read(jvgate, tmp_path):
    (tmp_path / "good.jvd").write_bytes(record("RA"))
    done = jvgate("decode", "lost.jvd", "good.jvd")
    assert (done.returncode, json.loads(done.stdout)["RecordSpec"]) == (DAMAGED, "RA")


@pytest.mark.parametrize("name", ["out.parquet", "out.ndjson", "out.csv"])
def test_decode_replaces_no_file_by_a_part_of_what_it_should_hold(jvgate, tmp_path, name):
    (tmp_path / "good.jvd").write_bytes(record("SE") * 3)
    (tmp_path / "cut.zst").write_bytes(zstandard.compress(record("SE") * 5000)[:-20])
    assert jvgate("decode", "good.jvd", "--record", "SE", "-o", name).returncode == OK
    whole = (tmp_path / name).read_bytes()
    for missing in ("cut.zst", "lost.jvd"):
        done = jvgate("decode", "good.jvd", missing, "--record", "SE", "-o", name)
        assert (done.returncode, f"{name} is not written, since {missing}" in done.stderr) == (DAMAGED, True)
        assert (tmp_path / name).read_bytes() == whole
    assert {path.name for path in tmp_path.iterdir()} == {"good.jvd", "cut.zst", name}


def test_raw_records_are_decoded_to_what_they_were(jvgate, tmp_path):
    stripped = b"".join(record(kind).rstrip() + b"\r\n" for kind in ("HR", "TM")) + record("SE") * 2
    (tmp_path / "stripped.jvd").write_bytes(stripped)
    assert jvgate("decode", "stripped.jvd", "--format", "raw", "-o", "again.jvd").returncode == OK
    assert (tmp_path / "again.jvd").read_bytes() == stripped


def test_decode_shows_characters_or_labels(jvgate, tmp_path):
    (tmp_path / "a.jvd").write_bytes(record("RA"))
    assert json.loads(jvgate("decode", "a.jvd", "--raw").stdout)["RaceNum"] == "11"
    assert json.loads(jvgate("decode", "a.jvd", "--labels", "ja").stdout)["JyoCDLabel"] == "東京競馬場"
    fails(jvgate("decode", "a.jvd", "--labels", "fr"), USAGE, "ja or en")


def test_decode_ends_quietly_when_its_reader_has_seen_enough(tmp_path):
    (tmp_path / "long.jvd").write_bytes(record("SE") * 5000)
    with subprocess.Popen([COMMAND, "decode", tmp_path / "long.jvd"], stdout=-1, stderr=-1) as decoding:
        assert json.loads(decoding.stdout.readline())["RecordSpec"] == "SE"
        decoding.stdout.close()
        said = decoding.stderr.read()
        decoding.wait(LIMIT_S)
    assert said == b""


def test_decode_gives_the_table_that_fetch_gives(jvgate, source, tmp_path):
    for name in ("se.jvd", "fetched.csv"):
        jvgate("fetch", "RACE", "--from", "20261101", "--record", "SE", "-o", name, JVGATE_SOURCE=source)
    done = jvgate("decode", "se.jvd", "--record", "SE", "-o", "decoded.csv")
    assert done.returncode == OK, done.stderr
    assert (tmp_path / "decoded.csv").read_bytes() == (tmp_path / "fetched.csv").read_bytes()


def test_decode_writes_documents_too(jvgate, tmp_path):
    (tmp_path / "all.jvd").write_bytes(b"".join(race_day()) + GARBAGE)
    jvgate("decode", "all.jvd", "-o", "all.ndjson")
    records = [json.loads(line) for line in (tmp_path / "all.ndjson").read_text("utf-8").splitlines()]
    loaders = {"all.json": json.loads, "all.msgpack": msgspec.msgpack.decode, "all.pickle": pickle.loads}
    for name, load in loaders.items():
        done = jvgate("decode", "all.jvd", "-o", name, JVGATE_ALLOW_PICKLE="1")
        assert done.returncode == DAMAGED, done.stderr
        document = load((tmp_path / name).read_bytes())
        assert document["data"] == records
        assert document["meta"]["record_counts"] == Counter(record["RecordSpec"] for record in records)
        assert document["meta"]["lost_bytes"] > 0


def test_decode_writes_no_pickle_unless_that_is_switched_on(jvgate, tmp_path):
    (tmp_path / "se.jvd").write_bytes(record("SE"))
    fails(jvgate("decode", "se.jvd", "-o", "se.pickle"), USAGE, "pickle")


@pytest.mark.parametrize("form", ["json", "arrow", "parquet", "msgpack"])
def test_decode_to_stdout_does_not_end_what_is_not_whole(jvgate, tmp_path, form):
    packed = zstandard.ZstdCompressor().compress(record("SE") * 3000)
    (tmp_path / "cut.jvd.zst").write_bytes(packed[: len(packed) // 2])
    (tmp_path / "se.jvd").write_bytes(record("SE"))
    with (tmp_path / "out").open("wb") as out:
        done = subprocess.run([COMMAND, "decode", "se.jvd", "cut.jvd.zst", "--record", "SE", "--format", form],
                              stdout=out, cwd=tmp_path, check=False)  # fmt: skip
    assert done.returncode == DAMAGED
    content = (tmp_path / "out").read_bytes()
    if form == "arrow":  # whose readers take a missing end for one
        assert content
        assert not content.endswith(b"\xff\xff\xff\xff\0\0\0\0")
        return
    read = {"parquet": lambda content: pq.read_table(io.BytesIO(content)), "json": json.loads}
    with pytest.raises(ValueError):  # noqa: PT011  (each says it in its own words)
        read.get(form, msgspec.msgpack.decode)(content)  # msgpack: there is nothing yet


def test_decode_selects_as_the_server_does(jvgate, source):
    jvgate("fetch", "RACE", "--from", "20261101", "-o", "all.jvd", JVGATE_SOURCE=source)
    done = jvgate("decode", "all.jvd", "--record", "SE", "--where", "Umaban=2", "--fields", "Umaban")
    assert done.stdout == '{"Umaban":2}\n'


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--format", "csv"], "--record"),
        (["--format", "xml"], "ndjson"),
        (["-o", "se.csv.gz", "--record", "SE"], "The ending .gz says no form"),
        (["--record", "ZZ"], "no record type"),
        (["--fields", "Bame"], "Bamei"),
        (["-o", "no/such/folder/x.csv", "--record", "SE"], "cannot be written"),
    ],
)
def test_decode_refuses_what_cannot_be_asked_with_what_can(jvgate, tmp_path, words, said):
    (tmp_path / "se.jvd").write_bytes(record("SE"))
    fails(jvgate("decode", "se.jvd", *words), USAGE, said)
