"""``opalux verify`` writes what it measured, and fails if a claim does not hold."""

from opalux.jobs.verification.linear import small_waves
from opalux.jobs.verification.page import Claim, Section, at_least, at_most
from opalux.jobs.verification.run import verify


def test_the_page_shows_every_claim_and_figure_and_is_the_same_every_time(tmp_path):
    for name in "ab":
        assert verify(tmp_path / name, [small_waves]) == 0
    text = (tmp_path / "a" / "verification.md").read_text()
    assert "| small waves about equilibrium: lowest fitted order, order: 1 | ≥ 0.85 |" in text
    assert "](images/verification/small_waves.png)" in text
    assert (tmp_path / "a/images/verification/small_waves.png").stat().st_size > 10_000
    assert not [path for path in tmp_path.rglob("*") if ".part" in path.name]
    for name in ("verification.md", "images/verification/small_waves.png"):
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()


def test_a_claim_that_does_not_hold_fails_the_run_and_is_marked(tmp_path, capsys):
    broken = Section("Broken", "", [Claim("two is one", "2", "1", holds=False)], {})
    assert verify(tmp_path, [lambda: broken]) == 1
    assert "| two is one | 1 | 2 | **no** |" in (tmp_path / "verification.md").read_text()
    assert "1 claims do not hold" in capsys.readouterr().err


def test_a_number_that_is_none_holds_no_claim():
    assert not at_least("", float("nan"), 1.0).holds
    assert not at_most("", float("nan"), 1.0).holds
