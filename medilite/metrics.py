"""Counts for Prometheus; without `switch_on` every function here returns at once and nothing is imported.

No visitor's text or id is ever a label: labels are the profile's models, names
of functions and classes, and words of this code. What can be read at any moment
(queue, slots) is read when somebody scrapes, and costs nothing before.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from medilite.engine.protocol import Occupancy, occupancy_of

if TYPE_CHECKING:
    from prometheus_client import CollectorRegistry

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"

FIRST_TOKEN_S = (0.05, 0.1, 0.25, 0.5, 1, 2, 4, 8, 15, 30, 60, 120)
EVENT_S = (0.005, 0.025, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120)
"""Upper bounds of the histograms' buckets, in seconds."""


class Meters:
    """Every metric of this process, in a registry of its own."""

    def __init__(self) -> None:
        from prometheus_client import CollectorRegistry, Counter, Histogram, ProcessCollector

        self.registry: CollectorRegistry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        here: dict[str, Any] = {"registry": self.registry}
        self.requests = Counter("medilite_requests_total", "Events of the page that were begun.", ["event"], **here)
        self.seconds = Histogram(
            "medilite_request_seconds", "Time that an event of the page took, streaming included.",
            ["event"], buckets=EVENT_S, **here,
        )  # fmt: skip
        self.answers = Counter(
            "medilite_answers_total", "Answers by model and by why they stopped: end, length, cancelled or error.",
            ["model", "stopped"], **here,
        )  # fmt: skip
        self.tokens = Counter("medilite_tokens_total", "Tokens written, by model.", ["model"], **here)
        self.first_token = Histogram(
            "medilite_first_token_seconds", "Time from asking to the first token, waiting for others included.",
            buckets=FIRST_TOKEN_S, **here,
        )  # fmt: skip
        self.votes = Counter("medilite_votes_total", "Votes that were kept.", ["kind", "choice"], **here)
        self.errors = Counter("medilite_errors_total", "Errors that a visitor was shown, by type.", ["kind"], **here)

    def follow_engine(self, engine: object, answering: Callable[[], int]) -> None:
        """Report the engine's queue and slots from now on, and the number of visitors from `answering`."""
        from prometheus_client import Gauge

        def read(of: Callable[[Occupancy], int | None]) -> Callable[[], float]:
            def now() -> float:
                occupancy = occupancy_of(engine)
                value = of(occupancy) if occupancy else None
                return float("nan") if value is None else float(value)

            return now

        gauges: dict[str, tuple[str, Callable[[], float]]] = {
            "medilite_answering": ("Streams of answers under way, waiting ones included.", lambda: float(answering())),
            "medilite_queue_length": ("Calls that wait for the engine.", read(lambda now: now.waiting)),
            "medilite_slots_in_use": ("Answers that the engine is writing.", read(lambda now: now.used)),
            "medilite_slots": ("Answers that the engine can write at once.", read(lambda now: now.slots)),
        }
        for name, (about, value) in gauges.items():
            Gauge(name, about, registry=self.registry).set_function(value)

    def text(self) -> bytes:
        """Return all metrics in Prometheus' text format."""
        from prometheus_client import generate_latest

        return generate_latest(self.registry)


_meters: Meters | None = None


def switch_on() -> Meters:
    """Count from now on, from zero; return the meters."""
    global _meters
    _meters = Meters()
    return _meters


def switch_off() -> None:
    """Count nothing any more."""
    global _meters
    _meters = None


def count_event(event: str) -> None:
    """Count an event of the page that begins."""
    if _meters:
        _meters.requests.labels(event).inc()


def observe_event(event: str, seconds: float) -> None:
    """Note how long an event of the page took."""
    if _meters:
        _meters.seconds.labels(event).observe(seconds)


def observe_first_token(seconds: float) -> None:
    """Note how long a visitor waited for the first token of any of their answers."""
    if _meters:
        _meters.first_token.observe(seconds)


def count_answer(model: str, stopped: str, tokens: int) -> None:
    """Count one answer that has stopped, and its tokens. `model` is an id that the engine has accepted."""
    if _meters:
        _meters.answers.labels(model, stopped).inc()
        _meters.tokens.labels(model).inc(tokens)


def count_vote(kind: str, choice: str) -> None:
    """Count a vote that has been kept."""
    if _meters:
        _meters.votes.labels(kind, choice).inc()


def count_error(error: BaseException) -> None:
    """Count an error that is shown to a visitor, by its type."""
    if _meters:
        _meters.errors.labels(type(error).__name__).inc()
