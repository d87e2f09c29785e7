"""From a frame of customers to segments."""

from __future__ import annotations

import json
import warnings
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from ilk import _core
from ilk._arguments import column_name, names, whole
from ilk._frame import Frame
from ilk._methods import METHODS
from ilk._progress import progress_bar
from ilk._random import new_seed
from ilk.exceptions import DataError, DataWarning
from ilk.profile import DemographicsWarning
from ilk.segments._bases import only_demographics
from ilk.segments._segmentation import Segmentation

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ilk._methods import Method
    from ilk._progress import Progress

__all__ = ["columns_of", "segment"]

_SCALES = ("auto", "standard", "range", "none")
_MISSING = ("auto", "ignore", "drop", "error")


def segment(
    df: Any,
    features: Sequence[str] | None = None,
    method: Method = "auto",
    k: int | Literal["auto"] = "auto",
    exclude: str | Sequence[str] | None = None,
    weights: str | None = None,
    scale: Literal["auto", "standard", "range", "none"] = "auto",
    missing: Literal["auto", "ignore", "drop", "error"] = "auto",
    random_state: int | None = None,
    *,
    k_max: int = 9,
    n_init: int = 10,
    base: Mapping[str, str] | None = None,
    progress: Progress = "auto",
) -> Segmentation:
    """Find the segments of customers.

    Amounts, dates and ordered categories are compared as numbers, text and other categories by equality. Columns that
    look like identifiers or free text, and constant ones, are left out with a warning unless they are named in
    ``features``.

    Parameters
    ----------
    df : frame of shape (n_customers, n_columns)
        pandas, polars, pyarrow, DuckDB, NumPy, or a dict of columns; one row per customer.
    features : sequence of str, optional
        Columns to use. By default all but ``exclude``.
    method : {"auto", "kmeans", "kprototypes", "gaussian_mixture", "latent_class"}
        ``"auto"`` is k-means where every feature is an amount and nothing is missing, else k-prototypes.
        ``"gaussian_mixture"`` gives every segment a spread of its own (full covariances) and takes complete amounts alone;
        ``"latent_class"`` reads every feature as categories, numbers with up to 50 different values too, and suits
        answers to surveys. Under both a customer belongs to the likeliest segment.
    k : int or "auto"
        Number of segments. ``"auto"`` tries 2 to ``k_max``. A number repeats on other customers if its prediction
        strength [1]_ plus one standard error, over 10 random halvings, reaches 0.8. Of those that repeat, the largest
        is taken whose mean silhouette [2]_ is at least 90 % of the widest among them. Where none repeats, the one with
        the widest mean silhouette is taken, and the result says so. Methods with a likelihood take the number with the
        lowest BIC [3]_, judged on all customers, and say whether it repeats. Data with more than 4,000 rows is judged on a
        random sample of that size.
    exclude : str or sequence of str, optional
        Columns not to use, such as the outcome that the segments are to be judged by.
    weights : str, optional
        Column with the weight of each customer.
    scale : {"auto", "standard", "range", "none"}
        ``"standard"``: mean 0, standard deviation 1. ``"auto"``: the same, after ``ln(1 + x / median)`` for
        amounts without negative values whose skewness is above 2, so that a few big spenders do not fill a segment of
        their own. ``"range"``: smallest 0, largest 1.
    missing : {"auto", "ignore", "drop", "error"}
        ``"ignore"`` (what ``"auto"`` stands for) uses what a customer has: a missing value costs nothing in any segment.
        ``"drop"`` leaves such customers out, counted in the manifest.
    random_state : int, optional
        Seed of everything random. By default a new one is drawn and kept in the manifest.
    k_max : int
        Most segments tried under ``k="auto"``; at least 2.
    n_init : int
        Starts of the final fit; the best is kept.
    base : mapping of str to str, optional
        What columns are about, where their names do not say it: ``"demographic"``, ``"lifestyle"``, ``"behaviour"``
        or ``"financial"``. Names are read by the words of ``ilk.taxonomy.BASES``; where every feature is demographic, a
        :class:`ilk.profile.DemographicsWarning` says so.
    progress : bool, "auto" or callable
        Whether to show a progress bar; ``"auto"`` does where tqdm is installed and the work takes over a second. A
        function is called with the units of work done and in all.

    Returns
    -------
    Segmentation
        Labels, sizes, profile and evidence; applies to new customers.

    Raises
    ------
    MissingColumnError
        If a named column is not there.
    DataError
        If an option or a value is not allowed; the message names the column, the row and the value.

    References
    ----------
    .. [1] Tibshirani and Walther (2005), Cluster validation by prediction strength, Journal of Computational and
       Graphical Statistics 14.
    .. [2] Rousseeuw (1987), Silhouettes, Journal of Computational and Applied Mathematics 20.
    .. [3] Schwarz (1978), Estimating the dimension of a model, Annals of Statistics 6.

    Examples
    --------
    >>> import ilk
    >>> market = ilk.datasets.make_market(600, random_state=1)
    >>> features = ["age", "household", "visits_per_month", "basket_value", "discount_share"]
    >>> segmentation = ilk.segment(market.customers, features, random_state=0)
    >>> segmentation.k == len(segmentation.names)
    True
    >>> sum(segmentation.sizes.values())
    600
    """
    _check_option("method", method, METHODS)
    _check_option("scale", scale, _SCALES)
    _check_option("missing", missing, _MISSING)
    if k != "auto" and (isinstance(k, bool) or not isinstance(k, (int, np.integer)) or k < 1):
        raise DataError(f'k: found {k!r}, but a whole number from 1 up, or "auto", is needed')
    wanted, excluded = columns_of(features, exclude)
    seed = new_seed(random_state)
    frame = Frame.of(df)
    choices = {
        "features": wanted,
        "exclude": excluded,
        "method": method,
        "k": None if k == "auto" else int(k),
        "k_max": whole("k_max", k_max, 2 if k == "auto" else 1),
        "weights": None if weights is None else column_name("weights", weights),
        "scale": scale,
        "missing": "ignore" if missing == "auto" else missing,
        "n_init": whole("n_init", n_init, 1),
        "seed": seed,
    }
    settings = {name: choices[name] for name in choices if name != "seed"}
    settings |= {"k": k if k == "auto" else int(k), "missing": missing}
    with progress_bar(progress, "segment") as report:
        core = _core.find_segments(frame.core, choices, json.dumps(settings), report)
    index = getattr(df, "index", None) if frame.native == "pandas" else None
    found = Segmentation(core, frame.native, frame=frame, index=index)
    for column, reason in core.unused():
        warnings.warn(f"column {column!r} is not used: it {reason}", DataWarning, stacklevel=2)
    for note in found.manifest["notes"]:
        warnings.warn(note, DataWarning, stacklevel=2)
    finding = only_demographics(found.features, base)
    if finding is not None:
        warnings.warn(finding, DemographicsWarning, stacklevel=2)
    return found


def columns_of(
    features: str | Sequence[str] | None, exclude: str | Sequence[str] | None
) -> tuple[list[str] | None, list[str]]:
    """The columns to use, where they are named, and those not to use.

    Raises
    ------
    DataError
        If a column is both.
    """
    if isinstance(features, str):
        features = [features]
    wanted = None if features is None else names("features", features)
    excluded = [exclude] if isinstance(exclude, str) else names("exclude", exclude or [])
    both = [name for name in wanted or [] if name in excluded]
    if both:
        raise DataError(
            f"exclude: found {both[0]!r}, but features names it, too; take it out of one of them"
        )
    return wanted, excluded


def _check_option(argument: str, value: Any, allowed: Sequence[str]) -> None:
    if value not in allowed:
        options = ", ".join(f'"{option}"' for option in allowed)
        raise DataError(f"{argument}: found {value!r}, but one of {options} is needed")
