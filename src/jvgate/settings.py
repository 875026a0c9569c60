"""Every setting of jvgate in one typed place: flags, then environment (JVGATE_…), then jvgate.toml, then defaults."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Annotated, Any, Literal

from pydantic import Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict, TomlConfigSettingsSource
from pydantic_settings import SettingsError as UnreadableSetting

from jvgate.errors import SettingsError

__all__ = ["Settings", "load_settings", "unknown_variables"]

MIB = 1 << 20
TOML_FILE = "jvgate.toml"


class Settings(BaseSettings):
    """Every setting: read once, at start; nothing else reads the environment."""

    model_config = SettingsConfigDict(env_prefix="JVGATE_", frozen=True, extra="forbid", toml_file=TOML_FILE)

    host: str = Field("127.0.0.1", description="Address to listen on; loopback unless told otherwise.")
    port: int = Field(8000, ge=0, le=65535, description="Port to listen on; 0 takes a free one.")
    source: str = Field(
        "demo:",
        description="Where the data comes from: demo: (a generated season), archive:DIR (raw JV-Data), "
        "jvlink: (JV-Link), nvlink: (NV-Link) or agent://HOST:PORT (another machine's agent).",
    )
    sessions: int = Field(
        0, ge=0, le=64, description="Worker processes, each with one JV-Link session; 0: 5, and 1 for JV-Link."
    )
    worker_python: str = Field(
        "", description="Command of the Python that JV-Link is loaded into, such as py -3.12-32; empty: this one."
    )
    press_dialogs: bool = Field(False, description="Press No or Cancel on a dialog of JV-Link that blocks a session.")
    open_limit_s: float = Field(0, ge=0, le=86400, description="Seconds JVOpen may take; 0: as the source likes (60).")
    setup_limit_s: float = Field(0, ge=0, le=864000, description="The same with option 3 or 4; 0: 7200.")
    read_limit_s: float = Field(0, ge=0, le=86400, description="Seconds JVGets may take; 0: as the source likes (30).")
    recycle_opens: int = Field(10_000, ge=1, description="Opens after which a worker process is replaced.")
    recycle_mb: int = Field(65_536, ge=1, description="Megabytes read after which a worker process is replaced.")
    agent_token: SecretStr = Field(
        SecretStr(""), description="Secret that jvgate agent and its servers share; not a flag: others could see it."
    )
    redis_url: SecretStr = Field(
        SecretStr(""),
        description="Redis or Valkey that servers share datasets in: redis://HOST:6379/0, rediss://, unix://, "
        "redis+cluster://, redis+sentinel://; empty: none.",
    )
    redis_deadline_s: float = Field(0.05, gt=0, le=10, description="Seconds that a look into Redis may take.")
    redis_lease_s: float = Field(
        10, ge=0.1, le=600, description="Seconds that others wait for a server that was to read and is heard no more."
    )
    redis_bytes: int = Field(32 * MIB, ge=0, description="Raw bytes of one dataset kept in Redis; no larger one is.")
    lifetimes: dict[str, dict[str, float]] = Field(
        default_factory=dict,
        description='Other lifetimes than jvgate\'s own, in seconds by data spec: {"0B30": {"fresh": 20}}.',
    )
    prefetch: bool = Field(True, description="Read what will be asked for next while no client waits for a session.")
    workers: int = Field(1, ge=1, le=64, description="Server processes, each with sessions and a memory of its own.")
    l1_entries: int = Field(500, ge=0, description="Datasets and answers kept in memory, at most.")
    l1_bytes: int = Field(256 * MIB, ge=0, description="Bytes kept in memory, at most.")
    dataset_bytes: int = Field(
        64 * MIB, ge=1024, description="Raw bytes of one answer, of all its data specs together; more is refused."
    )
    answer_bytes: int = Field(
        128 * MIB, ge=1024, description="Bytes of one rendered answer before compression; a larger one is refused."
    )
    batch_bytes: int = Field(
        64 * MIB, ge=1024, description="Bytes of all answers of a batch; what is beyond is refused."
    )
    allow_pickle: bool = Field(
        False, description="Offer format=pickle too: whoever loads a pickle runs what is in it, so trust is needed."
    )
    queue: int = Field(2000, ge=0, description="Requests that may wait for a session.")
    waiters: int = Field(10_000, ge=1, description="Requests that may wait for one and the same read.")
    deadline_s: float = Field(
        30.0, gt=0, le=86400, description="Seconds a request may take; what takes longer becomes a job (202)."
    )
    jobs: int = Field(64, ge=0, description="Jobs that may run at once.")
    job_limit_s: float = Field(86400.0, gt=0, le=864000, description="Seconds a job may take.")
    job_keep_s: float = Field(3600.0, gt=0, le=864000, description="Seconds the result of a job is kept.")
    job_bytes: int = Field(
        256 * MIB, ge=1024, description="Bytes of all results of jobs; beyond it the quickest jobs lose theirs first."
    )
    stream_stall_s: float = Field(
        60.0,
        gt=0,
        le=86400,
        description="Seconds a client may take nothing of a stream or a batch; then it is cut off.",
    )
    compression_levels: dict[str, int] = Field(
        default_factory=dict,
        description='Levels of compression instead of the usual, by content coding: {"br": 4, "zstd": 3}.',
    )
    log_format: Literal["console", "json"] = Field("console", description="How log lines look: console or json.")

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Flags win over the environment, the environment over the file."""
        return init_settings, env_settings, TomlConfigSettingsSource(settings_cls)


