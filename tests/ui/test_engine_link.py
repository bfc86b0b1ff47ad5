import threading

import pytest
from scripted_engine import ScriptedEngine, wait_for

from core.paths import Profile
from core.protocol import Ask, Found, Piece, Problem, Search
from ui.engine_link import EngineLink


class Heard:
    """What a call brought, and on which thread."""

    def __init__(self, link, call):
        self.events, self.problems, self.ends, self.agains, self.threads = [], [], 0, 0, set()
        self.ticket = link.call(call, self._event, self._problem, self._end, self._again)

    def _event(self, event):
        self.threads.add(threading.current_thread())
        self.events.append(event)

    def _problem(self, problem):
        self.problems.append(problem)

    def _end(self):
        self.ends += 1

    def _again(self):
        self.agains += 1


def test_events_arrive_in_order_on_the_gui_thread(qtbot, link):
    heard = Heard(link, Search("roof"))
    qtbot.waitUntil(lambda: heard.ends == 1)
    assert [event.stage for event in heard.events] == ["words", "fused"]
    assert heard.threads == {threading.main_thread()}
    assert not heard.problems


def test_a_cancelled_call_brings_nothing_any_more(qtbot, link, scripted):
    scripted.script.meaning_after = lambda words: 0.05
    first, second = Heard(link, Search("roo")), Heard(link, Search("roof"))
    first.ticket.cancel()
    qtbot.waitUntil(lambda: second.ends == 1)
    qtbot.wait(80)
    assert not first.events
    assert first.ends == 0


def test_a_problem_arrives_as_a_value(qtbot, link, scripted):
    scripted.script.problem = Problem("The index is being rebuilt.", "Try again in a minute.", kind="busy")
    heard = Heard(link, Search("roof"))
    qtbot.waitUntil(lambda: bool(heard.problems))
    assert str(heard.problems[0]) == "The index is being rebuilt. Try again in a minute."
    assert heard.ends == 0


def test_stop_reaches_an_engine_that_is_silent(qtbot, link, scripted):
    scripted.script.silent = True
    heard = Heard(link, Ask("What did we decide?"))
    qtbot.waitUntil(lambda: any(isinstance(call, Ask) for call in scripted.calls))
    heard.ticket.cancel()
    wait_for(lambda: len(scripted.cancelled) == 1)
    qtbot.wait(50)
    assert sum(isinstance(call, Ask) for call in scripted.calls) == 1, "a call taken back is not sent again"
    assert not heard.problems


def test_calls_made_before_the_engine_is_up_wait_for_it(qtbot, profile):
    engine = ScriptedEngine(profile)
    link = EngineLink(profile)
    heard, dropped = Heard(link, Search("roof")), Heard(link, Search("ro"))
    dropped.ticket.cancel()
    assert link.state == "starting"
    engine.start()
    link.start()
    qtbot.waitUntil(lambda: heard.ends == 1)
    assert not dropped.events
    assert sum(isinstance(call, Search) for call in engine.calls) == 1
    link.close()
    engine.stop()


def test_an_engine_that_dies_in_mid_answer_is_asked_again(qtbot, link, scripted):
    states = []
    link.state_changed.connect(lambda: states.append(link.state))
    scripted.script.pause = 0.02
    heard = Heard(link, Ask("What did we decide?"))
    qtbot.waitUntil(lambda: any(isinstance(event, Piece) for event in heard.events))
    scripted.script.pause = 0.0
    scripted.cut()
    qtbot.waitUntil(lambda: heard.ends == 1)
    assert heard.agains == 1
    assert sum(isinstance(event, Found) for event in heard.events) == 2, "all events came again from the start"
    qtbot.waitUntil(lambda: link.state == "ready")
    assert "starting" in states


def test_an_engine_that_cannot_start_is_said_and_found_once_it_can(qtbot, profile: Profile):
    profile.runtime.rmdir()
    profile.runtime.write_text("in the way")
    link = EngineLink(profile)
    link.start()
    qtbot.waitUntil(lambda: link.state == "gone")
    assert "cannot write its profile" in str(link.problem)
    heard = Heard(link, Search("roof"))
    profile.runtime.unlink()
    engine = ScriptedEngine(profile).start()  # at once, or the link's own next look would start a real one
    link.retry()
    qtbot.waitUntil(lambda: heard.ends == 1)
    assert link.state == "ready"
    assert link.problem is None
    link.close()
    engine.stop()


def test_the_state_is_reported_on_every_change(qtbot, link, scripted):
    assert link.report.offline is False
    with qtbot.waitSignal(link.reported):
        scripted.change(offline=True)
    assert link.report.offline is True


@pytest.mark.logs("a call to the engine failed")
def test_a_bug_in_a_call_arrives_as_a_problem_and_stands_in_the_log(qtbot, link):
    heard = Heard(link, object())
    qtbot.waitUntil(lambda: bool(heard.problems))
    assert heard.problems[0].kind in ("bug", "protocol")


def test_after_closing_nothing_arrives(qtbot, link, scripted):
    scripted.script.pause = 0.01
    heard = Heard(link, Ask("What did we decide?"))
    link.close()
    count = len(heard.events)
    qtbot.wait(100)
    assert len(heard.events) == count


def test_after_closing_nothing_is_asked_either(qtbot, link, scripted):
    link.close()
    count = len(scripted.calls)
    assert not link.call(Search("roof"), lambda _: None).live
    qtbot.wait(50)
    assert len(scripted.calls) == count
