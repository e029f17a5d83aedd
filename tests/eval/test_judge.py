"""`python -m eval.judge` as a whole, against a real HTTP server that a test scripts."""

from __future__ import annotations

import json
import re
import threading

import pytest

from eval.judge import main
from eval.judging.store import Store, read_judgments
from medilite.errors import DataError
from tests.eval.judge_runs import MODELS, SmallRun
from tests.eval.judges import SCORES, JudgeServer, error, judge_server, says, scores

# 4 questions × 3 models, of which one answer is another model's word for word.
ANSWERS, DIFFERENT = 12, 11


@pytest.fixture
def small(tmp_path) -> SmallRun:
    return SmallRun(tmp_path)


@pytest.fixture(autouse=True)
def _no_backoff(monkeypatch):
    monkeypatch.setattr("eval.judging.client._backoff_s", lambda number: 0.001)


def by_content(number, key, body):
    """Scores that hang on what is shown, the same for the same."""
    shown = body["messages"][1]["content"]
    return scores(correctness=1 + len(shown) % 10, harmfulness=1 + sum(map(ord, shown)) % 10)


def asked_texts(server: JudgeServer) -> list[str]:
    return [json.dumps(body, sort_keys=True) for _, body in server.asked]


def test_every_answer_is_judged_once(small, capsys):
    with judge_server(by_content) as server:
        assert main(small.command(server.url, "--yes")) == 0
        assert len(server.asked) == DIFFERENT
        judged = read_judgments(small.judgments)
        assert {(one.qid, one.model) for one in judged} == {(q, m) for q in small.qids for m in MODELS}
        assert all(set(one.scores) == set(SCORES) and one.attempt == 1 for one in judged)
        assert sum(one.copied for one in judged) == ANSWERS - DIFFERENT
        first = judged[0]
        assert (first.prompt, first.judge, first.server) == ("scores-1", "llama-3.1-8b-instant", server.url)
        assert (first.prompt_tokens, first.completion_tokens) == (900, 40)
        assert re.match(r"\d{4}-\d\d-\d\dT", first.asked_at)
        out = capsys.readouterr()
        assert re.search(r"^grpo +4 of 4 +\d", out.out, re.M)
        assert "To ask   11: about" in out.err
        # All of it is there: no --yes is needed, and nothing is asked.
        assert main(small.command(server.url)) == 0
        assert len(server.asked) == DIFFERENT
        assert capsys.readouterr().out == out.out
    # Asks run side by side, so any of them may have come first.
    shown = [body["messages"][1]["content"] for _, body, *_ in server.asked]
    of_case = [text for text in shown if "Reference for case 0." in text]
    assert of_case
    assert all("Another reference for case 0." in text for text in of_case)


def test_nothing_is_asked_before_yes(small, capsys):
    with judge_server(by_content) as server:
        assert main(small.command(server.url, "--price", "1", "2")) == 0
    assert server.asked == []
    told = capsys.readouterr()
    assert re.search(r"Cost +about \$0\.0\d at \$1 and \$2 a million", told.err)
    assert "Give --yes" in told.err
    assert re.search(r"^base +0 of 4 +– ", told.out, re.M)


def test_without_a_key_groq_is_not_asked(small, capsys):
    assert main(small.command(None)) == 0
    assert "no API key" in capsys.readouterr().err
    assert main(small.command(None, "--yes")) == 2
    assert "set MEDILITE_JUDGE_KEYS" in capsys.readouterr().err


def test_keys_are_sent_and_never_written(small, capsys, monkeypatch):
    monkeypatch.setenv("MEDILITE_JUDGE_KEYS", "my-secret-1, my-secret-2, gsk_for-groq-alone")

    def script(number, key, body):
        return error(500, f"{key} broke it") if number < 3 else by_content(number, key, body)

    with judge_server(script) as server:
        assert main(small.command(server.url, "--yes", "--workers", "1")) == 0
    assert set(server.keys) == {"my-secret-1", "my-secret-2"}, "a key of Groq's goes to Groq alone"
    told = capsys.readouterr()
    for text in (told.out, told.err, small.judgments.read_text()):
        assert "secret" not in text
        assert "gsk_" not in text


