"""Whatever stands in a configuration, ``opalux solve`` runs it or says in one message why not."""

import contextlib
import copy
import io
import re
import shutil
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from opalux.jobs.solve import main

WHOLE_RUN = 20_000  # cell-steps up to which a plan is also carried out

BASES: list[dict[str, Any]] = [
    {
        "scheme": "consistent",
        "grid": {"nx": 5, "ny": 4, "x": [0.0, 1.0], "y": [0.0, 0.8]},
        "time": {"final": 0.003, "cfl": 0.4, "start": 0.5},
        "constants": {"c": 299.0, "a": 0.01372, "eddington": 0.5},
        "material": {
            "density": "1+x*y",
            "sigma_a": "rho*T",
            "sigma_c": "rho*T+1",
            "heat_capacity": "0.1*T",
        },
        "source": "x < 0.5 ? 1 : 0",
        "initial": {"E": "8+sin(x)", "Fx": "y", "Fy": 0, "T": 5},
        "edges": {
            "left": {"kind": "source", "sources": [{"start": 0.1, "stop": 0.4}, {"signal": "t"}]},
            "right": {"kind": "prescribed", "E": "8+t", "T": "5+y"},
            "up": {"kind": "wall"},
        },
        "precision": 1.0e-6,
        "output": {"pictures": False, "checkpoint_steps": 0},
        "exact": {"E": "8+t", "T": 5},
        "export": {"file": "out/data.csv", "mode": "dataframe", "write": "append"},
    },
    {
        "scheme": "published",
        "grid": {"nx": 4},
        "time": {"final": 0.002},
        "material": {"density": {"kind": "niche", "x": 0.5, "y": 0.5, "low": 1, "high": 3}},
        "edges": {"up": {"kind": "source", "sources": [{"amplitude": 3, "frequency": 100}]}},
        "output": {"pictures": False},
        "export": {"file": "data.sds", "mode": "binary", "simulations": 2},
    },
    {
        "material": {"density": {"kind": "array", "file": "rho.npy", "first_row": "top"}},
        "time": {"final": 0.001},
        "edges": {
            "left": {"kind": "periodic"},
            "right": {"kind": "periodic"},
            "down": {"kind": "source", "sources": [{"table": "pulse.csv"}], "T": "free"},
        },
        "output": {"pictures": False},
    },
]

CFG = """
x_min 0 x_max 1 y_min 0 y_max 1 N 4 c 299 a 0.01372 C_v 0.14361 CFL 0.5 precision 1e-6 t_0 0
t_f 0.001 rho crenau(0.5,0.5,1,2) sigma_a rho*T sigma_c rho*T E_0 0.01372*(5^4) F_0_x 0 F_0_y 0
T_0 5 E_u ponctuel(0,1) F_u_x 0 F_u_y 0 T_u 5 E_d neumann F_d_x neumann F_d_y neumann T_d neumann
E_l 8+t F_l_x 0 F_l_y 0 T_l neumann E_r neumann F_r_x neumann F_r_y neumann T_r neumann
E_exact 8+t export_file d.sds export_mode binary write_mode truncate simu_count 1
"""

