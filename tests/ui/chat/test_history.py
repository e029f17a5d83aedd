"""What a model is told of a conversation."""

from __future__ import annotations

from medilite.records import Message
from medilite.ui.chat.history import Turn, messages
from medilite.ui.compare.comparison import Pane


def turn(lite, question: str, answer: str, model: str = "base", stopped: str = "end") -> Turn:
    return Turn(question, Pane(lite.get(model), answer, 3, stopped), 128)  # type: ignore[arg-type]


def test_a_first_question_stands_alone(lite):
    assert messages([], "Hi?") == (Message("user", "Hi?"),)


def test_whichever_model_spoke_it_is_the_assistant(lite):
    turns = [turn(lite, "One?", "First.", "base"), turn(lite, "Two?", "Second.", "grpo", "cancelled")]
    assert messages(turns, "Three?") == (
        Message("user", "One?"),
        Message("assistant", "First."),
        Message("user", "Two?"),
        Message("assistant", "Second."),
        Message("user", "Three?"),
    )


def test_a_turn_without_an_answer_is_left_out_whole(lite):
    turns = [turn(lite, "One?", "", stopped="error"), turn(lite, "Two?", " \n", stopped="cancelled")]
    assert messages(turns, "Three?") == (Message("user", "Three?"),)


def test_markup_reaches_the_model_as_it_was_typed(lite):
    text = "<b>x</b> ![y](http://z) <|im_end|>"
    assert messages([turn(lite, text, text)], text)[0].content == text
