"""The tab Blind vote: its events as the page and as raw requests call them, and the HTML they give."""

from __future__ import annotations

import random
import re
from types import SimpleNamespace

import gradio as gr
import pytest

from medilite.arena.booth import Booth, NoPair, Shown
from medilite.arena.contestants import contestants
from medilite.arena.marks import MARKS
from medilite.arena.records import REASONS
from medilite.arena.trust import Trust
from medilite.arena.votes import Votes
from medilite.errors import RateLimitError, StoreError
from medilite.settings import load_settings
from medilite.ui.guard.limits import Admission
from medilite.ui.html import templates
from medilite.ui.page.app import build_ui
from medilite.ui.page.loading import start_loading
from medilite.ui.page.session import Session
from medilite.ui.vote.cards import CHOICE_WORDS, open_html, voted_html
from medilite.ui.vote.tab import VoteTab
from tests.arena.made import MANY, NOW
from tests.support.banks import write_bank
from tests.support.fakes import ScriptedEngine
from tests.ui.compare.test_source import FITS, NOTHING, FakeShelf
from tests.ui.html import read

MARKUP = "<script>alert(1)</script> & <b>bold</b> {{x}} ${y}"


@pytest.fixture
def clock():
    now = [NOW]

    def read_clock() -> float:
        return now[0]

    read_clock.wait = lambda seconds: now.__setitem__(0, now[0] + seconds)
    return read_clock


@pytest.fixture
def make_tab(lite, tmp_path, clock):
    """Return a function that builds the tab around a scripted engine and a small bank."""
    booths = []

    def start(*, bank=True, target=None, **script) -> VoteTab:
        if bank:
            write_bank(tmp_path / "bank", lite)
        engine = ScriptedEngine(lite, **script)
        booth = Booth(
            lite, Votes(target or tmp_path / "votes.db", 0.2), folder=tmp_path / "bank", clock=clock,
            rng=random.Random(1), limits=MANY, aside=lambda work: work(),
        )  # fmt: skip
        booths.append(booth)
        tab = VoteTab(engine, lite, load_settings(), Admission(3), booth)
        with build_blocks() as blocks:
            import gradio as gr

            session = gr.State(Session())
            with gr.Tab("Blind vote") as inner:
                tab.build(session, inner)
        assert blocks is not None
        start_loading(engine).join()
        return tab

    yield start
    for booth in booths:
        booth.votes.close()


def build_blocks():
    import gradio as gr

    return gr.Blocks()


@pytest.fixture
def tab(make_tab) -> VoteTab:
    return make_tab()


def pair_of(update, slot):
    return read(update[slot]).one("section", "vt-pair")


def begin(tab):
    """Open the tab as a new visitor; return (voter id, the pair's element)."""
    update = tab.next(Session(), {"voter": None})
    voter = re.search(r'data-voter="([^"]+)"', update[tab.voter])[1]
    return voter, pair_of(update, tab.pair)


def sent(voter, pair, choice="left", **more):
    token = pair.attributes["data-token"]
    return {"voter": voter, "token": token, "choice": choice, "left": [], "right": [], "keep": True, **more}


def told(tab, voter, pair, choice="left", session=None, **more):
    """Vote, have the names told, and return what the page then shows."""
    session = session or Session()
    taken = tab.cast(session, sent(voter, pair, choice, **more))
    slot = tab.live_pair if tab.live_pair in taken else tab.pair
    assert pair_of(taken, slot).attributes["data-state"] == "taken"
    return pair_of(tab.reveal(session, sent(voter, pair)), slot)


def texts(pair):
    return [answer.one("p", "ml-text").text for answer in pair.all("div", "ml-answer")]


# -- before the vote -------------------------------------------------------------


def test_a_pair_is_two_unnamed_answers_and_four_choices(tab):
    _, pair = begin(tab)
    assert pair.attributes["data-state"] == "open"
    assert [card.attributes["aria-label"] for card in pair.all("article")] == ["Answer A", "Answer B"]
    buttons = [b for b in pair.all("button") if "data-choice" in b.attributes]
    assert [b.attributes["data-choice"] for b in buttons] == ["left", "right", "equal", "both_bad"]
    assert [b.attributes["aria-keyshortcuts"] for b in buttons] == ["1", "2", "3", "4"]
    chips = [b.attributes for b in pair.all("button", "vt-chip")]
    assert [c["data-detail"] for c in chips] == ["unsafe", *REASONS] * 2
    assert {c["aria-pressed"] for c in chips} == {"false"}


def test_the_page_of_a_pair_is_made_of_its_texts_alone(lite):
    """Whoever the answers are of, the same texts give the same bytes."""
    html = open_html(Shown("t" * 32, "Why?", "One.", "Other."), "ready")
    for spec in lite.models:
        for told in (spec.label, spec.colour, spec.colour_dark):
            assert told not in html
    assert not re.search(r"\bbase\b|sft|grpo|grade|#[0-9a-f]{6}|[0-9a-f]{64}", html)
    cards = read(html).all("article")
    same = [re.sub(r"One\.|Other\.|\b[AB]\b|left|right", "", str(card)) for card in cards]
    assert same[0] == same[1], "the two cards differ in text and side only"


