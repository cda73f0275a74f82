import json
import math

import numpy as np
import pydantic
import pytest
from scipy import ndimage, special

from opalux.base.errors import InputError
from opalux.solver.densities import catalogue
from opalux.solver.densities.catalogue import choose
from opalux.solver.densities.family import Family, Stream
from opalux.solver.densities.files import Files
from opalux.solver.densities.finish import Finish, mean_3x3
from opalux.solver.densities.islands import Islands
from opalux.solver.densities.layers import Layers
from opalux.solver.densities.niche import Niche
from opalux.solver.densities.random_field import RandomField
from opalux.solver.densities.shapes import Bumps, Discs, Rectangles, Shapes
from opalux.solver.densities.user import UserFamily
from tests.conftest import ROOT

GIVEN = (Files, UserFamily)  # that draw what they are given
FAMILIES = [
    *(family.model_validate({}) for family in catalogue.FAMILIES if family not in GIVEN),
    Islands(name="hills", finish=Finish(stretch=True, border=0)),
    Rectangles(name="rotated", angle=(0, 180)),
]
SHAPES = [family for family in FAMILIES if isinstance(family, Shapes)]
BARE = Finish(maximum=100, floor=1e-6, border=0, smoothing=0)


def draw(family, number, shape=(40, 40)):
    return family.draw(Stream(7, number), shape, number)


@pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.label)
class TestEveryFamily:
    def test_draws_positive_finite_maps_on_any_grid(self, family):
        for number, shape in enumerate([(40, 40), (17, 33), (8, 8)]):
            rho, _ = draw(family, number, shape)
            assert rho.shape == shape
            assert rho.dtype == np.float64
            assert np.isfinite(rho).all()
            assert (rho > 0).all()

    def test_is_a_pure_function_of_its_stream(self, family):
        once, facts = draw(family, 3)
        draw(family, 4)
        again, facts_again = draw(family, 3)
        assert once.tobytes() == again.tobytes()
        assert facts == facts_again
        assert not np.array_equal(once, draw(family, 5)[0])

    def test_draws_the_same_medium_on_every_grid(self, family):
        assert draw(family, 1, (16, 16))[1] == draw(family, 1, (64, 64))[1]

    def test_tells_what_it_drew_in_json(self, family):
        facts = draw(family, 2)[1]
        assert json.loads(json.dumps(facts)) == facts

    def test_survives_the_way_through_a_configuration(self, family):
        again = type(family).model_validate(family.model_dump(mode="json"))
        assert again == family


def test_streams_give_the_same_numbers_for_ever():
    # Data sets are made again from their seeds: these numbers must never change.
    stream = Stream(2024, 7, 1)
    assert stream.uniform((0.0, 1.0)) == 0.31093081232028486
    assert stream.uniform((-2.0, 3.0)) == -1.005902044957188
    assert [stream.count((1, 4)) for _ in range(6)] == [2, 1, 3, 4, 3, 4]


def test_counts_are_uniform_with_both_ends_included():
    stream = Stream(1)
    drawn = [stream.count((1, 4)) for _ in range(4000)]
    numbers, often = np.unique(drawn, return_counts=True)
    assert numbers.tolist() == [1, 2, 3, 4]
    assert np.abs(often - 1000).max() < 5 * math.sqrt(4000 * 0.25 * 0.75)


def test_families_are_chosen_as_often_as_their_weights_say():
    families = [Discs(weight=1), Bumps(weight=3)]
    chosen = [choose(families, Stream(0, n)).kind for n in range(2000)]
    assert abs(chosen.count("bumps") - 1500) < 5 * math.sqrt(2000 * 0.25 * 0.75)


def test_islands_follow_their_formula():
    family = Islands(finish=BARE)
    rho, facts = draw(family, 9, (20, 30))
    (nu_0, nu_1), (delta_0, delta_1), (phi_0, phi_1) = (
        facts[key] for key in ("frequency", "deformation", "phase")
    )
    for j, i in [(0, 0), (5, 29), (19, 13)]:
        x, y = (i + 0.5) / 30, (j + 0.5) / 20
        a = x + delta_0 * math.sin(math.pi * (y + phi_0))
        b = y + delta_1 * math.sin(math.pi * (x + phi_1))
        wave = math.sin(math.pi * nu_0 * a) * math.sin(math.pi * nu_1 * b)
        assert rho[j, i] == pytest.approx(1 + (1 + wave), rel=1e-12)


