"""The door: while it is closed nothing leaves, not even a name look-up."""

import os
import socket
from typing import Any

import pytest
from fault_server import FaultServer

from core import network
from core.errors import BadInput, Offline
from core.network import NO_TELEMETRY, Gate, checked_host, may_be_known, silence_libraries

OPEN = Gate(lambda: False)


@pytest.fixture
def outgoing(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Every name look-up and every connection that is tried, in order."""
    seen: list[str] = []
    look_up, connect = socket.getaddrinfo, socket.socket.connect

    def looked_up(*arguments: Any, **options: Any) -> Any:
        seen.append("look-up")
        return look_up(*arguments, **options)

    def connected(self: socket.socket, address: Any) -> None:
        seen.append("connect")
        connect(self, address)

    monkeypatch.setattr(socket, "getaddrinfo", looked_up)
    monkeypatch.setattr(socket.socket, "connect", connected)
    return seen


@pytest.mark.parametrize("url", ["https://api.openai.com/v1", "http://192.168.1.20/v1", "http://localhost:9/v1"])
def test_a_closed_door_gives_no_client_and_no_socket(url: str, outgoing: list[str]) -> None:
    with pytest.raises(Offline) as caught:
        Gate(lambda: True).client(url, connect=1, read=1)
    assert caught.value.what == "Offline mode is on; nothing was sent."
    assert caught.value.next_step
    assert not outgoing


def test_a_door_that_closes_stops_a_client_that_is_already_out(faults: FaultServer, outgoing: list[str]) -> None:
    offline = False
    gate = Gate(lambda: offline)
    with gate.client(faults.named_url, connect=2, read=2) as client:
        assert client.get(faults.named_url).status_code == 200
        assert "connect" in outgoing, "the counter counts"
        outgoing.clear()
        offline = True
        with pytest.raises(Offline):
            client.get(faults.named_url)
        with pytest.raises(Offline):
            client.get("https://api.openai.com/v1")
        assert not outgoing
        assert len(faults.requests) == 1
        offline = False
        assert client.get(faults.named_url).status_code == 200


@pytest.mark.parametrize("address", ["127.0.0.1", "[::1]", "127.8.9.10"])
def test_a_server_on_this_machine_is_not_outside_if_its_address_says_so(address: str, outgoing: list[str]) -> None:
    with Gate(lambda: True).client(f"http://{address}:9/v1", connect=1, read=1):
        assert not outgoing
    with pytest.raises(Offline, match="A drill is on; nothing was sent"):
        Gate(lambda: True, reason="A drill is on", loopback=False).client(f"http://{address}:9/v1", connect=1, read=1)


def test_a_name_of_this_machine_is_told_the_way_in() -> None:
    with pytest.raises(Offline, match=r"by its address, 127\.0\.0\.1"):
        Gate(lambda: True).check("localhost")


def test_an_open_loopback_client_cannot_be_led_outside(faults: FaultServer, outgoing: list[str]) -> None:
    with Gate(lambda: True).client(faults.url, connect=2, read=2) as client:
        assert client.get(faults.url).status_code == 200
        outgoing.clear()
        for url in ("https://api.openai.com/v1", faults.named_url):
            with pytest.raises(Offline):
                client.get(url)
        assert not outgoing


def test_libraries_are_told_to_send_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in NO_TELEMETRY:
        monkeypatch.setenv(name, "yes please")
    silence_libraries()
    assert {name: os.environ[name] for name in NO_TELEMETRY} == NO_TELEMETRY


def test_redirects_are_not_followed(faults: FaultServer) -> None:
    faults.fault = "302"
    with OPEN.client(faults.url, connect=2, read=2) as client:
        assert client.post(faults.url, json={}).status_code == 302
    assert len(faults.requests) == 1


def test_a_proxy_of_the_environment_never_sees_loopback(faults: FaultServer, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("no_proxy", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")  # nothing listens there
    with OPEN.client(faults.url, connect=2, read=2) as client:
        assert client.get(faults.url).status_code == 200


@pytest.mark.parametrize("host", ["example.org", "8.8.8.8", "[2001:4860:4860::8888]", "10.0.0.1.example.org"])
def test_http_through_the_internet_is_refused_before_any_look_up(host: str, outgoing: list[str]) -> None:
    with pytest.raises(BadInput, match="unencrypted") as caught:
        OPEN.client(f"http://{host}/v1", connect=1, read=1)
    assert caught.value.next_step == "Use https."
    assert not outgoing


@pytest.mark.parametrize(
    ("url", "host"),
    [
        ("http://127.0.0.1:11434/v1", "127.0.0.1"),
        ("http://[::1]:1/v1", "::1"),
        ("http://localhost:1234/v1", "localhost"),
        ("http://192.168.1.20/v1", "192.168.1.20"),
        ("http://nas.local/v1", "nas.local"),
        ("http://workstation:8000/v1", "workstation"),
        ("https://API.OpenAI.com/v1", "api.openai.com"),
    ],
)
def test_nearby_http_and_any_https_are_addresses(url: str, host: str) -> None:
    assert checked_host(url) == host


@pytest.mark.parametrize(
    "url", ["", "api.openai.com", "ftp://host/v1", "file:///etc/passwd", "https://", "https://h:port/v1", "http://[::1"]
)
def test_what_is_no_web_address_is_said(url: str) -> None:
    with pytest.raises(BadInput, match="is not a web address"):
        checked_host(url)


def test_a_vector_server_elsewhere_is_not_even_named_while_the_door_is_closed(outgoing: list[str]) -> None:
    for url in ("http://127.0.0.1:8000", "http://localhost:8000", "https://[::1]:8000"):
        assert may_be_known(url, offline=True) == url
    assert may_be_known("http://192.168.1.5:8000", offline=False) == "http://192.168.1.5:8000"
    for url in ("http://192.168.1.5:8000", "https://vectors.example.com"):
        with pytest.raises(Offline, match="not on this computer"):
            may_be_known(url, offline=True)
    with pytest.raises(BadInput):
        may_be_known("http://vectors.example.com", offline=False)
    assert not outgoing


def test_the_certificates_are_read_once_in_a_while_and_not_for_each_client(monkeypatch: pytest.MonkeyPatch) -> None:
    def trusted(url: str) -> Any:
        with OPEN.client(url, connect=1, read=1) as client:
            return client._transport._pool._ssl_context  # type: ignore[attr-defined]

    first = trusted("https://api.openai.com/v1")
    assert trusted("https://api.anthropic.com") is first
    assert trusted("https://127.0.0.1/v1") is not first, "the environment has no say in what stays here"
    monkeypatch.setattr(network, "TRUST_SECONDS", -1.0)
    assert trusted("https://api.openai.com/v1") is not first
