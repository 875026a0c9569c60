"""The command as a user runs it: what it prints, where, and with which exit status."""

import io
import json
import os
import pickle
import re
import socket
import subprocess
import sys
from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from unittest.mock import patch

import msgspec
import pyarrow.parquet as pq
import pytest
import zstandard

from jvgate import __version__
from jvgate.commands.output import writing
from jvgate.settings import Settings
from tests.cache.redis_server import RedisServer
from tests.raceday import GARBAGE, RACE_KEY, archive, race_day, record
from tests.specs import JRA
from tests.web.conftest import running

pytestmark = pytest.mark.process

COMMAND = Path(sys.executable).with_name("jvgate")
LIMIT_S = 60
OK, DAMAGED, USAGE, SOURCE = 0, 1, 2, 3


@pytest.fixture
def jvgate(tmp_path):
    """Run the command in an empty folder, without settings of the machine's own."""
    clean = {name: value for name, value in os.environ.items() if not name.upper().startswith("JVGATE_")}

    def run(*words, text=True, stdin=None, **environment):
        return subprocess.run(
            [COMMAND, *map(str, words)], capture_output=True, text=text, timeout=LIMIT_S, check=False, cwd=tmp_path,
            env={**clean, "COLUMNS": "200", "TERM": "dumb", **environment}, stdin=stdin,
        )  # fmt: skip

    return run


@pytest.fixture
def source(tmp_path):
    """An archive of one race."""
    folder = archive(tmp_path / "data", *race_day())
    archive(folder, *race_day()[:5], dataspec="0B12", name=f"{RACE_KEY}.jvd")
    return f"archive:{folder}?date=2026-11-18"


def fails(done, status, *said):
    """Whether the command ended with *status*, said everything of *said* on stderr, and showed no traceback."""
    assert done.returncode == status, done.stderr
    assert done.stdout == ""
    assert "Traceback" not in done.stderr
    for words in said:
        assert words in done.stderr


def test_the_version_is_told(jvgate):
    done = jvgate("--version")
    assert (done.returncode, done.stdout) == (OK, f"jvgate {__version__}\n")


@pytest.mark.parametrize("flag", ["--help", "-h"])
def test_help_lists_every_command(jvgate, flag):
    done = jvgate(flag)
    assert done.returncode == OK
    assert all(re.search(rf"\b{name}\b", done.stdout) for name in ("serve", "fetch", "decode", "spec"))


@pytest.mark.parametrize("name", ["serve", "fetch", "decode", "spec"])
def test_help_of_a_command_teaches_it_in_both_languages(jvgate, name):
    done = jvgate(name, "--help")
    assert (done.returncode, f"jvgate {name}" in done.stdout) == (OK, True)
    assert re.search("[぀-ヿ一-鿿]", done.stdout)


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("SE", ["Bamei", "馬名", "555 bytes"]),
        ("se", ["Bamei"]),
        ("UM@1577", ["1577 bytes"]),
        ("O6", ["OddsSanrentanInfo", "x4896"]),
        ("2001", ["05", "東京競馬場", "Tokyo"]),
        ("RACE", ["RA SE HR", "option 1, 2, 3, 4"]),
        ("0B12", ["YYYYMMDDJJRR"]),
        ("DIFF", ["DIFN"]),
    ],
)
def test_spec_shows_what_is_known_of_a_name(jvgate, name, shown):
    done = jvgate("spec", name)
    assert (done.returncode, done.stderr) == (OK, "")
    assert all(words in done.stdout for words in shown)


def test_spec_alone_shows_all_there_is(jvgate):
    shown = jvgate("spec").stdout
    assert all(re.search(rf"^{kind} ", shown, re.MULTILINE) for kind in JRA.layouts.types)
    assert all(name in shown for name in ("RACE", "0B51", "2001", "2303"))


def test_spec_shows_every_field_of_a_record(jvgate):
    shown = jvgate("spec", "RA").stdout
    assert all(field.key in shown for field in JRA.layouts.current("RA").fields)


@pytest.mark.parametrize("name", ["nonsense", "ZZ", "RACERACE", "../../etc", "レース"])
def test_spec_of_nothing_says_what_there_is(jvgate, name):
    fails(jvgate("spec", name), USAGE, name, "RACE", "2001", "SE")


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