def test_markup_in_texts_stays_text():
    html = open_html(Shown("t" * 32, MARKUP, MARKUP, "Fine."), "ready")
    tree = read(html)
    assert tree.one("h2").text == MARKUP
    assert texts(tree.one("section"))[0] == MARKUP
    assert tree.all("script") == []
    assert tree.all("b") == []


@pytest.mark.parametrize("signs_in", [False, True])
def test_the_walk_through_names_what_is_kept_of_a_voter(signs_in):
    told = " ".join(read(templates("vote/cards.html").tour(signs_in)).text.split())
    for kept in ("a random number", "its time", "how long you took", "a code for your network", "download the votes"):
        assert kept in told
    assert ("your account’s number" in told) is signs_in


def test_opening_the_tab_again_leaves_the_pair(tab):
    assert tab.enter(Session(), {"voter": None, "standing": True}) == gr.skip()
    assert tab.pair in tab.enter(Session(), {"voter": None, "standing": False})


# -- votes -------------------------------------------------------------------------


def test_after_the_vote_everything_is_told(tab, clock, lite):
    voter, pair = begin(tab)
    clock.wait(60)
    update = tab.cast(Session(), sent(voter, pair, "right", left=["unsafe"], right=["easier", "long"]))
    taken = pair_of(update, tab.pair)
    assert update[tab.error] == ""
    assert texts(taken) == texts(pair)
    assert not any(word in update[tab.pair] for spec in lite.models for word in (spec.label, spec.colour))
    assert "ml-grade" not in update[tab.pair]
    assert [b.attributes["data-do"] for b in taken.all("button") if "data-do" in b.attributes] == ["reveal", "undo"]
    voted = pair_of(tab.reveal(Session(), sent(voter, pair)), tab.pair)
    assert voted.attributes["data-state"] == "voted"
    assert texts(voted) == texts(pair)
    assert voted.one("p", "vt-verdict").text.startswith("You chose B. A is ")
    names = [card.one("header").one("span", "ml-name").text for card in voted.all("article")]
    assert set(names) < {spec.label for spec in lite.models}
    for card in voted.all("article"):
        assert card.one("span", "ml-grade-number").text
        assert "--model-light" in card.attributes["style"]
    said = [[p.text for p in card.all("p") if "You said" in p.text] for card in voted.all("article")]
    assert said == [["You said: wrong or unsafe"], ["You said: easier to understand, too long"]]
    assert "1 of the 10 votes" in update[tab.own]
    assert [b.attributes["data-do"] for b in voted.all("button") if "data-do" in b.attributes] == ["next"]
    assert tab.booth.given(voter) == 1


def test_a_replayed_vote_says_so(tab, clock):
    voter, pair = begin(tab)
    clock.wait(60)
    tab.cast(Session(), sent(voter, pair, "left"))
    again = pair_of(tab.cast(Session(), sent(voter, pair, "right")), tab.pair)
    assert "already voted on this pair" in again.one("div", "vt-told").text
    assert "You chose A." in again.one("p", "vt-verdict").text
    assert tab.booth.given(voter) == 1


def test_a_vote_without_reading_is_told_to_be_left_out(tab, clock):
    voter, pair = begin(tab)
    clock.wait(0.1)
    voted = told(tab, voter, pair)
    assert MARKS["hasty"] in voted.one("div", "vt-told").text


def test_undo_and_what_comes_too_late(tab, clock):
    voter, pair = begin(tab)
    clock.wait(60)
    tab.cast(Session(), sent(voter, pair))
    undone = pair_of(tab.undo(Session(), sent(voter, pair)), tab.pair)
    assert undone.attributes["data-state"] == "open"
    assert undone.attributes["data-token"] == pair.attributes["data-token"]
    assert texts(undone) == texts(pair)
    assert "taken back" in undone.one("p", "vt-verdict").text
    assert tab.booth.given(voter) == 0
    assert "Vote first" in tab.reveal(Session(), sent(voter, pair))[tab.error]
    told(tab, voter, pair, "right")
    assert "too late" in tab.undo(Session(), sent(voter, pair))[tab.error], "the names are known"
    voter, pair = begin(tab)
    tab.cast(Session(), sent(voter, pair))
    clock.wait(60)
    update = tab.undo(Session(), sent(voter, pair))
    assert "too late" in update[tab.error]
    assert tab.pair not in update
    assert sorted(vote.ballot.choice for vote in tab.booth.store.votes()) == ["left", "right"]


def test_how_others_voted(tab, lite, clock):
    voter, pair = begin(tab)
    clock.wait(60)
    tab.booth.vote(pair.attributes["data-token"], voter, "left")
    outcome = tab.booth.reveal(pair.attributes["data-token"], voter)
    others = {"left": 3, "right": 0, "equal": 1, "both_bad": 0}
    tree = read(voted_html(type(outcome)(outcome.vote, others, None), "t", lite))
    assert "How 4 others voted" in tree.text
    rows = {row.one("dt").text: row.one("dd").text for row in tree.all("div", "vt-split-row")}
    assert rows == {words[2]: str(others[choice]) for choice, words in CHOICE_WORDS.items()}
    unknown = read(voted_html(type(outcome)(outcome.vote, None, None), "t", lite))
    assert "can't be shown" in unknown.text


