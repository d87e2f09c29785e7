"""Cards from a segmentation and its customers."""

from __future__ import annotations

import json
import warnings
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ilk import _core, taxonomy
from ilk._arguments import column_name, real, whole
from ilk._frame import Frame, require_columns
from ilk._labels import Labels, labelled, own_columns
from ilk._progress import progress_bar
from ilk.exceptions import DataError, DataWarning
from ilk.personas import _lines
from ilk.personas._categories import placed
from ilk.personas._personas import Personas, index_of

if TYPE_CHECKING:
    from ilk._progress import Progress
    from ilk.economics import Scorecard
    from ilk.gaps import Positioning, ValueMap
    from ilk.taxonomy import Taxonomy

    #: Columns of the customers, or what people say of each segment.
    Told = str | Sequence[str] | Mapping[str, Any]

__all__ = ["personas"]


def personas(
    segments: Any,
    df: Any = None,
    attributes: Sequence[str] | None = None,
    *,
    categories: Mapping[str, Any] | None = None,
    scenario: str | None = None,
    max_personas: int | None = 7,
    problems: Told | None = None,
    needs: Told | None = None,
    habits: Told | None = None,
    goals: Told | None = None,
    motive: Told | None = None,
    life_stage: Told | None = None,
    firm: Sequence[str] | Mapping[str, Any] | None = None,
    role: Told | None = None,
    stance: Told | None = None,
    channels: Told | None = None,
    journey: Any = None,
    committee: Any = None,
    value_map: ValueMap | None = None,
    economics: Scorecard | Any = None,
    positioning: Mapping[str, Any] | Iterable[Positioning] | None = None,
    accounts: Sequence[str] | None = None,
    inferred: Sequence[str] | None = None,
    customer: str | None = None,
    at_least: float | None = None,
    characteristics: Taxonomy | None = None,
    top: int = 5,
    min_count: int = 5,
    confidence: float = 0.95,
    sensitive: bool = False,
    progress: Progress = "auto",
) -> Personas:
    """Make a card for each segment, in which every line says where it comes from.

    A card states what most customers of the segment share, category by category, and ranks their problems, needs and habits;
    it tells what they are worth and sensitive to, and names a real customer in the middle of the segment. Lines are
    *observed* (counted, with an interval), *inferred* (from a rule or a model) or *assumed* (said by a person).

    Parameters
    ----------
    segments : Segmentation, fitted estimator, labels, or name of a column
        The segment of each customer.
    df : frame, optional
        The customers; by default those that the segmentation was found on.
    attributes : sequence of str, optional
        Columns that describe people; by default all that no other argument names. A category or flag is stated by its
        most common value; a number or date by the third of all customers in which most of the segment are.
    categories : mapping, optional
        Category of each attribute, or attributes of each category: ``{"income": "household_income"}`` or
        ``{"lifestyle": ["visits", "basket"]}``. Others are placed by the words of their names, which
        ``characteristics`` lists; ``.attributes`` shows what decided.
    scenario : str, optional
        The frame of reference, one of ``ilk.taxonomy.SCENARIOS``.
    max_personas : int, optional
        Most personas. Of more segments those with the largest share of revenue (with ``economics``) or of customers are
        kept, with a warning; ``None`` keeps all.
    problems, needs, habits, goals, channels : str, sequence of str, or mapping, optional
        One column whose categories are ranked, columns of yes and no (or ratings, with ``at_least``) that are ranked, or
        what people say: ``{"segment 1": ["finds no parking"]}``.
    motive, life_stage, role, stance : str, sequence of str, or mapping, optional
        As above. What ``ilk.taxonomy`` expects of the most common life stage, motive or role is added as inferred.
    firm : sequence of str or mapping, optional
        Columns that describe firms, stated as attributes are; or what people say.
    journey, committee : mapping or frame, optional
        Stages of the journey, and roles with their stances: ``{"segment 1": {"problem": 0.4}}``,
        ``{"segment 1": {"economic": "sceptic"}}``, or a frame with a column ``persona`` and the lines in its other
        columns, such as a stage and its share.
    value_map : ValueMap, optional
        What :func:`ilk.gaps.value_map` found for these segments.
    economics : Scorecard, optional
        What :func:`ilk.segment_scorecard` found for these segments.
    positioning : mapping or iterable of Positioning, optional
        Answers to the three questions of ``ilk.taxonomy.POSITIONING`` for each segment.
    accounts : sequence of str, optional
        Attributes of the account; the others are then of the contact.
    inferred : sequence of str, optional
        Columns that a rule or a model made: their lines are inferred.
    customer : str, optional
        Column that identifies the customer; the exemplar is named by it.
    at_least : float, optional
        For columns of ratings: a customer has it from this rating on.
    characteristics : Taxonomy, optional
        Categories of characteristics, with the ``words`` that place attributes; by default
        ``ilk.taxonomy.CHARACTERISTICS``.
    top : int
        Entries of each ranked section.
    min_count : int
        Lines that rest on fewer customers of the segment are hidden and counted, and segments with fewer customers do
        not tell how many. This keeps cards from telling of single people; it does not withstand somebody who puts several
        tables together.
    confidence : float
        Of the intervals.
    sensitive : bool
        Whether the exemplar is told with the values of its row. By default only the row is named.
    progress : bool, "auto" or callable
        Whether to show a progress bar.

    Returns
    -------
    Personas
        With ``.table``, ``.cards``, ``.coverage``, ``.prevalence()``, ``.revise()``, ``.diff()``, ``.to_json()``,
        ``.to_markdown()``, ``.to_html()``, ``.plot()`` and ``.explain()``.

    Raises
    ------
    MissingColumnError
        If a named column is not there.
    TypeError
        If an argument has another type.
    DataError
        If a category is not known or an attribute is in two; if other results know other segments; if there is nothing
        to tell.

    Warns
    -----
    DataWarning
        If there are more segments than ``max_personas``, a segment has no customers, a named column cannot be told, or
        ``journey`` or ``committee`` holds a word that is no stage, role or stance of :mod:`ilk.taxonomy`: it is told as it
        stands.

    Notes
    -----
    S2-PERS-01 to 03, S4-PERS-01, S4-PERS-02, S5-CHAR-02, S5-CHAR-03, S5-PERS-01. Shares have Wilson's intervals and means
    Student's. A line is distinctive where it holds more often in the segment than over all by the v-test [1]_, adjusted for
    all lines of all cards. The exemplar is the medoid of the segment under the mean Gower distance [2]_ over the
    attributes, among customers with the fewest missing values.

    References
    ----------
    .. [1] Lebart, Morineau and Piron (1995), Statistique exploratoire multidimensionnelle.
    .. [2] Gower (1971), A general coefficient of similarity, Biometrics 27:857-871.

    Examples
    --------
    >>> import ilk
    >>> from ilk.personas import personas
    >>> market = ilk.datasets.make_market(600, random_state=1)
    >>> features = ["age", "household", "visits_per_month", "discount_share"]
    >>> segmentation = ilk.segment(market.customers, features, k=3, random_state=0)
    >>> cards = personas(segmentation, attributes=features)
    >>> cards.names
    ['segment 1', 'segment 2', 'segment 3']
    >>> print(cards.attributes.to_string(index=False))
           attribute   category                                by level
                 age life_stage           the word age in its name
           household life_stage     the word household in its name
    visits_per_month  lifestyle        the word visits in its name
      discount_share  lifestyle      the word discount in its name
    """
    if max_personas is not None:
        whole("max_personas", max_personas, 1)
    top, min_count = whole("top", top, 1), whole("min_count", min_count)
    confidence = real("confidence", confidence)
    at_least = None if at_least is None else real("at_least", at_least)
    if not isinstance(sensitive, bool | np.bool_):
        raise TypeError(
            f"sensitive: found {sensitive!r}, but True, which tells the values of a customer's row, or False is needed"
        )
    if characteristics is None:
        characteristics = taxonomy.CHARACTERISTICS
    if not isinstance(characteristics, taxonomy.Taxonomy):
        raise TypeError(
            f"characteristics: found a {type(characteristics).__name__}, but a taxonomy is needed; "
            'try: characteristics=ilk.taxonomy.CHARACTERISTICS.extend({"pets": {"words": ["pet", "dog"]}})'
        )
    frame, labels = labelled(segments, df)
    names = labels.names
    if scenario is not None:
        scenario = taxonomy.SCENARIOS.find(scenario).key
    sections = _Sections(frame, names, at_least)
    for slot, told in (
        ("problems", problems),
        ("needs", needs),
        ("habits", habits),
        ("goals", goals),
        ("channels", channels),
    ):
        sections.take(slot, slot, told)
    sections.take("motive", "motive", motive, taxonomy.CONSUMPTION_VALUES, "description")
    sections.take("life_stage", "stage", life_stage, taxonomy.LIFE_STAGES, "driver")
    sections.take("role", "role", role, taxonomy.BUYER_ROLES, "description")
    sections.take("stance", "stance", stance, taxonomy.STANCES, "description")
    of_firms: list[str] = []
    if isinstance(firm, Mapping):
        sections.add(_lines.said("firm", "firm", firm, names))
    elif firm is not None:
        of_firms = _columns("firm", firm, frame)
    for argument, given in (("journey", journey), ("committee", committee)):
        if given is not None:
            found = _lines.said(argument, argument, given, names)
            sections.add(found)
            _lines.warn_of_strangers(argument, found)
    worth = None
    if economics is not None:
        found, worth = _lines.worth_lines(economics, names)
        sections.add(found)
    if value_map is not None:
        sections.add(_lines.value_lines(value_map, names))
    if positioning is not None:
        sections.add(_lines.positioning_lines(positioning, names))
    if customer is not None:
        require_columns([column_name("customer", customer)], frame.columns)
    on_accounts = _columns("accounts", accounts or (), frame)
    chosen = attributes is not None
    if attributes is None:
        taken = {
            customer,
            *own_columns(segments, frame, labels),
            *of_firms,
            *sections.columns,
        }
        attributes = [name for name in frame.columns if name not in taken]
    attributes = _columns("attributes", attributes, frame)
    wanted = [
        *placed(attributes, categories, characteristics),
        *((name, "firm", "given") for name in of_firms),
    ]
    keep, why = _kept(labels, max_personas, worth)
    request = {
        "names": names,
        "keep": keep,
        "why": why,
        "worth": worth,
        "categories": [
            {"key": _core.clean_text(item.key, True), "name": _core.clean_text(item.name, True)}
            for item in characteristics
        ],
        "taxonomy": _core.clean_text(characteristics.version, True),
        "scenario": scenario,
        "attributes": [
            {
                "column": name,
                "slot": _core.clean_text(slot, True),
                "by": _core.clean_text(by, True),
                "level": _level(name, slot, on_accounts, accounts is not None),
                "chosen": chosen or slot == "firm",
            }
            for name, slot, by in wanted
        ],
        "lists": sections.lists,
        "inferred": _columns("inferred", inferred or (), frame),
        "lines": [sections.lines.get(names[segment], []) for segment in keep],
        "customer": customer,
        "confidence": confidence,
        "min_count": min_count,
        "top": top,
        "sensitive": bool(sensitive),
    }
    settings = {
        "attributes": [_core.clean_text(name, True) for name in attributes] if chosen else None,
        "max_personas": max_personas,
        "scenario": scenario,
        "at_least": at_least,
        "top": top,
        "min_count": min_count,
        "confidence": confidence,
        "sensitive": bool(sensitive),
    }
    with progress_bar(progress, "personas") as report:
        core = _core.make_personas(
            frame.core, labels.codes, json.dumps(request), json.dumps(settings), report
        )
    index = index_of(segments if df is None else df)
    made = Personas(core, frame.native, frame=frame, labels=labels, index=index)
    if chosen:
        for note in made.manifest["notes"]:
            warnings.warn(note, DataWarning, stacklevel=2)
    return made


