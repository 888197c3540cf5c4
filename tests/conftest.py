"""What every room's tests share: what may be missing on a machine, and a small model to run."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

# Before torch is imported anywhere: two cores are shared with servers and browsers, and equality needs fixed threads.
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OMP_WAIT_POLICY", "passive")
os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")
os.environ.setdefault("HF_HUB_OFFLINE", "1")

ROOT = Path(__file__).parent.parent


def find_chromium() -> str | None:
    """The browser the tests drive: Debian's Chromium, not a download of Playwright's."""
    return next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)


def find_data() -> Path | None:
    """The training images: TEXT2EARTH_DATA, or the folder that may lie beside the checkout."""
    folder = Path(os.environ.get("TEXT2EARTH_DATA") or ROOT.parent / "shared" / "data")
    return folder if any(folder.glob("*.parquet")) else None


MISSING = {
    "needs_browser": (find_chromium, "Chromium is not installed (Debian's package is `chromium`)"),
    "needs_data": (find_data, "the training images are not here (set TEXT2EARTH_DATA to their folder)"),
}


SLOWEST_FIRST = (
    "core/test_training.py", "core/test_student.py", "browser/test_masks.py", "house/test_checks.py",
    "browser/test_editing.py", "browser/test_growing.py", "app/test_kill.py", "browser/test_scenes.py",
    "browser/test_maps.py", "browser/test_filling.py",
)  # fmt: skip
"""Files that several workers begin with, so that none is left with a long one when the others are done."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the slowest first; name what cannot run here and why; in CI it fails instead (in `pytest_runtest_setup`)."""
    places = {ROOT / "tests" / name: rank for rank, name in enumerate(SLOWEST_FIRST)}
    items.sort(key=lambda item: places.get(item.path, len(places)))
    if os.environ.get("CI") == "true":
        return
    for name, (find, reason) in MISSING.items():
        if find() is None:
            for item in items:
                if item.get_closest_marker(name):
                    item.add_marker(pytest.mark.skip(reason=f"NOT RUN: {reason}"))


def pytest_runtest_setup(item: pytest.Item) -> None:
    for name, (find, reason) in MISSING.items():
        if item.get_closest_marker(name) and find() is None:
            pytest.fail(f"In CI this test is mandatory, but {reason}.", pytrace=False)


@pytest.fixture(scope="session")
def chromium() -> str:
    """Path of the browser; for tests marked `needs_browser`."""
    found = find_chromium()
    assert found is not None, "mark the test needs_browser"
    return found


@pytest.fixture(scope="session")
def training_data() -> Path:
    """Folder of the training images; for tests marked `needs_data`."""
    found = find_data()
    assert found is not None, "mark the test needs_data"
    return found


@pytest.fixture(scope="session")
def tiny_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A saved model with random weights and a window of 64 px: small enough for every test."""
    from text2earth_core import Text2Earth

    folder = tmp_path_factory.mktemp("models") / "tiny"
    Text2Earth.from_preset("tiny", seed=0).save_pretrained(folder)
    return folder


@pytest.fixture(scope="session")
def student_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """As `tiny_folder`, with a student: a random LoRA, different enough from its teacher to be told apart."""
    import torch
    from peft import LoraConfig

    from text2earth_core import Text2Earth
    from text2earth_core.folder import STUDENT

    folder = tmp_path_factory.mktemp("models") / "tiny-student"
    model = Text2Earth.from_preset("tiny", seed=0)
    model.save_pretrained(folder)
    torch.manual_seed(1)
    model.unet.add_adapter(LoraConfig(r=2, lora_alpha=2, target_modules=["conv_out", "to_q"], init_lora_weights=False))
    model.unet.save_lora_adapter(folder / STUDENT)
    return folder


@pytest.fixture(scope="session")
def adapted_folder(tmp_path_factory: pytest.TempPathFactory, student_folder: Path) -> Path:
    """As `student_folder`, with random adapters of its own for all modalities."""
    from tests.adapters import write_adapter
    from text2earth_core.modalities import ADAPTED

    folder = tmp_path_factory.mktemp("models") / "tiny-adapted"
    shutil.copytree(student_folder, folder)
    for seed, name in enumerate(ADAPTED):
        write_adapter(folder / "adapters" / name, student_folder, name, seed)
    return folder


@pytest.fixture(scope="session")
def style_folder(tmp_path_factory: pytest.TempPathFactory, student_folder: Path) -> Path:
    """A random style for `student_folder` and `adapted_folder`, of rank 4, without a manifest."""
    from tests.adapters import write_adapter

    return write_adapter(tmp_path_factory.mktemp("styles") / "autumn", student_folder, seed=7, rank=4)


@pytest.fixture(scope="session")
def translating_folder(tmp_path_factory: pytest.TempPathFactory, student_folder: Path) -> Path:
    """As `student_folder`, with a random translator of its own for all tasks."""
    from tests.translators import write_translator
    from text2earth_core.translation.translator import OWN

    folder = tmp_path_factory.mktemp("models") / "tiny-translating"
    shutil.copytree(student_folder, folder)
    write_translator(folder / OWN, student_folder)
    return folder
