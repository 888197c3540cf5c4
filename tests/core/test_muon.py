"""The UNet's optimizer: Muon for matrices, AdamW for the rest."""

import copy

import pytest
import torch
from torch import nn

from text2earth_core.training.checkpoint import optimizer_tensors, restore_optimizer
from text2earth_core.training.muon import Muon, orthogonalise


@pytest.mark.parametrize("shape", [(3, 40, 300), (2, 300, 40), (1, 64, 64)])
def test_orthogonalised_matrices_keep_their_directions_and_lose_their_sizes(shape):
    generator = torch.Generator().manual_seed(0)
    left, right = (torch.randn(shape[0], side, 32, generator=generator) for side in shape[1:])
    spread = torch.diag(torch.logspace(0, -1.5, 32))
    matrices = torch.linalg.qr(left).Q @ spread @ torch.linalg.qr(right).Q.mT
    found = orthogonalise(matrices)
    sizes = torch.linalg.svdvals(found)[:, :32]
    assert sizes.min() > 0.6
    assert sizes.max() < 1.3
    u, _, v = torch.linalg.svd(matrices, full_matrices=False)
    directions = u[:, :, :32] @ v[:, :32]
    assert torch.cosine_similarity(found.flatten(1), directions.flatten(1)).min() > 0.95


def test_vectors_and_narrow_matrices_take_the_steps_of_adamw():
    torch.manual_seed(0)
    ours = nn.Sequential(nn.Linear(40, 8), nn.LayerNorm(8), nn.Conv1d(8, 31, 1))
    theirs = copy.deepcopy(ours)
    settings = {"lr": 0.01, "betas": (0.9, 0.99), "weight_decay": 0.1}
    pairs = [(ours, Muon(ours.parameters(), **settings)), (theirs, torch.optim.AdamW(theirs.parameters(), **settings))]
    for _ in range(20):
        x = torch.randn(16, 40)
        for model, optimizer in pairs:
            optimizer.zero_grad()
            model[2](model[:2](x)[..., None]).square().mean().backward()
            optimizer.step()
    for mine, other in zip(ours.parameters(), theirs.parameters(), strict=True):
        torch.testing.assert_close(mine, other, rtol=1e-4, atol=1e-6)


def test_a_kernel_steps_as_its_matrix_does_and_as_far_as_adamw_would():
    torch.manual_seed(0)
    kernel, matrix = nn.Conv2d(40, 64, 3, bias=False), nn.Linear(360, 64, bias=False)
    with torch.no_grad():
        matrix.weight.copy_(kernel.weight.flatten(1))
    before, gradient = kernel.weight.detach().clone(), torch.randn(64, 360)
    for module in (kernel, matrix):
        module.weight.grad = gradient.reshape(module.weight.shape).clone()
        Muon(module.parameters(), lr=0.01).step()
    torch.testing.assert_close(kernel.weight.flatten(1), matrix.weight, rtol=0, atol=1e-6)
    length = (kernel.weight - before).square().mean().sqrt() / 0.01
    assert 0.15 < length < 0.25  # AdamW's steps are 0.2 to 0.4 of its rate long while it trains


def test_rare_directions_are_learned_sooner_than_with_adamw():
    torch.manual_seed(0)
    wanted = torch.randn(64, 64)
    turn = torch.linalg.qr(torch.randn(64, 64)).Q  # no axis is special: AdamW looks at each by itself
    x = torch.randn(512, 64) @ torch.diag(torch.logspace(0, -2, 64)) @ turn  # in some directions inputs hardly vary

    def error(make):
        weight = nn.Parameter(torch.zeros(64, 64))
        optimizer = make([weight], lr=0.1, weight_decay=0.0)
        for step in range(300):
            optimizer.param_groups[0]["lr"] = 0.1 * (1 - step / 300)
            optimizer.zero_grad()
            (x @ (weight - wanted).T).square().mean().backward()
            optimizer.step()
        return (weight - wanted).square().mean().item()

    assert error(Muon) < 0.3 * error(torch.optim.AdamW)


@pytest.mark.parametrize("begun", [Muon, torch.optim.AdamW])
def test_a_run_goes_on_from_its_checkpoint(begun):
    """Also from one that AdamW wrote, as runs from before Muon have."""

    def train(model, optimizer, first, last):
        for number in range(first, last):
            x = torch.randn(8, 48, generator=torch.Generator().manual_seed(number))
            optimizer.zero_grad()
            model(x).square().mean().backward()
            optimizer.step()

    torch.manual_seed(0)
    model = nn.Linear(48, 48)
    optimizer = begun(model.parameters(), lr=0.01)
    train(model, optimizer, 0, 5)
    stopped = copy.deepcopy(model)
    saved = {name: tensor.clone() for name, tensor in optimizer_tensors(optimizer, "o").items()}
    resumed = Muon(stopped.parameters(), lr=0.01)
    restore_optimizer(resumed, saved, "o")
    assert all(
        torch.equal(resumed.state[w]["exp_avg"], optimizer.state[v]["exp_avg"])
        for w, v in zip(stopped.parameters(), model.parameters(), strict=True)
    )
    train(stopped, resumed, 5, 10)
    if begun is Muon:
        train(model, optimizer, 5, 10)
        assert all(torch.equal(a, b) for a, b in zip(model.parameters(), stopped.parameters(), strict=True))
    assert set(resumed.state[stopped.weight]) == {"exp_avg"}  # a matrix has no use for AdamW's squares
