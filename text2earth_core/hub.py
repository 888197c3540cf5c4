"""Models of the hub: fetched into its cache, with what is known of how far that is, until somebody stops it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from text2earth_core.errors import Cancelled, Text2EarthError, reason_of

PATTERNS = ["*.json", "*.safetensors", "*.txt"]
"""What of a model is fetched: no pickles, no pictures."""


def fetch(hub_id: str, progress: Callable[[int, int], None] | None = None) -> Path:
    """Download a model, or what of it is not in the hub's cache yet; returns its folder there.

    Args:
        progress: told bytes fetched and bytes in all, from several threads, one at a time; may raise Cancelled, which
            stops all of them. What was fetched stays, and the next call goes on from there.

    Raises:
        Text2EarthError: there is no model of that name, it is not open, or the hub cannot be reached and the cache
            does not hold it.
    """
    from huggingface_hub import constants, snapshot_download
    from huggingface_hub.errors import (
        GatedRepoError,
        HFValidationError,
        LocalEntryNotFoundError,
        RepositoryNotFoundError,
    )

    try:
        told: dict[str, Any] = {} if progress is None else {"tqdm_class": _bar(_missing(hub_id), progress)}
        return Path(snapshot_download(hub_id, allow_patterns=PATTERNS, **told))
    except Cancelled:
        raise
    except HFValidationError:
        raise Text2EarthError(f"There is no model folder {hub_id}: check the path.") from None
    except GatedRepoError:
        raise Text2EarthError(
            f"The model {hub_id} is given only to those who agree to its terms: agree on its page, then log in with "
            "`hf auth login`."
        ) from None
    except RepositoryNotFoundError:
        raise Text2EarthError(
            f"There is no model folder {hub_id}, and the hub knows no model of that name that is open to you: check "
            "the name, or log in with `hf auth login`."
        ) from None
    except (LocalEntryNotFoundError, OSError) as error:
        raise Text2EarthError(
            f"There is no model folder {hub_id}, and no model of that name could be fetched: the hub cannot be reached "
            f"({reason_of(error)}), and its cache {constants.HF_HUB_CACHE} does not hold it; check name and network, "
            "or give a folder (HF_HUB_OFFLINE=1 uses the cache alone)."
        ) from None
    except Exception as error:
        raise Text2EarthError(
            f"There is no model folder {hub_id}, and no model of that name could be fetched ({reason_of(error)}): "
            "check the name and the network."
        ) from None


def _missing(hub_id: str) -> int:
    """Bytes of a model that the cache does not hold; 0 where the hub cannot be asked, and nothing will be fetched."""
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import DryRunError

    try:
        files = snapshot_download(hub_id, allow_patterns=PATTERNS, dry_run=True)
    except DryRunError:
        return 0
    return sum(file.file_size or 0 for file in files if file.will_download)


def _bar(of: int, progress: Callable[[int, int], None]) -> type[Any]:
    """The class of the hub client's progress bars, which shows them as before and tells `progress` of the bytes.

    The client opens several: one counts files, two count bytes, as they come and as they are written. Its own total
    grows while it goes, since it learns a file's size when that file begins.
    """
    from huggingface_hub.utils import tqdm

    lock = threading.Lock()
    most = 0

    class Bar(tqdm):
        def __init__(self, *args: Any, **kwargs: Any) -> None:
            self._bytes = 0 if kwargs.get("unit") == "B" else None
            super().__init__(*args, **kwargs)

        def update(self, n: float | None = 1) -> bool | None:
            nonlocal most
            if self._bytes is not None and n:
                with lock:
                    self._bytes += int(n)
                    most = max(most, self._bytes)
                    progress(min(most, of), of)
            return super().update(n)

    return Bar
