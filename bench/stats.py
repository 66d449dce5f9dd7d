"""The statistics of the benches: medians, and a lower bound for a median that assumes nothing."""

from math import comb


def median(values):
    ordered = sorted(values)
    middle = len(ordered) // 2
    if len(ordered) % 2:
        return ordered[middle]
    return (ordered[middle - 1] + ordered[middle]) / 2


def bound_rank(count):
    """The rank (from 1) of the ordered sample below which the true median lies with at most 5 %.

    The true median is below the k-th smallest of n with the probability that fewer than k of n
    coin tosses come out below: a binomial, whatever the distribution.
    """
    total, rank = 0, 0
    for below in range(count):
        total += comb(count, below)
        if total / 2**count > 0.05:
            break
        rank = below + 1
    return rank


def lower_bound(values):
    """The 95 % lower bound of the median; the least value if there are too few for one."""
    return sorted(values)[max(bound_rank(len(values)), 1) - 1]


def upper_bound(values):
    return -lower_bound([-value for value in values])


def summary(ratios):
    return {
        "median": median(ratios),
        "low": lower_bound(ratios),
        "high": upper_bound(ratios),
        "least": min(ratios),
        "most": max(ratios),
        "pairs": len(ratios),
    }
