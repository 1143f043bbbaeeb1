"""A worker that computes nothing: it answers like benchmarks/peers/worker.py, with given times.

python fake_peer.py MODE SECONDS LOG     MODE: steady | crash | hang | error; LOG: gets a line per run
"""

from __future__ import annotations

import json
import os
import signal
import sys
import time


def main() -> None:
    mode, seconds = sys.argv[1], float(sys.argv[2])
    log = sys.argv[3]
    print("fake peer is up", file=sys.stderr, flush=True)
    for line in sys.stdin:
        request = json.loads(line)
        answer: object = {"ok": None}
        if request["do"] == "run":
            with open(log, "a", encoding="utf-8") as file:
                file.write(f"{request['program']} {request['calls']}\n")
            if mode == "crash":
                os.kill(os.getpid(), signal.SIGSEGV)
            if mode == "hang":
                time.sleep(60)
            answer = (
                {"error": "ValueError: no such operator"} if mode == "error" else {"ok": [seconds] * request["calls"]}
            )
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
