"""Importing the package without its extra."""

import pytest

from tests.emulator.helpers import run_python


@pytest.mark.parametrize("missing", ["starlette", "uvicorn"])
def test_without_the_extra_the_import_error_says_what_to_install(missing: str) -> None:
    process = run_python(
        f"import sys; sys.modules[{missing!r}] = None\nimport modelstudio_core.emulator"
    )
    assert process.returncode == 1
    assert 'pip install "modelstudio-integrations[emulator]"' in process.stderr


def test_an_import_error_of_the_package_itself_is_not_replaced() -> None:
    process = run_python(
        "import sys; sys.modules['modelstudio_core.emulator.app'] = None\n"
        "import modelstudio_core.emulator"
    )
    assert "ModuleNotFoundError" in process.stderr
    assert "pip install" not in process.stderr