def load_settings(**flags: Annotated[Any, "None for a flag that was not given"]) -> Settings:
    """Return the settings; *flags* are those of the command line.

    Raises SettingsError that names the first wrong one and what it takes.
    """
    given = {name: value for name, value in flags.items() if value is not None}
    try:
        return Settings(**given)
    except ValidationError as exc:
        raise _first_wrong(exc) from exc
    except UnreadableSetting as exc:  # of the environment, where lists and objects are JSON
        (name,) = re.findall(r'field "(\w+)"', str(exc)) or ("settings",)
        allowed = Settings.model_fields[name].description if name in Settings.model_fields else ""
        raise SettingsError(f"JVGATE_{name.upper()}", "What is given is no JSON.", allowed=str(allowed)) from exc
    except (ValueError, OSError) as exc:  # a TOML file that is no TOML, or may not be read
        raise SettingsError(TOML_FILE, f"{exc}.", allowed="a TOML file of settings, such as port = 8000") from exc


def unknown_variables(environment: Iterable[str]) -> list[str]:
    """Return the names in *environment* that look like settings and are none: most likely misspelt."""
    known = {f"JVGATE_{name.upper()}" for name in Settings.model_fields}
    return sorted(name for name in environment if name.upper().startswith("JVGATE_") and name.upper() not in known)


def _first_wrong(exc: ValidationError) -> SettingsError:
    error = exc.errors(include_url=False)[0]
    name = str(error["loc"][0]) if error["loc"] else "settings"
    field = Settings.model_fields.get(name)
    if field is None:
        return SettingsError(
            f"{TOML_FILE}: {name}", "there is no such setting.", allowed=", ".join(Settings.model_fields)
        )
    given = "what is given" if field.annotation is SecretStr else repr(error["input"])
    shown = f"JVGATE_{name.upper()} (--{name.replace('_', '-')})"
    return SettingsError(
        shown, f"{given} is not allowed: {error['msg']}.", allowed=f"{_range(name)} {field.description}"
    )


def _range(name: str) -> str:
    """Return what a setting takes, in words, from its own schema."""
    schema = Settings.model_json_schema()["properties"][name]
    if "enum" in schema:
        return " or ".join(schema["enum"]) + "."
    least = f" from {schema['minimum']}" if "minimum" in schema else ""
    above = f" above {schema['exclusiveMinimum']}" if "exclusiveMinimum" in schema else ""
    most = f" to {schema['maximum']}" if "maximum" in schema else ""
    return f"{schema['type']}{least}{above}{most}."