WORDS = [
    "", " ", "x", "0", "-1", "1/0", "0/0", "log(0)", "T^-999", "rho*", "1e400", "1e-400", "free",
    "wall", "source", "periodic", "numpy:", "numpy:rho.npy", "numpy:/", "crenau(1,2)", "crenau",
    "ponctuel(2,1)", "ponctuel(a,b)", "neumann", "__import__('os').system('true')", "lambda: 0",
    "${HOME}", "../x", "/", "~", "x" * 5000, "(" * 500 + "1" + ")" * 500, "-" * 1900 + "1",
    "1^" * 700 + "1", "ρ*T", "１２", "²", "\u202etxet", "\U0001f525", "\x00", "a\x00b", "\ud800",
    "\n", "\t", "\ufeff", "sin", "sin()", "sin(1,2)", "t", "E", "nan", "inf", "1_000", "0x10",
]  # fmt: skip
NUMBERS = [
    0, 1, -1, 2, 3, 10**9, 10**30, -(10**30), 2**63, 10**400, 0.0, -0.0, 0.5, 1e-300, 5e-324, 1e308,
    -1e308, float("nan"), float("inf"), -float("inf"), 1e9, 1e-9,
]  # fmt: skip
FORMULAS = [
    "1/0", "0/0", "log(0)", "sqrt(-1)", "-1", "0", "1e300", "1e-300", "T^-99", "rho*T^30",
    "rho-1.2", "exp(T^9)", "x-0.5", "tan(1e9*x)", "x<0.5?1:0", "1/t", "t-0.001", "-t", "1e30*t",
    "rho", "y/x", "5+sin(x)*y", "x<0.5?8:0/0", "free", "9^9^9", "min(x,0)", "(-1)^0.5", "T",
    "rho*T", "5",
]  # fmt: skip
SIZES = [
    0, 1, 2, 7, -1, 0.5, 1e-3, 1e-9, 1e-300, 5e-324, 1e3, 1e9, 1e300, 10**9, 10**18, 10**400,
    float("nan"), float("inf"), "1e3", "0.5", True, None,
]  # fmt: skip
LEAVES = st.one_of(st.sampled_from(WORDS), st.sampled_from(NUMBERS), st.sampled_from([None, True]))
VALUES = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(st.sampled_from(["kind", "nx", "x", "file", "0", "ρ"]), inner, max_size=3),
    ),
    max_leaves=6,
)
SNIPPETS = [
    "\n", "\t", ":", ": ", "- ", "[", "]", "{", "}", "&a ", "*a", "!!binary x", "!!python/none ",
    "!!set {a, b}", "<<: *a", "<<: 3", "? [1]\n: 2", "%YAML 9", "---\n", "...\n", "#", "'", '"',
    "|\n", "\x00", "\x07", "é", "\ufeff", "\U0001f525", "2026-11-23", "0777", "1e5", "=", "\r",
    "\u2028", "grid: {nx: 3}\n", "a: &a [*a, *a]\n", "grid: &g {x: *g}\n",
]  # fmt: skip
FUZZ = settings(
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)


