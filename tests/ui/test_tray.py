import pytest
from PySide6.QtWidgets import QSystemTrayIcon

from core.protocol import Configure, LaterInfo, Provider, ProviderInfo
from ui.tray import Tray


@pytest.fixture
def tray(link, theme):
    return Tray(link, theme)


def labels(tray):
    return [action.text() for action in tray.menu.actions() if action.isVisible() and not action.isSeparator()]


def test_the_menu_tells_the_state_and_offers_the_few_things(qtbot, tray):
    light = "SmolLM2-135M-Instruct, ready; no cloud model"
    assert labels(tray) == [
        "211 of 214 files, 1 skipped, 2 failed",
        light,
        "Ask…",
        "Open Offhand",
        "Offline",
        "Pause reading",
        "Quit",
    ]
    assert not tray.state.isEnabled()
    assert tray.icon.toolTip() == f"Offhand: 211 of 214 files, 1 skipped, 2 failed\n{light}"


def test_the_light_says_who_can_answer(qtbot, tray, scripted):
    info = ProviderInfo(Provider("far", "openai", "https://api.example.org/v1", "big"), "ready", "It answers.")
    scripted.change(tokens_per_s=52.4, providers=[info])
    said = "SmolLM2-135M-Instruct, ready, 52 tokens/s; far: It answers"
    qtbot.waitUntil(lambda: tray.light.text() == said)


def test_each_entry_asks_for_its_thing(qtbot, tray):
    for text, signal in (
        ("Ask…", tray.ask_requested),
        ("Open Offhand", tray.open_requested),
        ("Quit", tray.quit_requested),
    ):
        with qtbot.waitSignal(signal):
            next(action for action in tray.menu.actions() if action.text() == text).trigger()


def test_a_stopped_engine_can_be_started(qtbot, tray, link):
    link._set_state("stopped", None)
    assert labels(tray)[0] == "Stopped"
    assert "Start" in labels(tray)
    link._set_state("ready", None)
    assert "Start" not in labels(tray)


def test_offline_is_switched_and_shown(qtbot, tray, scripted):
    tray.offline.trigger()
    qtbot.waitUntil(lambda: Configure("offline", "true") in scripted.calls)
    qtbot.waitUntil(lambda: tray.state.text() == "211 of 214 files, 1 skipped, 2 failed, offline")
    assert tray.offline.isChecked()


def test_reading_is_paused_and_goes_on(qtbot, tray, scripted):
    tray.pause.trigger()
    qtbot.waitUntil(lambda: Configure("paused", "true") in scripted.calls)
    scripted.change(paused="paused by you")
    qtbot.waitUntil(tray.pause.isChecked)
    tray.pause.trigger()
    qtbot.waitUntil(lambda: Configure("paused", "false") in scripted.calls)


@pytest.mark.qt_log_ignore("No such signal QPlatformNativeInterface")
def test_a_tray_that_comes_later_is_found(qtbot, tray, monkeypatch):
    # No tray host exists on the offscreen platform; the real one is met in test_app's desktop test.
    monkeypatch.setattr(QSystemTrayIcon, "isSystemTrayAvailable", staticmethod(lambda: False))
    assert tray.look() is False
    assert tray._again.isActive()
    monkeypatch.setattr(QSystemTrayIcon, "isSystemTrayAvailable", staticmethod(lambda: True))
    with qtbot.waitSignal(tray.appeared):
        tray._again.timeout.emit()
    assert not tray._again.isActive()
    tray.icon.hide()


def test_second_opinions_that_have_come_are_told_quietly_and_lead_to_the_list(qtbot, tray, scripted):
    assert not tray.later.isVisible()
    scripted.change(later=LaterInfo(on=True, new=1))
    qtbot.waitUntil(lambda: tray.later.text() == "A second opinion has come")
    assert tray.later.isVisible()
    assert tray.icon.toolTip().endswith("A second opinion has come")
    with qtbot.waitSignal(tray.later_requested):
        tray.later.trigger()
    scripted.change(later=LaterInfo(on=True, new=2))
    qtbot.waitUntil(lambda: tray.later.text() == "2 second opinions have come")
    scripted.change(later=LaterInfo(on=True, waiting=3))
    qtbot.waitUntil(lambda: not tray.later.isVisible())
