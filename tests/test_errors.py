"""The error tree: each error carries its fields, says them, and tells whether waiting may help."""

import pytest

from jvgate import errors
from jvgate.errors import (
    SESSION_LOST,
    ComError,
    JvgateError,
    JVLinkError,
    NotInstalled,
    QueryError,
    RecordError,
    SessionHung,
    SessionTimeout,
    SourceBusy,
    SourceError,
    WorkerLost,
)


def test_every_error_stands_in_the_tree_and_is_exported():
    ours = {name for name, one in vars(errors).items() if isinstance(one, type) and issubclass(one, JvgateError)}
    assert all(name in errors.__doc__ for name in ours)
    assert ours == set(errors.__all__) - {"SESSION_LOST"}


def test_what_cannot_be_asked_says_what_would_have_been_right():
    error = QueryError("invalid-key", "2026 is no key.", parameter="key", value="2026", allowed="YYYYMMDD")
    assert str(error) == "2026 is no key. Allowed: YYYYMMDD"
    assert (error.slug, error.parameter, error.value) == ("invalid-key", "key", "2026")


@pytest.mark.parametrize(("offset", "said"), [(None, "SE.Umaban: broken"), (0, "SE.Umaban at byte 0: broken")])
def test_a_broken_record_tells_the_place_where_there_is_one(offset, said):
    assert str(RecordError("SE", "Umaban", why="broken", offset=offset)) == said


@pytest.mark.parametrize(("detail", "said"), [("", "JVGets returned -403"), ("a.jvd", "JVGets returned -403: a.jvd")])
def test_an_error_of_jvlink_names_its_call_and_code(detail, said):
    assert str(JVLinkError(-403, "JVGets", detail=detail)) == said


def test_com_shows_its_codes_as_windows_documents_them():
    assert str(ComError(0x154, "JVOpen")) == "JVOpen failed in COM with 0x00000154"
    assert str(ComError(0x80040154, "JVInit", why="gone")).endswith("0x80040154: gone")


def test_waiting_helps_unless_nothing_will_change():
    assert SourceError("x").retry_after_s is None
    assert ComError(1, "JVOpen").retry_after_s == 30
    assert NotInstalled("JVDTLab.JVLink", hresult=1, why="").retry_after_s is None
    assert SourceBusy(3).retry_after_s < SessionTimeout("x", limit_s=1).retry_after_s


def test_a_lost_session_is_worth_another_try_and_a_slow_download_is_not():
    assert isinstance(WorkerLost("x"), SESSION_LOST)
    assert isinstance(SessionHung("x", limit_s=1), SESSION_LOST)
    assert not isinstance(SessionTimeout("x", limit_s=1), SESSION_LOST)


def test_a_full_place_tells_the_number_in_the_queue():
    assert str(SourceBusy(7, full="no room")) == "no room; this one would be number 7"
