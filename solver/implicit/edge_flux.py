"""The flux on an edge of the domain in an implicit stage, as a line in what lies inside.

The conditions are those of `schemes.staggered_edges`, with all terms at the end of the stage. For a
stage of length τ that starts from F*, with s = c τ σ, F counted along the axis, ±: + on the left
and lower edge, E₁ of the first cell and G on the next face,

    held    ∂t F = −c σ F ∓ (2 k c/h)(E₁ − g ± β F)
            F = [F* ± (2 k c τ/h)(g − E₁)] / (1 + s + 2 k β c τ/h)
    open    ∂t P = −c σ P − (w c/h)(F − G),   P = (1 − α) F + α G
            F = {P* + [ν − α (1 + s)] G} / [(1 − α)(1 + s) + ν],   ν = w c τ/h

so that F = A + B G + M E₁ for every kind.
"""

from opalux.base.kernels import njit
from opalux.solver.schemes.staggered_edges import CLOSED, DRIVEN, OPEN


@njit(error_model="numpy")
def edge_line(kind, F, G, g, beta, inwards, sigma, c_tau, h, k, w):
    """Return (A, B, M) of an edge's flux; see above.

    ``F``, ``G`` : what the stage starts from, on the edge and on the next face
    ``g`` : E + β F on the edge; for DRIVEN the flux itself
    """
    if kind == CLOSED:
        return 0.0, 0.0, 0.0
    if kind == DRIVEN:
        return g, 0.0, 0.0
    s = c_tau * sigma
    if kind == OPEN:
        alpha = 0.5 / (1 + h * sigma / w)
        nu = w * c_tau / h
        below = (1 - alpha) * (1 + s) + nu
        return ((1 - alpha) * F + alpha * G) / below, (nu - alpha * (1 + s)) / below, 0.0
    pull = inwards * (2 * k * c_tau / h)
    below = 1 + s + 2 * k * beta * c_tau / h
    return (F + pull * g) / below, 0.0, -pull / below
