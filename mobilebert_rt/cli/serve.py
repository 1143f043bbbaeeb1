"""Serve models over HTTP, with the routes of OpenAI's embeddings API and of text-embeddings-inference.

MODEL is a model file, a Hugging Face folder, or "default". Several can be served, under their file names or as
NAME=MODEL; requests choose by "model", or by the path /models/NAME/... The server listens on this machine only unless
--host says otherwise. http://127.0.0.1:8080/docs shows the routes. It ends after SIGTERM or Ctrl+C, when every
accepted request is answered.

Each option is an environment variable too: MBRT_SERVE_PORT for --port, MBRT_SERVE_API_KEY for --api-key, and so on.
Needs the packages of the extra `server`: pip install 'mobilebert-rt[server]'.
"""

from __future__ import annotations

import argparse
import json
import os
import sys

from mobilebert_rt.cli import options
from mobilebert_rt.cli.command import Arguments, Command
from mobilebert_rt.errors import MobileBertError
from mobilebert_rt.server import settings


def run(args: argparse.Namespace) -> int:
    chosen = settings.settings_of(args)
    try:
        from mobilebert_rt.server import models, run  # noqa: PLC0415 - their packages are optional
        from mobilebert_rt.server.metrics import Metrics  # noqa: PLC0415
        from mobilebert_rt.server.routes import Context  # noqa: PLC0415
    except ModuleNotFoundError as error:
        raise MobileBertError(
            f"serve: {error}; expected the packages of the extra server. "
            "Install them: pip install 'mobilebert-rt[server]'"
        ) from error
    names = args.models or os.environ.get("MBRT_SERVE_MODELS", "default").split()
    metrics = Metrics()
    found = models.load(names, chosen, metrics, **options.model_options(args))
    listener = run.listen(chosen)
    url = run.url(listener)

    def announce() -> None:
        if args.json:
            print(json.dumps({"url": url, "models": found.names, "pid": os.getpid()}), flush=True)
        else:
            print(f"mbrt: serving {', '.join(found.names)} at {url} (routes: {url}/docs)", file=sys.stderr)

    run.serve(Context(chosen, found, metrics), listener, announce)
    return 0


ARGUMENTS: Arguments = {
    "models": {"metavar": "MODEL", "nargs": "*", "help": "a model, or NAME=MODEL (default: default)"},
}
COMMAND = Command(
    __doc__,
    'one JSON object when the server listens: {"url", "models", "pid"}; the log goes to standard error',
    (
        "mbrt serve default",
        "mbrt serve default sentiment=sst2.safetensors --port 9000 --threads 4",
        "MBRT_SERVE_API_KEY=... mbrt serve minilm.safetensors --host 0.0.0.0",
        "curl 127.0.0.1:8080/embed -H 'Content-Type: application/json' -d '{\"inputs\": \"A cat sleeps.\"}'",
    ),
    ARGUMENTS | options.LOADING | settings.arguments(),
    run,
)