@pytest.mark.parametrize(
    "call",
    [
        None, 3, "left", [], [1], {}, {"voter": 5}, {"voter": "x", "token": "y", "choice": "left"},
        {"voter": {"a": 1}, "token": ["t"], "choice": {}},
    ],
    ids=range(9),
)  # fmt: skip
def test_raw_requests_of_any_kind_get_a_message_and_count_nothing(tab, call):
    for act in (tab.cast, tab.reveal, tab.undo, tab.show_own, tab.register_again):
        update = act(Session(), call)
        assert 'role="alert"' in update[tab.error]
        assert tab.pair not in update
    assert list(tab.booth.store.votes()) == []


def test_a_ballot_of_markup_is_refused_as_text(tab):
    voter, pair = begin(tab)
    for bad in (sent(voter, pair, MARKUP), sent(voter, pair, left=[MARKUP * 1000]), sent(voter, pair, right=MARKUP)):
        update = tab.cast(Session(), bad)
        assert "<script" not in update[tab.error]
        assert "nothing was counted" in update[tab.error]
    assert tab.cast(Session(), sent(voter, pair))[tab.error] == ""


# -- no pair, no store ---------------------------------------------------------------


def test_without_ready_made_answers_live_is_offered(make_tab):
    tab = make_tab(bank=False)
    _, pair = begin(tab)
    assert "No ready-made answers yet" in pair.text
    assert "votes prepare" in pair.text
    assert [b.attributes["data-do"] for b in pair.all("button")] == ["live"]


def test_a_store_that_cannot_be_opened_is_said_in_the_tab_alone(make_tab, tmp_path, lite):
    (tmp_path / "file").write_text("in the way", encoding="utf-8")
    tab = make_tab(target=tmp_path / "file" / "votes.db")
    update = tab.enter(Session(), {"voter": None})
    assert "MEDILITE_DATA_DIR" in update[tab.error]
    assert [b.attributes["data-do"] for b in read(update[tab.pair]).all("button")] == ["next"]
    (tmp_path / "file").unlink()
    assert pair_of(tab.next(Session(), {"voter": None}), tab.pair).attributes["data-state"] == "open"


@pytest.mark.parametrize(
    ("more", "told"),
    [({}, False), ({"hf_token": "hf_x"}, True), ({"hf_token": "hf_x", "keep_questions_days": 30}, False)],
)
def test_who_agrees_is_told_of_the_mirror(lite, tmp_path, more, told):
    settings = load_settings(data_dir=tmp_path / "data", mirror="clinic/votes", **more)
    page = build_ui(ScriptedEngine(lite), lite, settings)
    (keep,) = [block for block in page.blocks.values() if getattr(block, "elem_id", None) == "vote-keep"]
    assert ("Hugging Face Hub" in keep.info) is told
    assert "recognised" not in keep.info, "keys of private texts depend on no text"
    assert all(f" {kept}" in keep.info for kept in ("how long", "how hard to read", "how alike")), "see `hiding`"


def test_building_the_page_opens_no_store(lite, tmp_path):
    settings = load_settings(data_dir=tmp_path / "data")
    build_ui(ScriptedEngine(lite), lite, settings)
    assert not (tmp_path / "data").exists()


def test_a_bad_address_of_the_votes_is_said_in_the_tab(lite, tmp_path, make_tab):
    tab = make_tab(target="mysql://user:secret@host/name")
    update = tab.enter(Session(), {"voter": None})
    assert "MEDILITE_VOTES_URL" in update[tab.error]
    assert "secret" not in update[tab.error]


def test_what_nobody_foresaw_is_told_without_words_of_its_own(tab, monkeypatch, caplog):
    voter, pair = begin(tab)

    words = " ".join(("private", "words"))  # the log quotes lines of code, which must not be these

    def broken(*_, **__):
        raise RuntimeError(words)

    monkeypatch.setattr(tab.booth, "vote", broken)
    update = tab.cast(Session(), sent(voter, pair))
    assert "nothing is counted twice" in update[tab.error]
    assert words not in update[tab.error] + caplog.text


# -- live -------------------------------------------------------------------------------


def ask(tab, session=None, voter=None, question="What helps?", keep=False):
    """Ask live; return every update."""
    return list(tab.answer(session or Session(), {"voter": voter}, question, keep))


def test_a_live_pair_grows_in_step_and_is_then_voted_on(tab, lite, clock):
    session = Session()
    updates = ask(tab, session)
    slots = [pair_of(u, tab.live_pair) for u in updates if tab.live_pair in u]
    assert [s.attributes["data-state"] for s in (slots[0], slots[-1])] == ["writing", "open"]
    for slot in slots[:-1]:
        assert slot.attributes["data-token"] == ""
        assert all("disabled" in b.attributes for b in slot.all("button") if "data-choice" in b.attributes)
    assert len(tab.engine.requests) == 1
    assert len(tab.engine.requests[0]) == 2
    for update in updates:
        said = "".join(str(value) for slot, value in update.items() if slot is not tab.voter)
        for spec in lite.models:
            assert spec.label not in said
            assert spec.colour not in said
    voter = re.search(r'data-voter="([^"]+)"', updates[0][tab.voter])[1]
    clock.wait(60)
    voted = told(tab, voter, slots[-1], session=session)
    assert texts(voted) == texts(slots[-1])
    assert "Next question" in voted.text
    (vote,) = tab.booth.store.votes()
    assert [c.contestant.model for c in (vote.pair.left, vote.pair.right)] == [
        request.model for request in tab.engine.requests[0]
    ]


