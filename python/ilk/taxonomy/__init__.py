"""Lists that people agree on, as data: scenarios, characteristics, life stages, motives, roles, stages.

Each is a frozen :class:`Taxonomy` with a version and a source, and can be replaced by one of your own wherever ilk takes
one: :meth:`Taxonomy.replace`, :meth:`Taxonomy.extend` and :meth:`Taxonomy.remove` give a new version with a record of what
was changed and why. :func:`get` finds one by name, :func:`available` tells them all.

========================  ==========================================================================================
``SCENARIOS``             six frames of reference to segment by
``CHARACTERISTICS``       eleven categories of what tells a group of people apart; ``words`` guess them from names
``LIFE_STAGES``           four, with the ``driver`` expected of each
``MONEY_EFFORT``          four quadrants of money by ease of earning it, with the ``behaviour`` expected of each
``MOTIVES``               three: functional, emotional, social
``CONSUMPTION_VALUES``    the five of Sheth, Newman and Gross
``FIRM_SIZES``            the classes of the European Union, by staff
``MATURITY_LEVELS``       five levels of process maturity
``BUYER_ROLES``           who takes part in a complex sale
``STANCES``               where they stand
``APPROVAL_CHAIN``        who approves, in order, and what each wants to hear
``CONSUMER_JOURNEY``      four stages
``B2B_JOURNEY``           six stages
``FUNNEL``                six stages, A to F
``POSITIONING``           three questions
``BASES``                 four kinds of variables to segment by; ``words`` guess them from names
``BLOCKS``                in what the members of a segment are alike
``OUTCOMES``              what firms buy for
========================  ==========================================================================================
"""

from __future__ import annotations

from ilk.exceptions import DataError
from ilk.taxonomy._buying import (
    APPROVAL_CHAIN,
    B2B_JOURNEY,
    BUYER_ROLES,
    CONSUMER_JOURNEY,
    FIRM_SIZES,
    FUNNEL,
    MATURITY_LEVELS,
    OUTCOMES,
    STANCES,
)
from ilk.taxonomy._item import Item, nearest
from ilk.taxonomy._people import (
    BASES,
    BLOCKS,
    CHARACTERISTICS,
    CONSUMPTION_VALUES,
    LIFE_STAGES,
    MONEY_EFFORT,
    MOTIVES,
    POSITIONING,
    SCENARIOS,
)
from ilk.taxonomy._taxonomy import Change, Taxonomy

__all__ = [
    "APPROVAL_CHAIN",
    "B2B_JOURNEY",
    "BASES",
    "BLOCKS",
    "BUYER_ROLES",
    "CHARACTERISTICS",
    "CONSUMER_JOURNEY",
    "CONSUMPTION_VALUES",
    "FIRM_SIZES",
    "FUNNEL",
    "LIFE_STAGES",
    "MATURITY_LEVELS",
    "MONEY_EFFORT",
    "MOTIVES",
    "OUTCOMES",
    "POSITIONING",
    "SCENARIOS",
    "STANCES",
    "Change",
    "Item",
    "Taxonomy",
    "available",
    "get",
]

_ALL = (
    SCENARIOS,
    CHARACTERISTICS,
    LIFE_STAGES,
    MONEY_EFFORT,
    MOTIVES,
    CONSUMPTION_VALUES,
    FIRM_SIZES,
    MATURITY_LEVELS,
    BUYER_ROLES,
    STANCES,
    APPROVAL_CHAIN,
    CONSUMER_JOURNEY,
    B2B_JOURNEY,
    FUNNEL,
    POSITIONING,
    BASES,
    BLOCKS,
    OUTCOMES,
)


def available() -> list[str]:
    """Names of the taxonomies that come with ilk.

    Returns
    -------
    list of str
        Each for :func:`get`.

    Examples
    --------
    >>> from ilk import taxonomy
    >>> taxonomy.available()[:3]
    ['scenarios', 'characteristics', 'life_stages']
    """
    return [taxonomy.name for taxonomy in _ALL]


def get(name: str) -> Taxonomy:
    """A taxonomy by name.

    Parameters
    ----------
    name : str
        One of :func:`available`.

    Returns
    -------
    Taxonomy
        The list as shipped.

    Raises
    ------
    DataError
        If there is none of this name; the message names the nearest.
    TypeError
        If it is no text.

    Examples
    --------
    >>> from ilk import taxonomy
    >>> taxonomy.get("motives").keys
    ['functional', 'emotional', 'social']
    """
    if not isinstance(name, str):
        raise TypeError(
            f"name: found {name!r}, but the name of a taxonomy is needed; try: name={_ALL[0].name!r}"
        )
    for taxonomy in _ALL:
        if taxonomy.name == name:
            return taxonomy
    raise DataError(
        f"name: found {name!r}, but the taxonomies are {', '.join(available())}{nearest(str(name), available())}"
    )