def test_islands_keep_to_the_published_ranges():
    for number in range(50):
        facts = draw(Islands(), number, (8, 8))[1]
        assert all(1 <= nu <= 4 for nu in facts["frequency"])
        assert all(0.08 <= delta <= 0.6 for delta in facts["deformation"])


@pytest.mark.parametrize("family", SHAPES, ids=lambda family: family.label)
def test_published_shapes_are_one_to_four_between_one_and_five(family):
    numbers = set()
    for number in range(40):
        rho, facts = draw(family, number)
        numbers.add(len(facts["shapes"]))
        assert rho.min() >= 1.0
        assert rho.max() <= 5.0
        assert all(3 <= shape["height"] <= 5 for shape in facts["shapes"])
    assert numbers == {1, 2, 3, 4}


def test_random_fields_have_the_covariance_that_they_say():
    # log ρ is the share of the normal distribution below the field, so that the field comes back.
    family = RandomField(
        correlation=0.2, smoothness=0.5, stretch=1, levels=0, low=1, high=math.e, finest=0.004
    )
    rows = [draw(family, number, (1, 40))[0][0] for number in range(400)]
    field = special.ndtri(np.log(rows))
    covariance = field.T @ field / len(field)
    measured = [np.diag(covariance, cells).mean() for cells in range(30)]
    # ν = 1/2 is the exponential covariance.
    assert measured == pytest.approx(np.exp(-np.arange(30) / 40 / 0.2), abs=0.06)


def test_random_fields_are_longer_along_their_angle():
    family = RandomField(correlation=0.1, smoothness=3, stretch=5, angle=90, levels=0)
    steps = np.array([np.abs(np.gradient(np.log(draw(family, n)[0]))) for n in range(20)])
    along_y, along_x = steps.mean(axis=(0, 2, 3))
    assert 3.5 < along_x / along_y < 6.5


def test_random_fields_in_levels_have_that_many_densities_of_equal_area():
    family = RandomField(correlation=0.03, levels=4, stretch=1)
    shares = []
    for number in range(20):
        rho, facts = draw(family, number)
        assert set(np.unique(rho)) <= set(facts["densities"])
        assert facts["low"] <= rho.min()
        assert rho.max() <= facts["high"]
        shares.append([np.mean(rho == density) for density in facts["densities"]])
    assert np.mean(shares, axis=0) == pytest.approx([0.25] * 4, abs=0.05)


@pytest.mark.parametrize(
    ("settings", "reason"),
    [
        ({"low": [1, 3], "high": [2, 4]}, "every low below every high"),
        ({"stretch": 0.5}, "at least 1"),
        ({"smoothness": 0}, "smoothness: found 0"),
        ({"finest": 0}, "finest"),
    ],
)
def test_random_fields_refuse_what_they_cannot_draw(settings, reason):
    with pytest.raises(pydantic.ValidationError, match=reason):
        RandomField.model_validate(settings)


def test_finished_maps_have_a_frame_at_the_floor():
    rho = Finish(smoothing=0).apply(np.full((32, 32), 3.0))
    assert (rho[4:-4, 4:-4] == 3).all()
    frame = np.ones((32, 32), dtype=bool)
    frame[4:-4, 4:-4] = False
    assert (rho[frame] == 1).all()


def test_finishing_scales_down_above_the_maximum_and_up_only_when_stretched():
    low, high = np.full((8, 8), 2.0), np.full((8, 8), 2.0)
    low[4, 4], high[4, 4] = 4.0, 10.0
    plain = Finish(border=0, smoothing=0)
    stretched = Finish(border=0, smoothing=0, stretch=True)
    assert plain.apply(low).max() == 4.0
    assert plain.apply(high).tolist() == np.where(high == 10, 5.0, 1.0).tolist()
    assert stretched.apply(low).max() == 5.0


def test_smoothing_is_the_mean_over_nine_cells():
    rho = np.random.default_rng(0).uniform(1, 5, (9, 12))
    np.testing.assert_allclose(
        mean_3x3(rho), ndimage.uniform_filter(rho, 3, mode="nearest"), rtol=1e-13
    )


def test_a_rectangle_turned_by_a_right_angle_swaps_its_sides():
    # On an even number of cells the centre of the domain is a corner of cells.
    shape = {"number": 1, "centre": 0.5, "height": 5, "side": (0.2, 0.6), "finish": BARE}
    upright = draw(Rectangles(**shape), 2)[0] == 5
    turned = draw(Rectangles(**shape, angle=90), 2)[0] == 5
    assert upright.any()
    assert not np.array_equal(upright, turned)
    assert np.array_equal(turned, upright.T)


