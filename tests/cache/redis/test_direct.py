"""Commands over wires: what comes when it should not, and who leaves, is nobody else's trouble.

The server in here says what a test has it say; that a real one understands us is shown by the tests of the tier.
"""

import asyncio
from contextlib import aclosing

import pytest
from redis.asyncio import Redis
from redis.exceptions import BusyLoadingError, InvalidResponse, ResponseError
from redis.exceptions import ConnectionError as RedisConnectionError

from jvgate.cache.redis.direct import DirectClient, packed
from tests.waiting import until

LIMIT_S = 30


class Parrot:
    """Says on each connection what it is given, a piece for each command; b"" closes the connection."""

    def __init__(self, *says):
        self.says = list(says)
        self.accepted = 0
        self.asked = asyncio.Event()
        self.left = asyncio.Event()
        self.writers = []

    async def __aenter__(self):
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_):
        self._server.close()

    async def _accept(self, reader, writer):
        self.accepted += 1
        self.writers.append(writer)
        while await reader.read(1 << 16):
            self.asked.set()
            self.left.clear()
            said = self.says.pop(0) if self.says else None
            if said == b"":
                break
            for piece in [said] if isinstance(said, bytes) else said or ():
                writer.write(piece)
                await writer.drain()
        self.left.set()
        writer.close()


def play(scene, *says):
    async def on_stage():
        async with asyncio.timeout(LIMIT_S), Parrot(*says) as parrot:
            redis = Redis(port=parrot.port, protocol=2, driver_info=None, max_connections=4)
            async with redis, aclosing(DirectClient(redis)) as client:
                return await scene(client, parrot)

    return asyncio.run(on_stage())


def test_a_reply_may_come_byte_by_byte():
    async def scene(client, parrot):
        return await client.execute_command("GET", "a")

    assert play(scene, [bytes([byte]) for byte in b"$5\r\nhello\r\n"]) == b"hello"


def test_one_connection_serves_one_command_after_another():
    async def scene(client, parrot):
        return [await client.execute_command("GET", "a") for _ in range(3)], parrot.accepted

    assert play(scene, b"$1\r\na\r\n", b"$-1\r\n", b":7\r\n") == ([b"a", None, 7], 1)


def test_commands_at_the_same_time_have_a_connection_each():
    async def scene(client, parrot):
        replies = await asyncio.gather(*(client.execute_command("GET", "a") for _ in range(3)))
        return replies, parrot.accepted

    assert play(scene, *[b"+a\r\n"] * 3) == ([b"a"] * 3, 3)


def test_a_reply_is_what_redis_py_makes_of_it():
    async def scene(client, parrot):
        return await client.execute_command("HGETALL", "a")

    assert play(scene, b"*2\r\n$1\r\na\r\n$1\r\nb\r\n") == {b"a": b"b"}


def test_a_refusal_leaves_the_connection_well():
    async def scene(client, parrot):
        with pytest.raises(ResponseError, match="wrong kind"):
            await client.execute_command("GET", "a")
        return await client.execute_command("GET", "a"), parrot.accepted

    assert play(scene, b"-WRONGTYPE wrong kind\r\n", b"+a\r\n") == (b"a", 1)


@pytest.mark.parametrize(
    ("said", "error"),
    [
        (b"", RedisConnectionError),
        (b"$5\r\nhel", None),
        (b"-LOADING not yet\r\n", BusyLoadingError),
        (b"HTTP/1.1 400 Bad Request\r\n", InvalidResponse),
        (b"+a\r\n+b\r\n", InvalidResponse),
        (b"+a\r\n+", InvalidResponse),
        (b"-MOVED x\r\n", ValueError),
    ],
)
def test_a_connection_that_went_wrong_is_not_used_again(said, error):
    async def scene(client, parrot):
        asking = asyncio.create_task(client.execute_command("GET", "a"))
        if error is None:  # it stays half a reply until it is torn off
            await parrot.asked.wait()
            asking.cancel()
            await parrot.left.wait()
        with pytest.raises(error or asyncio.CancelledError):
            await asking
        return await client.execute_command("GET", "b"), parrot.accepted

    assert play(scene, said, b"+b\r\n") == (b"b", 2)


@pytest.mark.parametrize("unasked", [b"+a\r\n", b"+", b""])
def test_what_comes_unasked_is_nobodys_reply(unasked):
    async def scene(client, parrot):
        first = await client.execute_command("GET", "a")
        (writer,) = parrot.writers
        writer.write(unasked)
        if not unasked:
            writer.close()
        (wire,) = client._wires
        await until(lambda: not wire.is_open)
        return first, await client.execute_command("GET", "b"), parrot.accepted

    assert play(scene, b"+first\r\n", b"+second\r\n") == (b"first", b"second", 2)


def test_the_reply_to_who_has_left_is_read_before_the_next_command():
    async def scene(client, parrot):
        await client.execute_command("PING")
        wire, replies = client.at_hand(), []
        wire.send(packed(("GET", "a")), replies.append)
        assert client.at_hand() is None
        await until(lambda: replies)
        assert client.at_hand() is wire
        return replies

    assert play(scene, b"+PONG\r\n", [b"$3\r", b"\none\r\n"]) == [b"one"]


def test_many_broken_connections_use_up_no_place_in_the_pool():
    async def scene(client, parrot):
        for _ in range(20):
            asking = [client.execute_command("GET", "a") for _ in range(4)]
            replies = await asyncio.gather(*asking, return_exceptions=True)
            assert {type(reply) for reply in replies} == {RedisConnectionError}
        parrot.says = [b"+a\r\n"]
        return await client.execute_command("GET", "a")

    assert play(scene, *[b""] * 80) == b"a"


def test_who_leaves_when_the_reply_is_there_ends_nobody_elses_command():
    async def scene(client, parrot):
        await client.execute_command("GET", "a")
        (wire,) = client._wires
        first = asyncio.create_task(client.execute_command("GET", "b"))
        await until(lambda: wire._on_reply is not None)
        wire.data_received(b"+b\r\n")  # and in the same turn of the loop, before the first one is told,
        second = asyncio.create_task(client.execute_command("GET", "c"))
        second_began = asyncio.get_running_loop().create_future()
        asyncio.get_running_loop().call_soon(second_began.set_result, None)
        first.cancel()
        await asyncio.gather(first, return_exceptions=True)
        return wire.is_open, await second

    assert play(scene, b"+a\r\n", None, b"+c\r\n") == (True, b"c")


def test_the_pool_can_close_a_connection_that_is_a_wire():
    async def scene(client, parrot):
        await client.execute_command("GET", "a")
        (wire,) = client._wires
        await client._pool.disconnect()
        return wire.is_open, await client.execute_command("GET", "b"), parrot.accepted

    assert play(scene, b"+a\r\n", b"+b\r\n") == (False, b"b", 2)


def test_a_command_that_cannot_be_sent_takes_no_connection():
    async def scene(client, parrot):
        for _ in range(10):
            with pytest.raises(ValueError, match="surrogates"):
                await client.execute_command("GET", "\ud800")
        return parrot.accepted

    assert play(scene) == 0


def test_what_is_under_way_ends_with_the_client():
    async def scene(client, parrot):
        asking = asyncio.create_task(client.execute_command("GET", "a"))
        await parrot.asked.wait()
        await client.aclose()
        (reply,) = await asyncio.gather(asking, return_exceptions=True)
        return type(reply)

    assert play(scene) is RedisConnectionError
