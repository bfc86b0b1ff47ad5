import time
from datetime import datetime

import msgspec
import pytest
from scripted_engine import COUNTS, QUOTE, REPORT

from core.protocol import Answered, Coverage, Provider, ProviderInfo, Step, Timings
from ui.state_words import (
    at_time,
    by_words,
    cloud_words,
    coverage_words,
    files,
    light_words,
    model_name,
    remembered_words,
    seconds,
    size,
    state_words,
    tone,
    when_words,
)

NOW = 1_700_000_000


def test_an_earlier_answer_is_of_today_of_this_year_or_of_another():
    def stamp(moment):
        return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(moment))

    now = time.time()
    assert remembered_words(stamp(now)).startswith(f"Answered today at {time.strftime('%H:%M', time.localtime(now))};")
    assert remembered_words("2024-02-29T12:00:00Z") == "Answered on 29 February 2024; nothing it rests on has changed."
    assert "today" not in remembered_words(stamp(now - 90_000))


def counted(**fields):
    return msgspec.structs.replace(REPORT, counts=msgspec.structs.replace(COUNTS, **fields))


@pytest.mark.parametrize(
    ("state", "report", "words", "color"),
    [
        ("starting", None, "Starting the engine…", "busy"),
        ("stopped", REPORT, "Stopped", "off"),
        ("gone", REPORT, "The engine is not running; trying again", "bad"),
        ("ready", REPORT, "211 of 214 files, 1 skipped, 2 failed", "good"),
        ("ready", msgspec.structs.replace(REPORT, folders=[]), "No folders yet", "off"),
        ("ready", counted(waiting=90), "Reading 124 of 214 files", "busy"),
        (
            "ready",
            msgspec.structs.replace(counted(waiting=90), resumed="goes on"),
            "Reading 124 of 214 files on battery",
            "busy",
        ),
        ("ready", counted(chunks=1000, vectors_owed=250), "211 files, 75 % done", "busy"),
    ],
)
def test_the_state_in_words_and_colour(state, report, words, color):
    assert state_words(state, report) == words
    assert tone(state, report) == color


@pytest.mark.parametrize(
    ("coverage", "words"),
    [
        (Coverage(0, 0, 0, 0, 0), "0 files"),
        (Coverage(1, 1, 0, 0, 0, NOW - 3), "1 file, newest just now"),
        (Coverage(501, 423, 75, 0, 3, NOW - 130), "423 of 501 files, newest 2 min ago, 75 waiting, 3 failed"),
        (Coverage(5, 4, 0, 1, 0, NOW - 90_000), "4 of 5 files, newest 1 d ago, 1 skipped"),
        (Coverage(5, 5, 0, 0, 0, NOW + 60), "5 files, newest just now"),
    ],
)
def test_how_much_is_covered_is_said_in_a_line(coverage, words):
    assert coverage_words(coverage, NOW) == words


def test_what_waits_while_reading_is_paused():
    paused = msgspec.structs.replace(counted(waiting=90), paused="paused by you")
    assert state_words("ready", paused) == "Paused, 90 files waiting"
    assert tone("ready", paused) == "off"


def test_a_moment_is_told_with_its_day_unless_it_is_today():
    assert at_time(NOW).startswith("on 20")
    assert at_time(time.time()).startswith("at ")


def test_numbers_are_said_as_people_say_them():
    assert (files(1), files(1200)) == ("1 file", "1,200 files")
    assert (seconds(34.4), seconds(1870)) == ("34 ms", "1.9 s")
    assert (size(71_400_000), size(900)) == ("71 MB", "1 kB")


@pytest.mark.parametrize(
    ("model", "name"),
    [
        ("SmolLM2-135M-Instruct.Q4_1.gguf", "SmolLM2-135M-Instruct"),
        ("/models/qwen2.5-3b-instruct-q4_k_m.gguf", "qwen2.5-3b-instruct"),
        ("gpt-4o-mini", "gpt-4o-mini"),
        ("", "a model"),
    ],
)
def test_a_models_name_is_told_without_its_files_details(model, name):
    assert model_name(model) == name


FAR = ProviderInfo(Provider("far", "openai", "https://api.host/v1", "big"), "ready", "It answers.")
BUSY = "api.host is too busy. It is left alone for another 9 s"


def test_the_light_in_words():
    two = [FAR, msgspec.structs.replace(FAR, state="resting", words=f"{BUSY}.")]
    clouded = msgspec.structs.replace(REPORT, providers=two)
    assert cloud_words(clouded) == ["far: It answers", f"far: {BUSY}"]
    assert light_words(clouded) == f"SmolLM2-135M-Instruct, ready; far: It answers; far: {BUSY}"
    closed = msgspec.structs.replace(FAR, state="offline", words="It is not asked: offline.")
    near = msgspec.structs.replace(FAR, provider=msgspec.structs.replace(FAR.provider, name="near"))
    offline = msgspec.structs.replace(REPORT, providers=[closed, near], offline=True)
    assert light_words(offline) == "SmolLM2-135M-Instruct, ready; far: It is not asked: offline; near: It answers"
    assert light_words(msgspec.structs.replace(REPORT, offline=True)).endswith("; offline")
    assert light_words(msgspec.structs.replace(REPORT, model="", model_state="missing")).startswith("no local model")
    gone = light_words(msgspec.structs.replace(REPORT, model_state="missing"))
    assert "its file is not there; answers are quotes" in gone


@pytest.mark.parametrize(
    ("stamp", "words"),
    [
        ("2026-03-14T09:05", "09:05"),
        ("2026-03-13T23:59", "Yesterday, 23:59"),
        ("2026-03-01T12:00", "1 March"),
        ("2025-12-31T12:00", "31 December 2025"),
    ],
)
def test_a_moment_in_a_list_is_as_long_as_it_must_be(stamp, words):
    assert when_words(stamp, datetime.fromisoformat("2026-03-14T18:00")) == words


@pytest.mark.parametrize(
    ("route", "quote", "words"),
    [
        ([Step("quote", "", "ok"), Step("local", "small.Q4_1.gguf", "ok")], QUOTE, "small on this machine"),
        ([Step("local", "small", "failed"), Step("cloud", "big", "ok")], QUOTE, "big in the cloud"),
        ([Step("quote", "", "ok")], QUOTE, "quote alone"),
        ([Step("catalog", "", "ok")], None, "from the catalog"),
        ([Step("quote", "", "ok")], None, "not in the notes"),
    ],
)
def test_who_gave_an_earlier_answer(route, quote, words):
    assert by_words(Answered("Q?", "A.", quote, [], [], route, Timings())) == words
