"""What made-up sessions of one address cost a visitor elsewhere, by the real app with its real models.

python -m tests.attacks.joins [ROUNDS [ADDRESSES]]

With several ADDRESSES each of them joins that often, at the same time.
"""

from __future__ import annotations

import sys
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import httpx

from bench.running_app import running_app
from tests.security.visitor import API, Visitor

COUNTS = (70, 200, 1000)
SOON_S = 20.0


def join_all(url: str, config: dict, address: str, count: int) -> list[int]:
    """Join the queue with that many made-up sessions, as fast as it goes; return the statuses."""
    known = Visitor(url, known=config)
    event = known.event("ask")
    values = known.values(event, question="What is asthma?", models=["base", "grpo"])
    with httpx.Client(headers={"X-Forwarded-For": address}, trust_env=False, timeout=120) as client:

        def one(number: int) -> int:
            body = {**known.body(event, values), "session_hash": f"made{address.replace('.', 'x')}x{number}"}
            return client.post(f"{url}{API}/queue/join", json=body).status_code

        with ThreadPoolExecutor(8) as pool:
            return list(pool.map(one, range(count)))


def attack(
    url: str, config: dict, count: int, number: int, addresses: int = 1
) -> tuple[float, float, bool, Counter[int]]:
    """Return when a visitor elsewhere had first words and whole answers (s), whether a chat was kept, and statuses."""
    mine = Visitor(url, headers={"X-Forwarded-For": f"198.51.100.{number}"}, known=config)
    mine.ask("Remember the word kingfisher.", "chat")
    statuses: list[int] = []
    joining = [
        threading.Thread(
            target=lambda near=near: statuses.extend(join_all(url, config, f"203.0.{near}.{number}", count)),
            daemon=True,
        )
        for near in range(113, 113 + addresses)
    ]
    for one in joining:
        one.start()
    time.sleep(1)
    other = Visitor(url, headers={"X-Forwarded-For": f"192.0.2.{number}"}, known=config)
    began = time.monotonic()
    shown = other.ask("What is gout?", tokens=64)
    whole_s = time.monotonic() - began
    for one in joining:
        one.join()
    kept = "kingfisher" in str(mine.ask("And now?", "chat"))
    for one in (mine, other):
        one.close()
    assert other.first_words_s is not None, shown
    return other.first_words_s, whole_s, kept, Counter(statuses)


def _wait_until_idle(url: str) -> None:
    """Wait until what an attack has asked for is answered: the next one comes from another address."""
    while "medilite_answering 0.0" not in httpx.get(f"{url}/metrics", trust_env=False, timeout=60).text:
        time.sleep(1)


def main(rounds: int, addresses: int) -> int:
    """Attack the real app; 1 where somebody had to wait for longer than SOON_S, or lost their chat."""
    worst, lost, number = 0.0, 0, 0
    # A bank of its own would be answered beside the attack: what is measured is the attack.
    alone = {"MEDILITE_TRUSTED_PROXIES": "127.0.0.1", "MEDILITE_METRICS": "1", "MEDILITE_PRIVATE_BANK": "0"}
    with running_app(HF_HUB_OFFLINE="1", **alone) as app:
        url = app.url.rstrip("/")
        while httpx.get(f"{url}/readyz", trust_env=False, timeout=60).status_code != 200:
            time.sleep(0.5)
        config = Visitor(url).config
        for count in COUNTS * rounds:
            number += 1
            first_s, whole_s, kept, statuses = attack(url, config, count, number, addresses)
            print(
                f"{addresses} x {count:4d} joins: first words elsewhere after {first_s:4.1f} s, whole after "
                f"{whole_s:4.1f} s; "
                f"the chat is {'whole' if kept else 'lost'}; joins answered by {dict(statuses)}",
                flush=True,
            )
            _wait_until_idle(url)
            worst, lost = max(worst, first_s), lost + (not kept)
    print(f"longest wait {worst:.1f} s of {number}, {lost} chats lost")
    return int(worst > SOON_S or lost > 0)


if __name__ == "__main__":
    given = [int(word) for word in sys.argv[1:]]
    sys.exit(main(*[*given, *(1, 1)[len(given) :]]))