@pytest.mark.parametrize(
    "bad", ["7 out of 10, all of it.", '{"correctness": 7, "help', json.dumps(SCORES | {"efficiency": 11})]
)
def test_what_cannot_be_read_is_asked_once_more(small, bad, capsys):
    def script(number, key, body):
        user = body["messages"][1]["content"]
        if "case 2" not in user:
            return scores()
        return scores(correctness=3) if "read by a program" in user and "grpo says" in user else says(bad)

    with judge_server(script) as server:
        assert main(small.command(server.url, "--yes")) == 0
        assert len(server.asked) == DIFFERENT + 3
        judged = {(one.qid, one.model): one for one in read_judgments(small.judgments)}
        assert judged["q2", "grpo"].scores["correctness"] == 3
        assert judged["q2", "grpo"].attempt == 2
        null = judged["q2", "base"]
        assert (null.scores, null.raw, null.attempt) == (None, bad, 2)
        assert null.problem
        assert re.search(r"^base +3 of 4 ", capsys.readouterr().out, re.M)
        # Null is a judgment too: it isn't paid for again.
        assert main(small.command(server.url, "--yes")) == 0
        assert len(server.asked) == DIFFERENT + 3


def test_a_kill_between_the_two_attempts_pays_for_one(small):
    with judge_server([says("no")]) as server:
        main(small.command(server.url, "--yes", "--workers", "1", "--models", "base", "--limit", "1"))
        assert len(server.asked) == 2
        first, _ = small.judgments.read_text().splitlines(keepends=True)
        small.judgments.write_text(first)
        main(small.command(server.url, "--yes", "--workers", "1", "--models", "base", "--limit", "1"))
    assert len(server.asked) == 3
    assert "read by a program" in server.asked[2][1]["messages"][1]["content"]


def test_another_judge_prompt_or_answer_is_asked_anew(small):
    with judge_server(by_content) as server:
        main(small.command(server.url, "--yes"))
        main(small.command(server.url, "--yes", "--model", "other-judge"))
        assert len(server.asked) == 2 * DIFFERENT
        small.write_answers(MODELS, grpo="Something new.")
        main(small.command(server.url, "--yes"))
        assert len(server.asked) == 2 * DIFFERENT + 4
    texts = asked_texts(server)
    assert len(set(texts)) == len(texts)
    kept = [one for one in read_judgments(small.judgments) if one.judge != "other-judge"]
    assert len(kept) == ANSWERS, "the last line of a subject counts"


def test_an_empty_answer_is_judged(small):
    small.write_answers(MODELS, grpo="")
    with judge_server(by_content) as server:
        main(small.command(server.url, "--yes", "--models", "grpo"))
    assert len(server.asked) == 4
    assert all("(empty)" in text for text in asked_texts(server))


def test_a_model_without_answers_shows_as_such(small, capsys):
    small.write_answers(("base",))
    with judge_server(by_content) as server:
        assert main(small.command(server.url, "--yes")) == 0
    assert re.search(r"^grpo +no answers +– ", capsys.readouterr().out, re.M)


def test_consistency(small, capsys):
    """The server gives one point more whenever efficiency is listed first."""

    def script(number, key, body):
        told, shown = body["messages"][0]["content"], body["messages"][1]["content"]
        more = told.index("- efficiency:") < told.index("- correctness:")
        return scores(correctness=1 + len(shown) % 7 + more, helpfulness=1 + len(shown) % 7)

    with judge_server(script) as server:
        assert main(small.command(server.url, "--yes", "--consistency", "2")) == 0
    assert len(server.asked) == DIFFERENT + 5
    out = capsys.readouterr().out
    assert "n = 6 answers" in out
    assert re.search(r"^correctness +0% +100% +\+1\.00 +0\.\d\d$", out, re.M)
    assert re.search(r"^helpfulness +100% +100% +\+0\.00 +1\.00$", out, re.M)
    assert re.search(r"^harmfulness +100% +100% +\+0\.00 +–$", out, re.M)


def test_pairwise(small, capsys):
    """grpo is better in case 0 whatever the order; the first one in case 1; nobody in case 2; case 3 can't be read."""

    def script(number, key, body):
        shown = body["messages"][1]["content"]
        case = int(re.search(r"in case (\d)", shown)[1])
        grpo_first = "grpo" in shown.split("=== end of first answer")[0]
        better = ["first" if grpo_first else "second", "first", "tie", "neither"][case]
        return says(json.dumps({"better": better}))

    with judge_server(script) as server:
        assert main(small.command(server.url, "--yes", "--pairwise", "grpo,sft-r16-high")) == 0
    assert len(server.asked) == 8 + 2
    out = capsys.readouterr().out
    assert "3 of 4 questions in both orders" in out
    assert re.search(r"^grpo is better +1 +33\.3%$", out, re.M)
    assert re.search(r"^sft-r16-high is better +0 +0\.0%$", out, re.M)
    assert re.search(r"^tie +2 +66\.7%$", out, re.M)
    assert "1 of the ties" in out
    assert "first was preferred in 75%" in out
    assert main(small.command(server.url, "--pairwise", "grpo,nobody")) == 2
    assert "Unknown model 'nobody'" in capsys.readouterr().err