def places(data: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Return the path of every value in nested ``data``."""
    inner = data.items() if isinstance(data, dict) else enumerate(data)
    found = []
    for key, value in inner:
        found.append((*path, key))
        if isinstance(value, dict | list):
            found += places(value, (*path, key))
    return found


@st.composite
def mutated(draw: st.DrawFn) -> dict[str, Any]:
    """Draw a configuration with one to three things wrong (or not)."""
    data = copy.deepcopy(draw(st.sampled_from(BASES)))
    for _ in range(draw(st.integers(1, 3))):
        known = places(data)
        if not known:
            break
        *path, last = draw(st.sampled_from(known))
        group = at(data, path)
        action = draw(st.sampled_from(["delete", "rename", "add", "replace", "replace", "nest"]))
        if action == "delete":
            del group[last]
        elif action == "replace":
            group[last] = draw(VALUES)
        elif action == "nest":
            group[last] = {str(last): group[last]}
        elif isinstance(group, list):
            group.append(draw(VALUES))
        elif action == "rename":
            group[draw(st.sampled_from([f"{last}s", str(last).upper(), *WORDS]))] = group.pop(last)
        else:
            group[draw(LEAVES)] = draw(VALUES)
    return data


@st.composite
def odd_values(draw: st.DrawFn) -> dict[str, Any]:
    """Draw a configuration of the right form with one or two odd numbers or formulas in it."""
    data = copy.deepcopy(draw(st.sampled_from(BASES)))
    for _ in range(draw(st.integers(1, 2))):
        leaves = [path for path in places(data) if not isinstance(at(data, path), dict | list)]
        *path, last = draw(st.sampled_from(leaves))
        value = at(data, (*path, last))
        odd = [*FORMULAS, *SIZES] if isinstance(value, str) else SIZES
        at(data, path)[last] = draw(st.sampled_from(odd))
    return data


def at(data: Any, path: Any) -> Any:
    """Return what stands at ``path`` of nested ``data``."""
    for key in path:
        data = data[key]
    return data


def damage(draw: st.DrawFn, text: str) -> bytes:
    """Cut, double, insert or overwrite somewhere in ``text``."""
    for _ in range(draw(st.integers(1, 3))):
        place = draw(st.integers(0, len(text)))
        action = draw(st.sampled_from(["cut", "insert", "word", "line", "swap"]))
        lines = text.splitlines(keepends=True)
        if action == "cut":
            text = text[:place]
        elif action == "insert":
            text = text[:place] + draw(st.sampled_from(SNIPPETS)) + text[place:]
        elif action == "word":
            text = text[:place] + draw(st.sampled_from(WORDS)) + text[place + 3 :]
        elif lines:
            one, other = (draw(st.integers(0, len(lines) - 1)) for _ in "ab")
            if action == "line":
                lines.insert(one, lines[other])
            else:
                lines[one], lines[other] = lines[other], lines[one]
            text = "".join(lines)
    data = text.encode("utf-8", "surrogatepass")
    if draw(st.integers(0, 9)) == 0:
        place = draw(st.integers(0, len(data)))
        data = data[:place] + draw(st.binary(max_size=20)) + data[place:]
    return data


@st.composite
def damaged_yaml(draw: st.DrawFn) -> bytes:
    """Draw the text of a configuration that something happened to."""
    return damage(draw, yaml.safe_dump(draw(st.sampled_from(BASES)), sort_keys=False))


@st.composite
def damaged_cfg(draw: st.DrawFn) -> bytes:
    """Draw a published .cfg that something happened to."""
    words = CFG.split()
    for _ in range(draw(st.integers(0, 2))):
        place = draw(st.integers(0, len(words) - 1))
        action = draw(st.sampled_from(["value", "value", "replace", "number", "delete", "pair"]))
        if action == "value":
            words[min(place | 1, len(words) - 1)] = str(draw(st.sampled_from([*FORMULAS, *SIZES])))
        elif action == "delete":
            del words[place]
        elif action == "pair":
            words[place:place] = [draw(st.sampled_from(words)), draw(st.sampled_from(WORDS))]
        else:
            words[place] = str(draw(st.sampled_from(WORDS if action == "replace" else NUMBERS)))
    text = " ".join(words)
    return damage(draw, text) if draw(st.booleans()) else text.encode("utf-8", "surrogatepass")


@st.composite
def overrides(draw: st.DrawFn) -> list[str]:
    """Draw ``--set`` arguments, most of them near something that exists."""
    found = []
    for _ in range(draw(st.integers(1, 2))):
        path = [str(key) for key in draw(st.sampled_from(places(BASES[0])))]
        if draw(st.integers(0, 3)) == 0:
            path.append(draw(st.sampled_from(["0", "1", "9" * 30, "²", "-1", "", "kind", "x"])))
        value = str(draw(st.sampled_from([*FORMULAS, *SIZES, *WORDS, *SNIPPETS])))
        equals = draw(st.sampled_from(["="] * 8 + ["", "=="]))
        found.append(".".join(path) + equals + value)
    return found


def listing(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*")}


def attempt(arguments: list[str]) -> tuple[int, str, str]:
    """Run the job in this process; return its exit code, output and error output."""
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        code = main(arguments)
    return code, out.getvalue(), err.getvalue()


def check_refusal(code: int, err: str, folder: Path, before: set[str]) -> None:
    assert code == 2, err
    assert len(re.findall(r"^error: ", err, flags=re.MULTILINE)) == 1, err
    assert len(err) < 20_000, err[:500]
    assert "Traceback" not in err
    assert listing(folder) == before


def hold(name: str, content: bytes, arguments: list[str]) -> str:
    """Assert that a configuration is run or refused as it should be; return which."""
    with tempfile.TemporaryDirectory() as made, contextlib.chdir(made):
        folder = Path(made)
        np.save("rho.npy", np.linspace(1, 2, 12).reshape(3, 4))
        Path("pulse.csv").write_text("0,0\n0.001,5\n")
        (folder / name).write_bytes(content)
        before = listing(folder)
        line = [name, "--out", "run", *arguments]
        code, out, err = attempt([*line, "--dry-run"])
        if code != 0:
            check_refusal(code, err, folder, before)
            return "refused"
        assert listing(folder) == before
        plan = re.search(r"(\d+) x (\d+) cells of .*, (\d+) steps of", out)
        assert plan, out
        nx, ny, steps = (int(number) for number in plan.groups())
        if nx * ny * steps > WHOLE_RUN:
            return "too long"
        code, _, err = attempt([*line, "--set", "output.pictures=false"])
        if code != 0:
            check_refusal(code, err, folder, before)
            return "refused when started"
        assert {"run/solution.h5", "run/run.json", "run/config.yaml"} <= listing(folder)
        assert not [path for path in listing(folder) if ".part" in path]
        shutil.rmtree("run")
        return "run"


@settings(FUZZ, max_examples=400)
@given(odd_values())
def test_odd_values_are_run_or_refused(data: dict[str, Any]) -> None:
    hold("fuzz.yaml", yaml.safe_dump(data, sort_keys=False).encode(), [])


@settings(FUZZ, max_examples=250)
@given(mutated())
def test_mutated_configurations_run_or_are_refused(data: dict[str, Any]) -> None:
    text = yaml.safe_dump(data, sort_keys=False, allow_unicode=True)
    hold("fuzz.yaml", text.encode("utf-8", "surrogatepass"), [])


@settings(FUZZ, max_examples=200)
@given(damaged_yaml())
def test_damaged_yaml_is_run_or_refused(content: bytes) -> None:
    hold("fuzz.yaml", content, [])


@settings(FUZZ, max_examples=200)
@given(damaged_cfg())
def test_damaged_cfg_files_are_run_or_refused(content: bytes) -> None:
    hold("fuzz.cfg", content, [])


@settings(FUZZ, max_examples=200)
@given(overrides())
def test_strange_overrides_are_applied_or_refused(found: list[str]) -> None:
    content = yaml.safe_dump(BASES[0]).encode()
    hold("fuzz.yaml", content, [word for text in found for word in ("--set", text)])


@pytest.mark.parametrize("content", [b"", b"\x00" * 100, b"\x7fELF\x02\x01", bytes(range(256))])
@pytest.mark.parametrize("name", ["fuzz.yaml", "fuzz.cfg"])
def test_binary_files_are_refused(name: str, content: bytes) -> None:
    assert hold(name, content, []) == "refused"


@pytest.mark.parametrize("base", range(len(BASES)))
def test_what_the_fuzz_starts_from_runs(base: int) -> None:
    assert hold("fuzz.yaml", yaml.safe_dump(BASES[base]).encode(), []) == "run"


def test_the_cfg_that_the_fuzz_starts_from_runs() -> None:
    assert hold("fuzz.cfg", CFG.encode(), []) == "run"


LAUGHS = b"a: &a [1, 1, 1, 1]\n" + b"".join(
    b"%c: &%c [%s]\n" % (n + 1, n + 1, b", ".join([b"*%c" % n] * 4)) for n in b"abcdefghijklmno"
)
"""Lists of lists, 4^16 entries in all, written in a few lines."""

TRAPS = {
    "a grid with cells of no width": b"grid: {nx: 4, ny: 4, x: [0, 5.0e-324]}",
    "more cells than a float can count": b"grid: {nx: 1" + b"0" * 400 + b"}",
    "billions of steps": b"grid: {nx: 4}\ntime: {final: 1.0e+9}",
    "a negative opacity": b"grid: {nx: 4}\nmaterial: {sigma_a: -rho}",
    "an opacity that is no number": b"grid: {nx: 4}\nmaterial: {sigma_c: T^0.5+0/0}",
    "a heat capacity that vanishes": b"grid: {nx: 4}\nmaterial: {heat_capacity: T-5}",
    "a source edge without sources": b"grid: {nx: 4}\nedges: {left: {kind: source, sources: []}}",
    "an export to a name too long": b"grid: {nx: 4}\nexport: {write: append, file: "
    + b"x" * 5000
    + b"}",
    "an export to a name with a null": b'grid: {nx: 4}\nexport: {file: "a\\0b"}',
    "adding to a file of another kind": b"grid: {nx: 4}\nexport: {write: append, file: rho.npy}",
    "a tag that does not fit": b"grid: {nx: !!bool x}",
    "a date that does not exist": b"grid: {nx: !!timestamp x}",
    "a structure that holds itself": b"grid: &a {nx: *a}",
    "a billion laughs": LAUGHS + b"grid: *p",
    "a billion laughs for a formula": LAUGHS + b"grid: {nx: 4}\nsource: *p",
    "a source that is no number": b"grid: {nx: 4}\nsource: 0/0",
}


@pytest.mark.parametrize("trap", TRAPS)
def test_known_traps_are_refused(trap: str) -> None:
    assert hold("fuzz.yaml", TRAPS[trap], []).startswith("refused")


@pytest.mark.parametrize("change", ["y_max inf", "simu_count nan", "N inf", "y_max 1e300", "CFL 0"])
def test_known_traps_of_cfg_files_are_refused(change: str) -> None:
    key = change.split()[0]
    assert hold("fuzz.cfg", re.sub(rf"{key} \S+", change, CFG).encode(), []) == "refused"


def test_runs_beyond_the_machine_are_refused_before_the_first_step(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = tmp_path / "huge.yaml"
    line = [str(config), "--out", str(tmp_path / "run")]
    config.write_text("grid: {nx: 1000000, ny: 1000000}\ntime: {final: 1.0e-12}")
    before = listing(tmp_path)
    code, _, err = attempt(line)
    check_refusal(code, err, tmp_path, before)
    assert "GiB" in err
    config.write_text("grid: {nx: 10}")
    usage = type(shutil.disk_usage(tmp_path))(10**6, 10**6 - 1000, 1000)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage)
    code, _, err = attempt(line)
    check_refusal(code, err, tmp_path, before)
    assert "are free there" in err


def test_an_override_numbered_in_another_script_is_refused() -> None:
    content = yaml.safe_dump(BASES[0]).encode()
    assert hold("fuzz.yaml", content, ["--set", "edges.left.sources.².start=0"]) == "refused"
