"""Image-text models of every kind name images and find them by captions, with the numbers of whoever made them."""

import json
from string import ascii_lowercase

import cv2
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch
from PIL import Image
from transformers import AutoModel, AutoProcessor, SiglipConfig, SiglipImageProcessor, SiglipModel, SiglipTokenizer
from transformers.utils import sentencepiece_model_pb2_new

from text2earth_core import Text2EarthError
from text2earth_core.evaluation.plots import plot_confusion
from text2earth_core.image_text.images import ImageSet, class_name, find_sets
from text2earth_core.image_text.measure import measure
from text2earth_core.image_text.models import load_image_text_model
from text2earth_core.image_text.naming import name_images
from text2earth_core.image_text.retrieval import recall
from text2earth_core.image_text.wordings import WAYS, embed_classes

TEXTS = ["a remote sensing image of river", "a remote sensing image of houses and roads", "many green trees"]


@pytest.fixture(scope="module")
def siglip_folder(tmp_path_factory):
    """A small random SigLIP with the files of the official release."""
    folder = tmp_path_factory.mktemp("siglip")
    pieces = [("</s>", 3), ("<unk>", 2), *((piece, 1) for piece in ("▁river", "▁image", "▁", *ascii_lowercase))]
    vocabulary = sentencepiece_model_pb2_new.ModelProto()
    for rank, (piece, kind) in enumerate(pieces):
        vocabulary.pieces.add(piece=piece, score=-rank, type=kind)
    vocabulary.trainer_spec.unk_id, vocabulary.trainer_spec.eos_id, vocabulary.trainer_spec.bos_id = 1, 0, -1
    (folder / "spiece.model").write_bytes(vocabulary.SerializeToString())
    SiglipTokenizer(str(folder / "spiece.model"), model_max_length=64).save_pretrained(folder)
    SiglipImageProcessor(
        size={"height": 32, "width": 32}, image_mean=[0.5] * 3, image_std=[0.5] * 3
    ).save_pretrained(folder)  # fmt: skip
    sizes = {"hidden_size": 32, "intermediate_size": 48, "num_hidden_layers": 2, "num_attention_heads": 2}
    torch.manual_seed(0)
    SiglipModel(
        SiglipConfig(
            text_config=sizes | {"vocab_size": 100, "projection_size": 32},
            vision_config=sizes | {"image_size": 32, "patch_size": 16},
        )
    ).save_pretrained(folder)
    return folder


@pytest.fixture(scope="module")
def class_images(tmp_path_factory):
    """Folders of two classes, named as data sets name them."""
    folder = tmp_path_factory.mktemp("classes")
    rng = np.random.default_rng(0)
    for name, colour in (("Forest", (40, 90, 40)), ("SeaLake", (150, 90, 30))):
        (folder / name).mkdir()
        for number in range(3):
            pixels = (rng.normal(0, 5, (40, 48, 3)) + colour).clip(0, 255).astype(np.uint8)
            cv2.imwrite(str(folder / name / f"{number}.png"), pixels)
    return folder


def test_a_siglip_in_the_official_layout_gives_the_numbers_of_transformers(siglip_folder):
    rng = np.random.default_rng(1)
    images = [rng.integers(0, 256, (40 + i, 50, 3), dtype=np.uint8) for i in range(3)]
    model, processor = AutoModel.from_pretrained(siglip_folder), AutoProcessor.from_pretrained(siglip_folder)
    inputs = processor(
        text=TEXTS, images=[Image.fromarray(i) for i in images], padding="max_length", return_tensors="pt"
    )
    with torch.no_grad():
        expected = model.eval()(**inputs).logits_per_image.numpy()
    loaded = load_image_text_model(siglip_folder, "cpu")
    found = loaded.logits(loaded.embed_images(images), loaded.embed_texts(TEXTS))
    np.testing.assert_allclose(found, expected, atol=1e-4)
    assert np.ptp(expected) > 0.01  # three texts and three images that differ


def test_folders_of_classes_are_named(siglip_folder, class_images):
    (images,) = find_sets(class_images)
    seen = []
    found, naming = measure(load_image_text_model(siglip_folder, "cpu"), images, "paper", seen.append)
    assert seen == list(range(1, 7))
    assert naming.classes == ["forest", "sea lake"]
    assert set(found["accuracy"]) == set(WAYS)
    assert naming.confusion.sum(1).tolist() == [3, 3]
    assert found["accuracy"]["paper"]["value"] == naming.confusion.trace() / 6
    assert "retrieval" not in found


def test_class_folders_are_read_as_words():
    assert [class_name(name) for name in ("AnnualCrop", "baseball_diamond", "Sparse-Residential")] == [
        "annual crop", "baseball field", "sparse residential",
    ]  # fmt: skip


class Colours:
    """A model for which an image is its mean colour and a text the colour that it names."""

    def embed_images(self, images):
        means = np.stack([image.mean((0, 1)) for image in images])
        return means / np.linalg.norm(means, axis=1, keepdims=True)

    def embed_texts(self, texts):
        colours = np.array([(0.1, 0.1, 1) if "sea" in text else (0.1, 1, 0.1) for text in texts])
        return colours / np.linalg.norm(colours, axis=1, keepdims=True)


