"""A run made again adds up with the threads of the first, and leaves those of the caller as they were."""

from __future__ import annotations

import os

import pytest
from threadpoolctl import threadpool_limits

from pipeforecast.provenance import machine, threads_of


@pytest.mark.parametrize("own", ["1", "2"])
@pytest.mark.parametrize("then", ["1", "2"])
def test_threads_are_those_recorded_and_then_ones_own(own: str, then: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENBLAS_NUM_THREADS", then)
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    with threadpool_limits(int(then), user_api="blas"):
        recorded = machine()
    assert recorded["blas threads"] == then
    monkeypatch.setenv("OPENBLAS_NUM_THREADS", own)
    monkeypatch.setenv("OMP_NUM_THREADS", own)
    with threadpool_limits(int(own), user_api="blas"):
        with threads_of(recorded):
            assert machine() == recorded
            assert "OMP_NUM_THREADS" not in os.environ
        assert machine()["blas threads"] == own
    assert os.environ["OMP_NUM_THREADS"] == os.environ["OPENBLAS_NUM_THREADS"] == own


def test_a_record_that_says_nothing_of_threads_changes_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENBLAS_NUM_THREADS", "2")
    before = machine()
    with threads_of({}):
        assert machine() == before
