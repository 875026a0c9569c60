"""Data specs, code tables and return codes come out typed and complete."""

from tests.specs import JRA


def test_every_data_spec_delivers_known_record_types():
    assert len(JRA.dataspecs) == 38
    for dataspec in JRA.dataspecs.values():
        assert set(dataspec.record_types) <= set(JRA.layouts.types)
        assert bool(dataspec.options) != bool(dataspec.key_forms) == dataspec.is_realtime


def test_every_record_type_is_delivered_by_some_data_spec():
    delivered = {record for dataspec in JRA.dataspecs.values() for record in dataspec.record_types}
    assert delivered == set(JRA.layouts.types)


def test_older_data_specs_name_their_successor():
    successors = {spec.id: spec.replaced_by for spec in JRA.dataspecs.values() if spec.replaced_by}
    assert successors == {
        "DIFF": "DIFN", "BLOD": "BLDN", "SNAP": "SNPN", "HOSE": "HOSN", "TCOV": "TCVN", "RCOV": "RCVN",
    }  # fmt: skip


def test_every_code_table_that_a_layout_names_is_there():
    named = {field.code_table for layout in JRA.layouts.all() for field in layout.leaves() if field.code_table}
    assert named <= set(JRA.code_tables)
    assert JRA.code_tables["2001"].word("05", "ja") == "東京競馬場"
    assert JRA.code_tables["2001"].word("5", "ja") is None


def test_codes_keep_their_spaces():
    assert " 12" in JRA.code_tables["2102"].rows


def test_a_return_code_means_what_its_call_says():
    assert JRA.return_codes.get(-1, "JVOpen").kind == "empty"
    assert JRA.return_codes.get(-1, "JVGets").kind == "control"
    assert JRA.return_codes.get(-504, "JVRTOpen").retry_after_s == 600
    assert JRA.return_codes.get(-999, "JVOpen") is None


def test_every_error_code_has_a_problem():
    assert all(code.slug and code.http_status for code in JRA.return_codes if code.kind == "error")
