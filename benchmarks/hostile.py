"""The whole API under requests that its schema allows and some that it does not, for as long as is asked for.

    python benchmarks/hostile.py [--minutes 20] [--seed 0]

Starts the server with the preset `tiny`, and sends requests made from the running server's own schema to a scene with
ground, jobs and a candidate; operation by operation, round by round, the scene anew in each. Prints how many were sent,
and every answer that blames the server (5xx) with the command that repeats it. None is what is asked for.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))

from tests.app.api_cases import attack, label, live, operations  # noqa: E402
from tests.app.server_process import Server  # noqa: E402
from text2earth_core import Text2Earth  # noqa: E402

EXAMPLES = 40  # of an operation in a round


def main() -> None:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=20)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    sent: Counter[str] = Counter()
    faults: list[str] = []
    until = time.monotonic() + 60 * options.minutes
    with tempfile.TemporaryDirectory() as folder:
        model = Path(folder) / "tiny"
        Text2Earth.from_preset("tiny", seed=0).save_pretrained(model)
        with Server(Path(folder) / "data", model) as server:
            server.ready()
            number = options.seed
            while time.monotonic() < until:
                for operation in operations(server):
                    try:
                        sent[label(operation)] += attack(server, operation, live(server), EXAMPLES, number)
                    except AssertionError as fault:
                        faults.append(f"{label(operation)}: {fault}")
                number += 1
    print(f"{sent.total()} requests to {len(sent)} operations, {len(faults)} answers that blame the server")
    print("\n".join(faults))
    sys.exit(1 if faults else 0)


if __name__ == "__main__":
    main()
