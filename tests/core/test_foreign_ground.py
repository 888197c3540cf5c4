"""Ground of other images as context: only where windows have known ground, and never a step that is seen or learned."""

import pytest
import torch

from text2earth_core.training import foreign_ground
from text2earth_core.training.foreign_ground import swap_ground


@pytest.fixture
def always(monkeypatch):
    monkeypatch.setattr(foreign_ground, "SHARE", 1.0)


def test_known_ground_comes_from_another_image(always):
    clean = torch.arange(4.0)[:, None, None, None].expand(4, 4, 16, 16).contiguous()
    masks = torch.ones(4, 1, 16, 16)
    masks[:3, :, :, :6] = 0
    mixed, told, counted = swap_ground(clean, masks, torch.Generator().manual_seed(0))
    assert (mixed[1, :, :, 6:] == 1).all()
    assert (mixed[1, :, :, :6] == 0).all()  # the ground of the image before
    shown = told[1] < 0.5
    assert shown.any()
    assert (mixed[1][shown.expand(4, -1, -1)] == 0).all()
    border = slice(6 - foreign_ground.NARROWEST, 6 + foreign_ground.NARROWEST)
    assert (told[1, :, :, border] == 1).all()  # the step is hidden,
    assert (counted[1, :, :, border] == 0).all()  # and not scored
    assert (counted[1, :, :, -1] == 1).all()
    for part, before in ((mixed, clean), (told, masks)):  # a window without known ground stays as it is
        assert torch.equal(part[3], before[3])
    assert (counted[3] == 1).all()


def test_a_strip_too_narrow_for_two_images_stays(always):
    clean, masks = torch.randn(2, 4, 16, 16), torch.zeros(2, 1, 16, 16)
    masks[:, :, :, 7:9] = 1
    mixed, told, counted = swap_ground(clean, masks)
    assert torch.equal(mixed, clean)
    assert torch.equal(told, masks)
    assert counted.min() == 1


def test_it_happens_now_and_then():
    clean, masks = torch.randn(2_000, 4, 8, 8), torch.ones(2_000, 1, 8, 8)
    masks[..., :4] = 0
    generator = torch.Generator().manual_seed(0)
    foreign_ground_share = []
    for _ in range(5):
        _, told, _ = swap_ground(clean, masks, generator)
        foreign_ground_share.append((told != masks).flatten(1).any(1).float().mean().item())
    assert max(foreign_ground_share) == pytest.approx(foreign_ground.SHARE, abs=0.03)
