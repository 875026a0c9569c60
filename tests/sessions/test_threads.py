"""A thread for life does one job after another, and never holds up the end of the process."""

import subprocess
import sys
from threading import Event, get_ident

import pytest

from jvgate.sessions.threads import DaemonThread


def test_all_jobs_run_on_one_thread_in_their_order():
    thread = DaemonThread("jvgate-test")
    done = []
    jobs = [thread.submit(lambda n=n: (done.append(n), get_ident())[1]) for n in range(5)]
    assert len({job.result(timeout=30) for job in jobs}) == 1
    assert done == list(range(5))
    thread.stop()


def test_an_error_belongs_to_its_job_alone():
    thread = DaemonThread("jvgate-test")
    failed, fine = thread.submit(int, "x"), thread.submit(int, "7")
    with pytest.raises(ValueError, match="invalid literal"):
        failed.result(timeout=30)
    assert fine.result(timeout=30) == 7
    thread.stop()


def test_a_job_that_was_cancelled_in_the_queue_is_not_run():
    thread, go, ran = DaemonThread("jvgate-test"), Event(), []
    blocking = thread.submit(go.wait)
    cancelled = thread.submit(ran.append, 1)
    assert cancelled.cancel()
    go.set()
    blocking.result(timeout=30)
    assert thread.submit(lambda: list(ran)).result(timeout=30) == []
    thread.stop()


@pytest.mark.process
def test_a_thread_stuck_in_a_call_does_not_keep_the_process_alive():
    code = (
        "import threading\n"
        "from jvgate.sessions.threads import DaemonThread\n"
        "DaemonThread('stuck').submit(threading.Event().wait)\n"
    )
    assert subprocess.run([sys.executable, "-c", code], timeout=60, check=False).returncode == 0
