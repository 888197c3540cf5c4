"""Everyday words for land, learned from a general sentence encoder: what each is taken as in words the model knows."""

from text2earth_core.training.words.encoder import SentenceEncoder
from text2earth_core.training.words.learning import learn_words
from text2earth_core.training.words.vocabulary import of_words, read_vocabulary

__all__ = ["SentenceEncoder", "learn_words", "of_words", "read_vocabulary"]
