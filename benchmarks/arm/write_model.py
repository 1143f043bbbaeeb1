"""Writes the int8 model that is counted: write_model.py FILE [VOCABULARY]. A program of its own.

It needs the installed mobilebert_rt, which a Python that was started in the source tree would not find: the tree's own
package, without its compiled engine, comes first there. So it is started by path, and puts the tree last.

MobileBERT of the published sizes, 24 layers, with random weights. Its vocabulary is short, for a text of S tokens reads
S rows of it, however many there are.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

VOCABULARY = 1000

if __name__ == "__main__":
    here = str(Path(__file__).resolve().parent)
    root = str(Path(__file__).resolve().parents[2])
    sys.path[:] = [*(path for path in sys.path if path not in ("", here, root)), root]

    from mobilebert_rt import convert
    from tests import random_mobilebert

    path = Path(sys.argv[1])
    words = int(sys.argv[2]) if len(sys.argv) > 2 else VOCABULARY
    with tempfile.TemporaryDirectory() as folder:
        source = random_mobilebert.folder(Path(folder) / "source", vocab_size=words)
        convert(source, path, force=True)
