"""Every failure that a judge's server can give, over real HTTP."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from eval.judging.client import DAY_S, MOST_LIMITS, JudgeClient, NotJudged
from eval.judging.keys import KeyRing, KeysRest, split_keys
from medilite.errors import JudgeError, SettingsError
from medilite.records import Message
from tests.eval.judges import SCORES, Answer, FakeTime, error, judge_server, says, scores

ASK = (Message("system", "You judge."), Message("user", "Judge this."))
TPD = (
    "Rate limit reached for model `llama-3.1-8b-instant` in organization `org_01abc` service tier `on_demand` on "
    "tokens per day (TPD): Limit 500000, Used 499900, Requested 1200. Please try again in 9m38.016s."
)


class Asked:
    """A client of a scripted server, with a time of its own."""

    def __init__(self, url, keys=("first-key",), max_wait_s=900.0, **options):
        self.time, self.notes = FakeTime(), []
        ring = KeyRing(keys, max_wait_s=max_wait_s, clock=self.time.clock, sleep=self.time.sleep)
        self.client = JudgeClient(
            ring,
            base_url=url,
            clock=self.time.clock,
            sleep=self.time.sleep,
            on_note=self.notes.append,
            **options,
        )

    def ask(self):
        return self.client.ask("scores", ASK)


def test_a_reply():
    with judge_server([scores()]) as server:
        reply = Asked(server.url).ask()
    assert json.loads(reply.raw) == SCORES
    assert (reply.prompt_tokens, reply.completion_tokens) == (900, 40)
    key, body = server.asked[0]
    assert key == "first-key"
    assert body["model"] == "llama-3.1-8b-instant"
    assert body["temperature"] == 0
    assert body["messages"][1] == {"role": "user", "content": "Judge this."}
    assert body["response_format"] == {"type": "json_object"}


def test_what_the_server_is_told_of_the_reply():
    with judge_server([scores()]) as server:
        Asked(server.url, reply_format="text").ask()
        Asked(server.url, reply_format="schema").ask()
    text, schema = (body for _, body in server.asked)
    assert "response_format" not in text
    form = schema["response_format"]["json_schema"]["schema"]
    assert form["properties"]["correctness"] == {
        "maximum": 10, "minimum": 1, "title": "Correctness", "type": "integer"
    }  # fmt: skip
    assert form["required"] == list(SCORES)
    assert form["additionalProperties"] is False


@pytest.mark.parametrize(
    ("headers", "message", "waits"),
    [
        ({"retry-after": "7"}, "tokens per minute (TPM)", [7.0]),
        ({"retry-after": "0.25"}, "slow down", [0.25]),
        ({}, "on tokens per minute (TPM): Please try again in 4.77s.", [4.77]),
        ({}, "Please try again in 850ms.", [0.85]),
        ({}, "Please try again in 1m2.5s.", [62.5]),
        ({}, "slow down", [1.0]),
        ({"retry-after": "soon"}, "slow down", [1.0]),
        ({"retry-after": "nan"}, "slow down", [1.0]),
        ({"retry-after": "-5"}, "slow down", []),
    ],
)
def test_a_rate_limit_waits_as_the_server_says(headers, message, waits):
    with judge_server([error(429, message, headers), scores()]) as server:
        asked = Asked(server.url)
        assert asked.ask().raw
    assert asked.time.waits == pytest.approx(waits)


def test_a_rate_limit_until_a_date():
    until = format_datetime(datetime.now(UTC) + timedelta(seconds=30), usegmt=True)
    with judge_server([error(429, "slow down", {"retry-after": until}), scores()]) as server:
        asked = Asked(server.url)
        asked.ask()
    assert 25 < asked.time.waits[0] <= 30


def test_without_a_time_the_waits_double():
    with judge_server([error(429, "slow down")] * 4 + [scores()]) as server:
        asked = Asked(server.url)
        asked.ask()
    assert asked.time.waits == [1, 2, 4, 8]


def test_a_server_that_limits_for_ever_is_given_up():
    limit = error(429, "slow down", {"retry-after": "0"})
    with judge_server([limit]) as server, pytest.raises(NotJudged, match="slow down"):
        Asked(server.url).ask()
    assert len(server.asked) == MOST_LIMITS


def test_keys_are_used_in_turn_and_a_spent_one_rests():
    def script(number, key, body):
        return error(429, TPD, {"retry-after": "578"}) if key == "b" and number < 10 else scores()

    with judge_server(script) as server:
        asked = Asked(server.url, keys="abc")
        for _ in range(6):
            asked.ask()
        assert server.keys == list("abcacac")[:7]
        assert asked.time.waits == []
        assert asked.notes == ["Key 2 of 3: daily limit reached, rests 10 min."]
        # Back after its time.
        asked.time.now_s += 579
        for _ in range(5):
            asked.ask()
    assert "b" in server.keys[7:]


def test_a_daily_limit_without_a_time_rests_for_a_day():
    with judge_server([error(429, "You exceeded your current quota", code="insufficient_quota"), scores()]) as server:
        asked = Asked(server.url, keys="ab")
        asked.ask()
        assert server.keys == ["a", "b"]
        asked.time.now_s += DAY_S / 2
        asked.ask()
    assert server.keys == ["a", "b", "b"]


def test_when_all_keys_rest_too_long_the_run_is_told_when_to_go_on():
    told = pytest.raises(KeysRest, match=r"All 2 keys .* 2 h 5 min\. Give the same command then")
    with judge_server([error(429, TPD, {"retry-after": "7500"})]) as server, told:
        Asked(server.url, keys="ab").ask()
    assert server.keys == ["a", "b"]


def test_a_refused_key_is_left_out():
    def script(number, key, body):
        return error(401, f"Incorrect API key provided: {key}") if key == "secret-1" else scores()

    with judge_server(script) as server:
        asked = Asked(server.url, keys=("secret-1", "secret-2"))
        for _ in range(3):
            asked.ask()
    assert server.keys == ["secret-1"] + ["secret-2"] * 3
    assert asked.notes == ["Key 1 of 2 is refused (401) and left out."]


def test_no_message_holds_a_key():
    def script(number, key, body):
        return error(401, f"Incorrect API key provided: {key}, of org_01abc")

    with judge_server(script) as server, pytest.raises(JudgeError) as caught:
        Asked(server.url, keys=("secret-1", "secret-2")).ask()
    assert "MEDILITE_JUDGE_KEYS" in str(caught.value)
    assert "[key]" in str(caught.value)
    assert "secret" not in str(caught.value)
    assert "org_01abc" not in str(caught.value)
    assert caught.value.__cause__ is None
    assert "secret" not in repr(KeyRing(["secret-3"])._keys)


@pytest.mark.parametrize(
    "broken",
    [
        error(500, "internal"),
        error(503, "capacity"),
        error(498, "flex tier capacity"),
        error(408, "timeout"),
        Answer(502, b"<html>Bad gateway</html>", {"content-type": "text/html"}),
        Answer(200, b"<html>Welcome</html>", {"content-type": "text/html"}),
        Answer(200, b'{"choices": [{"message": {"content": "{\\"corr'),
        Answer(200, {"choices": []}),
        Answer(200, {"error": "not in the form of a completion"}),
        Answer(200, {"choices": [{"message": {"content": "half"}}]}, cut=True),
    ],
)
def test_what_may_pass_is_asked_again(broken):
    with judge_server([broken, broken, scores()]) as server:
        asked = Asked(server.url)
        assert json.loads(asked.ask().raw) == SCORES
    assert asked.time.waits == [1, 2]


def test_a_500_with_retry_after_waits_that_long():
    with judge_server([error(503, "busy", {"retry-after": "12"}), scores()]) as server:
        asked = Asked(server.url)
        asked.ask()
    assert asked.time.waits == [12]


def test_a_timeout():
    with judge_server([Answer(200, {}, hang_s=5), scores()]) as server:
        asked = Asked(server.url, timeout_s=0.1)
        assert asked.ask().raw
    assert asked.time.waits == [1]


def test_what_goes_on_failing_is_not_judged():
    with judge_server([error(500, "internal")]) as server:
        asked = Asked(server.url, tries=3)
        with pytest.raises(NotJudged, match="3 tries: 500, internal") as caught:
            asked.ask()
    assert caught.value.outage
    assert asked.time.waits == [1, 2]


def test_no_server():
    with judge_server([]) as server:
        url = server.url
    with pytest.raises(NotJudged, match="no connection") as caught:
        Asked(url, tries=2).ask()
    assert caught.value.outage


@pytest.mark.parametrize(
    "refusal",
    [
        error(413, "Request too large for model on tokens per minute (TPM): Limit 6000, Requested 6294"),
        error(400, "This model's maximum context length is 8192 tokens", code="context_length_exceeded"),
    ],
)
def test_an_ask_that_is_too_long_is_that_ask_alone(refusal):
    with judge_server([refusal]) as server, pytest.raises(NotJudged, match="too long") as caught:
        Asked(server.url).ask()
    assert not caught.value.outage
    assert len(server.asked) == 1


def test_another_refusal_ends_the_run():
    told = pytest.raises(JudgeError, match=r"404, The model `x` does not exist Check --model")
    with judge_server([error(404, "The model `x` does not exist")]) as server, told:
        Asked(server.url).ask()
    assert len(server.asked) == 1
    told = pytest.raises(JudgeError, match="--reply text")
    with judge_server([error(400, "response_format is not supported")]) as server, told:
        Asked(server.url).ask()


def test_what_the_server_holds_to_be_no_json_is_the_reply():
    refusal = error(400, "Failed to generate JSON", code="json_validate_failed", failed_generation="I'd say 7 of 10")
    with judge_server([refusal]) as server:
        assert Asked(server.url).ask().raw == "I'd say 7 of 10"


def test_a_redirect_takes_no_key_elsewhere():
    with judge_server([scores()]) as other:
        moved = Answer(307, {}, {"location": f"{other.url}/chat/completions"})
        with judge_server([moved]) as server, pytest.raises(JudgeError, match="307"):
            Asked(server.url).ask()
    assert other.asked == []


def test_odd_texts_are_kept():
    with judge_server([says(None), says("half \ud800 a character")]) as server:
        asked = Asked(server.url)
        assert asked.ask().raw == ""
        assert asked.ask().raw == "half ? a character"


def test_an_address_that_is_none():
    with pytest.raises(SettingsError, match="localhost:8080"):
        JudgeClient(KeyRing(["k"]), base_url="localhost:8080")


def test_keys_from_the_environment():
    assert split_keys(" a, b ,,a") == ["a", "b"]
    with pytest.raises(SettingsError) as caught:
        split_keys("good,b ad-secret")
    assert "Key 2" in str(caught.value)
    assert "ad-secret" not in str(caught.value)
