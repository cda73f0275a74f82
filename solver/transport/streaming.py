"""Streaming, −c Ω·∇I: finite volumes of second order, upwind where cells are thin.

On each line of cells, I is linear in a cell, with van Leer's slope, which keeps it positive at
fronts. A face between cells takes u + (1 − θ)(d − u)/2 from the values u, d on the sides that the
light comes from and goes to, θ = 1/(1 + (hσ)²): all upwind (θ = 1) smears by about c h (h/L)², for
changes over a length L, which in thick cells would outweigh the diffusion c/3σ. So the diffusion
limit is kept at a fixed mesh. There, light leaves its direction before it has crossed the cell.

Intensities are arrays (N²/4, 4 quadrants, ny, nx), see `opalux.solver.transport.quadrature`. Sums
over quadrants pair mirror images, so that the mirrored problem has the mirrored bits.
"""

import numpy as np

from opalux.base.kernels import njit

# What enters through an edge: given light, the light that leaves (reflected), what leaves through
# the opposite edge, or what the cell beside the edge holds.
GIVEN, WALL, PERIODIC, FREE = range(4)


@njit(inline="always")
def limited(a, b):
    """Return van Leer's slope from the differences on both sides: their harmonic mean, or 0."""
    product = a * b
    return 2.0 * product / (a + b) if product > 0.0 else 0.0


@njit(inline="always")
def ghost(rule, enters, inside, further, mirrored, opposite, given):
    """Return I beyond the edge, from which the slope in the cell ``inside`` follows."""
    if rule == WALL:
        return mirrored
    if rule == PERIODIC:
        return opposite
    if not enters:
        return max(2.0 * inside - further, 0.0)
    return 2.0 * given - inside if rule == GIVEN else inside


@njit(error_model="numpy")
def stream_line(line, mirrored, speed, upwind, rules, given, slopes, faces, rate):
    """Add −speed ∂I/∂s along one line of n cells to ``rate``.

    Parameters
    ----------
    line, mirrored : (n,) intensity of a direction, and of its mirror image along the line
    speed : c Ω/h [1/sh]
    upwind : (n + 1,) θ of the faces
    rules, given : what enters at the low and the high end, and how strong it is if GIVEN
    slopes, faces : scratch, (n,) and (n + 1,)
    """
    n = line.shape[0]
    last = n - 1
    forth = speed > 0.0
    if n == 1:
        slopes[0] = 0.0
    else:
        low = ghost(rules[0], forth, line[0], line[1], mirrored[0], line[last], given[0])
        high = ghost(
            rules[1], not forth, line[last], line[last - 1], mirrored[last], line[0], given[1]
        )
        for i in range(1, last):
            slopes[i] = limited(line[i] - line[i - 1], line[i + 1] - line[i])
        slopes[0] = limited(line[0] - low, line[1] - line[0])
        slopes[last] = limited(line[last] - line[last - 1], high - line[last])
    if forth:
        for i in range(1, n):
            up, down = line[i - 1] + 0.5 * slopes[i - 1], line[i] - 0.5 * slopes[i]
            faces[i] = up + 0.5 * (1.0 - upwind[i]) * (down - up)
        faces[0] = given[0]
        faces[n] = line[last] + 0.5 * slopes[last]
        if rules[0] == PERIODIC:
            down = line[0] - 0.5 * slopes[0]
            faces[0] = faces[n] = faces[n] + 0.5 * (1.0 - upwind[0]) * (down - faces[n])
        elif rules[0] == FREE:
            faces[0] = line[0]
        elif rules[0] == WALL:
            faces[0] = mirrored[0]
            if n > 1:
                faces[0] -= 0.5 * limited(mirrored[0] - line[0], mirrored[1] - mirrored[0])
    else:
        for i in range(1, n):
            up, down = line[i] - 0.5 * slopes[i], line[i - 1] + 0.5 * slopes[i - 1]
            faces[i] = up + 0.5 * (1.0 - upwind[i]) * (down - up)
        faces[n] = given[1]
        faces[0] = line[0] - 0.5 * slopes[0]
        if rules[1] == PERIODIC:
            down = line[last] + 0.5 * slopes[last]
            faces[0] = faces[n] = faces[0] + 0.5 * (1.0 - upwind[0]) * (down - faces[0])
        elif rules[1] == FREE:
            faces[n] = line[last]
        elif rules[1] == WALL:
            faces[n] = mirrored[last]
            if n > 1:
                faces[n] += 0.5 * limited(
                    mirrored[last] - mirrored[last - 1], line[last] - mirrored[last]
                )
    for i in range(n):
        rate[i] -= speed * (faces[i + 1] - faces[i])


