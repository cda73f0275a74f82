"""Every model turns signals into a map, and refuses data that it cannot work on."""

from typing import Any

import pytest
import torch

from opalux.base.axes import EDGES
from opalux.base.errors import InputError
from opalux.learning.data.layout import Layout
from opalux.learning.networks.edge_vnet import Columns, EdgeVNetSettings
from opalux.learning.networks.fcunet import FCUNetSettings
from opalux.learning.networks.niche_cnn import NicheCNNSettings
from opalux.learning.networks.reconstructor import build
from opalux.learning.networks.symmetry import Symmetry, transform_map, transform_signals
from opalux.learning.networks.vnet import VNet, VNetSettings

SQUARE_12 = Layout(EDGES, EDGES, ("E", "F", "T"), 12, 12, (12, 12))
WIDE = SQUARE_12._replace(shape=(6, 12))
TALL = SQUARE_12._replace(shape=(12, 6), square_cells=False)

MODELS: dict[str, Any] = {
    "vnet": VNetSettings(levels=3, width=4, kernel=3),
    "columns": EdgeVNetSettings(width=4, features=4, levels=3),
    "patches": EdgeVNetSettings(width=4, features=4, levels=2, patch=3),
    "courses": EdgeVNetSettings(width=4, features=4, levels=2, patch=3, courses=2),
    "turned": EdgeVNetSettings(width=4, features=4, levels=2, stem="turned"),
    "stacked": EdgeVNetSettings(width=4, features=4, levels=2, stem="stacked", norm="batch"),
    "niche": NicheCNNSettings(kernel=(3, 2), channels=(4, 4), hidden=8, left_out=("left",)),
    "niche, pooled": NicheCNNSettings(kernel=(2, 2), channels=(4,), pooling=True),
    "fcunet": FCUNetSettings(courses=2, coarse=4, features=4, width=4, levels=2),
}


@pytest.mark.parametrize("name", MODELS)
def test_every_model_gives_one_answer_per_sample_and_trains_all_its_weights(name):
    torch.manual_seed(0)
    network = MODELS[name].build(SQUARE_12)
    maps = network(torch.randn(2, *SQUARE_12.signals_shape))
    expected = (2, 3) if name.startswith("niche") else (2, 12, 12)
    assert maps.shape == expected
    maps.square().sum().backward()
    idle = [n for n, p in network.named_parameters() if p.grad is None or not p.grad.any()]
    # A bias in front of a batch normalisation is taken out again by it.
    assert all("bias" in n for n in idle), idle


@pytest.mark.parametrize("layout", [WIDE, TALL])
@pytest.mark.parametrize("name", ["columns", "courses", "fcunet"])
def test_a_map_may_be_wider_or_taller_than_it_is_tall_or_wide(name, layout):
    model = build(MODELS[name], layout, 0).requires_grad_(False)
    signals = torch.randn(2, *layout.signals_shape)
    maps = model(signals)
    assert maps.shape == (2, *layout.shape)
    shorter = [EDGES.index(edge) for edge in EDGES if layout.cells_on(edge) < 12]
    assert len(shorter) == 2
    signals[:, :, shorter, :, :, 6:] = 7.0  # beyond their ends nothing is read
    torch.testing.assert_close(model(signals), maps, rtol=0, atol=0)


def test_the_defaults_of_the_vnet_are_the_published_network():
    layout = SQUARE_12._replace(n_times=64, n_cells=64, shape=(64, 64))
    network = VNetSettings().build(layout)
    assert isinstance(network, VNet)
    shapes = []
    blocks = [block for side in (network.left, network.right) for block in side]
    for block in blocks:
        block.register_forward_hook(lambda _, __, out: shapes.append(tuple(out.shape[1:])))
    maps = network.eval()(torch.randn(1, *layout.signals_shape))
    down = [(32, 64, 64), (64, 32, 32), (128, 16, 16), (256, 8, 8), (512, 4, 4)]
    assert shapes == down + down[-2::-1]
    convolutions = [[m for m in b.modules() if isinstance(m, torch.nn.Conv2d)] for b in blocks]
    assert all([m.kernel_size for m in block] == [(5, 5), (5, 5)] for block in convolutions)
    assert 0 < maps.min() < maps.max() < 1
    # Added, not concatenated: a right block takes no more channels than it gives.
    assert all(block[0].in_channels == block[0].out_channels for block in convolutions)


