"""`jvgate spec`: all that is known of a name, and what there is."""

import re

import pytest

from tests.commands.command import OK, USAGE, fails
from tests.specs import JRA

pytestmark = pytest.mark.process


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