@njit(error_model="numpy")
def upwinding(sigma, h):
    """Return θ of the faces (n + 1,) of a line of cells with opacities ``sigma`` (n,) [1/cm].

    Both ends have the θ of the face that they form where the line is periodic.
    """
    n = sigma.shape[0]
    theta = np.empty(n + 1)
    for i in range(n + 1):
        thickness = 0.5 * h * (sigma[i - 1] + sigma[i % n])
        theta[i] = 1.0 / (1.0 + thickness * thickness)
    return theta


@njit(error_model="numpy")
def stream(intensity, rate, directions, sigma, spacing, c, rules, given):
    """Fill ``rate`` with −c Ω·∇I, and return its mean over all directions (ny, nx) [g/cm/sh³].

    Parameters
    ----------
    intensity, rate : (N²/4, 4, ny, nx)
    directions : x, y (N²/4, 4) and weights (N²/4,) of the quadrature
    sigma : (ny, nx) total opacity [1/cm]
    spacing : (Δx, Δy) [cm]
    rules : (4,) what enters through up, down, left, right
    given : up, down (nx,) and left, right (ny,), strength of what enters where GIVEN
    """
    x, y, weights = directions
    up, down, left, right = given
    n_groups, _, ny, nx = intensity.shape
    total = np.zeros((ny, nx))
    n = max(nx, ny)
    slopes, faces, change = np.empty(n), np.empty(n + 1), np.empty(n)
    x_upwind, y_upwind = np.empty((ny, nx + 1)), np.empty((nx, ny + 1))
    for j in range(ny):
        x_upwind[j] = upwinding(sigma[j], spacing[0])
    for i in range(nx):
        y_upwind[i] = upwinding(sigma[:, i], spacing[1])
    x_rules, y_rules = (rules[2], rules[3]), (rules[1], rules[0])
    for m in range(n_groups):
        for quadrant in range(4):
            here, there = intensity[m, quadrant], rate[m, quadrant]
            in_x, in_y = intensity[m, quadrant ^ 1], intensity[m, quadrant ^ 2]
            there[...] = 0.0
            for j in range(ny):
                stream_line(
                    here[j], in_x[j], c * x[m, quadrant] / spacing[0],
                    x_upwind[j], x_rules, (left[j], right[j]), slopes, faces, there[j],
                )  # fmt: skip
            for i in range(nx):
                change[:ny] = 0.0
                stream_line(
                    here[:, i], in_y[:, i], c * y[m, quadrant] / spacing[1],
                    y_upwind[i], y_rules, (down[i], up[i]), slopes, faces, change[:ny],
                )  # fmt: skip
                for j in range(ny):
                    there[j, i] += change[j]
        for j in range(ny):
            for i in range(nx):
                total[j, i] += weights[m] * (
                    (rate[m, 0, j, i] + rate[m, 1, j, i]) + (rate[m, 2, j, i] + rate[m, 3, j, i])
                )
    return total


@njit(error_model="numpy")
def moments(intensity, directions):
    """Return E, Fx, Fy (3, cells) [g/cm/sh²] of intensities (N²/4, 4, cells)."""
    x, y, weights = directions
    n_groups, _, cells = intensity.shape
    total = np.zeros((3, cells))
    for m in range(n_groups):
        w, w_x, w_y = weights[m], weights[m] * x[m, 0], weights[m] * y[m, 0]
        for i in range(cells):
            a, b, c, d = (
                intensity[m, 0, i], intensity[m, 1, i], intensity[m, 2, i], intensity[m, 3, i],
            )  # fmt: skip
            total[0, i] += w * ((a + b) + (c + d))
            total[1, i] += w_x * ((a - b) + (c - d))
            total[2, i] += w_y * ((a + b) - (c + d))
    return total