def test_a_live_pair_can_be_voted_on_after_a_restart(tab, clock):
    updates = ask(tab)
    voter = re.search(r'data-voter="([^"]+)"', updates[0][tab.voter])[1]
    pair = pair_of(updates[-1], tab.live_pair)
    voted = told(tab, voter, pair)
    assert voted.attributes["data-state"] == "voted"
    assert "no longer available" in voted.text
    assert voted.all("span", "ml-grade-number") == [], "what is stored is coarse"


def test_only_a_tick_keeps_the_question_and_with_its_vote_alone(tab):
    for keep in (False, "yes", 1, None, True):
        session, question = Session(), f"A private question {keep}?"
        updates = ask(tab, session, question=question, keep=keep)
        voter = re.search(r'data-voter="([^"]+)"', updates[0][tab.voter])[1]
        given = session, sent(voter, pair_of(updates[-1], tab.live_pair))
        kept = [question in [row[0] for row in _questions(tab)]]
        for act in (tab.cast, tab.undo):
            act(*given)
            kept.append(question in [row[0] for row in _questions(tab)])
        assert kept == [False, keep is True, False], "before the vote, with it, and once it is taken back"


@pytest.mark.parametrize("untick", [False, None, "yes", 1])
def test_a_tick_that_is_gone_at_the_vote_keeps_nothing(tab, untick):
    session = Session()
    updates = ask(tab, session, question="A private question?", keep=True)
    voter = re.search(r'data-voter="([^"]+)"', updates[0][tab.voter])[1]
    call = sent(voter, pair_of(updates[-1], tab.live_pair))
    tab.cast(session, {**call, "keep": untick})
    assert _questions(tab) == []
    # A vote that is given stays as it is, and so do its texts.
    tab.cast(session, call)
    assert _questions(tab) == []


def _questions(tab):
    import sqlalchemy as sa

    from medilite.arena.schema import questions

    with tab.booth.store.database.read() as connection:
        return connection.execute(sa.select(questions.c.text)).all()


def test_a_bad_question_is_said_and_asks_nobody(tab):
    (update,) = ask(tab, question="  ")
    assert "no question yet" in update[tab.error]
    assert tab.engine.requests == []


def test_answers_that_were_stopped_are_shown_and_not_voted_on(make_tab):
    tab = make_tab(step_s=0.05)
    session = Session()
    updates = []
    for update in tab.answer(session, {"voter": None}, "What helps?", False):
        updates.append(update)
        if len(updates) == 5:
            session.vote.request_stop()
    pair = pair_of(updates[-1], tab.live_pair)
    assert pair.attributes["data-state"] == "nothing"
    assert "Stopped before the end" in pair.text
    assert any(texts(pair))
    assert "Stopped" in updates[-1][tab.status]


def test_a_model_that_breaks_ends_without_a_pair_or_a_name(make_tab, lite):
    tab = make_tab(broken={model: f"{model} is broken." for model in lite.ids[1:]})
    updates = ask(tab)
    assert "needs two" in updates[-1][tab.error]
    tab = make_tab(fail_after=dict.fromkeys(lite.ids, 2))
    last = ask(tab)[-1]
    assert "One model failed" in last[tab.live_pair]
    assert list(tab.booth.store.same_answers()) == []


def test_the_same_live_answers_are_told(make_tab, lite):
    tab = make_tab(scripts=dict.fromkeys(lite.ids, "Rest and drink."))
    assert "Both answers are the same" in ask(tab)[-1][tab.live_pair]
    assert sum(count for *_, count in tab.booth.store.same_answers()) == 1


def test_an_engine_that_breaks_down_leaves_a_message(make_tab, caplog):
    tab = make_tab(explode_after=3)
    update = ask(tab, question="Why does my own knee hurt?")[-1]
    assert "Something went wrong" in update[tab.error]
    assert "own knee" not in caplog.text


def test_a_vote_that_could_not_be_stored_is_not_confirmed_and_can_be_pressed_again(tab, monkeypatch):
    voter, pair = begin(tab)

    def fails(*_, **__):
        raise StoreError("The disk is full.")

    with monkeypatch.context() as broken:
        broken.setattr(tab.booth.store, "cast", fails)
        update = tab.cast(Session(), sent(voter, pair))
    assert list(update) == [tab.error], "the pair stays as it is"
    assert "Your vote is not confirmed yet" in update[tab.error]
    assert "disk is full" in update[tab.error]
    assert told(tab, voter, pair).attributes["data-state"] == "voted"


