"""The baseline of the publishing benchmark: a bare script, as somebody would write it at home.

It signs the accounts in, then publishes every photo with upload and configure composed, over the
`requests` transport, without a sleep, from 8 threads. No journal, no store, nobody watching.

Usage: python -m tests.bench.bare_publish URL PLAN, where PLAN is a JSON file with `accounts` and
`photos`; prints the seconds that publishing took.
"""

import json
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.support.practice_client import PracticeClient

THREADS = 8


def main() -> None:
    url, plan_file = sys.argv[1:]
    plan = json.loads(Path(plan_file).read_text())
    clients = [PracticeClient(url) for _ in plan["accounts"]]
    locks = [threading.Lock() for _ in clients]

    def sign_in(number: int) -> None:
        account = plan["accounts"][number]
        clients[number].login(account["username"], account["password"])

    def publish(number: int) -> None:
        owner = number % len(clients)
        with locks[owner]:
            clients[owner].publish_photo(Path(plan["photos"][number]), f"Photo {number}")

    with ThreadPoolExecutor(THREADS) as pool:
        list(pool.map(sign_in, range(len(clients))))
        began = time.perf_counter()
        list(pool.map(publish, range(len(plan["photos"]))))
        print(time.perf_counter() - began)


if __name__ == "__main__":
    main()
