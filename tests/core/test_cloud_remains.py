"""What a question to a cloud model leaves behind in the engine: no thread, and nothing that slows the next one down."""

import gc
import threading
import time
from pathlib import Path

import pytest
from fault_server import FaultServer
from test_cloud_way_out import BOAT, way_out

from core.errors import CloudFailed
from core.models.breaker import Breaker
from core.models.cloud import CloudModel, Patience
from core.models.model import Turn, composed
from core.network import Gate
from core.protocol import Provider
from indexer.worker import Cancellation

TURN = Turn(lambda _: [composed("user", BOAT, "What colour is the boat?")], 100)


def model_at(url: str, home: Path, patience: Patience) -> CloudModel:
    sender = way_out(home / "out.sqlite3").card()
    provider = Provider("test", "openai", url, "starter")
    return CloudModel(provider, lambda _: None, Gate(lambda: False), Breaker(), sender, patience=patience)


def readers() -> set[threading.Thread]:
    return {thread for thread in threading.enumerate() if thread.name == "cloud"}


def test_a_service_that_drips_for_ever_leaves_no_thread(tmp_path: Path, faults: FaultServer) -> None:
    faults.fault = "drip"
    before = readers()
    with pytest.raises(CloudFailed, match="did not begin to answer"):
        list(model_at(faults.url, tmp_path, Patience(first_word=0.2)).stream(TURN, Cancellation()))
    deadline = time.monotonic() + 5
    while readers() - before:
        assert time.monotonic() < deadline, "it is still being read"
        time.sleep(0.02)


def test_what_an_sdk_has_loaded_is_not_looked_through_again_and_again(tmp_path: Path, faults: FaultServer) -> None:
    before = readers()
    list(model_at(faults.url, tmp_path, Patience()).stream(TURN, Cancellation()))
    for thread in readers() - before:
        thread.join(5)
    assert gc.get_freeze_count() > 10_000
    started = time.perf_counter()
    gc.collect()
    print(f"a full round: {(time.perf_counter() - started) * 1000:.1f} ms")