def test_a_live_pair_that_could_not_be_stored_is_stored_later(tab, monkeypatch):
    session = Session()
    finish = tab.booth.finish_live

    def fails(run):
        raise StoreError("The disk is full.")

    monkeypatch.setattr(tab.booth, "finish_live", fails)
    update = ask(tab, session)[-1]
    kept = pair_of(update, tab.live_pair)
    assert kept.attributes["data-state"] == "unkept"
    assert all(texts(kept))
    assert "disk is full" in update[tab.error]
    assert tab.register_again(session, {})[tab.error] != ""
    monkeypatch.setattr(tab.booth, "finish_live", finish)
    stored = pair_of(tab.register_again(session, {}), tab.live_pair)
    assert (stored.attributes["data-state"], texts(stored)) == ("open", texts(kept))


EMERGENCY = "I have chest pain and can't breathe, what should I do?"


def test_an_emergency_is_told_above_live_answers(tab):
    updates = ask(tab, question=EMERGENCY)
    assert "ml-emergency" in updates[0][tab.emergency]


# -- follow-ups ---------------------------------------------------------------------------


@pytest.fixture
def asked(tab):
    """Ask live; return the session, what the page sends of its pair, and the pair."""
    session = Session()
    updates = ask(tab, session)
    voter = re.search(r'data-voter="([^"]+)"', updates[0][tab.voter])[1]
    pair = pair_of(updates[-1], tab.live_pair)
    question, (left, right) = pair.one("h2").text, texts(pair)
    live = {"token": pair.attributes["data-token"], "question": question, "left": left, "right": right}
    return session, sent(voter, pair, live=live), pair


def follow(tab, session, call, question="How long?"):
    return list(tab.follow_up(session, call, question, False))


@pytest.mark.parametrize("restarted", [False, True])
def test_both_are_asked_further_and_the_vote_is_on_the_whole_conversation(tab, asked, clock, lite, restarted):
    session, call, pair = asked
    if restarted:
        session = Session()
    updates = follow(tab, session, call, EMERGENCY)
    assert "ml-emergency" in updates[0][tab.emergency]
    assert updates[0][tab.further] == ""
    slots = [pair_of(u, tab.live_pair) for u in updates if tab.live_pair in u]
    assert [s.attributes["data-state"] for s in (slots[0], slots[-1])] == ["writing", "open"]
    assert {s.attributes["data-token"] for s in slots} == {call["token"]}, "which is the pair after a reload"
    assert all("data-further" in s.attributes for s in slots)
    assert not any(spec.label in str(value) for u in updates for value in u.values() for spec in lite.models)
    before = [[p.text for p in card.all("p", "ml-earlier-said")] for card in slots[-1].all("article")]
    assert before == [[text] for text in texts(pair)]
    assert "both questions together" in slots[-1].text
    last = [request.messages[-2].content for request in tab.engine.requests[-1]]
    assert last == texts(pair), "each continues from its own"
    clock.wait(60)
    tab.cast(session, call)
    voted = pair_of(tab.reveal(session, call), tab.live_pair)
    assert [p.text for p in voted.all("p", "ml-earlier-said")] == texts(pair)
    for card in voted.all("article"):
        words = len(card.one("p", "ml-earlier-said").text.split()) + len(card.one("p", "ml-text").text.split())
        assert f"{words} words in 2 answers" in card.text, "and not what is stored of a private text"
    (vote,) = tab.booth.store.votes()
    assert (vote.pair.turns, vote.pair.asked) == (2, 2)


def test_a_follow_up_that_ends_early_is_left_out_and_what_was_asked_is_in_its_field_again(asked, tab, monkeypatch):
    session, call, pair = asked

    def left_out(update, why):
        shown = pair_of(update, tab.live_pair)
        assert (shown.attributes["data-state"], shown.attributes["data-token"]) == ("open", call["token"])
        assert texts(shown) == texts(pair)
        assert why in shown.one("p", "vt-verdict").text
        assert update[tab.further] == "How long?"
        assert "data-further" in shown.attributes

    with monkeypatch.context() as broken:
        broken.setattr(tab.engine, "fail_after", dict.fromkeys(tab.profile.ids, 2))
        left_out(follow(tab, session, call)[-1], "not answered by both")
    with monkeypatch.context() as broken:
        broken.setattr(tab.engine, "explode_after", 2)
        update = follow(tab, session, call)[-1]
        left_out(update, "not answered by both")
        assert "Something went wrong" in update[tab.error]
    updates = []
    for update in tab.follow_up(session, call, "How long?", False):
        updates.append(update)
        session.vote.request_stop()
    left_out(updates[-1], "You stopped the follow-up")
    # It is the page's last state, too, if the page is reloaded meanwhile.
    live = {**call["live"], "state": "writing", "question": "How long?", "left": "Tw", "right": "", "earlier": [
        [call["live"][name] for name in ("question", "left", "right")]
    ]}  # fmt: skip
    again = tab.enter(Session(), {"voter": call["voter"], "kept": {"live": live}})
    assert "page was reloaded" in pair_of(again, tab.live_pair).text
    assert texts(pair_of(again, tab.live_pair)) == texts(pair)
    tab.cast(session, call)
    (vote,) = tab.booth.store.votes()
    assert (vote.pair.turns, vote.pair.asked) == (1, 3), "the third was stopped before the models were asked"


