"""When background work rests: paused, on battery, or while somebody types. No machine that tests has a battery, so its
reading is scripted here; `on_battery` itself is read from the real system."""

import time
from pathlib import Path

import psutil
import pytest

from indexer import pace
from indexer.pace import ON_BATTERY, PAUSED, RESUMED, Pace, on_battery
from tests.indexer.conftest import Parts, eventually, settled, write_notes


class Battery:
    def __init__(self) -> None:
        self.in_use = False
        self.looks = 0

    def __call__(self) -> bool:
        self.looks += 1
        return self.in_use


@pytest.fixture
def battery() -> Battery:
    return Battery()


@pytest.fixture
def said() -> list[str]:
    return []


def make(battery: Battery, said: list[str]) -> Pace:
    made = Pace(lambda: said.append(made.why), battery)
    return made


def test_nothing_rests_for_no_reason(battery: Battery, said: list[str]) -> None:
    made = make(battery, said)
    made.configure(paused=False, spare_battery=True)
    assert (made.why, made.rest()) == ("", 0.0)
    assert said == []


def test_a_pause_holds_everything_until_it_ends(battery: Battery, said: list[str]) -> None:
    made = make(battery, said)
    made.configure(paused=True, spare_battery=True)
    assert made.why == PAUSED
    assert made.rest() > 0
    assert made.rest(bulk=False) > 0
    made.configure(paused=False, spare_battery=True)
    assert made.rest() == 0.0
    assert said == [PAUSED, ""]


def test_the_battery_is_spared_if_wanted_and_seldom_looked_at(
    battery: Battery, said: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    battery.in_use = True
    made = make(battery, said)
    made.configure(paused=False, spare_battery=False)
    assert (made.why, battery.looks) == ("", 0)
    made.configure(paused=False, spare_battery=True)
    assert [made.why for _ in range(50)] == [ON_BATTERY] * 50
    assert battery.looks == 1
    battery.in_use = False
    monkeypatch.setattr(pace, "LOOK_SECONDS", 0.0)
    assert made.why == ""
    assert said == [ON_BATTERY, ""]


def test_a_person_who_resumes_on_battery_is_obeyed_until_it_is_plugged_in(
    battery: Battery, said: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pace, "LOOK_SECONDS", 0.0)
    battery.in_use = True
    made = make(battery, said)
    made.configure(paused=False, spare_battery=True)
    assert (made.why, made.note) == (ON_BATTERY, "")
    made.resume()
    assert (made.why, made.rest(), made.note) == ("", 0.0, RESUMED)
    made.configure(paused=False, spare_battery=True)  # another setting changes
    assert (made.why, made.note) == ("", RESUMED)
    battery.in_use = False
    assert (made.why, made.note) == ("", "")
    battery.in_use = True
    assert (made.why, made.note) == (ON_BATTERY, "")


def test_a_pause_ends_what_was_resumed_on_battery(
    battery: Battery, said: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pace, "LOOK_SECONDS", 0.0)
    battery.in_use = True
    made = make(battery, said)
    made.configure(paused=False, spare_battery=True)
    made.resume()
    made.configure(paused=True, spare_battery=True)
    assert (made.why, made.note) == (PAUSED, "")
    made.configure(paused=False, spare_battery=False)
    assert (made.why, made.note) == ("", "")


def test_this_machine_tells_whether_it_runs_on_battery() -> None:
    read = psutil.sensors_battery()
    if read is None:
        print("this machine has no battery: only that this is understood is tested here")
    assert on_battery() is (read is not None and not read.power_plugged)


def test_bulk_work_waits_for_a_person_who_types_and_a_single_note_does_not(battery: Battery, said: list[str]) -> None:
    made = make(battery, said)
    made.person_is_there()
    assert 0 < made.rest() <= pace.QUIET
    assert made.rest(bulk=False) == 0.0


def test_a_person_who_never_stops_typing_does_not_starve_the_work(
    battery: Battery, said: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    now = 1000.0
    monkeypatch.setattr(time, "monotonic", lambda: now)
    made = make(battery, said)
    free = 0
    for _ in range(1000):
        made.person_is_there()
        free += made.rest() == 0.0
        now += 0.1
    assert 150 < free < 250, "a fifth of the time"


def test_a_paused_index_reads_nothing_and_then_goes_on(parts: Parts, tmp_path: Path) -> None:
    write_notes(tmp_path / "notes", {"a.md": "# Apples\n", "b.md": "# Pears\n"})
    index = parts.index()
    index.pace.configure(paused=True, spare_battery=True)
    index.add_folder(tmp_path / "notes")
    assert eventually(lambda: index.counts().waiting == 2)
    assert settled(index), "who waits for the index is not kept waiting by a pause"
    assert index.counts().indexed == 0
    index.pace.configure(paused=False, spare_battery=True)
    assert eventually(lambda: index.counts().indexed == 2)
