"""The gateway of the settings: its facts are there before the first question, and its listeners are heard."""

import asyncio
import json
import subprocess
import sys

import pytest

from jvgate.cache.redis.keys import Keys
from jvgate.errors import SourceError
from jvgate.gateway.opening import open_gateway
from jvgate.question.parsing import parse_question
from jvgate.sessions.remote_session import SessionEvent
from jvgate.settings import Settings
from jvgate.values import Message
from tests.cache.redis_server import RedisServer
from tests.raceday import archive, race_day
from tests.waiting import until

pytestmark = pytest.mark.process

# In a process of its own: here the facts are loaded already.
FIRST_QUESTION = """
import asyncio, json, threading
import jvgate.spec.files as files
readers, read = [], files.read_json
def noted(path):
    readers.append(threading.current_thread() is threading.main_thread())
    return read(path)
files.read_json = noted
from jvgate.errors import SourceError
from jvgate.gateway.opening import open_gateway
from jvgate.question.parsing import parse_question
from jvgate.settings import Settings
async def main():
    async with open_gateway(Settings(source="demo:?date=2026-11-18")) as gateway:
        loaded = len(readers)
        question = parse_question("YSCH", {"from_time": ["20261101"]}, gateway.spec, formats=("json",))
        await gateway.ask(question)
    return loaded, len(readers) - loaded, any(readers)
print(json.dumps(asyncio.run(main())))
"""


def test_the_facts_are_loaded_before_the_first_question_and_not_on_the_event_loop():
    done = subprocess.run([sys.executable, "-c", FIRST_QUESTION], capture_output=True, text=True, check=True)
    loaded, later, on_loop = json.loads(done.stdout)
    assert loaded > 50
    assert (later, on_loop) == (0, False)


# It takes the place of the Python that loads JV-Link: a session that hears an event once it is ready.
EVENTFUL_SESSION = """
import sys
from jvgate.jvlink.wire import Channel, Kind
channel = Channel(sys.stdin.buffer, sys.stdout.buffer)
channel.send(Kind.READY, 0, {"pid": 1, "python": "3", "bits": 64, "version": "0490"})
channel.send(Kind.EVENT, 0, {"event": "JVEvtPay", "parameter": "202611220811"})
channel.receive()
"""


def race(gateway):
    return parse_question("RACE", {"from_time": ["20261101"]}, gateway.spec, formats=("json",))


def opened(settings, scene, **listeners):
    """Run *scene* with the gateway of *settings*."""

    async def run():
        async with open_gateway(settings, **listeners) as gateway:
            return await scene(gateway)

    return asyncio.run(run())


def test_an_event_of_a_session_reaches_the_listeners_of_the_gateway(tmp_path):
    (tmp_path / "session.py").write_text(EVENTFUL_SESSION)
    settings = Settings(source="jvlink:", worker_python=f"{sys.executable} {tmp_path / 'session.py'}")
    heard = []

    async def scene(gateway):
        with pytest.raises(SourceError):  # the session hears an event, and ends without an answer
            await gateway.ask(race(gateway))

    opened(settings, scene, on_event=[heard.append])
    assert heard[0] == SessionEvent("JVEvtPay", "202611220811")


def test_a_dataset_that_landed_is_told_to_the_listeners_of_the_gateway(tmp_path):
    settings = Settings(source=f"archive:{archive(tmp_path, *race_day())}")
    landed = []

    async def scene(gateway):
        question = race(gateway)
        await gateway.ask(question)
        return question

    question = opened(settings, scene, on_landed=[landed.append])
    assert [news.query for news in landed] == list(question.queries)


def test_a_message_of_another_server_reaches_the_listeners_of_its_kind(tmp_path):
    heard = []
    with RedisServer() as redis:

        async def scene(gateway):
            news = Keys(gateway.source_identity).news
            await until(lambda: redis.command("PUBLISH", news, b'{"kind":"topic","name":"x"}') and heard)

        settings = Settings(source=f"archive:{archive(tmp_path, *race_day())}", redis_url=redis.url)
        opened(settings, scene, listeners={"topic": [heard.append]})
    assert heard[0] == Message("topic", {"name": "x"})