def test_a_follow_up_that_is_refused_leaves_the_pair_as_it_is(asked, tab, monkeypatch):
    session, call, _ = asked
    for given in ({**call, "live": None}, {**call, "live": {**call["live"], "token": "x"}}, {}, None, 3):
        (update,) = follow(tab, Session(), given)
        assert list(update) == [tab.error]
        assert "press Ask" in update[tab.error]
    assert "no question yet" in follow(tab, session, call, " ")[0][tab.error]

    def full(visitor):
        raise RateLimitError("Too many questions.", 1.0)

    with monkeypatch.context() as busy:
        busy.setattr(tab.admission, "seat", full)
        (update,) = follow(tab, session, call)
        assert "Too many questions" in update[tab.error]
        assert tab.live_pair not in update
    for _ in range(3):
        last = pair_of(follow(tab, session, call)[-1], tab.live_pair)
    assert "data-further" not in last.attributes
    assert "choose now" in last.text
    (update,) = follow(tab, session, call)
    assert "4 questions in a row" in update[tab.error]


def left_alone(update, tab, pair, why):
    """Check that a pair is as it was before its follow-up, and says why that is left out."""
    shown = pair_of(update, tab.live_pair)
    assert (shown.attributes["data-state"], texts(shown)) == ("open", texts(pair))
    said = shown.one("p", "vt-verdict").text
    assert why in said
    assert "not answered by both" not in said, "nobody was asked, or both have answered"


def ended(update, tab, pair, error):
    """Check that a pair is shown as one that can't be voted on any more."""
    shown = pair_of(update, tab.live_pair)
    assert (shown.attributes["data-state"], texts(shown)) == ("nothing", texts(pair))
    assert "has expired" in shown.text
    assert shown.attributes["data-token"] == ""
    assert [b for b in shown.all("button") if {"data-choice", "data-do"} & set(b.attributes)] == []
    assert error in update[tab.error]


@pytest.mark.parametrize("written", [False, True])
def test_a_follow_up_on_a_pair_that_has_expired_ends_it(tab, asked, clock, monkeypatch, written):
    session, call, pair = asked
    finish = tab.booth.finish_live

    def late(run):
        clock.wait(4000)
        return finish(run)

    if written:  # expired while the answers were being written
        monkeypatch.setattr(tab.booth, "finish_live", late)
    else:
        clock.wait(4000)
    ended(follow(tab, session, call)[-1], tab, pair, "no longer kept here")
    assert len(tab.engine.requests) == 1 + written
    assert "press Ask" in follow(tab, session, {**call, "live": None})[0][tab.error]


def test_a_follow_up_whose_answers_can_no_longer_be_stored_ends_its_pair(tab, asked, clock, failing):
    session, call, pair = asked
    works_again = failing("extend_pair")
    assert pair_of(follow(tab, session, call)[-1], tab.live_pair).attributes["data-state"] == "unkept"
    works_again()
    clock.wait(4000)
    ended(tab.register_again(session, call), tab, pair, "no longer kept here")


def test_a_follow_up_that_nobody_was_asked_says_so(tab, asked, failing, monkeypatch):
    session, call, pair = asked
    works_again = failing("note_follow_up")
    update = follow(tab, session, call)[-1]
    assert "database" in update[tab.error]
    left_alone(update, tab, pair, "could not be asked")
    works_again()
    with monkeypatch.context() as broken:
        broken.setattr(tab.engine, "availability", dict)
        update = follow(tab, session, call)[-1]
    assert "One of the two models" in update[tab.error]
    left_alone(update, tab, pair, "could not be asked")
    # A vote whose reply was lost: pressed again, the choice says that it counts.
    tab.booth.vote(call["token"], call["voter"], "left")
    update = follow(tab, session, call)[-1]
    assert "You have voted" in update[tab.error]
    left_alone(update, tab, pair, "could not be asked")
    assert "already voted" in tab.cast(session, call)[tab.live_pair]


def test_a_follow_up_that_comes_after_the_vote_is_not_added(tab, asked, monkeypatch):
    session, call, pair = asked
    finish = tab.booth.finish_live

    def after_a_vote(run):
        tab.booth.vote(call["token"], call["voter"], "left")
        return finish(run)

    monkeypatch.setattr(tab.booth, "finish_live", after_a_vote)
    left_alone(follow(tab, session, call)[-1], tab, pair, "could not be added")


# -- signed in -----------------------------------------------------------------------------


def test_a_vote_of_an_account_counts_after_its_session_has_ended(tab):
    ada = {"sub": "ada"}
    update = tab.next(Session(), {"voter": None}, ada)
    voter = re.search(r'data-voter="([^"]+)"', update[tab.voter])[1]
    call = sent(voter, pair_of(update, tab.pair), signed_in=True)
    assert "nothing was counted" in tab.cast(Session(), call)[tab.error]
    tab.cast(Session(), call, ada)
    said = tab.reveal(Session(), call)[tab.error]
    assert "it counts" in said
    assert "Show the names again" in said
    assert "nothing was counted" not in said
    assert "so it counts" in tab.undo(Session(), call)[tab.error]
    assert pair_of(tab.reveal(Session(), call, ada), tab.pair).attributes["data-state"] == "voted"


