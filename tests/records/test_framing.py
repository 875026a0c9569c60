"""A stream comes apart into its records, whatever happened to it on the way."""

import pytest

from jvgate.records.encode import encode
from jvgate.records.framing import LOOKAHEAD, Framer
from jvgate.records.runs import Damage, RawRecord, RecordRun
from tests.raceday import frames_of
from tests.specs import JRA

BODY = {"KeitoEx": "本文", "KeitoId": "0101", "KeitoName": "系統", "HansyokuNum": "1234567890"}


def record(name, length=None, **values):
    return encode(
        {"RecordSpec": name, "DataKubun": "1", "MakeDate": "2026-05-11", **values}, JRA.layouts, length=length
    )


def raws(items):
    return [item.raw for item in items if isinstance(item, RawRecord)]


def damages(items):
    return [(item.offset, item.length) for item in items if isinstance(item, Damage)]


def test_all_types_old_and_new_come_out_in_order():
    records = [record(layout.record, layout.length) for layout in JRA.layouts.all()]
    items = frames_of(b"".join(records))
    assert raws(items) == records
    assert [item.layout for item in items] == list(JRA.layouts.all())


def test_stripped_records_are_padded_back_and_counted():
    records = [record("HR", TorokuTosu=12), record("TM"), record("SE", Umaban=3)]
    stripped = b"".join(raw[:-2].rstrip(b" ") + b"\r\n" for raw in records)
    items = frames_of(stripped)
    assert raws(items) == records
    assert [item.padded > 0 for item in items] == [True, True, False]


def test_a_stripped_record_goes_to_the_generation_that_its_content_fits():
    for length, number in ((6889, "1234567890"), (6887, "12345678")):
        raw = record("BT", length, **BODY | {"HansyokuNum": number})
        assert raws(frames_of(raw[:-2].rstrip(b" ") + b"\r\n")) == [raw]


def test_a_broken_line_end_costs_its_record_alone():
    first, second = record("AV"), record("WE")
    items = frames_of(first[:-2] + b"XX" + second)
    assert raws(items) == [second]
    assert damages(items) == [(0, len(first))]


def test_a_line_end_inside_a_record_does_not_cut_it():
    first, second = record("SE"), record("WE")
    broken = first[:200] + b"\r\n" + first[202:]
    assert raws(frames_of(broken + second)) == [broken, second]


def test_junk_between_records_is_lost_and_reported():
    first, second = record("AV"), record("WE")
    items = frames_of(first + b"junk\r\nand more\r\n" + second)
    assert raws(items) == [first, second]
    assert damages(items) == [(len(first), 16)]


def test_missing_bytes_do_not_take_the_next_record_along():
    first, second, third = record("SE", Umaban=1), record("SE", Umaban=2), record("SE", Umaban=3)
    items = frames_of(first + second[100:] + third)
    assert raws(items) == [first, third]
    assert damages(items) == [(len(first), len(second) - 100)]


def test_an_unfinished_record_at_the_end_is_reported():
    first, second = record("AV"), record("SE")
    items = frames_of(first + second[:300])
    assert raws(items) == [first]
    assert items[-1] == Damage(len(first), 300, "the data ends within a record", b"SE")


def test_unknown_types_and_lengths_are_kept_raw():
    new_type, longer = b"ZZ120260511 something new\r\n", record("AV")[:-2] + b"more\r\n"
    items = frames_of(record("WE") + new_type + longer)
    assert raws(items)[1:] == [new_type, longer]
    assert [item.layout for item in items][1:] == [None, None]


def test_a_nul_behind_a_record_is_passed_over():
    first, second = record("AV"), record("WE")
    items = frames_of(first + b"\0" + second + b"\0")
    assert raws(items) == [first, second]
    assert not damages(items)


def test_nothing_is_no_record():
    assert frames_of(b"") == []


def test_a_lost_line_end_costs_its_record_alone():
    first, second, third = record("SE", Umaban=1), record("SE", Umaban=2), record("SE", Umaban=3)
    items = frames_of(first + second[:-2] + third)
    assert raws(items) == [first, third]
    assert damages(items) == [(len(first), len(second) - 2)]