class _Sections:
    """Sections of the cards as they are gathered from the arguments."""

    def __init__(self, frame: Frame, names: Sequence[str], at_least: float | None) -> None:
        self.frame = frame
        self.names = names
        self.at_least = at_least
        self.lists: list[dict[str, Any]] = []
        self.lines: _lines.Said = {}
        self.columns: list[str] = []

    def take(
        self,
        argument: str,
        slot: str,
        told: Any,
        listed: Taxonomy | None = None,
        attribute: str = "",
    ) -> None:
        """Columns that are ranked, or what is said."""
        if told is None:
            return
        if isinstance(told, Mapping):
            self.add(_lines.said(argument, slot, told, self.names))
            return
        columns = _columns(argument, told, self.frame)
        if not columns:
            raise DataError(f"{argument}: found no column, but at least one is needed")
        follows = []
        for item in listed or ():
            reason = f"expected where most are {item.name}: taxonomy {listed.name} {listed.version}"  # type: ignore[union-attr]
            text = str(item[attribute])
            statement = f"Expected driver: {text}" if attribute == "driver" else text
            follows += [(key, statement, reason) for key in dict.fromkeys((item.key, item.name))]
        self.lists.append(
            {"slot": slot, "columns": columns, "at_least": self.at_least, "follows": follows}
        )
        self.columns += columns

    def add(self, found: _lines.Said) -> None:
        """Lines that do not come from columns."""
        for name, lines in found.items():
            self.lines.setdefault(name, []).extend(lines)