def test_a_follow_up_after_a_session_has_ended_leaves_the_account_s_pair(tab):
    session, ada = Session(), {"sub": "ada"}
    updates = list(tab.answer(session, {"voter": None}, "What helps?", False, ada))
    voter = re.search(r'data-voter="([^"]+)"', updates[0][tab.voter])[1]
    pair = pair_of(updates[-1], tab.live_pair)
    call = sent(voter, pair, signed_in=True)
    update = follow(tab, session, call)[-1]
    assert "sign in again" in update[tab.error]
    left_alone(update, tab, pair, "could not be asked")
    assert pair_of(tab.cast(session, call, ada), tab.live_pair).attributes["data-state"] == "taken"


# -- after a reload ------------------------------------------------------------------------


def as_kept(pair, state="open"):
    """Return what the page keeps of a pair for a reload (assets/style/tab.js)."""
    left, right = texts(pair)
    return {"state": state, "token": pair.attributes["data-token"], "question": pair.one("h2").text, "left": left,
            "right": right, "earlier": [], "said": []}  # fmt: skip


@pytest.fixture
def failing(tab):
    """Return a function that makes the store fail in one thing it does; what it returns ends that."""

    broken = pytest.MonkeyPatch()

    def start(name):
        def fails(*_, **__):
            raise StoreError("The votes' database can't be opened.")

        broken.setattr(tab.booth.store, name, fails)
        return broken.undo

    yield start
    broken.undo()


def test_a_database_that_fails_during_a_reload_leaves_a_ready_made_pair_to_the_next_try(tab, failing):
    voter, pair = begin(tab)
    call = {"voter": voter, "kept": {"ready": as_kept(pair), "live": None}}
    works_again = failing("find_pair")
    for act in (tab.enter, tab.next):
        update = act(Session(), call)
        assert "database" in update[tab.error]
        shown = pair_of(update, tab.pair)
        assert shown.attributes["data-state"] == "unreached", "which the page doesn't keep instead of the pair"
        assert texts(shown) == texts(pair)
        assert [b.attributes["data-do"] for b in shown.all("button") if "data-do" in b.attributes] == ["next"]
    works_again()
    update = tab.next(Session(), call)
    assert update[tab.error] == ""
    assert pair_of(update, tab.pair).attributes == pair.attributes


@pytest.mark.parametrize(("state", "fails"), [("open", "find_pair"), ("voted", "reveal")])
def test_a_database_that_fails_during_a_reload_leaves_a_live_pair_to_the_next_try(tab, asked, failing, state, fails):
    session, call, pair = asked
    if state == "voted":
        tab.cast(session, call)
    session, call = Session(), {"voter": call["voter"], "kept": {"ready": None, "live": as_kept(pair, state)}}
    works_again = failing(fails)
    for act in (tab.enter, tab.register_again):
        update = act(session, call)
        assert "database" in update[tab.error]
        shown = pair_of(update, tab.live_pair)
        assert (shown.attributes["data-state"], texts(shown)) == ("unreached", texts(pair))
        assert [b.attributes["data-do"] for b in shown.all("button") if "data-do" in b.attributes] == ["again"]
    works_again()
    shown = pair_of(tab.register_again(session, call), tab.live_pair)
    assert (shown.attributes["data-state"], shown.attributes["data-token"]) == (state, pair.attributes["data-token"])
    assert texts(shown) == texts(pair)


@pytest.mark.parametrize(
    ("state", "token", "waited", "told"),
    [
        ("open", True, 4000, "has expired"), ("open", "x" * 32, 0, "isn’t known here"),
        ("writing", "", 0, "before both answers were here"), ("unkept", "", 0, "not open to votes"),
    ],
)  # fmt: skip
def test_a_live_pair_that_cannot_be_voted_on_after_a_reload_says_why(tab, asked, clock, state, token, waited, told):
    _, call, pair = asked
    kept = as_kept(pair, state)
    if token is not True:
        kept["token"] = token
    clock.wait(waited)
    shown = pair_of(tab.enter(Session(), {"voter": call["voter"], "kept": {"live": kept}}), tab.live_pair)
    assert (shown.attributes["data-state"], texts(shown)) == ("nothing", texts(pair))
    assert told in shown.text
    assert ("before both answers were here" in shown.text) is (state == "writing")


@pytest.mark.parametrize("keep", [False, True])
@pytest.mark.parametrize("lost", ["the vote's reply", "the session"])
def test_only_a_vote_without_its_texts_is_told_that_they_are_not_kept(tab, keep, lost):
    """They are kept where the vote came before the reload, even if the page never heard of it."""
    session = Session()
    updates = ask(tab, session, keep=keep)
    voter = re.search(r'data-voter="([^"]+)"', updates[0][tab.voter])[1]
    pair = pair_of(updates[-1], tab.live_pair)
    call = sent(voter, pair, live=as_kept(pair))
    tab.cast(session, call)
    assert len(_questions(tab)) == keep
    session = Session()
    if lost == "the vote's reply":
        again = tab.enter(session, {"voter": voter, "kept": {"live": as_kept(pair)}})
        assert pair_of(again, tab.live_pair).attributes["data-state"] == "open"
        assert ("not kept" in tab.cast(session, call)[tab.error]) is not keep
    assert ("not kept" in tab.reveal(session, call)[tab.error]) is not keep