def test_a_table_is_read_by_split_with_captions_and_without_damaged_rows(class_images, tmp_path):
    rows = []
    for number in range(120):
        label = ("Forest", "SeaLake")[number % 2]
        data = (class_images / label / "0.png").read_bytes()
        said = [f"a forest {number} .", ""] if label == "Forest" else []
        split = "train" if number < 20 else "val"
        rows.append({"image": {"bytes": data}, "label": label.lower(), "captions": said, "split": split})
    rows[50]["image"] = {"bytes": b""}
    pq.write_table(pa.Table.from_pylist(rows), tmp_path / "mine.parquet")
    pq.write_table(pa.table({"pair": [1, 2]}), tmp_path / "pairs.parquet")
    (images,) = find_sets(tmp_path)
    found, naming = measure(Colours(), images, "ensemble")
    assert found["images"] == 99  # one of 100 is damaged
    assert found["accuracy"]["ensemble"]["value"] == 1
    assert naming.accuracy.low < 1
    assert found["by_class"] == {"forest": 1, "sealake": 1}
    assert found["retrieval"]["captions"] == found["retrieval"]["captioned_images"] == 49
    assert measure(Colours(), ImageSet("mine", tmp_path / "mine.parquet", "all", 30), "paper")[0]["images"] == 30
    for row in rows[60:70]:
        row["image"] = {"bytes": b"no picture"}
    pq.write_table(pa.Table.from_pylist(rows), tmp_path / "mine.parquet")
    with pytest.raises(Text2EarthError, match="11 of 100"):
        measure(Colours(), images, "paper")


def test_recall_counts_what_is_found_among_the_first():
    images = np.eye(12, dtype=np.float32)
    texts = np.vstack([images, images])  # two captions an image
    owner = np.tile(np.arange(12), 2)
    perfect = recall(images, texts, owner)
    assert perfect == {way: {"1": 1, "5": 1, "10": 1} for way in ("text_to_image", "image_to_text")}
    shifted = recall(images, np.roll(texts, 1, axis=1), owner)  # each caption is nearest to the next image
    assert shifted["text_to_image"] == {"1": 0, "5": 0, "10": 0}  # all others tie with its own
    half = recall(images, np.vstack([images, np.roll(images, 1, axis=1)]), owner)
    assert half["text_to_image"]["1"] == 0.5
    assert half["image_to_text"]["1"] == 0  # the wrong caption is as near as the right one
    assert half["image_to_text"]["5"] == 1


def test_an_ensemble_is_the_middle_of_its_texts(siglip_folder):
    model = load_image_text_model(siglip_folder, "cpu")
    middle = model.embed_texts(WAYS["templates"]("forest")).mean(0)
    np.testing.assert_allclose(
        embed_classes(model, ["desert", "forest"], "templates")[1], middle / np.linalg.norm(middle), atol=1e-5
    )


def test_the_confusions_are_drawn():
    eye = np.eye(2, dtype=np.float32)
    naming = name_images(eye[[0, 0, 1, 1]], ["lake", "lake", "lake", "wood"], ["lake", "wood"], eye)
    assert naming.confusion.tolist() == [[2, 1], [0, 1]]
    svg = plot_confusion(naming.classes, naming.confusion)
    assert svg.startswith("<svg")
    assert "67" in svg
    assert 'href="http' not in svg


@pytest.mark.parametrize(
    ("break_it", "says"),
    [
        (lambda folder: (folder / "model.safetensors").rename(folder / "pytorch_model.bin"), "pytorch_model.bin"),
        (lambda folder: (folder / "model.safetensors").write_bytes(b"\0" * 64), "cannot be loaded"),
        (lambda folder: (folder / "spiece.model").write_bytes(b"none"), "tokenizer or image processor"),
        (
            lambda folder: (folder / "config.json").write_text('{"model_type": "siglip_vision_model"}'),
            "no towers|loaded",
        ),
    ],
)
def test_a_broken_folder_is_refused_in_a_sentence(siglip_folder, tmp_path, break_it, says):
    for file in siglip_folder.iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    break_it(tmp_path)
    with pytest.raises(Text2EarthError, match=says):
        load_image_text_model(tmp_path, "cpu")


def test_what_is_no_set_of_images_is_refused(tmp_path, class_images):
    with pytest.raises(Text2EarthError, match="There is no"):
        find_sets(tmp_path / "nowhere")
    with pytest.raises(Text2EarthError, match="neither two folders"):
        find_sets(tmp_path)
    with pytest.raises(Text2EarthError, match="could be fetched"):
        load_image_text_model("nobody/nothing-at-all", "cpu")
    (tmp_path / "one.parquet").write_bytes(b"PAR1 cut short")
    with pytest.raises(Text2EarthError, match="damaged or no parquet"):
        find_sets(tmp_path)
    pq.write_table(pa.table({"image": [None], "label": ["forest"]}), tmp_path / "one.parquet")
    with pytest.raises(Text2EarthError, match="damaged"):
        measure(Colours(), ImageSet("one", tmp_path / "one.parquet"), "paper")


def test_the_command_writes_figures_and_a_page(siglip_folder, class_images, tmp_path):
    from tests.app.command_line import result, run

    arguments = ("zero-shot", "--images", class_images, "--model", siglip_folder, "--device", "cpu")
    found = result(*arguments, "--report", tmp_path / "report", "--wording", "paper")
    stored = json.loads((tmp_path / "report" / "zero-shot.json").read_text())
    assert stored["sets"] == found["sets"]
    page = (tmp_path / "report" / "zero-shot.html").read_text()
    assert "sea lake" in page
    assert 'src="http' not in page
    done = run(*arguments)
    assert "right in %, ensemble" in done.stdout
    assert run("zero-shot", "--images", tmp_path / "none").returncode == 1
