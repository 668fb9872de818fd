"""Waiting beside a container: its time counts from its start, and a crash or a word from us ends it."""

import datetime
import json
import time

import pytest

from lib.runtime import uptime
from lib.runtime.containers import Container

WORKER = Container("blog", "worker", 1, "e" * 64)
INSPECT = f"docker container inspect '--format={{{{json .}}}}' -- {WORKER.id}"


@pytest.fixture(autouse=True)
def _on_no_disk(fs):
    """Nothing of the real one is read."""


def state(age, running=True, restarts=0):
    started = datetime.datetime.fromtimestamp(time.time() - age, datetime.UTC)
    return json.dumps(
        {
            "Id": WORKER.id,
            "Name": "/x",
            "Image": "sha256:1",
            "RestartCount": restarts,
            "State": {"Status": "running", "Running": running, "StartedAt": started.isoformat()},
            "Config": {"Labels": {"com.dokku.app-name": "blog"}},
            "HostConfig": {},
            "NetworkSettings": {},
        }
    )


def test_what_remains_counts_from_the_start_of_the_container(shell):
    shell.answers(INSPECT, state(age=40))
    assert 19 < uptime.remaining(WORKER, 60) <= 20
    assert uptime.remaining(WORKER, 30) == 0


def test_nothing_remains_of_a_container_that_is_gone(shell):
    shell.answers(INSPECT, err=f"Error: No such container: {WORKER.id}", status=1)
    assert uptime.remaining(WORKER, 60) == 0


def test_a_clock_that_was_put_back_makes_nobody_wait_longer(shell):
    """ENV-5"""
    shell.answers(INSPECT, state(age=-3600))
    assert uptime.remaining(WORKER, 60) == 60


def test_a_restart_within_a_pause_is_a_failure(shell):
    shell.answers(INSPECT, state(age=0.5, restarts=1))
    with pytest.raises(uptime.Failed, match="App container failed to start!!"):
        uptime.pause(WORKER, 0)


def test_a_container_that_is_given_up_is_not_waited_for(shell):
    shell.answers(INSPECT, state(age=0))
    uptime.give_up([WORKER.id])
    with pytest.raises(uptime.GivenUp):
        uptime.stay(WORKER, 600)
