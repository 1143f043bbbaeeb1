"""10,000 requests made from the OpenAPI document by schemathesis, valid and invalid: typed answers and little memory.

    python -m tests.server.fuzz                     10,000 requests, 15 minutes
    python -m tests.server.fuzz --requests 500

test_openapi.py does the same with a few requests.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.server.conftest import MODELS
from tests.server.process import Server
from tests.server.test_openapi import NAMES
from tests.small_models import save_model

STATUSES = ("200", "404", "413", "422", "424", "429", "500", "503")
MOST_GROWTH = 50_000_000


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--requests", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        models = [save_model(Path(folder) / f"{name}.safetensors", **given) for name, given in MODELS.items()]
        with Server(*map(str, models), "--log-level", "error") as server:
            routes = len(server.get("/openapi.json").json()["paths"])
            before, sent, round_number, code = server.resident_bytes(), 0.0, 0, 0
            while sent < options.requests and not code:
                # Schemathesis ends early where a route has few different requests: further rounds have other seeds.
                examples = max(10, round((options.requests - sent) / routes))
                code = schemathesis(server, folder, examples, options.seed + round_number)
                sent, round_number = server.metric("mbrt_requests_total"), round_number + 1
            counts = {status: server.metric("mbrt_requests_total", status=status) for status in STATUSES}
            growth = server.resident_bytes() - before
            print(f"requests: {sent:.0f} {counts}; memory grew by {growth / 1e6:.1f} MB; log: {server.log[:1000]!r}")
    return code or int(growth > MOST_GROWTH or counts["500"] + counts["503"] > 0)


def schemathesis(server: Server, folder: str, examples: int, seed: int) -> int:
    words = ["run", f"{server.url}/openapi.json", "--phases", "fuzzing", "--checks", ",".join(NAMES), "--no-color"]
    words += ["--max-examples", str(examples), "--seed", str(seed), "--generation-database", "none"]
    program = Path(sys.executable).with_name("schemathesis")
    return subprocess.run([program, *words], cwd=folder, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
