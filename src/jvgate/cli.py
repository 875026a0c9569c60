"""The command `jvgate`: serve, agent, fetch, record, decode, spec, doctor, cache."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer

from jvgate import __version__
from jvgate.commands.flags import ParameterCommand, flags_of, in_flags, parameter_flags
from jvgate.errors import JvgateError, QueryError, SettingsError
from jvgate.question.parameters import PURGE
from jvgate.question.reading import Given
from jvgate.settings import Settings, load_settings

__all__ = ["app", "main"]

app = typer.Typer(
    name="jvgate",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="markdown",
    context_settings={"help_option_names": ["-h", "--help"]},
    help="""The fast gate to Japanese horse-racing data (JRA-VAN Data Lab.).

日本の競馬データ (JRA-VAN Data Lab.) を HTTP で返すゲートです。

Start with **jvgate serve** and open http://127.0.0.1:8000/ — without JV-Link it serves a generated season (`demo:`).
Every setting is a line in `jvgate.toml` or an environment variable (`JVGATE_PORT`, …), and nearly every one a flag.
""",
)

EXIT_USAGE = 2
EXIT_SOURCE = 3
EXIT_DAMAGED = 1


def _flag(name: str) -> Any:
    """Return the flag of a setting: what it means and its default are said in `settings.py`."""
    field = Settings.model_fields[name]
    return typer.Option(help=field.description, show_default=str(field.default))


SourceFlag = Annotated[str | None, _flag("source")]


OutputFlag = Annotated[Path | None, typer.Option("--output", "-o", help="File to write; else stdout.")]


def main() -> None:
    """Run the command; our own errors end it with one clear line and a status of their own."""
    with _readable_errors():
        app()


@contextmanager
def _readable_errors() -> Iterator[None]:
    try:
        yield
    except QueryError as exc:
        _fail(in_flags(str(exc)), EXIT_USAGE)
    except SettingsError as exc:
        _fail(str(exc), EXIT_USAGE)
    except JvgateError as exc:
        _fail(f"{exc}.", EXIT_SOURCE)
    except OSError as exc:  # reading has errors of its own: this is where the output goes
        _fail(f"cannot write the output: {exc.strerror}.", EXIT_USAGE)


def _fail(message: str, status: int) -> NoReturn:
    typer.echo(f"jvgate: {message}", err=True)
    raise SystemExit(status)


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"jvgate {__version__}")
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    """Hold the options that come before a command."""


@app.command()
def serve(
    host: Annotated[str | None, _flag("host")] = None,
    port: Annotated[int | None, _flag("port")] = None,
    source: SourceFlag = None,
    sessions: Annotated[int | None, _flag("sessions")] = None,
    workers: Annotated[int | None, _flag("workers")] = None,
    redis: Annotated[str | None, _flag("redis_url")] = None,
    redis_deadline_s: Annotated[float | None, _flag("redis_deadline_s")] = None,
    redis_lease_s: Annotated[float | None, _flag("redis_lease_s")] = None,
    redis_bytes: Annotated[int | None, _flag("redis_bytes")] = None,
    prefetch: Annotated[bool | None, _flag("prefetch")] = None,
    l1_entries: Annotated[int | None, _flag("l1_entries")] = None,
    l1_bytes: Annotated[int | None, _flag("l1_bytes")] = None,
    dataset_bytes: Annotated[int | None, _flag("dataset_bytes")] = None,
    batch_bytes: Annotated[int | None, _flag("batch_bytes")] = None,
    allow_pickle: Annotated[bool | None, _flag("allow_pickle")] = None,
    queue: Annotated[int | None, _flag("queue")] = None,
    waiters: Annotated[int | None, _flag("waiters")] = None,
    deadline_s: Annotated[float | None, _flag("deadline_s")] = None,
    log_format: Annotated[str | None, _flag("log_format")] = None,
    worker_python: Annotated[str | None, _flag("worker_python")] = None,
    press_dialogs: Annotated[bool | None, _flag("press_dialogs")] = None,
    open_limit_s: Annotated[float | None, _flag("open_limit_s")] = None,
    setup_limit_s: Annotated[float | None, _flag("setup_limit_s")] = None,
    read_limit_s: Annotated[float | None, _flag("read_limit_s")] = None,
    recycle_opens: Annotated[int | None, _flag("recycle_opens")] = None,
    recycle_mb: Annotated[int | None, _flag("recycle_mb")] = None,
    jobs: Annotated[int | None, _flag("jobs")] = None,
    job_limit_s: Annotated[float | None, _flag("job_limit_s")] = None,
    job_keep_s: Annotated[float | None, _flag("job_keep_s")] = None,
    stream_stall_s: Annotated[float | None, _flag("stream_stall_s")] = None,
) -> None:
    """Answer over HTTP. サーバーを起動します。

    Examples:

        jvgate serve

        jvgate serve --port 9000 --source archive:/data/jv

        jvgate serve --source "demo:?seed=7&open_ms=20&read_us=50"

        jvgate serve --workers 4 --redis redis://127.0.0.1:6379/0
    """
    from jvgate.commands.serve import run

    run(
        load_settings(
            host=host,
            port=port,
            source=source,
            sessions=sessions,
            workers=workers,
            redis_url=redis,
            redis_deadline_s=redis_deadline_s,
            redis_lease_s=redis_lease_s,
            redis_bytes=redis_bytes,
            prefetch=prefetch,
            l1_entries=l1_entries,
            l1_bytes=l1_bytes,
            dataset_bytes=dataset_bytes,
            queue=queue,
            waiters=waiters,
            deadline_s=deadline_s,
            log_format=log_format,
            worker_python=worker_python,
            press_dialogs=press_dialogs,
            open_limit_s=open_limit_s,
            setup_limit_s=setup_limit_s,
            read_limit_s=read_limit_s,
            recycle_opens=recycle_opens,
            recycle_mb=recycle_mb,
            jobs=jobs,
            job_limit_s=job_limit_s,
            job_keep_s=job_keep_s,
            stream_stall_s=stream_stall_s,
            batch_bytes=batch_bytes,
            allow_pickle=allow_pickle,
        )
    )


@app.command()
def agent(
    source: SourceFlag = None,
    listen: Annotated[str, typer.Option(help="Address and port; loopback unless told otherwise.")] = "127.0.0.1:8900",
    sessions: Annotated[int | None, _flag("sessions")] = None,
    tls_cert: Annotated[Path | None, typer.Option(help="Certificate (PEM): the connections use TLS.")] = None,
    tls_key: Annotated[Path | None, typer.Option(help="Its key, where it lies in a file of its own.")] = None,
    log_format: Annotated[str | None, _flag("log_format")] = None,
) -> None:
    """Offer this machine's sessions to a server on another one. 別のマシンのサーバーにセッションを提供します。

    The secret that both share is the environment's JVGATE_AGENT_TOKEN, or agent_token in jvgate.toml.

        jvgate agent --source jvlink: --listen 192.168.1.20:8900

        jvgate serve --source agent://192.168.1.20:8900
    """
    from jvgate.commands.agent import run

    run(
        load_settings(source=source, sessions=sessions, log_format=log_format),
        address=listen,
        certificate=tls_cert,
        key=tls_key,
    )


@app.command(cls=ParameterCommand)
@parameter_flags(flags_of("fetch"))
def fetch(
    dataspec: Annotated[str, typer.Argument(help="RACE, DIFN, 0B12, …")],
    parameters: Given,
    output: OutputFlag = None,
    source: SourceFlag = None,
) -> None:
    """Read one data spec through the source, without a server. サーバーなしで取得します。

    Examples:

        jvgate fetch RACE --from 20261115 --record RA,SE -o week.json

        jvgate fetch RACE --from 20261115 --record SE -o se.parquet

        jvgate fetch 0B12 --key 20261122 --source archive:/data/jv
    """
    from jvgate.commands.fetch import fetch_answer

    fetch_answer(dataspec.upper(), parameters, output, source=source)


@app.command(cls=ParameterCommand)
@parameter_flags(flags_of("decode"))
def decode(
    files: Annotated[list[Path], typer.Argument(help="Files of raw records; .zst too.")],
    parameters: Given,
    output: OutputFlag = None,
) -> None:
    """Decode files of raw JV-Data, to NDJSON or any other form. 生データを NDJSON などにします。

    What could not be read is told on stderr with its place, and the exit status is 1.
    When a file could not be read to its end, nothing is written with -o, and what goes to stdout has no end.

        jvgate decode RAVM2026112220261123140000.jvd | head -1

        jvgate decode SE*.jvd --record SE -o se.csv
    """
    from jvgate.commands.decode import decode_files

    if decode_files(files, parameters, output):
        raise typer.Exit(EXIT_DAMAGED)


@app.command()
@parameter_flags(flags_of("record"))
def record(
    dataspecs: Annotated[list[str], typer.Argument(help="RACE, DIFN, 0B12, …: one or more.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="The archive's folder; made when it is not there.")],
    parameters: Given,
    zstd: Annotated[bool, typer.Option("--zstd", help="Compress the files (.zst).")] = False,
    source: SourceFlag = None,
) -> None:
    """Record data specs into an archive folder. アーカイブに記録します。

    Without --from it goes on from where it came to last time. Interrupted, the same command goes on.

        jvgate record RACE DIFN --from 20261101 -o /data/jv --source jvlink:

        jvgate serve --source archive:/data/jv
    """
    from jvgate.commands.record import record_all

    specs = [dataspec.upper() for dataspec in dataspecs]
    if not record_all(specs, parameters, output, is_compressed=zstd, source=source):
        raise typer.Exit(EXIT_SOURCE)


@app.command()
def spec(
    name: Annotated[str | None, typer.Argument(help="A record (SE), a code table (2001), a data spec (RACE).")] = None,
) -> None:
    """Look something up: record layouts, code tables, data specs. 仕様を引きます。

    jvgate spec          what there is

    jvgate spec SE       every field of a record

    jvgate spec 2001     a code table

    jvgate spec 0B12     a data spec
    """
    from jvgate.commands.spec import show

    show(name)


@app.command()
def doctor(
    source: SourceFlag = None,
    as_json: Annotated[bool, typer.Option("--json", help="As data, in both languages.")] = False,
    lang: Annotated[str, typer.Option(help="ja, en or both; else the machine's.")] = "",
) -> None:
    """Find out what is wrong and what to do. 動かない原因を調べます。

    The exit status is 1 when something is wrong.

        jvgate doctor --source jvlink:
    """
    from jvgate.commands.doctor import report

    if not report(source=source, as_json=as_json, language=lang):
        raise typer.Exit(EXIT_DAMAGED)


cache_app = typer.Typer(
    no_args_is_help=True, help="Show or drop what a running server keeps. サーバーのキャッシュを見る・破棄する。"
)
app.add_typer(cache_app, name="cache")
UrlFlag = Annotated[str, typer.Option(help="The server; else that of the settings' host and port.")]


@cache_app.command("stats")
def cache_stats(
    url: UrlFlag = "", as_json: Annotated[bool, typer.Option("--json", help="Everything that is known.")] = False
) -> None:
    """Show sizes, hit ratios and what is asked for most. 容量・ヒット率などを表示します。

    jvgate cache stats --url http://127.0.0.1:9000
    """
    from jvgate.commands.cache import stats

    stats(url or _own_url(), as_json=as_json)


@cache_app.command("purge")
@parameter_flags(PURGE.values())
def cache_purge(parameters: Given, url: UrlFlag = "") -> None:
    """Drop what matches every option, on every server that shares the Redis. 条件に合うものを破棄します。

    At least one option is needed, and --all stands alone. A race or day drops all answers that hold it.

        jvgate cache purge --dataspec RACE --date 20261122
    """
    from jvgate.commands.cache import purge

    purge(url or _own_url(), parameters)


def _own_url() -> str:
    """Return where the server of these settings listens."""
    settings = load_settings()
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(settings.host, settings.host)  # noqa: S104  (any address: this one)
    return f"http://[{host}]:{settings.port}" if ":" in host else f"http://{host}:{settings.port}"
