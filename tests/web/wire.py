"""What really comes over the wire, and decoders for it that share nothing with what packed it but the format."""

import gzip
import zlib

import pyarrow as pa


def _by_arrow(coding):
    return lambda packed: pa.input_stream(pa.py_buffer(packed), compression=coding).read()


UNPACK = {
    "br": _by_arrow("brotli"),
    "zstd": _by_arrow("zstd"),
    "gzip": gzip.decompress,
    "deflate": zlib.decompress,
    "lz4": _by_arrow("lz4"),
}


def ask(client, url, *, method="GET", **headers):
    """A response whose content nobody has unpacked, and that content.  headers: a_name for A-Name."""
    given = {name.replace("_", "-"): value for name, value in headers.items()}
    with client.stream(method, url, headers=given) as response:
        return response, b"".join(response.iter_raw())


def chunks(client, url, **headers):
    """The head of a response, the chunks of its content (RFC 9112, section 7.1), and whether they have an end."""
    lines = [f"{name.replace('_', '-')}: {value}\r\n" for name, value in headers.items()]
    request = f"GET {url} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n{''.join(lines)}\r\n"
    _, head, rest = client.send_bytes(request.encode())
    came = []
    while rest:
        size, _, rest = rest.partition(b"\r\n")
        came.append(rest[: int(size, 16)])
        rest = rest[int(size, 16) + 2 :]
    is_whole = bool(came) and came[-1] == b""
    return head, came[:-1] if is_whole else came, is_whole
