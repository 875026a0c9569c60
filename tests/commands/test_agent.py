"""`jvgate agent`: what it refuses to offer before it listens, and why."""

import pytest

from jvgate.commands import agent
from jvgate.errors import SettingsError
from jvgate.settings import Settings


class Listens(Exception):
    """It came as far as that."""


@pytest.fixture
def run(monkeypatch):
    """Run the agent up to the moment in which it would listen -> where."""

    def listen(host, port, *, name):
        raise Listens(host, port, name)

    monkeypatch.setattr(agent, "listen", listen)
    monkeypatch.setattr(agent, "set_up_log", lambda log_format: None)

    def run(address="127.0.0.1", *, source="demo:", token="", certificate=None, key=None):
        settings = Settings(source=source, agent_token=token)
        agent.run(settings, address=address, certificate=certificate, key=key)

    return run


@pytest.mark.parametrize(
    ("address", "host", "port"),
    [("127.0.0.1:9000", "127.0.0.1", 9000), ("[::1]:0", "::1", 0), ("localhost", "localhost", 8900)],
)
def test_it_listens_on_this_machine_without_a_token(run, address, host, port):
    with pytest.raises(Listens) as listens:
        run(address)
    assert listens.value.args == (host, port, "--listen")


@pytest.mark.parametrize("address", ["", ":8900", "[::1", "127.0.0.1:x", "127.0.0.1:65536", "me@127.0.0.1", "a/b"])
def test_what_is_no_address_is_told_with_one(run, address):
    with pytest.raises(SettingsError, match=r"is no address.*127\.0\.0\.1:8900"):
        run(address)


@pytest.mark.parametrize("address", ["0.0.0.0:8900", "192.0.2.1", "[::]:8900", "example.org:8900"])
def test_others_may_reach_it_only_with_a_token(run, address):
    with pytest.raises(SettingsError, match="JVGATE_AGENT_TOKEN"):
        run(address)
    with pytest.raises(Listens):
        run(address, token="open sesame")


def test_an_agent_offers_no_other_agent(run):
    with pytest.raises(SettingsError, match="no other agent"):
        run(source="agent://192.0.2.1:8900")


def test_a_key_needs_its_certificate_and_both_must_be_files_of_that_kind(run, tmp_path):
    (tmp_path / "x.pem").write_text("no certificate")
    with pytest.raises(SettingsError, match="a key needs its certificate"):
        run(key=tmp_path / "x.pem")
    for name in ("x.pem", "missing.pem"):
        with pytest.raises(SettingsError, match=f"{name} cannot be used"):
            run(certificate=tmp_path / name)
