"""Names that the package exports."""

from __future__ import annotations

from tests import interpreter


def test_dir_lists_what_is_loaded_lazily() -> None:
    code = "import mobilebert_rt as m, sys; print({*m.__all__} - {*dir(m)}, 'mobilebert_rt.text' in sys.modules)"
    done = interpreter.run(code)
    assert done.stdout.strip() == "set() False", done.stderr
