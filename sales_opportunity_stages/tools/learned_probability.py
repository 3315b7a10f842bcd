"""How likely an opportunity that has come to a stage is to be won, learned from those that were closed.

The estimate is the observed rate drawn towards a prior one, as if as many more opportunities as ``weight`` says had
ended at the prior rate: Cestnik's m-estimate. The interval is Wilson's score interval of the observed rate, which stays
within 0 and 1 and means something for small samples too.

- B. Cestnik, "Estimating probabilities: a crucial task in machine learning", Proceedings of ECAI 1990, 147-149.
- E. B. Wilson, "Probable inference, the law of succession, and statistical inference", Journal of the American
  Statistical Association 22 (1927), 209-212.
"""

from math import sqrt
from statistics import NormalDist
from typing import NamedTuple

PRIOR_WEIGHT = 4
SMALLEST_SAMPLE = 20
QUANTILE = NormalDist().inv_cdf(0.975)  # two-sided 95 %


class Learned(NamedTuple):
    """What is learned of a stage; ``low`` and ``high`` are the interval of the rate observed."""

    probability: float
    low: float
    high: float
    won: int
    sample_size: int


def estimate(won, lost, prior, weight=PRIOR_WEIGHT):
    """The probability of winning, after that many were won and lost.

    >>> estimate(3, 1, 0.6)
    0.675
    >>> estimate(0, 0, 0.6)  # nothing seen: the prior rate
    0.6
    """
    return (won + weight * prior) / (won + lost + weight)


def wilson_interval(won, sample_size):
    """Bounds of the rate of winning at 95 %.

    >>> "{:.4f} {:.4f}".format(*wilson_interval(1, 10))
    '0.0179 0.4042'
    >>> "{:.4f} {:.4f}".format(*wilson_interval(0, 10))
    '0.0000 0.2775'
    >>> wilson_interval(0, 0)
    (0.0, 1.0)
    """
    if not sample_size:
        return 0.0, 1.0
    rate, share = won / sample_size, QUANTILE**2 / sample_size
    center = (rate + share / 2) / (1 + share)
    margin = sqrt(rate * (1 - rate) * share + share**2 / 4) / (1 + share)
    return max(center - margin, 0.0), min(center + margin, 1.0)


def learn(outcomes, weight=PRIOR_WEIGHT):
    """What a type's closed opportunities teach of its stages; nothing where none has been closed.

    The first stage is reached by all of them, so its rate is the type's, and the prior one of each stage.

    :param outcomes: (won, lost) of those that reached each stage, in the order of the stages
    :rtype: list[Learned]

    The worked example: three won, two lost, one of these at the second stage and one at the third.

    >>> ["{:.4f} of {}".format(each.probability, each.sample_size) for each in learn([(3, 2), (3, 2), (3, 1), (3, 0)])]
    ['0.6000 of 5', '0.6000 of 5', '0.6750 of 4', '0.7714 of 3']
    >>> learn([(0, 0), (0, 0)])
    []
    """
    closed = sum(outcomes[0]) if outcomes else 0
    if not closed:
        return []
    prior = outcomes[0][0] / closed
    return [
        Learned(estimate(won, lost, prior, weight), *wilson_interval(won, won + lost), won, won + lost)
        for won, lost in outcomes
    ]


def to_percent(probability):
    """In percent as an open opportunity may have it: 0 and 100 are for lost and won, as in Odoo's scoring.

    >>> to_percent(5.4 / 7), to_percent(0), to_percent(1)
    (77.14, 0.01, 99.99)
    """
    return min(max(round(100 * probability, 2), 0.01), 99.99)