def test_a_rotated_rectangle_keeps_its_area():
    family = Rectangles(
        number=1, centre=0.5, height=5, side=(0.3, 0.5), angle=(20, 70), finish=BARE
    )
    rho, facts = draw(family, 4, (400, 400))
    (shape,) = facts["shapes"]
    assert (rho == 5).mean() == pytest.approx(shape["width"] * shape["length"], rel=0.02)


def test_a_disc_sits_where_and_is_as_large_as_it_says():
    family = Discs(number=1, centre=(0.4, 0.6), height=5, radius=(0.1, 0.2), finish=BARE)
    rho, facts = draw(family, 4, (300, 300))
    (disc,) = facts["shapes"]
    y, x = (rho == 5).nonzero()
    assert (x.mean() + 0.5) / 300 == pytest.approx(disc["x"], abs=2e-3)
    assert (y.mean() + 0.5) / 300 == pytest.approx(disc["y"], abs=2e-3)
    assert (rho == 5).mean() == pytest.approx(math.pi * disc["radius"] ** 2, rel=0.02)


def test_a_bump_is_a_gaussian_on_the_ground():
    family = Bumps(number=1, centre=0.5, height=4, width=0.1, finish=BARE)
    bare = Bumps(number=0, finish=BARE)
    with_bump, without = draw(family, 2, (41, 41))[0], draw(bare, 2, (41, 41))[0]
    bump = with_bump - without
    assert bump[20, 20] == pytest.approx(4)
    assert bump[20, 20 + 8] == pytest.approx(4 * math.exp(-((8 / 41) ** 2) / 0.02))


def test_a_niche_has_its_height_inside_and_the_background_far_away():
    rho, facts = draw(Niche(height=(5, 10)), 6, (60, 60))
    j, i = int(facts["y"] * 60), int(facts["x"] * 60)
    assert rho[j, i] == rho.max()
    assert 0.1 < rho.max() <= facts["height"]
    assert rho[0, 0] == 0.1


def test_flat_layers_across_x_do_not_depend_on_y():
    rho, facts = draw(Layers(angle=0, waviness=0, number=4), 3)
    assert (rho == rho[0]).all()
    assert set(np.unique(rho)) <= set(facts["densities"])
    steps = np.flatnonzero(np.diff(rho[0]))
    assert len(steps) >= 1


def test_the_page_on_sampling_lists_every_family_with_its_settings():
    page = (ROOT / "docs" / "sampling.md").read_text()
    for family in catalogue.FAMILIES:
        kind = family.model_fields["kind"].default
        (row,) = [line for line in page.splitlines() if line.startswith(f"| `{kind}` |")]
        for setting in set(family.model_fields) - set(Family.model_fields):
            assert f"`{setting}" in row, f"{kind}: {setting}"