def test_two_that_write_the_same_file_do_not_meet_before_its_name(tmp_path):
    with writing(tmp_path / "a.csv") as one, patch("os.getpid", return_value=1), writing(tmp_path / "a.csv") as other:
        one.write(b"one")
        other.write(b"other")
    assert [path.read_bytes() for path in tmp_path.iterdir()] == [b"one"]


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


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no device here that is always full")
@pytest.mark.parametrize("words", [["decode", "a.jvd"], ["fetch", "RACE", "--from", "20261101"]])
def test_a_full_disk_is_told_in_plain_words(tmp_path, source, words):
    (tmp_path / "a.jvd").write_bytes(record("RA") * 2000)
    with open("/dev/full", "wb") as full:  # noqa: PTH123
        done = subprocess.run(
            [COMMAND, *words], cwd=tmp_path, env={**os.environ, "JVGATE_SOURCE": source}, stdout=full, stderr=-1,
            text=True, timeout=LIMIT_S, check=False,
        )  # fmt: skip
    assert done.returncode
    assert "Traceback" not in done.stderr
    assert "No space left" in done.stderr
    assert "a.jvd: cannot be read" not in done.stderr


def test_fetch_gives_the_answer_of_the_server_and_its_progress_on_stderr(jvgate, source):
    done = jvgate("fetch", "RACE", "--from", "20261101", "--record", "RA,SE", "--source", source)
    answer = json.loads(done.stdout)
    assert (done.returncode, answer["meta"]["record_counts"]) == (OK, {"RA": 1, "SE": 3})
    assert "RACE" in done.stderr


def test_fetch_reads_real_time_data_and_takes_its_source_from_the_environment(jvgate, source):
    done = jvgate("fetch", "0B12", "--key", RACE_KEY, "--fields", "RaceNum", "--limit", "1", JVGATE_SOURCE=source)
    assert json.loads(done.stdout)["data"] == [{"RaceNum": 11}]


@pytest.mark.parametrize("option", ["1", "3", "4"])
@pytest.mark.parametrize("form", ["ndjson", "msgpack"])  # written while it is read, and afterwards
def test_fetch_keeps_to_the_end_of_the_span_with_every_option(jvgate, tmp_path, form, option):
    for number, provided in enumerate(("20260710120000", "20260801000001", "20261105120000"), start=1):
        archive(tmp_path, record("RA", RaceNum=number), name=f"RAVM20260700{provided}.jvd")
    span = ["--from", "20260701", "--to", "20260801", "--option", option, "--fields", "RaceNum"]
    done = jvgate("fetch", "RACE", *span, "--source", f"archive:{tmp_path}?date=2026-11-24", "-o", f"race.{form}")
    assert done.returncode == OK
    written = (tmp_path / f"race.{form}").read_bytes()
    if form == "ndjson":
        shown = [json.loads(line) for line in written.splitlines()][:-1]
    else:
        shown = msgspec.msgpack.decode(written)["data"]
    assert [one["RaceNum"] for one in shown] == [1]


def test_fetch_writes_a_file(jvgate, source, tmp_path):
    done = jvgate("fetch", "RACE", "--from", "20261101", "--source", source, "-o", "race.json")
    assert (done.returncode, done.stdout) == (OK, "")
    assert json.loads((tmp_path / "race.json").read_text("utf-8"))["meta"]["total"] == 6
    assert sorted(path.name for path in tmp_path.iterdir()) == ["data", "race.json"]


def test_fetch_leaves_an_older_file_alone_when_it_fails(jvgate, source, tmp_path):
    archive(tmp_path / "data", record("SE")[:100], name="torn20261116150000.jvd")
    (tmp_path / "race.json").write_text("older")
    done = jvgate("fetch", "RACE", "--from", "20261101", "--source", source, "-o", "race.json")
    fails(done, SOURCE, "-403", "torn20261116150000.jvd")
    assert (tmp_path / "race.json").read_text() == "older"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["data", "race.json"]


