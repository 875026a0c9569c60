"""The first words between a server and an agent: who speaks which version, and who knows the secret.

The agent says HELLO with a nonce.  The client answers with a nonce of its own and a proof that it knows the token; the
agent with its own proof and what it tells of itself, or with an ERROR in clear words.  A proof is HMAC-SHA256 over both
nonces, so that the token never travels and nothing that was overheard can be used again.  After that the connection is
a worker's channel.  Fields that the other side does not know are ignored, so that both may be of different versions.
Where neither TLS nor a token is used, nothing is proven, and nothing but loopback is listened on.

Nobody is known before the proof: what is said until then is short, has one form, and is never shown as it came.
"""

from __future__ import annotations

import hmac
import re
from collections.abc import Mapping
from datetime import datetime
from secrets import token_hex
from typing import Any

from jvgate.errors import WorkerFailed, WorkerLost
from jvgate.jvlink.wire import VERSION, Channel, Frame, Kind, error_fields, error_of
from jvgate.values import SourceClock

__all__ = [
    "HELLO_LIMIT_BYTES",
    "HELLO_LIMIT_S",
    "clock_fields",
    "follow_clock",
    "greet_client",
    "greet_server",
    "hear_agent",
    "refuse",
]

HELLO_LIMIT_BYTES = 4096
HELLO_LIMIT_S = 5.0
MOST_SPEED = 1_000_000.0
_NONCE_BYTES = 16
_NONCE = re.compile(r"[0-9a-f]{32}")
_SHOWN = 300


def greet_client(channel: Channel, *, token: str, about: Mapping[str, Any]) -> bool:
    """Greet whoever has connected to the agent; False when it hung up instead of answering: it only looked.

    about: what the agent tells of itself; a client ignores what it does not know.
    Raises WorkerLost for what is no client of ours, WorkerFailed for one that does not know the token.
    """
    nonce = token_hex(_NONCE_BYTES)
    channel.send(Kind.HELLO, 0, {"protocol": VERSION, "nonce": nonce})
    frame = _receive(channel)
    if frame is None:
        return False
    answer = _hello(frame)
    theirs, proof = _nonce(answer), str(answer.get("proof", ""))
    if token and not _is_same(proof, _proof(token, "server", nonce, theirs)):
        raise WorkerFailed("the agent does not accept the token (JVGATE_AGENT_TOKEN must be the same on both sides)")
    channel.send(Kind.HELLO, 0, {"proof": _proof(token, "agent", nonce, theirs), **about})
    return True


def greet_server(channel: Channel, *, token: str) -> dict[str, Any]:
    """Answer an agent, and return what it tells of itself.

    Raises WorkerFailed when it does not know the token, WorkerLost for what is no agent, and what it refuses us with.
    """
    nonce = hear_agent(channel)
    ours = token_hex(_NONCE_BYTES)
    channel.send(Kind.HELLO, 0, {"nonce": ours, "proof": _proof(token, "server", nonce, ours)})
    about = _hello(_accepted(_receive(channel)))
    if token and not _is_same(str(about.get("proof", "")), _proof(token, "agent", nonce, ours)):
        raise WorkerFailed("the agent does not know the token: it may not be ours, or has no JVGATE_AGENT_TOKEN")
    return {name: value for name, value in about.items() if name != "proof"}


def clock_fields(clock: SourceClock) -> dict[str, Any]:
    """Return what an agent tells of its source's clock; nothing where that is the time of day."""
    return {} if clock.is_real else {"clock": {"now": clock.now().isoformat(), "speed": clock.speed}}


def follow_clock(clock: SourceClock, about: Mapping[str, Any]) -> None:
    """Have *clock* go on as the one that an agent tells of; one that tells nothing has the time of day.

    The difference between the clocks of the two machines does not matter: what is told is the time at the source.
    Raises WorkerLost for what is no clock.
    """
    told = about.get("clock")
    if told is None:
        clock.follow(None)
        return
    try:
        now, speed = datetime.fromisoformat(told["now"]), float(told["speed"])
    except (KeyError, TypeError, ValueError) as exc:
        raise WorkerLost("a HELLO with a clock that makes no sense") from exc
    if now.tzinfo is not None or not 0 <= speed <= MOST_SPEED:
        raise WorkerLost("a HELLO with a clock that makes no sense")
    clock.follow(now, speed)


def hear_agent(channel: Channel) -> str:
    """Wait for an agent's first word and return its nonce.  Raises as `greet_server`."""
    return _nonce(_hello(_accepted(_receive(channel))))


def refuse(channel: Channel, error: Exception) -> None:
    """Tell a client why not, if it still listens."""
    try:
        channel.send(Kind.ERROR, 0, error_fields(error))
    except WorkerLost:
        return


def _receive(channel: Channel) -> Frame | None:
    try:
        return channel.receive()
    except WorkerLost as exc:
        if isinstance(exc.__cause__, TimeoutError):
            raise WorkerLost("the other side did not say HELLO in time") from exc
        raise


def _accepted(frame: Frame | None) -> Frame:
    """Return the agent's frame.  Raises what it tells of when it is an ERROR."""
    if frame is None:
        raise WorkerLost("the other side hung up instead of saying HELLO")
    if frame.kind is Kind.ERROR:
        raise error_of({name: _shown(value) for name, value in _fields(frame).items()})
    return frame


def _hello(frame: Frame) -> dict[str, Any]:
    if frame.kind is not Kind.HELLO:
        raise WorkerLost(f"the other side said {frame.kind.name} instead of HELLO")
    return _fields(frame)


def _fields(frame: Frame) -> dict[str, Any]:
    try:
        return frame.fields()
    except RecursionError as exc:  # 4 KiB are enough for brackets in brackets
        raise WorkerLost(f"a message {frame.kind.name} that makes no sense") from exc


def _nonce(fields: Mapping[str, Any]) -> str:
    """Return the nonce.  One form only: what goes into a proof must have one meaning."""
    nonce = fields.get("nonce")
    if not isinstance(nonce, str) or not _NONCE.fullmatch(nonce):
        raise WorkerLost("a HELLO without a nonce")
    return nonce


def _shown(value: Any) -> str | int | float | None:
    """Return what an agent that has proven nothing says, such that it can stand in a log line."""
    if value is None or isinstance(value, int | float):
        return value
    return "".join(letter if letter.isprintable() else " " for letter in str(value)[:_SHOWN])


def _is_same(proof: str, wanted: str) -> bool:
    return hmac.compare_digest(proof.encode(errors="replace"), wanted.encode())


def _proof(token: str, who: str, nonce: str, answer: str) -> str:
    if not token:
        return ""
    # The environment may hold any bytes: they are the secret as they are.
    key = token.encode(errors="surrogateescape")
    return hmac.new(key, f"jvgate {who} {nonce} {answer}".encode(), "sha256").hexdigest()
