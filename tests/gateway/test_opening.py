"""The gateway of the settings: what it needs is there before the first question."""

import json
import subprocess
import sys

import pytest

# In a process of its own: here the facts are loaded already.
FIRST_QUESTION = """
import asyncio, json, threading
import jvgate.spec.files as files
readers, read = [], files.read_json
def noted(path):
    readers.append(threading.current_thread() is threading.main_thread())
    return read(path)
files.read_json = noted
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


@pytest.mark.process
def test_the_facts_are_loaded_before_the_first_question_and_not_on_the_event_loop():
    done = subprocess.run([sys.executable, "-c", FIRST_QUESTION], capture_output=True, text=True, check=True)
    loaded, later, on_loop = json.loads(done.stdout)
    assert loaded > 50
    assert (later, on_loop) == (0, False)
