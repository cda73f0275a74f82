"""Powers of rows of cells with the rounding of the mathematical library, in vector instructions.

``pow`` of a library is off by at most 0.54 units in the last place (glibc), so it returns the
nearest number wherever the exact power is farther than 0.04 units from the middle of two numbers.
Here a power is found with twice the digits. Where it is safely away from the middle, as in nine
cells of ten, its nearest number is what the library returns; the library is asked for the others.

T. J. Dekker, Numer. Math. 18 (1971) 224 (products with all digits); A. Ziv, ACM Trans. Math. Softw.
17 (1991) 410 (the test).
"""

import math

from opalux.base.kernels import njit

SPLIT = 134217729.0  # 2²⁷ + 1
WIDER = 1.1  # |rest| < 0.5/1.1 = 0.455 units is safe
SMALLEST, LARGEST = 1e-50, 1e50  # of the operand: no part of a product is lost


@njit(error_model="numpy", inline="always")
def product(x, y):
    """Return x y rounded, and what is lost."""
    a, b = SPLIT * x, SPLIT * y
    x_high, y_high = a - (a - x), b - (b - y)
    x_low, y_low = x - x_high, y - y_high
    p = x * y
    return p, ((x_high * y_high - p) + x_high * y_low + x_low * y_high) + x_low * y_low


@njit(error_model="numpy", inline="always")
def nearest(x, value, more):
    """Return value + more rounded, and whether the library's power of x is that, too."""
    found = value + more
    rest = more - (found - value)
    return found, found + WIDER * rest == found and SMALLEST < x < LARGEST


@njit(error_model="numpy")
def cubes(out, x, sure):
    """Fill ``out`` (n,) with x³; ``sure`` (>= n,) is scratch."""
    all_sure = True
    for i in range(x.shape[0]):
        square, lost = product(x[i], x[i])
        cube, more = product(square, x[i])
        found, known = nearest(x[i], cube, more + lost * x[i])
        out[i] = found
        sure[i] = 1.0 if known else 0.0
        all_sure = all_sure & known
    if not all_sure:
        for i in range(x.shape[0]):
            if sure[i] == 0.0:
                out[i] = x[i] ** 3.0


@njit(error_model="numpy")
def fourth_powers(out, x, sure):
    """Fill ``out`` (n,) with x⁴; ``sure`` (>= n,) is scratch."""
    all_sure = True
    for i in range(x.shape[0]):
        square, lost = product(x[i], x[i])
        fourth, more = product(square, square)
        found, known = nearest(x[i], fourth, more + (square + square) * lost)
        out[i] = found
        sure[i] = 1.0 if known else 0.0
        all_sure = all_sure & known
    if not all_sure:
        for i in range(x.shape[0]):
            if sure[i] == 0.0:
                out[i] = x[i] ** 4.0


@njit(error_model="numpy")
def fourth_roots(out, x, sure):
    """Fill ``out`` (n,) with x^¼; ``sure`` (>= n,) is scratch."""
    all_sure = True
    for i in range(x.shape[0]):
        root = math.sqrt(math.sqrt(x[i]))
        square, lost = product(root, root)
        fourth, more = product(square, square)
        missing = ((x[i] - fourth) - more) - (square + square) * lost
        found, known = nearest(x[i], root, missing / (4.0 * (square * root)))
        out[i] = found
        sure[i] = 1.0 if known else 0.0
        all_sure = all_sure & known
    if not all_sure:
        for i in range(x.shape[0]):
            if sure[i] == 0.0:
                out[i] = x[i] ** 0.25
