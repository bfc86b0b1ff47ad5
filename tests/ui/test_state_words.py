import msgspec
import pytest
from scripted_engine import COUNTS, DEPARTURE, REPORT

from core.protocol import CloudState
from ui.state_words import (
    cloud_words,
    departure_words,
    files,
    light_words,
    model_name,
    seconds,
    size,
    state_words,
    tone,
)


def counted(**fields):
    return msgspec.structs.replace(REPORT, counts=msgspec.structs.replace(COUNTS, **fields))


@pytest.mark.parametrize(
    ("state", "report", "words", "color"),
    [
        ("starting", None, "Starting the engine…", "busy"),
        ("gone", REPORT, "The engine is not running; trying again", "bad"),
        ("ready", REPORT, "211 files ready", "good"),
        ("ready", msgspec.structs.replace(REPORT, folders=[]), "No folders yet", "off"),
        ("ready", counted(waiting=90), "Reading 124 of 214 files", "busy"),
        ("ready", counted(chunks=1000, vectors_owed=250), "211 files, meaning 75 %", "busy"),
    ],
)
def test_the_state_in_words_and_colour(state, report, words, color):
    assert state_words(state, report) == words
    assert tone(state, report) == color


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


def clouded(**fields):
    return msgspec.structs.replace(REPORT, clouds=[CloudState("api.host", "big", **fields)])


def test_the_light_in_words():
    early, late = "2020-03-14T09:30:00Z", "2020-03-15T09:30:00Z"
    assert cloud_words(clouded()) == ["api.host not asked yet"]
    (words,) = cloud_words(clouded(last_success=late, last_failure=early, failure="It broke."))
    assert words.startswith("api.host answered on ")
    (words,) = cloud_words(clouded(last_success=early, last_failure=late, failure="It broke."))
    assert words.startswith("api.host failed on ")
    assert words.endswith(": It broke")
    offline = msgspec.structs.replace(clouded(), offline=True)
    assert light_words(offline) == "SmolLM2-135M-Instruct, ready; api.host not asked: offline"
    assert light_words(msgspec.structs.replace(REPORT, offline=True)).endswith("; offline")
    assert light_words(msgspec.structs.replace(REPORT, model_state="missing")).startswith("no local model")


def test_a_request_that_left_in_one_line():
    words = departure_words(DEPARTURE)
    assert "to api.example.org: 19 bytes, one thing hidden; you agreed, for this question; answered" in words
    assert departure_words(msgspec.structs.replace(DEPARTURE, outcome="", hidden={})).endswith("; under way")
