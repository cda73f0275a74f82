"""Label spreading exactly as the reference describes it: slow, for comparison with ours."""

from fractions import Fraction


def literal_spread(points, seeds):
    """Spread labels from the seeds; rationals, so that a tie is a tie.

    Returns (row, source row, squared distance) of each point labelled, in order.
    """
    points = [[Fraction(float(x)) for x in point] for point in points]
    labelled = sorted(seeds)
    unlabelled = [row for row in range(len(points)) if row not in labelled]
    steps = []
    while unlabelled:
        pairs = [
            (sum((x - y) ** 2 for x, y in zip(points[a], points[b], strict=True)), i, b)
            for i, a in enumerate(labelled)
            for b in unlabelled
        ]
        distance, i, row = min(pairs)
        steps.append((row, labelled[i], distance))
        labelled.append(row)
        unlabelled.remove(row)
    return steps
