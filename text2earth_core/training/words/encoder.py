"""The sentence encoder that teaches: a BERT whose mean state is a sentence's vector, such as all-MiniLM-L6-v2."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Callable, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import torch
from tokenizers import Tokenizer
from torch.nn import functional as F
from transformers import AutoModel

from text2earth_core.device import pick_dtype
from text2earth_core.errors import Text2EarthError, reason_of

PLAIN, SEEN_FROM_ABOVE = "{}", "an aerial photo of {}"
"""The two settings in which a word is read: alone, where its meaning is most its own, and where land is meant."""

FILES = ("config.json", "model.safetensors", "tokenizer.json")
LENGTH = 32
BATCH = 256


class SentenceEncoder:
    """See the module.

    Args:
        source: folder with its `FILES`, or a zip of them.

    Raises:
        Text2EarthError: it is damaged, or lacks one.
    """

    def __init__(self, source: Path):
        try:
            if source.is_file():
                with TemporaryDirectory() as folder, zipfile.ZipFile(source) as archive:
                    for name in FILES:
                        (Path(folder) / name).write_bytes(archive.read(name))
                    self._load(Path(folder))
            else:
                self._load(source)
        except Exception as error:
            raise Text2EarthError(
                f"{source} cannot be loaded as a sentence encoder ({reason_of(error)}): give a folder or a zip that "
                f"holds {', '.join(FILES)}."
            ) from None

    def _load(self, folder: Path) -> None:
        self.tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        self.tokenizer.enable_truncation(LENGTH)
        self.tokenizer.enable_padding()
        self.half = pick_dtype(torch.device("cpu")) is torch.bfloat16
        self.network = AutoModel.from_pretrained(folder, local_files_only=True, use_safetensors=True).eval().float()

    @torch.no_grad()
    def embed(self, texts: Sequence[str], progress: Callable[[int], None] = lambda done: None) -> np.ndarray:
        """Unit vectors float32 (N, D)."""
        order = np.argsort([len(text) for text in texts], kind="stable")
        found = np.empty((len(texts), self.network.config.hidden_size), np.float32)
        for start in range(0, len(texts), BATCH):
            part = order[start : start + BATCH]
            encoded = self.tokenizer.encode_batch([texts[i] for i in part])
            ids, mask = (torch.tensor([getattr(one, name) for one in encoded]) for name in ("ids", "attention_mask"))
            with torch.autocast("cpu", torch.bfloat16, enabled=self.half):
                states = self.network(input_ids=ids, attention_mask=mask).last_hidden_state.float()
            vectors = (states * mask[..., None]).sum(1) / mask.sum(1, keepdim=True)
            found[part] = F.normalize(vectors, dim=-1).numpy()
            progress(min(start + BATCH, len(texts)))
        return found

    def own_words(self) -> list[str]:
        """The whole words of its vocabulary."""
        return [word for word in self.tokenizer.get_vocab() if re.fullmatch("[a-z]{3,}", word)]

    def embed_words(
        self,
        words: Sequence[str],
        meanings: np.ndarray | None = None,
    ) -> np.ndarray:
        """Unit vectors float32 (N, D): the middle of both settings, and of as much of the meanings (N, D) if given."""
        plain = self.embed([PLAIN.format(word) for word in words])
        both = plain + self.embed([SEEN_FROM_ABOVE.format(word) for word in words])
        return unit(both if meanings is None else both + 2 * meanings)


def unit(vectors: np.ndarray) -> np.ndarray:
    """Vectors (N, D) at length 1."""
    return vectors / np.linalg.norm(vectors, axis=-1, keepdims=True)
