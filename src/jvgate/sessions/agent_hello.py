"""The first words between a server and an agent: who speaks which version, and who knows the secret.

The agent says HELLO with a nonce.  The client answers with a nonce of its own and a proof that it knows the token; the
agent with its own proof, or with an ERROR in clear words.  A proof is HMAC-SHA256 over both nonces, so that the token
never travels and nothing that was overheard can be used again.  After that the connection is a worker's channel.
Where neither TLS nor a token is used, nothing is proven, and nothing but loopback is listened on.
"""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from secrets import token_hex
from typing import Any

from jvgate.errors import WorkerFailed, WorkerLost
from jvgate.jvlink.wire import VERSION, Channel, Frame, Kind
from jvgate.jvlink.wire_errors import error_fields, error_of

__all__ = ["HELLO_LIMIT_BYTES", "HELLO_LIMIT_S", "greet_client", "greet_server", "refuse"]

HELLO_LIMIT_BYTES = 4096
HELLO_LIMIT_S = 5.0
_NONCE_BYTES = 16
_SHOWN = 200


def greet_client(channel: Channel, *, token: str, about: Mapping[str, Any]) -> None:
    """Greet whoever has connected to the agent.  about: what the agent tells of itself.

    Raises WorkerLost for what is no client of ours, WorkerFailed for one that does not know the token.
    """
    nonce = token_hex(_NONCE_BYTES)
    channel.send(Kind.HELLO, 0, {"protocol": VERSION, "nonce": nonce})
    answer = _hello(channel.receive())
    theirs, proof = str(answer.get("nonce", "")), str(answer.get("proof", ""))
    if token and not hmac.compare_digest(proof.encode(), _proof(token, "server", nonce, theirs).encode()):
        raise WorkerFailed("the agent does not accept the token (JVGATE_AGENT_TOKEN must be the same on both sides)")
    channel.send(Kind.HELLO, 0, {"proof": _proof(token, "agent", nonce, theirs), **about})


def greet_server(channel: Channel, *, token: str) -> dict[str, Any]:
    """Answer an agent, and return what it tells of itself.

    Raises WorkerFailed when it does not know the token, WorkerLost for what is no agent, and what it refuses us with.
    """
    nonce = str(_hello(channel.receive()).get("nonce", ""))
    ours = token_hex(_NONCE_BYTES)
    channel.send(Kind.HELLO, 0, {"nonce": ours, "proof": _proof(token, "server", nonce, ours)})
    about = _hello(channel.receive())
    if token and not hmac.compare_digest(str(about.get("proof", "")), _proof(token, "agent", nonce, ours)):
        raise WorkerFailed("the agent does not know the token: it may not be ours")
    return {name: value for name, value in about.items() if name != "proof"}


def refuse(channel: Channel, error: Exception) -> None:
    """Tell a client why not, if it still listens."""
    try:
        channel.send(Kind.ERROR, 0, error_fields(error))
    except WorkerLost:
        return


def _hello(frame: Frame | None) -> dict[str, Any]:
    if frame is None:
        raise WorkerLost("the other side hung up instead of saying HELLO")
    if frame.kind is Kind.ERROR:
        raise error_of(frame.fields())
    if frame.kind is not Kind.HELLO:
        raise WorkerLost(f"the other side said {frame.kind.name} instead of HELLO")
    return frame.fields()


def _proof(token: str, who: str, nonce: str, answer: str) -> str:
    if not token:
        return ""
    said = f"jvgate {who} {nonce} {answer}"
    return hmac.new(token.encode(), said.encode(), "sha256").hexdigest()
