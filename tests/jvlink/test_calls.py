"""Calls to JV-Link besides reading: what each of its codes becomes, and that nothing stays open."""

import pytest

from jvgate.errors import JVLinkError, SourceError
from jvgate.jvlink.calls import ERRANDS

KEYS = ["202611112023100001", "202611122023100002"]


class Link:
    """A JV-Link whose methods return what the test sets."""

    def __init__(self, **results):
        self.results = results
        self.closed = 0

    def __getattr__(self, name):
        result = self.results[name]
        return lambda *arguments: result.pop(0) if isinstance(result, list) else result

    def JVClose(self):
        self.closed += 1


def ask(errand, link, *arguments):
    return ERRANDS[errand](link, *arguments)


@pytest.mark.parametrize(("code", "found"), [(0, True), (-1, False)])
def test_silks_come_with_whether_the_pattern_was_found(code, found):
    assert ask("silks", Link(JVFuku=(code, memoryview(b"BM"))), "赤") == {"picture": b"BM", "found": found}


@pytest.mark.parametrize(
    ("errand", "method", "result"),
    [
        ("silks", "JVFuku", (-100, b"")),
        ("course", "JVCourseFile", (-100, "", "")),
        ("movie", "JVMVCheckWithType", -100),
        ("movie", "JVMVCheckWithType", 2),
        ("movies", "JVMVOpen", -100),
    ],
)
def test_any_other_code_is_an_error_of_its_call(errand, method, result):
    arguments = {"silks": ("赤",), "course": ("k",)}.get(errand, ("11", "k"))
    with pytest.raises(JVLinkError) as error:
        ask(errand, Link(**{method: result}), *arguments)
    assert error.value.method == method


def test_the_picture_of_a_course_is_read_from_the_folder_of_jvlink(tmp_path):
    (tmp_path / "course.gif").write_bytes(b"GIF89a")
    told = ask("course", Link(JVCourseFile=(0, str(tmp_path / "course.gif"), "左回り")), "k")
    assert told == {"picture": b"GIF89a", "explanation": "左回り", "found": True}
    assert ask("course", Link(JVCourseFile=(-1, "", "")), "k") == {"picture": b"", "explanation": "", "found": False}


def test_a_picture_that_is_not_there_is_told_by_its_name_without_the_folder(tmp_path):
    with pytest.raises(SourceError, match=r"^JV-Link's picture lost\.gif cannot be read") as error:
        ask("course", Link(JVCourseFile=(0, str(tmp_path / "lost.gif"), "")), "k")
    assert str(tmp_path) not in str(error.value)


@pytest.mark.parametrize(("code", "available"), [(1, True), (0, False), (-1, False)])
def test_only_a_public_video_is_available(code, available):
    assert ask("movie", Link(JVMVCheckWithType=code), "00", "k") == {"available": available}


def test_the_keys_of_videos_are_read_to_the_end_and_closed():
    lines = [(21, f"{key}\r\n\0", "") for key in KEYS]
    link = Link(JVMVOpen=0, JVMVRead=[*lines, (0, "", ""), (21, "never", "")])
    assert ask("movies", link, "11", "20261111") == {"keys": KEYS}
    assert link.closed == 1


def test_no_videos_are_no_error():
    link = Link(JVMVOpen=-1)
    assert (ask("movies", link, "11", "20261111"), link.closed) == ({"keys": []}, 1)


def test_videos_are_closed_when_reading_them_fails():
    link = Link(JVMVOpen=0, JVMVRead=(-503, "", ""))
    with pytest.raises(JVLinkError, match="JVMVRead returned -503"):
        ask("movies", link, "11", "20261111")
    assert link.closed == 1


def test_the_service_key_is_never_read():
    link = Link()
    vars(link).update(m_JVLinkVersion="0490", m_saveflag=1, m_savepath="C:/data", m_payflag=0)  # reading more fails
    assert ask("setup", link) == {"version": "0490", "save_flag": 1, "save_path": "C:/data", "pay_flag": 0}
