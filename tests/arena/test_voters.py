"""Voters' ids: given out here or refused, and never stored as they are."""

from __future__ import annotations

import hashlib

import pytest

from medilite.arena.voters import SignedIn, hub_voter, is_account, new_voter_id, voter_of, voters_of
from medilite.errors import TokenError


class Secret:
    def __init__(self, key: str = "k") -> None:
        self.key = key

    def keyed(self, text: str) -> str:
        return hashlib.sha256((self.key + text).encode()).hexdigest()


def test_an_id_given_out_here_is_known_and_kept_as_a_hash():
    mine, other = new_voter_id(Secret()), new_voter_id(Secret())
    assert voter_of(Secret(), mine) == voter_of(Secret(), mine)
    assert voter_of(Secret(), mine) != voter_of(Secret(), other)
    assert mine.split(".")[0] not in voter_of(Secret(), mine)
    assert "someone" not in hub_voter(Secret(), "someone")


@pytest.mark.parametrize("made_up", [None, "", 7, "x" * 65, "0" * 32 + "." + "0" * 32, {"id": 1}])
def test_an_id_made_up_elsewhere_is_refused(made_up):
    with pytest.raises(TokenError, match="Reload the page"):
        voter_of(Secret(), made_up)


def test_an_id_of_another_store_or_changed_is_refused():
    mine = new_voter_id(Secret())
    with pytest.raises(TokenError):
        voter_of(Secret("other"), mine)
    with pytest.raises(TokenError):
        voter_of(Secret(), ("0" if mine[0] != "0" else "1") + mine[1:])


def test_whoever_is_signed_in_is_their_account_and_their_browser_too():
    browser = new_voter_id(Secret())
    here = SignedIn("6512f0a1", browser)
    assert voter_of(Secret(), here) == hub_voter(Secret(), "6512f0a1")
    assert voters_of(Secret(), here) == (hub_voter(Secret(), "6512f0a1"), voter_of(Secret(), browser))
    assert voters_of(Secret(), browser) == (voter_of(Secret(), browser),)
    assert [is_account(voter) for voter in voters_of(Secret(), here)] == [True, False]
    assert "6512f0a1" not in voter_of(Secret(), here) + repr(here)
    assert voter_of(Secret("other"), here) != voter_of(Secret(), here), "nobody can test a guess without the key"


def test_a_browser_without_an_id_is_no_hindrance_to_signing_in():
    assert voters_of(Secret(), SignedIn("6512f0a1", "made up")) == (hub_voter(Secret(), "6512f0a1"),)
    with pytest.raises(TokenError):
        voters_of(Secret(), "made up")
    with pytest.raises(TokenError):
        voter_of(Secret(), hub_voter(Secret(), "6512f0a1"))
