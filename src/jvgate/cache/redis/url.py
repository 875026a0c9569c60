"""Where Redis is: a URL read into its parts, and never shown with its password.

redis://[USER:PASSWORD@]HOST[:6379][/DB]            rediss:// the same over TLS
unix://[USER:PASSWORD@]/PATH[?db=DB]
redis+cluster://[USER:PASSWORD@]HOST[:6379],…       rediss+cluster://
redis+sentinel://[USER:PASSWORD@]HOST[:26379],…/MASTER[/DB][?sentinel_username=…&sentinel_password=…]
                                                    rediss+sentinel://
TLS: ?ssl_ca_certs=FILE&ssl_certfile=FILE&ssl_keyfile=FILE&ssl_cert_reqs=none&ssl_check_hostname=false
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

from jvgate.errors import SettingsError

__all__ = ["RedisPlace", "parse_redis_url"]

_KINDS = {"": "single", "+cluster": "cluster", "+sentinel": "sentinel"}
_SCHEMES = {f"{scheme}{kind}" for scheme in ("redis", "rediss") for kind in _KINDS} | {"unix"}
_PORTS = {"single": 6379, "cluster": 6379, "sentinel": 26379}
_TLS_OPTIONS = {"ssl_ca_certs", "ssl_certfile", "ssl_keyfile", "ssl_cert_reqs", "ssl_check_hostname"}
_SENTINEL_OPTIONS = {"sentinel_username", "sentinel_password"}
_ALLOWED = "redis://HOST:PORT/DB, rediss://, unix:///PATH, redis+cluster://HOST,… or redis+sentinel://HOST,…/MASTER/DB"


@dataclass(frozen=True, slots=True)
class RedisPlace:
    """A Redis, a cluster, or the sentinels that know where one is.  kind: `single`, `cluster`, `sentinel`, `unix`.

    Credentials are no part of its text; `str()` of it may stand in a log.
    """

    kind: str
    hosts: tuple[tuple[str, int], ...] = ()
    path: str = ""
    db: int = 0
    master: str = ""
    is_tls: bool = False
    credentials: Mapping[str, str] = field(default_factory=dict, repr=False)
    sentinel_credentials: Mapping[str, str] = field(default_factory=dict, repr=False)
    tls_options: Mapping[str, str | bool] = field(default_factory=dict, repr=False)

    def __str__(self) -> str:
        """Return the URL without what is secret in it."""
        if self.kind == "unix":
            return f"unix://{self.path}"
        scheme = ("rediss" if self.is_tls else "redis") + ("" if self.kind == "single" else f"+{self.kind}")
        hosts = ",".join(f"[{host}]:{port}" if ":" in host else f"{host}:{port}" for host, port in self.hosts)
        return f"{scheme}://{hosts}" + (f"/{self.master}" if self.master else "") + (f"/{self.db}" if self.db else "")


def parse_redis_url(url: str) -> RedisPlace:
    """Return the place that *url* names.  Raises SettingsError, which never shows a part of the URL."""
    try:
        split = urlsplit(url)
        if split.scheme not in _SCHEMES:
            raise _wrong("no scheme that is known")
        if split.fragment:  # a password with a # in it, of which a part would be taken for the port
            raise _wrong("has a #; in a password that is %23")
        options = dict(parse_qsl(split.query, keep_blank_values=True, strict_parsing=bool(split.query)))
        place = _unix(split, options) if split.scheme == "unix" else _network(split, options)
    except ValueError:  # its message would show a part of the URL
        raise _wrong("cannot be read as a URL") from None
    if options:
        raise _wrong("has an option that is not known")
    return place


def _unix(split: SplitResult, options: dict[str, str]) -> RedisPlace:
    if not split.path.strip("/"):
        raise _wrong("names no socket")
    return RedisPlace("unix", path=unquote(split.path), db=_db(options.pop("db", "")), credentials=_credentials(split))


def _network(split: SplitResult, options: dict[str, str]) -> RedisPlace:
    scheme, plus, rest = split.scheme.partition("+")
    kind = _KINDS[plus + rest]
    names = [unquote(name) for name in split.path.strip("/").split("/") if name]
    master = names.pop(0) if kind == "sentinel" and names else ""
    db = _db(names.pop(0) if names else options.pop("db", ""))
    if names or (kind == "sentinel") != bool(master) or (kind == "cluster" and db):
        raise _wrong("has a path that does not fit")
    own = {name: options.pop(name) for name in _SENTINEL_OPTIONS & options.keys()} if kind == "sentinel" else {}
    tls = {name: options.pop(name) for name in _TLS_OPTIONS & options.keys()} if scheme == "rediss" else {}
    return RedisPlace(
        kind,
        _hosts(split, _PORTS[kind], is_one=kind == "single"),
        "",
        db,
        master,
        scheme == "rediss",
        _credentials(split),
        {name.removeprefix("sentinel_"): value for name, value in own.items()},
        {name: _told(name, value) for name, value in tls.items()},
    )


def _hosts(split: SplitResult, port: int, *, is_one: bool) -> tuple[tuple[str, int], ...]:
    parts = [urlsplit(f"//{part}") for part in split.netloc.rpartition("@")[2].split(",")]
    hosts = tuple((part.hostname or "", port if part.port is None else part.port) for part in parts)
    if not all(host for host, _ in hosts) or (is_one and len(hosts) > 1):
        raise _wrong("names no host, or one too many")
    return hosts


def _credentials(split: SplitResult) -> dict[str, str]:
    user, _, password = split.netloc.rpartition("@")[0].partition(":")
    return {name: unquote(value) for name, value in (("username", user), ("password", password)) if value}


def _db(text: str) -> int:
    if text and not (text.isascii() and text.isdigit()):
        raise _wrong("has a database that is no number")
    return int(text or 0)


def _told(name: str, value: str) -> str | bool:
    """Return the value of a TLS option as redis-py takes it."""
    if name != "ssl_check_hostname":
        return value
    if value.lower() not in ("true", "false"):
        raise _wrong("has an ssl_check_hostname that is neither true nor false")
    return value.lower() == "true"


def _wrong(why: str) -> SettingsError:
    return SettingsError("JVGATE_REDIS_URL", f"The URL of Redis {why}.", allowed=_ALLOWED)
