"""Statistics of agreement counts: confidence in a rate, and comparison of two proposers. Standard library only.

Source: E. B. Wilson, "Probable inference, the law of succession, and statistical inference", 1927; the exact sign test is the binomial one.
"""

from math import sqrt

Z_95 = 1.959963984540054  # the normal distribution's 97.5 % point: a two-sided interval of 95 %


def wilson_lower(agreed: int, cases: int) -> float:
    """The lower end of Wilson's interval for the rate behind `agreed` of `cases`; 0.0 where there is no case.

    Unlike the plain rate it knows how little a few cases say: 50 of 50 is 0.929, 125 of 125 is 0.970. Raises ValueError for impossible counts.
    """
    _possible(agreed, cases)
    if cases == 0:
        return 0.0
    rate, square = agreed / cases, Z_95 * Z_95
    middle = rate + square / (2 * cases)
    spread = Z_95 * sqrt(rate * (1 - rate) / cases + square / (4 * cases * cases))
    return max(0.0, (middle - spread) / (1 + square / cases))


def ratio(part: int, whole: int) -> float | None:
    """`part` of `whole`, None where there is nothing to divide by."""
    return part / whole if whole else None


def _possible(part: int, whole: int) -> None:
    """Raises ValueError for a part that is negative or larger than the whole."""
    if not 0 <= part <= whole:
        raise ValueError(f"{part} of {whole} cannot be")