@pytest.mark.parametrize(
    ("symmetry", "silent"),
    [(Symmetry(False, False, True), []), (Symmetry(False, True, False), [2, 3])],
    ids=["all edges exchanged", "up and down exchanged"],
)
def test_the_columns_of_all_edges_are_one_map_turned(symmetry, silent):
    torch.manual_seed(1)
    stem = Columns(SQUARE_12, features=3)
    signals = torch.randn(2, *SQUARE_12.signals_shape)
    signals[:, :, silent] = 0
    turned_before = stem(transform_signals(signals, symmetry, SQUARE_12.shape))
    turned_after = transform_map(stem(signals), symmetry)
    torch.testing.assert_close(turned_before, turned_after)


@pytest.mark.parametrize("patch", [1, 2])
def test_a_column_reaches_the_cells_in_front_of_its_place_on_the_edge(patch):
    stem = Columns(SQUARE_12, features=2, patch=patch)
    signals = torch.zeros(1, *SQUARE_12.signals_shape, requires_grad=True)
    row, column = 4, 1
    stem(signals)[0, :, row, column].sum().backward()
    assert signals.grad is not None
    reached = signals.grad[0].abs().sum((0, 2, 3)) > 0  # (edge, cell)
    expected = torch.zeros(4, 12, dtype=torch.bool)
    for edge, place in (("up", column), ("down", column), ("left", row), ("right", row)):
        expected[EDGES.index(edge), place * patch : (place + 1) * patch] = True
    assert torch.equal(reached, expected)


def test_patches_give_back_every_cell_at_its_place():
    network = EdgeVNetSettings(width=4, features=4, levels=1, patch=2).build(SQUARE_12)
    corners = torch.arange(4.0)
    for name, weight in network.named_parameters():
        if name.startswith("body.leave"):  # what it gives are then its biases alone
            weight.data = corners if "bias" in name else torch.zeros_like(weight)
    cells = network(torch.zeros(1, *SQUARE_12.signals_shape))[0]
    assert torch.equal(cells, corners.reshape(2, 2).repeat(6, 6))


@pytest.mark.parametrize(
    ("settings", "layout", "message"),
    [
        (VNetSettings(), SQUARE_12, "fewer model.levels"),
        (VNetSettings(levels=2), SQUARE_12._replace(n_times=20), "data.n_times=12"),
        (VNetSettings(levels=2), SQUARE_12._replace(shape=(12, 24)), "square"),
        (EdgeVNetSettings(levels=8), SQUARE_12, "fewer model.levels"),
        (EdgeVNetSettings(patch=5), SQUARE_12, "no multiple of model.patch"),
        (EdgeVNetSettings(patch=4), SQUARE_12._replace(shape=(12, 6)), "a side of 6 cells"),
        (EdgeVNetSettings(stem="turned"), WIDE, "choose a square data set"),
        (EdgeVNetSettings(), SQUARE_12._replace(sources=("left-0", "left-1")), "whole"),
    ],
)
def test_data_that_do_not_fit_are_refused_with_the_remedy(settings, layout, message):
    with pytest.raises(InputError, match=message):
        settings.build(layout)


@pytest.mark.parametrize("more", [{"patch": 2}, {"courses": 4}])
def test_stems_that_keep_the_time_axis_know_no_patches_and_no_courses(more):
    with pytest.raises(ValueError, match="only stem: columns knows"):
        EdgeVNetSettings(stem="turned", **more)
