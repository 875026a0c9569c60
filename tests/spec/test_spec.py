"""The facts of a provider: one frozen value, loaded once, and what is unknown to `nv` passes."""

import subprocess
import sys
from dataclasses import FrozenInstanceError

import pytest

from jvgate.spec.spec import load_spec
from tests.specs import JRA, NV


def test_a_spec_is_frozen():
    with pytest.raises(FrozenInstanceError):
        JRA.link = "another"
    with pytest.raises(TypeError):
        JRA.dataspecs["XXXX"] = None


@pytest.mark.parametrize(("spec", "provider", "link"), [(JRA, "jra", "JV-Link"), (NV, "nv", "NV-Link")])
def test_each_provider_has_its_name_and_that_of_its_component(spec, provider, link):
    assert (spec.provider, spec.link) == (provider, link)


def test_a_process_loads_a_provider_once():
    assert load_spec("jra") is JRA
    assert load_spec("nv") is NV


def test_nv_shares_the_layouts_of_jra():
    assert all(NV.layouts.get(layout.record, layout.length) is layout for layout in JRA.layouts.all())


def test_nv_has_the_local_courses_and_obihiro():
    assert set(NV.code_tables["2001"].rows) - set(JRA.code_tables["2001"].rows) == {"83"}
    assert NV.code_tables["2001"].word("83", "en") == "Obihiro (ban'ei)"
    assert NV.code_tables["2001"].word("44", "ja") == "大井競馬場"


def test_only_nv_has_data_specs_and_records_that_no_file_describes():
    assert (JRA.is_dataspec("0B3A"), NV.is_dataspec("0B3A")) == (False, True)
    assert (JRA.is_record("NU"), NV.is_record("NU")) == (False, True)


@pytest.mark.parametrize("name", ["", "RAC", "race", "2026", "RACE1", "0B", "0b3a", "*"])
def test_what_has_not_the_form_of_a_data_spec_is_none_for_nv_either(name):
    assert NV.dataspec(name) is None


@pytest.mark.parametrize("name", ["", "R", "ra", "1A", "RAA"])
def test_what_has_not_the_form_of_a_record_type_is_none_for_nv_either(name):
    assert not NV.is_record(name)


def test_the_texts_of_nv_speak_of_nv_link():
    assert all("JV-Link" not in code.meaning_en + code.meaning_ja + code.action for code in NV.return_codes)
    assert "NV-Link" in NV.return_codes.get(-401, "JVOpen").meaning_en


@pytest.mark.process
def test_importing_a_module_loads_no_facts():
    """The first request must find them loaded, and no import may do it on the way."""
    code = "import jvgate.web.app, jvgate.spec.spec as s; import sys; sys.exit(len(s._loaded))"
    subprocess.run([sys.executable, "-c", code], check=True)
