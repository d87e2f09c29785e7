"""Value maps: which persona is sensitive to which value proposition, and which proposition comes first."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from ilk import _core
from ilk._arguments import column_name, real, whole
from ilk._frame import Frame, require_columns, to_native
from ilk._progress import progress_bar
from ilk._random import new_seed
from ilk._result import Explanation, Result
from ilk.exceptions import DataError
from ilk.gaps._fit_matrix import delivered
from ilk.gaps._named import (
    check_missing,
    core_of,
    first_native,
    matrix_array,
    named,
    scale_ends,
    wide,
    worth_pairs,
)
from ilk.gaps._options import columns, drawing, replicates
from ilk.gaps._turf import Turf, set_sizes

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from ilk._progress import Progress

__all__ = ["ValueMap", "value_map"]


class ValueMap(Result):
    r"""Which persona is sensitive to which value proposition; made by :func:`value_map`.

    ``.table`` has one row per persona and proposition.

    ===================  ====================================================================================
    column               meaning
    ===================  ====================================================================================
    ``fit``              what the proposition delivers of each need, weighted by importance, from 0 to 1; with its
                         interval and the share of replicates in which it reaches the threshold (``p_sensitive``)
                         where customers rated or standard errors are given
    ``score``            as given
    ``n``, ``rate``      customers of the persona, and the share who responded
    ``lift``             that rate over the rate of all other customers, with its interval
    ``p``, ``q``         of Fisher's exact test, and adjusted for all pairs (Benjamini-Hochberg)
    ``sensitive``        whether the evidence passes the threshold, which ``.explain()`` states
    ``differentiation``  how far the proposition is ahead of the best competitor, weighted by importance
    ``unmatched_share``  share of importance of the needs that it leaves ``unmatched``
    ===================  ====================================================================================

    Which of them there are depends on what was given.

    Examples
    --------
    >>> from ilk.gaps import value_map
    >>> found = value_map(scores=[[1, 1, 0], [1, 0, 0], [0, 0, 1]])
    >>> found.reach["personas"].tolist()
    [2, 1, 1]
    >>> print(*found.sentences, sep="\n")
    We have 3 personas.
    Persona 1 is sensitive to value propositions 1 and 2.
    Persona 2 is sensitive only to value proposition 1.
    Persona 3 is sensitive only to value proposition 3.
    """

    __slots__ = ()

    _wraps = _core.ValueMap
    _title = "Value map"
    _formats: ClassVar[Mapping[str, str]] = {
        "fit": "index",
        "score": "index",
        "p_sensitive": "share",
        "n": "count",
        "rate": "share",
        "lift": "index",
        "p": "p",
        "q": "p",
        "differentiation": "index",
        "unmatched_share": "share",
    }

    @property
    def evidence(self) -> str:
        """What tells who is sensitive: ``"fit"``, ``"scores"`` or ``"responses"``."""
        return str(self._core.axes()[2])

    @property
    def personas(self) -> list[str]:
        """Names of the personas."""
        return list(self._core.axes()[0])

    @property
    def propositions(self) -> list[str]:
        """Names of the propositions."""
        return list(self._core.axes()[1])

    def matrix(self, what: str = "sensitive") -> Any:
        """One figure laid out as personas by propositions.

        Parameters
        ----------
        what : str
            A column of ``table``.

        Returns
        -------
        frame
            The personas are the index of a pandas frame, and else the first column.

        Raises
        ------
        DataError
            If there is no such figure.
        """
        return wide(self.to_dict(), what, self._core.names()[:2], self._native)

    @property
    def sensitivity(self) -> Any:
        """Personas by propositions: true where the persona is sensitive."""
        return self.matrix("sensitive")

    @property
    def sentences(self) -> list[str]:
        """How many personas there are, and what each is sensitive to, one sentence each."""
        return list(self._core.sentences())

    def sentence(self) -> str:
        """All :attr:`sentences` as one text."""
        return " ".join(self.sentences)

    @property
    def reach(self) -> Any:
        """Number of ``personas`` that are sensitive to each proposition, in the order of the propositions."""
        columns = {self._core.names()[1]: self.propositions, "personas": self._core.reach()}
        return to_native(Frame.of(columns).core, self._native)

    @property
    def priority(self) -> Any:
        """The propositions by rank.

        ``score`` is the mean of the rate of response, or of the fit weighted by opportunity, over the personas, weighted
        by their value. With answers or responses of customers, or standard errors, it has an interval, and ``p_first`` and
        ``p_top`` are the shares of replicates in which the proposition comes first and is among the best. ``personas``
        counts those who are sensitive, ``reach`` is their share of the value.
        """
        return to_native(self._core.priority(), self._native)

    @property
    def differentiation(self) -> Any:
        """Each proposition against the best competitor of each need, for each persona.

        ``differentiation`` is the sum over the needs of the share of importance times what the proposition delivers more
        than the best competitor; ``lag`` what it delivers less. ``points_of_difference``, ``points_of_parity`` and
        ``points_of_lag`` name needs that are at least as important as the persona's average need.

        Raises
        ------
        DataError
            If no competitors were given.
        """
        return to_native(self._core.differentiation(), self._native)

    @property
    def needs(self) -> Any:
        """Each need of each persona: importance, the best proposition and what it delivers, and the best competitor.

        Raises
        ------
        DataError
            If no needs were given.
        """
        return to_native(self._core.needs(), self._native)

    def canvas(self, roles: Sequence[str] | Mapping[str, Sequence[str]] | None = None) -> Any:
        """The way forward as one tidy table: persona, buyer role, proposition, evidence, gap, next action.

        Parameters
        ----------
        roles : sequence of str, or mapping of persona to sequence of str, optional
            Buyer roles of all personas, or of each.

        Returns
        -------
        frame
            What a persona is sensitive to first. ``gap`` names the unmatched needs. ``next_action``: lead with a
            proposition to which the persona is sensitive, by its most important point of difference where competitors are
            known; find a reason to choose it where there is no such point; leave the others out, or deliver the most
            important need that is unmatched.

        Raises
        ------
        DataError
            If a persona is not known.

        Notes
        -----
        S1-MAP-01.
        """
        pairs = None
        if isinstance(roles, Mapping):
            pairs = [(str(name), _roles(of)) for name, of in roles.items()]
        elif roles is not None:
            pairs = [(name, _roles(roles)) for name in self.personas]
        return to_native(self._core.canvas(pairs), self._native)

    def turf(self, *, k: int | Iterable[int] | None = None) -> Turf:
        """The set of propositions that reaches most.

        Parameters
        ----------
        k : int or iterable of int, optional
            Numbers of propositions in the set; by default 1 up to 8 or all.

        Returns
        -------
        Turf
            Over the customers where their responses were given; else over the personas, each weighted by its value and
            reached by what it is sensitive to.

        Raises
        ------
        DataError
            If a size is not allowed.
        """
        sizes = set_sizes(k, len(self.propositions))
        return Turf(self._core.turf(sizes, json.dumps({"k": sizes})), self._native)

    def plot(
        self,
        kind: Literal["map", "competitors"] = "map",
        *,
        persona: str | None = None,
        ax: Axes | None = None,
    ) -> Axes:
        """Draw the map, or the propositions against competitors.

        Parameters
        ----------
        kind : {"map", "competitors"}
            Personas by propositions, coloured by the evidence, with a mark where the persona is sensitive; or need by
            need, the most important on top, the best proposition and the best competitor.
        persona : str, optional
            For ``"competitors"``, whose importance counts; by default all, by their value.
        ax : matplotlib Axes, optional
            Where to draw; a new figure where none is given.

        Returns
        -------
        matplotlib Axes
            Its label (``get_label()``) describes the picture in words.

        Raises
        ------
        DataError
            If there are no competitors, or no such kind or persona.
        """
        from ilk.plot.propositions import competitors, sensitivity_map

        drawing(ax)
        if kind == "map":
            return sensitivity_map(self, ax=ax)
        if kind != "competitors":
            raise DataError(f'kind: found {kind!r}, but one of "map", "competitors" is needed')
        return competitors(self, persona=persona, ax=ax)

    def explain(self) -> Explanation:
        """Who is sensitive to what, which proposition comes first, where competitors are ahead, and every threshold."""
        return Explanation("\n".join(self._core.explain()))

    @property
    def _worth(self) -> dict[str, float]:
        """Share of each persona in the value of all."""
        return dict(zip(self.personas, self._core.worth(), strict=True))


def _roles(roles: Any) -> list[str]:
    given = isinstance(roles, Iterable) and not isinstance(roles, str)
    if not given or not all(isinstance(role, str) for role in roles):
        raise TypeError(f"roles: found {roles!r}, but lists of names are needed")
    return list(roles)


def value_map(
    needs: Any = None,
    delivery: Any = None,
    *,
    competitors: Any = None,
    scores: Any = None,
    responses: Any = None,
    satisfaction: Any = None,
    value: Mapping[str, float] | None = None,
    customer: str | None = None,
    standard_error: str | None = None,
    persona: str = "persona",
    need: str = "need",
    weight: str = "importance",
    proposition: str = "proposition",
    delivers: str = "delivery",
    competitor: str = "competitor",
    scale: tuple[float, float] | None = None,
    delivery_scale: tuple[float, float] | None = None,
    threshold: float = 0.5,
    min_lift: float = 1.0,
    matched: float = 0.5,
    parity: float = 0.1,
    top: int = 3,
    missing: Literal["error", "zero"] = "error",
    n_boot: int = 1000,
    confidence: float = 0.95,
    random_state: int | None = None,
    progress: Progress = "auto",
) -> ValueMap:
    """Map value propositions to personas: who is sensitive to which, and which comes first.

    The evidence is the fit of what is delivered to what is needed, scores that are given, or customers who responded or did
    not; with responses these decide, and the fit stands beside them.

    Parameters
    ----------
    needs : frame or mapping, optional
        How important each need is to each persona: one row per pair, one row per persona and a column per need, or
        ``{persona: {need: weight}}``. Any numbers from 0 up: only their proportions within a persona count.
    delivery : frame, mapping or list of ValueProposition, optional
        How well each proposition delivers each need, from 0 to 1, in the same forms. A :class:`ValueProposition` delivers
        the problems that a feature of its path solves.
    competitors : frame or mapping, optional
        How well each competitor delivers each need, as ``delivery``.
    scores : frame, mapping or rows of numbers, optional
        In place of needs and delivery: how much each proposition appeals to each persona, from 0 to 1. Rows without names
        are ``Persona 1`` and so on, their columns propositions ``1`` and so on.
    responses : frame, optional
        One row per customer: the persona, and for each proposition a column with 1 or true where the customer responded or
        bought. Without ``delivery`` all columns but ``persona`` and ``customer`` are propositions.
    satisfaction : str, frame or mapping, optional
        How satisfied personas are with what there is, on the scale of importance: a column of ``needs``, or in the forms of
        ``needs`` (its column of numbers is called ``"satisfaction"``). Then priorities weigh needs by
        ``importance + max(importance - satisfaction, 0)`` [1]_.
    value : mapping of str to float, optional
        What each persona is worth, such as its customers times the margin of each. By default the number of customers where
        these answered or responded, else all are worth the same.
    customer : str, optional
        Column of ``needs`` that tells customers apart, where each customer rated the needs. Importance is the mean within a
        persona, and customers are drawn again for intervals.
    standard_error : str, optional
        Column of ``needs`` with the standard error of each importance, for intervals without answers of customers.
    persona, need, weight, proposition, delivers, competitor : str
        The columns. A frame with neither ``need`` nor the column of numbers has a column for each need.
    scale, delivery_scale : tuple of float, optional
        Lowest and highest rating of importance, satisfaction and scores, and of deliveries: they become 0 and 1.
    threshold : float
        Fit or score from which a persona is sensitive.
    min_lift : float
        With responses a persona is sensitive where the interval of its lift lies above this and the adjusted test finds a
        difference.
    matched : float
        A need is unmatched where less than this is delivered.
    parity : float
        Deliveries that differ by no more than this are at par.
    top : int
        Number of places that ``p_top`` is about.
    missing : {"error", "zero"}
        Whether a pair that is not given is an error or counts 0. Customers who did not rate every need, or lack a
        response, are left out and counted in either case.
    n_boot : int
        Replicates, at least 20; 0 for no intervals of fits and ranks.
    confidence : float
        Of intervals; a test finds what has an adjusted p of at most one minus this.
    random_state : int, optional
        Seed of the replicates; by default a new one, kept in the manifest.
    progress : bool, "auto" or callable
        As for :func:`ilk.segment`.

    Returns
    -------
    ValueMap
        With ``.sensitivity``, ``.sentences``, ``.reach``, ``.priority``, ``.differentiation``, ``.needs``, ``.canvas()``,
        ``.turf()``, ``.plot()`` and ``.explain()``.

    Raises
    ------
    MissingColumnError
        If a column is not there.
    DataError
        If there is no evidence or two of one kind, a name of one frame is unknown to another, a weight is negative, a pair is
        missing or stands twice, nothing is important to a persona, or an option is not allowed.
    TypeError
        If a column of numbers holds text.

    Notes
    -----
    S2-VP-03, S2-VP-04, S2-VP-05. The fit is ``sum(w d) / sum(w)``. Differentiation is ``sum(w max(own - best competitor,
    0))`` with weights that add up to 1: it counts where a need is important and served better.

    The interval of a lift is Koopman's score interval [2]_, which holds in small samples; p-values are Fisher's. Both compare
    a persona with all other customers.

    Customers are drawn with replacement within their persona, their number and what they are worth held fixed. A replicate of
    ratings takes as many steps as there are customers times needs. Of many responses the numbers of customers with the same
    pattern are drawn, which is the same distribution in a time that hardly grows with the customers. Standard errors are taken as those of independent
    normal figures, cut at 0. Without any of them there is no interval, and the manifest says so. Deliveries are taken as
    they are.

    References
    ----------
    .. [1] Ulwick (2005), What Customers Want, McGraw-Hill.
    .. [2] Koopman (1984), Confidence intervals for the ratio of two binomial proportions, Biometrics 40:513-517.

    Examples
    --------
    >>> from ilk.gaps import value_map
    >>> needs = {"families": {"speed": 3, "price": 1}, "singles": {"speed": 1, "price": 3}}
    >>> delivery = {"box": {"speed": 1, "price": 0.2}, "shop": {"speed": 0.2, "price": 0.9}}
    >>> rivals = {"market": {"speed": 0.5, "price": 0.9}}
    >>> found = value_map(needs, delivery, competitors=rivals)
    >>> found.sentence()
    'We have 2 personas. families is sensitive only to value proposition box. singles is sensitive only to value proposition shop.'
    >>> found.matrix("differentiation")["box"].tolist()
    [0.375, 0.125]
    """
    fill = check_missing(missing)
    ends, delivery_ends = scale_ends("scale", scale), scale_ends("delivery_scale", delivery_scale)
    for argument, name in {"persona": persona, "need": need, "weight": weight, "proposition": proposition,
                           "delivers": delivers, "competitor": competitor}.items():  # fmt: skip
        column_name(argument, name)
    columns(customer=customer, standard_error=standard_error)
    limits = {"threshold": threshold, "min_lift": min_lift, "matched": matched, "parity": parity,
              "confidence": confidence}  # fmt: skip
    options = {name: real(name, value) for name, value in limits.items()} | {
        "top": whole("top", top, 1),
        "n_boot": replicates(n_boot),
    }
    by_need: dict[str, Any] = {"col": need, "fill": fill}
    ratings = {"row": persona, "scale": ends, **by_need}
    of_needs = of_scores = of_satisfaction = of_competitors = of_delivery = None
    rating = satisfaction if isinstance(satisfaction, str) else None
    if needs is not None:
        others = (customer, standard_error, rating)
        of_needs = named(needs, "needs", value=weight, others=others, **ratings)
    if satisfaction is not None and rating is None:
        of_satisfaction = named(satisfaction, "satisfaction", value="satisfaction", **ratings)
    by_offer = {"value": delivers, "scale": delivery_ends, **by_need}
    if delivery is not None:
        of_delivery = delivered(delivery, "delivery", row=proposition, **by_offer)
    if competitors is not None:
        of_competitors = delivered(competitors, "competitors", row=competitor, **by_offer)
    if scores is not None:
        of_scores = named(
            matrix_array(scores, persona),
            "scores",
            row=persona,
            col=proposition,
            value="score",
            scale=ends,
            fill=fill,
            others=(customer,),
        )
    responded: dict[str, Any] | None = None
    native = None
    if responses is not None:
        frame = Frame.of(responses, name="responses")
        require_columns([persona], frame.columns)
        offers = [name for name in frame.columns if name not in (persona, customer)]
        responded = {"table": frame.core, "persona": persona, "propositions": offers}
        native = frame.native
    rated = customer
    if of_needs is not None and responded is not None and customer in responded["table"].names():
        # Where only the frame of responses has the column, importance is told per persona.
        rated = customer if customer in of_needs.core["table"].names() else None
    frames = {"needs": core_of(of_needs), "customer": rated, "standard_error": standard_error,
              "satisfaction": core_of(of_satisfaction), "satisfaction_column": rating,
              "delivery": core_of(of_delivery), "competitors": core_of(of_competitors),
              "scores": core_of(of_scores), "responses": responded, "value": worth_pairs(value),
              "words": (persona, proposition, need)}  # fmt: skip
    satisfied = rating or satisfaction is not None
    settings = {**options, "persona": persona, "need": need, "weight": weight, "proposition": proposition,
                "delivers": delivers, "competitor": competitor, "customer": customer,
                "standard_error": standard_error, "satisfaction": satisfied, "scale": ends,
                "delivery_scale": delivery_ends, "missing": missing}  # fmt: skip
    with progress_bar(progress, "value_map") as report:
        core = _core.value_map(
            frames, options, new_seed(random_state), json.dumps(settings), report
        )
    return ValueMap(core, native or first_native(of_needs, of_scores, of_delivery))
