"""The outage drill: the person's own questions, asked as if no cloud model could be reached."""

from collections.abc import Iterator, Sequence

from core.answering.answer import Answering
from core.answering.history import History
from core.protocol import Answered, Ask, Drilled, DrillOver, Event, Timings
from indexer.records import Problem
from indexer.worker import Cancellation

EXAMPLES = ("What is due this week?", "What did we decide last?", "Which appointments are coming up?")
"""Asked when nothing has been asked yet."""

LOOKED_AT = 200  # answers of the history among which different questions are looked for


class OutageDrill:
    """Runs drills.

    Args:
        answering: answers with every cloud model cut off, and keeps nothing in the history.
        history: where the person's questions are.
    """

    def __init__(self, answering: Answering, history: History) -> None:
        self._answering = answering
        self._history = history

    def run(self, questions: Sequence[str], most: int, cancelled: Cancellation) -> Iterator[Event]:
        """Ask the questions one after the other → Drilled*, DrillOver.

        Raises:
            ProfileUnusable: the history cannot be read.
        """
        asked = answered = 0
        for question in questions or self._own(most) or EXAMPLES:
            result = self._one(question, cancelled)
            if cancelled.requested:
                return
            yield result
            asked += 1
            answered += result.answered_by != "nobody"
        yield DrillOver(asked, answered, f"Without the cloud, {answered} of {asked} questions were answered.")

    def _own(self, most: int) -> list[str]:
        return list(dict.fromkeys(answer.question for answer in self._history.recent(LOOKED_AT)))[:most]

    def _one(self, question: str, cancelled: Cancellation) -> Drilled:
        try:
            events = list(self._answering.answer(Ask(question), cancelled))
        except Problem as problem:  # one question that cannot be asked does not end the drill
            return Drilled(question, "nobody", "", Timings(), str(problem))
        answer = events[-1] if events else None
        if not isinstance(answer, Answered):
            return Drilled(question, "nobody", "", Timings(), "Stopped.")
        if answer.listed is not None and answer.listed.total:
            return Drilled(question, "catalog", "", answer.timings, answer.note)
        if answer.quote is None:
            return Drilled(question, "nobody", "", answer.timings, answer.answer)
        local = next((step for step in answer.route if step.kind == "local" and step.outcome == "ok"), None)
        by, model = ("local", local.model) if local is not None else ("quote", "")
        return Drilled(question, by, model, answer.timings, answer.note)