class TestFiles:
    @pytest.fixture
    def folder(self, tmp_path):
        for k in range(3):
            np.save(tmp_path / f"map_{k}.npy", np.full((4, 4), 1.0 + k) + np.eye(4))
        return tmp_path

    def test_come_in_the_order_of_their_numbers_and_each_once(self, folder):
        np.save(folder / "map_10.npy", np.full((4, 4), 9.0))
        family = Files(folder=folder)
        names = [draw(family, n, (4, 4))[1]["file"] for n in range(4)]
        assert names == ["map_0.npy", "map_1.npy", "map_2.npy", "map_10.npy"]
        assert family.length == 4
        with pytest.raises(InputError, match="found 4 density maps, expected at least 5"):
            draw(family, 4, (4, 4))

    def test_have_their_first_row_where_they_are_told(self, folder):
        saved = np.load(folder / "map_0.npy")
        saved[0] = 9.0
        np.save(folder / "map_0.npy", saved)
        assert (draw(Files(folder=folder), 0, (4, 4))[0][0] == 9).all()
        assert (draw(Files(folder=folder, first_row="top"), 0, (4, 4))[0][-1] == 9).all()

    def test_are_known_by_their_ending_in_any_case(self, folder):
        (folder / "map_0.npy").rename(folder / "map_0.NPY")
        assert Files(folder=folder).length == 3

    @pytest.mark.parametrize(
        ("array", "words"),
        [
            (np.ones((3, 4)), "expected real numbers of shape"),
            (np.ones((4, 4)) * 1j, "expected real numbers of shape"),
            (np.zeros((4, 4)), "above 0"),
            (np.full((4, 4), np.nan), "finite"),
        ],
        ids=["shape", "complex", "zero", "nan"],
    )
    def test_that_are_no_density_are_refused(self, folder, array, words):
        np.save(folder / "map_0.npy", array)
        with pytest.raises(InputError, match=words):
            draw(Files(folder=folder), 0, (4, 4))

    def test_that_are_no_arrays_are_refused(self, folder):
        (folder / "map_0.npy").write_bytes(b"no array")
        with pytest.raises(InputError, match="not a readable"):
            draw(Files(folder=folder), 0, (4, 4))

    def test_from_arrays_are_the_same_maps(self, tmp_path):
        maps = np.random.default_rng(0).uniform(1, 5, (3, 6, 6))
        family = Files.from_arrays(maps, tmp_path / "maps", name="mine")
        assert family.label == "mine"
        for number in range(3):
            np.testing.assert_array_equal(draw(family, number, (6, 6))[0], maps[number])

    @pytest.mark.parametrize("maps", [np.ones((4, 4)), -np.ones((2, 4, 4)), np.ones((0, 4, 4))])
    def test_from_arrays_that_are_no_maps_are_refused(self, tmp_path, maps):
        with pytest.raises(InputError, match="maps"):
            Files.from_arrays(maps, tmp_path / "maps")
        assert not (tmp_path / "maps").exists()

    def test_stacks_tables_and_pictures_give_the_same_maps(self, folder, tmp_path):
        maps = np.stack([np.load(folder / f"map_{k}.npy") for k in range(3)])
        (tmp_path / "stack").mkdir()
        np.save(tmp_path / "stack" / "a.npy", maps[:2])
        np.save(tmp_path / "stack" / "b.npy", maps[2])
        (tmp_path / "stack" / "notes.csv").write_text("no map, since there are arrays")
        for k, rho in enumerate(maps):
            (tmp_path / "tables").mkdir(exist_ok=True)
            np.savetxt(tmp_path / "tables" / f"{k}.csv", rho, delimiter=",")
        np.save(tmp_path / "all.npy", maps)
        for name in ("stack", "tables", "all.npy"):
            family = Files(folder=tmp_path / name)
            assert family.length == 3
            for k, rho in enumerate(maps):
                np.testing.assert_allclose(draw(family, k, (4, 4))[0], rho)
        drawn = draw(Files(folder=tmp_path / "stack"), 1, (4, 4))[1]
        assert drawn == {"file": "a.npy", "row": 1}

    def test_pictures_are_grey_levels_between_two_densities_with_their_top_above(self, tmp_path):
        image = pytest.importorskip("PIL.Image")
        grey = np.arange(16, dtype=np.uint8).reshape(4, 4) * 17
        image.fromarray(grey).save(tmp_path / "one.png")
        found, _ = draw(Files(folder=tmp_path, range=(1, 6)), 0, (4, 4))
        np.testing.assert_allclose(found, 1 + 5 * (grey[::-1] / 255.0))
        as_saved = Files(folder=tmp_path, range=(1, 6), first_row="bottom")
        np.testing.assert_allclose(draw(as_saved, 0, (4, 4))[0], found[::-1])
        with pytest.raises(pydantic.ValidationError, match="the maps are pictures"):
            Files(folder=tmp_path)

    def test_a_range_is_for_pictures_alone(self, folder):
        with pytest.raises(pydantic.ValidationError, match="are no pictures"):
            Files(folder=folder, range=(1, 5))

    def test_a_stack_of_other_maps_is_refused(self, tmp_path):
        np.save(tmp_path / "stack.npy", np.ones((2, 3, 4)))
        with pytest.raises(InputError, match="expected real numbers of shape"):
            draw(Files(folder=tmp_path), 0, (4, 4))

    def test_must_be_there(self, tmp_path):
        with pytest.raises(pydantic.ValidationError, match=r"found no \.npy file"):
            Files(folder=tmp_path)


@pytest.mark.parametrize(
    ("family", "settings"),
    [
        (Islands, {"weight": 0}),
        (Islands, {"ground": {"frequency": [4, 1]}}),
        (Islands, {"ground": {"frequency": [1, float("inf")]}}),
        (Islands, {"name": "no/slash"}),
        (Islands, {"finish": {"floor": 6}}),
        (Discs, {"number": [-1, 3]}),
        (Discs, {"number": 10**6}),
        (Niche, {"height": [0, 1]}),
        (Niche, {"centre": [0.5, 1.5]}),
        (Layers, {"number": 0}),
        (Layers, {"density": [0, 1]}),
    ],
)
def test_parameters_that_make_no_density_are_refused(family, settings):
    with pytest.raises(pydantic.ValidationError):
        family.model_validate(settings)