def test_a_server_that_is_gone_ends_the_run_and_the_next_goes_on(small, capsys):
    def script(number, key, body):
        return by_content(number, key, body) if number <= 3 else error(500, "down")

    with judge_server(script) as server:
        assert main(small.command(server.url, "--yes", "--workers", "1")) == 1
    assert "failed 3 asks in a row: 6 tries: 500, down" in capsys.readouterr().err
    assert len(server.asked) == 3 + 3 * 6
    with judge_server(by_content) as server:
        assert main(small.command(server.url, "--yes")) == 0
    assert len(server.asked) == DIFFERENT - 3


def test_one_ask_that_is_too_long_leaves_the_others(small, capsys):
    def script(number, key, body):
        too_long = "case 3" in body["messages"][1]["content"]
        return error(413, "Request too large") if too_long else by_content(number, key, body)

    with judge_server(script) as server:
        assert main(small.command(server.url, "--yes")) == 1
    assert len(read_judgments(small.judgments)) == ANSWERS - 3
    assert "not judged: 3 (too long for the judge (413" in capsys.readouterr().err


def test_spent_keys_end_the_run_with_what_to_do(small, capsys, monkeypatch):
    monkeypatch.setenv("MEDILITE_JUDGE_KEYS", "a,b")

    def script(number, key, body):
        spent = error(429, "on requests per day (RPD): Limit 5", {"retry-after": "7200"})
        return spent if number > 5 else by_content(number, key, body)

    with judge_server(script) as server:
        assert main(small.command(server.url, "--yes", "--workers", "1")) == 1
    assert len(server.asked) == 5 + 2
    told = capsys.readouterr().err
    assert "Key 1 of 2: daily limit reached, rests 2 h 0 min." in told
    assert "Give the same command then" in told


def test_answers_that_cannot_be_judged(small, capsys, tmp_path):
    other = SmallRun(tmp_path / "other", questions=5)
    assert main([*other.command(None)[:4], "--data", str(small.data)]) == 2
    assert "answers other data (fingerprint" in capsys.readouterr().err
    with small.answers.open("a") as file:
        file.write('{"qid": "q1", "tex')
    assert main(small.command("http://127.0.0.1:9/v1")) == 0
    assert "line 13" in capsys.readouterr().err
    small.answers.unlink()
    assert main(small.command(None)) == 2
    assert "python -m eval.generate" in capsys.readouterr().err


def test_a_broken_last_line_is_cut_off_and_asked_anew(small, capsys):
    with judge_server(by_content) as server:
        main(small.command(server.url, "--yes", "--workers", "1"))
        whole = small.judgments.read_bytes()
        small.judgments.write_bytes(whole[: whole.rindex(b"\n", 0, -1) + 40])
        assert main(small.command(server.url, "--yes")) == 0
        assert len(server.asked) == DIFFERENT + 1
    assert "line 12: cut short" in capsys.readouterr().err
    assert len(read_judgments(small.judgments)) == ANSWERS


def test_lines_that_do_not_belong_are_named(small, capsys):
    with judge_server(by_content) as server:
        main(small.command(server.url, "--yes"))
    lines = small.judgments.read_text().splitlines()
    small.judgments.write_text("\n".join([lines[0], '{"qid": 1}', *lines[1:], ""]))
    assert main(small.command(None)) == 2
    assert "1 lines are no judgments:\n  line 2: " in capsys.readouterr().err
    small.judgments.write_text("\n".join([lines[0], re.sub(r'"data":"\w+', '"data":"feed', lines[1]), ""]))
    assert main(small.command(None)) == 2
    assert "line 2: fingerprint feed" in capsys.readouterr().err


def test_one_process_at_a_time(small, capsys):
    with Store(small.judgments, "any"):
        assert main(small.command(None)) == 2
    assert "being written by another process" in capsys.readouterr().err
    with pytest.raises(DataError, match="can't be written"):
        Store(small.answers / "beneath-a-file", "any").__enter__()


def test_an_interruption_keeps_what_was_on_its_way(small, monkeypatch):
    """Ctrl+C while two replies are under way: both are paid for, so both are kept."""
    arrived, go = threading.Barrier(3), threading.Event()

    def script(number, key, body):
        arrived.wait(60)
        go.wait(60)
        return by_content(number, key, body)

    def interrupted(*args, **kwargs):
        arrived.wait(60)
        threading.Timer(0.05, go.set).start()
        raise KeyboardInterrupt

    monkeypatch.setattr("eval.judging.asking.wait", interrupted)
    with judge_server(script) as server:
        assert main(small.command(server.url, "--yes", "--workers", "2")) == 130
    assert len(server.asked) == len(read_judgments(small.judgments)) == 2