@pytest.mark.skipif(sys.platform == "win32", reason="pipes have no names in the folder there")
def test_fetch_writes_into_what_is_no_file_without_replacing_it(jvgate, source, tmp_path):
    """`-o /dev/stdout`, a named pipe, a device: it must still be one afterwards."""
    os.mkfifo(tmp_path / "pipe")
    with subprocess.Popen(["cat", tmp_path / "pipe"], stdout=-1) as reader:
        done = jvgate("fetch", "RACE", "--from", "20261101", "--source", source, "-o", "pipe")
        is_pipe = (tmp_path / "pipe").is_fifo()
        if not is_pipe:
            reader.kill()
        body = reader.communicate()[0]
    assert (done.returncode, is_pipe) == (OK, True)
    assert json.loads(body)["meta"]["total"] == 6


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["NOPE", "--from", "20261101"], ["NOPE", "RACE"]),
        (["RACE"], ["--from", "YYYYMMDD"]),
        (["RACE", "--from", "20260230"], ["20260230", "YYYYMMDD"]),
        (["RACE", "--from", "20261101", "--to", "20261001"], ["later"]),
        (["RACE", "--from", "20261101", "--record", "ZZ"], ["ZZ", "RA, SE"]),
        (["RACE", "--from", "20261101", "--format", "csv"], ["csv", "record=SE"]),
        (["0B12", "--key", "2026"], ["YYYYMMDDJJRR"]),
        (["0B12"], ["YYYYMMDDJJRR"]),
        (["RACE", "--from", "20261101", "-o", "no/such/folder/x.json"], ["no/such/folder/x.json"]),
        (["RACE", "--from", "20261101", "-o", "."], ["cannot be written"]),
        (["RACE", "--from", "20261101", "--source", "tape:"], ["tape:", "archive:DIR"]),
    ],
)
def test_fetch_refuses_what_cannot_be_asked_with_what_can(jvgate, source, words, said):
    fails(jvgate("fetch", *words, JVGATE_SOURCE=source), USAGE, *said)


@pytest.mark.parametrize("place", ["nowhere", "junk"])
def test_fetch_from_an_archive_that_is_none_says_what_a_right_one_holds(jvgate, tmp_path, place):
    (tmp_path / "junk").mkdir()
    (tmp_path / "junk" / "letter.txt").write_text("Dear reader")
    done = jvgate("fetch", "RACE", "--from", "20261101", "--source", f"archive:{place}")
    fails(done, SOURCE, place, "files of raw records")


def test_serve_names_a_port_that_is_taken(jvgate):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        fails(jvgate("serve", "--port", port), USAGE, str(port), "JVGATE_PORT", "0 for any free one")


@pytest.mark.parametrize(
    ("words", "environment", "said"),
    [
        (["--source", "tape:"], {}, ["JVGATE_SOURCE", "demo:", "archive:DIR"]),
        (["--source", "archive:"], {}, ["JVGATE_SOURCE", "archive:DIR"]),
        (["--source", "demo:?colour=red"], {}, ["colour", "seed, date"]),
        (["--port", "65536"], {}, ["JVGATE_PORT", "--port", "0 to 65535"]),
        (["--port", "http"], {}, ["--port", "integer"]),
        (["--log-format", "xml"], {}, ["JVGATE_LOG_FORMAT", "console or json"]),
        (["--host", "no.such.host.invalid"], {}, ["JVGATE_HOST", "127.0.0.1"]),
        ([], {"JVGATE_PORT": "http"}, ["JVGATE_PORT", "0 to 65535"]),
        ([], {"JVGATE_L1_BYTES": "1 GB"}, ["JVGATE_L1_BYTES", "integer"]),
        (["--prot", "8000"], {}, ["--prot"]),
    ],
)
def test_serve_names_a_wrong_setting_and_what_it_takes(jvgate, words, environment, said):
    fails(jvgate("serve", *words, **environment), USAGE, *said)


@pytest.mark.parametrize(
    ("toml", "said"), [("prot = 8000", ["jvgate.toml", "prot", "port"]), ("port = ", ["jvgate.toml"])]
)
def test_serve_names_what_is_wrong_in_the_file_of_settings(jvgate, tmp_path, toml, said):
    (tmp_path / "jvgate.toml").write_text(toml)
    fails(jvgate("serve"), USAGE, *said)


@pytest.mark.parametrize("words", [["nonsense"], ["fetch"], ["decode"], ["serve", "extra"], ["--nonsense"]])
def test_wrong_use_is_told_without_a_traceback(jvgate, words):
    fails(jvgate(*words), USAGE, "Usage: jvgate")


@pytest.mark.skipif(sys.platform == "win32", reason="bash")
def test_the_shell_can_complete_the_command(jvgate):
    alone = {"_TYPER_COMPLETE_TEST_DISABLE_SHELL_DETECTION": "1"}
    script = jvgate("--show-completion", "bash", **alone).stdout
    assert "complete -o default -F _jvgate_completion jvgate" in script
    words = {"_JVGATE_COMPLETE": "complete_bash", "COMP_WORDS": "jvgate s", "COMP_CWORD": "1"}
    assert jvgate(**words).stdout.split() == ["serve", "spec"]


