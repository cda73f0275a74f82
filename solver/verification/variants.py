"""The schemes, at each of their orders, that a problem is given to."""

from typing import Any, NamedTuple

from opalux.solver.scheme import Feature
from opalux.solver.scheme_catalogue import SCHEMES


class Variant(NamedTuple):
    """A scheme at one of its orders."""

    scheme: str
    order: int

    @property
    def changes(self) -> dict[str, Any]:
        """What chooses it, as settings of a `Problem`."""
        return {"scheme": self.scheme, "order": self.order}

    def __str__(self) -> str:
        alone = len(SCHEMES[self.scheme].orders) == 1
        return self.scheme if alone else f"{self.scheme}, order: {self.order}"


FIRST = Variant("consistent", 1)
SECOND = Variant("consistent", 2)
STAGGERED = Variant("staggered", 2)


def variants(*asked: Feature) -> list[Variant]:
    """Return those from the table of schemes that know all that is ``asked``."""
    return [
        Variant(name, order)
        for name, scheme in SCHEMES.items()
        if not set(asked) & set(scheme.refuses)
        for order in scheme.orders
    ]