def _columns(argument: str, names: Any, frame: Frame) -> list[str]:
    listed = isinstance(names, Iterable) and not isinstance(names, str)
    columns = list(names) if listed else [names]
    for name in columns:
        if not isinstance(name, str):
            raise TypeError(
                f"{argument}: found a {type(name).__name__}, but names of columns are needed"
            )
        if columns.count(name) > 1:
            raise DataError(f"{argument}: found {name!r} twice, but each column may stand once")
    require_columns(columns, frame.columns)
    return columns


def _level(name: str, slot: str, accounts: Sequence[str], told: bool) -> str | None:
    if name in accounts or slot == "firm":
        return "account"
    return "contact" if told else None


def _kept(
    labels: Labels, max_personas: int | None, worth: Sequence[float | None] | None
) -> tuple[list[int], list[str]]:
    """The segments that get a card, and why the others get none."""
    sizes = np.bincount(labels.codes[labels.codes >= 0], minlength=len(labels.names))
    why = [""] * len(sizes)
    keep = [segment for segment, size in enumerate(sizes) if size > 0]
    for segment in np.flatnonzero(sizes == 0).tolist():
        why[segment] = "it has no customers"
        warnings.warn(
            f"segment {labels.names[segment]!r} has no customers and gets no persona",
            DataWarning,
            stacklevel=3,
        )
    if not keep:
        raise DataError("segments: found no customer in any segment, but a persona needs some")
    if max_personas is None or len(keep) <= max_personas:
        return keep, why
    by = "customers" if worth is None else "revenue"
    rank = [float(size) for size in sizes] if worth is None else [share or 0.0 for share in worth]
    first = sorted(keep, key=lambda segment: -rank[segment])[:max_personas]
    lost = [segment for segment in keep if segment not in first]
    for segment in lost:
        why[segment] = f"not among the {max_personas} segments with most {by}"
    loss = f"{sizes[lost].sum() / sizes.sum():.1%} of the customers"
    if worth is not None:
        loss += f" and {sum(worth[segment] or 0.0 for segment in lost):.1%} of the revenue"
    warnings.warn(
        f"{len(keep)} segments are more than {max_personas} personas, which people can keep apart: the {max_personas} with "
        f"most {by} get a card; the others have {loss}. try: segmentation.limit({max_personas}), which puts the nearest "
        "together, or max_personas=None",
        DataWarning,
        stacklevel=3,
    )
    return sorted(first), why
