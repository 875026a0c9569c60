"""`agent:` URLs: the address they name, and what is refused with a word on what is allowed."""

import pytest

from jvgate.errors import SettingsError
from jvgate.sessions.agent.link import DEFAULT_PORT, Address
from jvgate.sessions.sources import agent
from jvgate.sessions.sources.agent import parse_address
from jvgate.sessions.sources.registry import parse_source


@pytest.mark.parametrize(
    ("url", "address"),
    [
        ("agent://host", Address("host", DEFAULT_PORT)),
        ("agent://[::1]:9000?lanes=split&provider=nv", Address("::1", 9000, is_split=True, provider="nv")),
        ("agent://host:1?tls=1&ca=c.pem&name=x", Address("host", 1, is_tls=True, ca="c.pem", name="x")),
    ],
)
def test_a_url_names_the_address_of_an_agent(url, address):
    assert parse_address(url) == address


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("agent:", "agent://HOST:PORT"),
        ("agent://host:port", "agent://HOST:PORT"),
        ("agent://host:99999", "agent://HOST:PORT"),
        ("agent://host:1?colour=red", "no parameter 'colour'"),
        ("agent://host:1?tls=yes", "not allowed"),
        ("agent://host:1?ca=x", "go with tls=1"),
        ("agent://host:1?tls=1&tls=1", "twice"),
        ("agent://token@host:1", "agent://host:1"),
    ],
)
def test_a_url_that_names_no_agent_says_what_is_allowed(url, said):
    with pytest.raises(SettingsError, match="JVGATE_SOURCE") as error:
        parse_source(url)
    assert said in str(error.value)


class _Session:
    """A session that can only be ended."""

    is_killed = False

    def kill(self):
        self.is_killed = True


def test_sessions_of_the_source_before_are_ended_when_an_agent_tells_of_another_one(monkeypatch):
    told = iter([{"identity": "a"}, {"identity": "a"}, {"identity": "b"}, {}])
    monkeypatch.setattr(agent, "connect", lambda *_, **__: (_Session(), next(told)))
    source, heard = parse_source("agent://host:1"), []
    source.identity.add_listener(heard.append)
    sessions = [source.start() for _ in range(3)]
    assert [session.is_killed for session in sessions] == [True, True, False]
    source.start()
    assert sessions[2].is_killed
    assert heard == ["a", "b", "jra.agent.host:1"]
