"""The engine's threads stand back behind those of the page."""

from __future__ import annotations

import os
import sys
import threading

import pytest

from medilite.engine.native.courtesy import NICER_BY, give_way


@pytest.mark.skipif(sys.platform != "linux", reason="niceness is the process's there")
def test_a_thread_gives_way_and_no_other_does():
    found = {}

    def work():
        give_way()
        found["thread"] = os.getpriority(os.PRIO_PROCESS, threading.get_native_id())

    before = os.getpriority(os.PRIO_PROCESS, threading.get_native_id())
    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert found["thread"] == min(19, before + NICER_BY)
    assert os.getpriority(os.PRIO_PROCESS, threading.get_native_id()) == before


@pytest.mark.skipif(sys.platform != "linux", reason="niceness is the process's there")
def test_a_thread_that_may_not_give_way_works_on(monkeypatch):
    def refuse(*_):
        raise PermissionError(1, "not permitted")

    monkeypatch.setattr(os, "setpriority", refuse)
    give_way()