@pytest.mark.skipif(sys.platform == "win32", reason="bash")
@pytest.mark.parametrize(("flag", "values"), [("--format p", ["parquet"]), ("--charset s", ["shift_jis"])])
def test_the_shell_completes_formats_and_charsets(jvgate, flag, values):
    words = {"_JVGATE_COMPLETE": "complete_bash", "COMP_WORDS": f"jvgate fetch RACE {flag}", "COMP_CWORD": "4"}
    assert jvgate(**words).stdout.split() == values


def test_help_is_quick_because_a_command_loads_only_its_own_rooms():
    code = "import sys, jvgate.cli; print([name for name in sys.modules if name in %r])"
    heavy = ("fastapi", "uvicorn", "numpy", "jvgate.web.app", "jvgate.season.shelf")
    done = subprocess.run([sys.executable, "-c", code % (heavy,)], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_the_cache_of_a_running_server_is_shown_and_purged(jvgate, source):
    with running(Settings(source=source)) as client:
        url = str(client.base_url)
        client.data()
        assert json.loads(jvgate("cache", "stats", "--url", url, "--json").stdout)["l1"]["entries"] == 2
        assert "RACE" in jvgate("cache", "stats", "--url", url).stdout
        done = jvgate("cache", "purge", "--url", url, "--dataspec", "RACE")
        assert done.stdout == "dropped 2 from memory, 0 from Redis\n"
        fails(jvgate("cache", "purge", "--url", url), USAGE, "all=1")


@pytest.mark.parametrize("answer", [b"[]", b"{}", b"null", b"no JSON"])
@pytest.mark.parametrize("words", [["stats"], ["purge", "--all"]])
def test_what_is_no_jvgate_has_no_cache_to_show_either(jvgate, answer, words):
    class Other(BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200)
            self.end_headers()
            self.wfile.write(answer)

        def do_DELETE(self):
            self.do_GET()

        def log_message(self, *_):
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Other) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        fails(jvgate("cache", *words, "--url", f"http://127.0.0.1:{server.server_port}"), SOURCE, "jvgate")
        server.shutdown()


def test_an_empty_option_purges_nothing_more_than_it_says(jvgate, source):
    with running(Settings(source=source)) as client:
        client.data()
        fails(
            jvgate("cache", "purge", "--url", str(client.base_url), "--dataspec", "RACE", "--date", ""), USAGE, "date"
        )
        assert client.get("/api/v1/cache").json()["l1"]["entries"] == 2


def test_a_setting_that_only_its_room_can_judge_ends_the_start_in_one_line_too(jvgate):
    done = jvgate("serve", "--port", "0", JVGATE_COMPRESSION_LEVELS='{"br": 99}')
    fails(done, USAGE, "JVGATE_COMPRESSION_LEVELS", "br has no level 99. Allowed: 0 to 11")
    assert len(done.stderr.splitlines()) == 1


def test_what_lies_in_redis_is_shown_with_its_age(jvgate, source):
    with RedisServer() as redis, running(Settings(source=source, redis_url=redis.unix_url, prefetch=False)) as client:
        client.data()
        redis.until(lambda: any(name.startswith("jvgate:2:jra:RACE:") for name in redis.names()))
        shown = jvgate("cache", "stats", "--url", str(client.base_url)).stdout
    told = shown.partition("longest in Redis\n")[2].splitlines()
    assert told[0].split() == ["query", "bytes", "age", "expires", "in"]
    assert re.fullmatch(r"jra:RACE:20261101000000-:1 +[\d,]+ +\d+ s +[\d,]+ s", told[1].strip())


@pytest.mark.parametrize("url", ["http://127.0.0.1:1", "file:///etc", "127.0.0.1:1", "http://[", "http://127.0.0.1:x"])
def test_a_server_that_is_not_there_has_no_cache_to_show(jvgate, url):
    fails(jvgate("cache", "stats", "--url", url), SOURCE, "no jvgate answers")


@pytest.mark.parametrize("name", ["se.csv", "se.parquet", "se.arrow", "se.ndjson", "se.jvd", "se.msgpack"])
def test_fetch_writes_the_form_that_a_file_is_named_after(jvgate, source, tmp_path, name):
    done = jvgate("fetch", "RACE", "--from", "20261101", "--record", "SE", "-o", name, JVGATE_SOURCE=source)
    assert (done.returncode, "3 records" in done.stderr) == (OK, True), done.stderr
    assert [path.name for path in tmp_path.iterdir() if path.is_file()] == [name]
    begins = {"se.csv": b"RecordSpec,", "se.parquet": b"PAR1", "se.ndjson": b'{"RecordSpec":"SE"', "se.jvd": b"SE7"}
    assert (tmp_path / name).read_bytes().startswith(begins.get(name, b""))


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