def test_a_stripped_record_may_be_as_long_as_an_older_one():
    raw = record("BT", **BODY | {"KeitoEx": "本" * 3399})  # two spaces are left to strip: 6,887 bytes
    (item,) = frames_of(raw[:-2].rstrip(b" ") + b"\r\n")
    assert (item.raw, item.padded) == (raw, 2)


def test_damage_behind_a_stripped_record_does_not_make_it_whole():
    runners = [{"Umaban": number, "DMTime": 94.55, "DMGosaP": 0.5, "DMGosaM": 0.5} for number in range(1, 15)]
    stripped = record("DM", Year=2026, MonthDay="01-05", JyoCD="05", Kaiji=1, Nichiji=1, RaceNum=1, DMInfo=runners)
    damaged = bytearray(record("HC", KettoNum="2022104567"))
    damaged[2] = 0xCD
    first, *_ = frames_of(stripped[:-2].rstrip(b" ") + b"\r\n" + bytes(damaged) + record("HC"))
    assert (first.raw, first.padded) == (stripped, 60)


def test_damage_is_one_span_however_long_it_is():
    (only,) = frames_of(b"A" * 500_000)
    assert (only.offset, only.length) == (0, 500_000)


def test_a_file_with_other_line_ends_is_told_as_damage():
    lines = (record("HC")[:-2] + b" \n") * 5000
    assert sum(item.length for item in frames_of(lines)) == len(lines)


def test_many_records_of_one_layout_are_one_run():
    runners = [record("SE", Umaban=number % 18 + 1) for number in range(100)]
    first, second, third = Framer(JRA.layouts).feed(b"".join([*runners, record("WE"), runners[0]]))
    assert (first.count, first.raw, first.layout.record) == (100, b"".join(runners), "SE")
    assert [one.raw for one in first.records()] == runners
    assert (second.layout.record, second.offset) == ("WE", len(first.raw))
    assert third.raw == runners[0]


def test_a_record_of_known_length_waits_for_nothing_behind_it():
    framer, raw = Framer(JRA.layouts), record("SE")
    assert list(framer.feed(raw[:-1])) == []
    (run,) = framer.feed(raw[-1:] + b"\0")
    assert (run.raw, run.offset, run.count) == (raw, 0, 1)
    assert [(run.raw, run.offset) for run in framer.feed(raw)] == [(raw, len(raw) + 1)]
    assert list(framer.end()) == []


def test_what_is_no_record_of_known_length_waits_until_all_that_decides_is_there():
    framer, raw, unknown = Framer(JRA.layouts), record("SE"), b"ZZ120260511 something new\r\n"
    assert list(framer.feed(unknown + raw)) == []
    first, *_ = framer.feed(raw * (LOOKAHEAD // len(raw)))
    assert first.raw == unknown
    assert list(framer.end()) == []


@pytest.mark.parametrize("place", [0, 1, 5, 8, 9, 57, 98, 99])
@pytest.mark.parametrize("change", [(0, b"?"), (200, b"\r\n"), (-2, b"XX")])
def test_one_damaged_record_among_many_is_told_as_if_it_stood_among_few(place, change):
    at, new = change
    raw = bytearray(record("SE"))
    raw[at % len(raw) : at % len(raw) + len(new)] = new
    around = [record("SE", Umaban=number % 18 + 1) for number in range(100)]
    many = frames_of(b"".join([*around[:place], bytes(raw), *around[place + 1 :]]))
    few = [*around[:place][-1:], bytes(raw), *around[place + 1 :][:1]]
    assert len(many) == 100
    alone = frames_of(b"".join(few))[min(place, 1)]
    assert many[place].offset == place * len(raw)
    assert (type(many[place]), many[place].head) == (type(alone), alone.head)
    assert raws(many[place : place + 1]) == raws([alone])


def test_runs_do_not_grow_without_limit():
    data = record("SE") * 5000
    runs = list(Framer(JRA.layouts).feed(data))
    assert all(isinstance(run, RecordRun) and len(run.raw) <= 1 << 20 for run in runs)
    assert b"".join(run.raw for run in runs) == data
