"""Does the Redis of the settings answer?  Asked over a plain socket; its URL, and so its password, is never shown."""

from __future__ import annotations

import socket
import ssl
from urllib.parse import SplitResult, unquote, urlsplit

from jvgate.doctor.findings import Finding
from jvgate.settings import Settings

__all__ = ["check_redis"]

_LIMIT_S = 3.0
_PORT = 6379
_REFUSED = (b"-NOAUTH", b"-WRONGPASS", b"-ERR invalid password", b"-ERR AUTH", b"-NOPERM")


def check_redis(settings: Settings) -> Finding:
    """Say AUTH, where the URL has credentials, and PING to the Redis of the settings, where one is set."""
    url = getattr(settings, "redis_url", None)
    if not url:
        return Finding(
            "redis", "skip", "No Redis is set; memory alone is used.", "Redis は設定されていません (メモリのみ)。"
        )
    try:
        # A SecretStr shows stars when it is printed.
        place = urlsplit(url.get_secret_value() if hasattr(url, "get_secret_value") else str(url))
        host, port = place.hostname or "", place.port or _PORT
    except ValueError:  # its message would show a part of the URL
        return _no_url()
    if place.scheme not in ("redis", "rediss") or not host:
        return _no_url()
    try:
        answers = _ask(place, host, port)
    except OSError as exc:
        return _silent(f"{host}:{port}", exc)
    return _judged(f"{host}:{port}", answers)


def _ask(place: SplitResult, host: str, port: int) -> list[bytes]:
    """Return the answer to each command, as far as one came."""
    commands = [_command("PING")]
    if place.password is not None:
        commands.insert(0, _command("AUTH", *filter(None, (place.username, place.password))))
    with socket.create_connection((host, port), _LIMIT_S) as plain:
        connection = plain
        if place.scheme == "rediss":
            connection = ssl.create_default_context().wrap_socket(plain, server_hostname=host)
        with connection, connection.makefile("rb") as answers:
            connection.sendall(b"".join(commands))
            return [line for _ in commands if (line := answers.readline(512))]


def _command(*words: str) -> bytes:
    """Return a command as RESP, the protocol of Redis, has it: an array of strings, each with its length."""
    parts = [unquote(word).encode() for word in words]
    return b"*%d\r\n" % len(parts) + b"".join(b"$%d\r\n%s\r\n" % (len(part), part) for part in parts)


def _judged(shown: str, answers: list[bytes]) -> Finding:
    if answers and answers[-1].startswith(b"+PONG"):
        return Finding("redis", "ok", f"Redis answers at {shown}.", f"Redis ({shown}) に接続できます。")
    if any(answer.startswith(_REFUSED) for answer in answers):
        return Finding(
            "redis", "fail", f"Redis at {shown} does not accept the user or password of the setting.",
            f"Redis ({shown}) が設定のユーザー名・パスワードを受け付けません。",
            "Correct them: redis://USER:PASSWORD@HOST:PORT, special characters as %XX.",
            "redis://USER:PASSWORD@HOST:PORT の形で直してください (記号は %XX)。",
        )  # fmt: skip
    return Finding("redis", "fail", f"What answers at {shown} is no Redis.", f"{shown} は Redis ではありません。",
                   "Correct the setting.", "設定を直してください。")  # fmt: skip


def _silent(shown: str, exc: OSError) -> Finding:
    return Finding("redis", "fail", f"No Redis answers at {shown} ({exc}).",
                   f"Redis ({shown}) に接続できません ({exc})。",
                   "jvgate works without it; start it, or remove the setting.",
                   "なくても動作します。起動するか、設定を外してください。")  # fmt: skip


def _no_url() -> Finding:
    return Finding("redis", "fail", "The setting of Redis is no URL of one.", "Redis の設定が URL の形ではありません。",
                   "Write it as redis://HOST:PORT.", "redis://HOST:PORT の形で設定してください。")  # fmt: skip
