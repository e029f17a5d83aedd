"""The booth and whoever is signed in: one voter in all browsers, and pairs that stay with whom they were drawn for."""

from __future__ import annotations

import pytest

from medilite.arena import drawing
from medilite.arena.booth import NoPair, Shown
from medilite.arena.voters import SignedIn
from medilite.errors import TokenError
from tests.arena.booths import drawn, votes_of
from tests.support.banks import write_bank


def place_of(shown):
    return shown.question, frozenset((shown.left, shown.right))


def test_an_account_is_one_voter_in_two_browsers(make_booth, lite, tmp_path, clock, monkeypatch):
    monkeypatch.setattr(drawing, "AGAIN", 0)
    write_bank(tmp_path / "bank", lite, questions=1)
    booth = make_booth()
    both = [SignedIn("ada", booth.welcome(None)) for _ in range(2)]
    seen = []
    for number in range(15):
        me = both[number % 2]
        shown = drawn(booth, me, clock)
        # Either browser may vote on what the account got on the other.
        assert booth.vote(shown.token, both[number % 3 % 2], "left").fresh
        assert not booth.vote(shown.token, both[number % 2], "right").fresh
        seen.append(place_of(shown))
    assert len(set(seen)) == 15
    assert [booth.draw(me) for me in both] == [NoPair.SEEN] * 2
    assert [booth.given(me) for me in both] == [15, 15]
    (voter,) = {vote.pair.voter for vote in votes_of(booth)}
    assert voter.startswith("hub:")
    assert "ada" not in voter


def test_signing_in_brings_nothing_again_that_the_browser_has_had(make_booth, lite, tmp_path, clock):
    write_bank(tmp_path / "bank", lite, questions=1)
    booth = make_booth()
    browser = booth.welcome(None)
    for _ in range(8):
        booth.vote(drawn(booth, browser, clock).token, browser, "left")
    me = SignedIn("ada", browser)
    for _ in range(15 - 8):
        booth.vote(drawn(booth, me, clock).token, me, "left")
    assert booth.draw(me) is NoPair.SEEN
    assert [booth.given(me), booth.given(browser)] == [7, 8]
    assert isinstance(booth.draw(SignedIn("ada", booth.welcome(None))), Shown), "another browser has had none of them"


def test_a_pair_stays_with_whom_it_was_drawn_for(booth, clock):
    browser, other = booth.welcome(None), booth.welcome(None)
    me = SignedIn("ada", browser)
    before = drawn(booth, browser, clock)
    after = drawn(booth, me, clock)
    # Somebody else's, or the account's without its session: not counted, and not lost.
    for stranger in (browser, other, SignedIn("bob", browser)):
        with pytest.raises(TokenError, match="isn't known here"):
            booth.vote(after.token, stranger, "left")
    with pytest.raises(TokenError, match="isn't known here"):
        booth.vote(before.token, SignedIn("ada", other), "left")
    assert votes_of(booth) == []
    # Drawn before, voted on after signing in: the browser's vote, once.
    booth.vote(before.token, me, "left")
    assert [vote.pair.voter.partition(":")[0] for vote in votes_of(booth)] == ["browser"]
    assert not booth.vote(before.token, browser, "right").fresh
    booth.vote(after.token, me, "right")
    assert sorted(vote.pair.voter.partition(":")[0] for vote in votes_of(booth)) == ["browser", "hub"]
    assert [booth.given(me), booth.given(browser)] == [1, 1]
    assert booth.undo(before.token, me) is not None
    with pytest.raises(TokenError, match="no vote of yours"):
        booth.undo(after.token, browser)
    assert [booth.given(me), booth.given(browser)] == [1, 0]