@pytest.mark.parametrize("state", ["open", "writing"])
def test_the_emergency_notice_stays_in_a_follow_up_and_comes_back_after_a_reload(tab, state):
    session = Session()
    updates = ask(tab, session, question=EMERGENCY)
    voter = re.search(r'data-voter="([^"]+)"', updates[0][tab.voter])[1]
    first = pair_of(updates[-1], tab.live_pair)
    updates = follow(tab, session, sent(voter, first))
    assert 'data-kind="heart"' in updates[0][tab.emergency]
    assert not any(update.get(tab.emergency) == "" for update in updates)
    kept = as_kept(pair_of(updates[-1], tab.live_pair), state) | {"earlier": [[EMERGENCY, *texts(first)]]}
    update = tab.enter(Session(), {"voter": voter, "kept": {"live": kept}})
    assert 'data-kind="heart"' in update[tab.emergency]


# -- one's own table --------------------------------------------------------------------


def test_one_s_own_table_comes_on_demand_and_goes_with_the_next_pair(tab, lite, clock):
    voter, pair = begin(tab)
    for i in range(10):
        clock.wait(60)
        update = tab.cast(Session(), sent(voter, pair))
        assert ("data-do" in update[tab.own]) is (i == 9)
        after = tab.next(Session(), {"voter": voter})
        pair = pair_of(after, tab.pair)
        assert not any(spec.label in after[tab.own] for spec in lite.models), "not while a pair stands open"
    clock.wait(20)
    table = read(tab.show_own(Session(), {"voter": voter})[tab.own]).one("table")
    rows = [[cell.text for cell in row.children] for row in table.one("tbody").all("tr")]
    assert {row[0] for row in rows} == {spec.label for spec in lite.models}
    assert sum(int(row[1]) for row in rows) == 20
    shares = [float(row[6].removesuffix(" %")) for row in rows if row[6] != "–"]
    assert shares == sorted(shares, reverse=True)


# -- votes of one address ------------------------------------------------------------------


def test_who_votes_from_a_crowded_address_is_told_what_its_votes_count_as(tab, clock, monkeypatch):
    monkeypatch.setattr("medilite.ui.vote.tab.caller", lambda: "203.0.113.7")

    def vote(voter, pair=None):
        """Vote, and return what the page says once the names are shown."""
        pair = pair or pair_of(tab.next(Session(), {"voter": voter}), tab.pair)
        clock.wait(30)
        return told(tab, voter, pair).text

    old, pair = begin(tab)
    assert "network address" not in vote(old, pair)
    for days in (3, 5):
        clock.wait(days * 86_400)
        vote(old)
    # One after another, as one person's ids come.
    for _ in range(8):
        vote(*begin(tab))
    tab.booth.refresh()
    assert "new voters at your network address had given 8 today, which counted as 0:" in vote(*begin(tab))
    assert "network address" not in vote(old), "an old browser is none of them"
    here = tab.booth.network("203.0.113.7")
    monkeypatch.setattr(Trust, "crowds", lambda _, *, trusted=False: {here: (50, 12)} if trusted else {})
    tab.booth.refresh()
    assert "voted for a week or more had given 50 today, which counted as 12." in vote(old)
    assert "network address" not in vote(*begin(tab)), "nor is a new browser one of the old"


# -- every reason has its words -----------------------------------------------------------


def test_every_reason_why_there_is_no_pair_has_words(tab):
    from medilite.ui.vote.cards import nothing_html

    for reason in NoPair:
        tree = read(nothing_html(reason, "Why?", ("One.", "Other.")))
        assert tree.one("div", "vt-panel").one("h2").text
        assert texts(tree.one("section")) == ["One.", "Other."]


def test_contestants_are_hashed_from_the_committed_adapters(lite):
    assert set(contestants(lite)) == set(lite.ids), "or the tests above test fewer models than they say"


def test_after_a_vote_a_source_is_shown_only_where_a_passage_fits(make_tab):
    tab = make_tab()
    outcome = SimpleNamespace(texts=("What is hay fever?", "One.", "Two."), earlier=())
    tab.shelf = FakeShelf(FITS)
    assert "Hay fever makes the nose run" in tab._source(outcome)
    tab.shelf = FakeShelf(NOTHING)
    assert tab._source(outcome) == ""


def test_an_emergency_that_gets_no_live_pair_has_its_notice(tab):
    question = "I took 60 paracetamol tablets and want to die"

    def told(answered):
        shown: dict = {}
        for update in answered:
            shown |= update
        assert "ml-error" in shown[tab.error]
        return shown[tab.emergency]

    tab.admission = Admission(0)
    refused = [
        tab.answer(Session(), {"voter": None}, f"{question} {2000 * 'x'}", False),
        tab.answer(Session(), {"voter": None}, question, False),
        tab.follow_up(Session(), {"voter": None}, question, False),
    ]
    assert all('data-kind="self-harm"' in told(answered) for answered in refused)
