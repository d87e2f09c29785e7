"""How many segments there are."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np

from ilk import _core
from ilk._progress import progress_bar
from ilk._random import new_seed
from ilk._result import Explanation, Result
from ilk.quality._given import Given, count, numbers_of, warn

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from ilk._methods import Method
    from ilk._progress import Progress


def select_k(
    data: Any,
    *,
    method: Method = "auto",
    k: Iterable[int] = range(2, 9),
    features: Sequence[str] | None = None,
    exclude: str | Sequence[str] | None = None,
    scale: Literal["auto", "standard", "range", "none"] = "auto",
    weights: Any = None,
    n_init: int = 10,
    n_splits: int = 10,
    n_references: int = 20,
    sample_size: int = 4_000,
    silhouette_size: int = 10_000,
    random_state: int | None = None,
    progress: Progress = "auto",
) -> Selection:
    """Try numbers of segments and choose one, with the evidence for each.

    The choice is made as :func:`ilk.segment` makes it: a number repeats on other customers if its prediction strength
    [1]_ plus one standard error reaches 0.8; of those that repeat, the largest is taken whose mean silhouette [2]_ is
    at least 90 % of the widest among them; where none repeats, the one with the widest mean silhouette, and
    ``.explain()`` says so. Of the methods with a likelihood the number with the lowest BIC [6]_ is taken. The other criteria are shown beside it, with what each would choose.

    Parameters
    ----------
    data : frame of shape (n_customers, n_columns)
        pandas, polars, pyarrow, DuckDB, NumPy, or a dict of columns; one row per customer.
    method : {"auto", "kmeans", "kprototypes", "gaussian_mixture", "latent_class"}
        ``"auto"`` is k-means where every feature is an amount and nothing is missing, else k-prototypes.
    k : iterable of int
        Numbers of segments to try.
    features, exclude : sequence of str, optional
        Columns to use, by default all; columns not to use.
    scale : {"auto", "standard", "range", "none"}
        How amounts are brought to one scale; see :func:`ilk.segment`.
    weights : str or array of shape (n_customers,), optional
        A column, or one number for each customer: a customer of weight 2 counts as two.
    n_init : int
        Starts of each fit. Of 32,768 rows and more, three times as many starts are tried on a random 8,192 of them,
        and the best is carried on to its end on all rows.
    n_splits : int
        Random halvings for prediction strength; 0 measures none.
    n_references : int
        Sets of structureless data for the gap statistic [3]_; 0 measures none. Amounts are drawn from the box along
        the principal components; where one has few values, and for categories, columns are shuffled.
    sample_size : int
        Customers that prediction strength and gap rest on at most, drawn at random.
    silhouette_size : int
        Customers that silhouettes rest on at most, drawn at random; on them silhouettes are exact, and each distance
        is computed once for all numbers of segments.
    random_state : int, optional
        Seed of everything random. By default a new one is drawn and kept in the manifest.
    progress : bool, "auto" or callable
        As for :func:`ilk.segment`.

    Returns
    -------
    Selection
        One row per number; ``.k`` is the choice.

    Raises
    ------
    DataError
        If an option or a value is not allowed, or there are fewer customers than segments.

    Notes
    -----
    Within-SS, Calinski-Harabasz [4]_ (higher is better) and Davies-Bouldin [5]_ (lower is better) rest on all rows. On
    categories the squared distance is the cost of k-prototypes: gamma for each category that differs from the mode, 1
    where the method is ``"latent_class"``. BIC and ICL [7]_ (lower is better) are those of ``"gaussian_mixture"`` and
    ``"latent_class"``, on all rows; they are missing where a component collapsed onto few rows, or where the data
    cannot tell so many classes apart.

    References
    ----------
    .. [1] Tibshirani and Walther (2005), Cluster validation by prediction strength, Journal of Computational and
       Graphical Statistics 14.
    .. [2] Rousseeuw (1987), Silhouettes, Journal of Computational and Applied Mathematics 20.
    .. [3] Tibshirani, Walther and Hastie (2001), Estimating the number of clusters in a data set via the gap
       statistic, Journal of the Royal Statistical Society B 63.
    .. [4] Caliński and Harabasz (1974), A dendrite method for cluster analysis, Communications in Statistics 3.
    .. [5] Davies and Bouldin (1979), A cluster separation measure, IEEE Transactions on Pattern Analysis 1.
    .. [6] Schwarz (1978), Estimating the dimension of a model, Annals of Statistics 6.
    .. [7] Biernacki, Celeux and Govaert (2000), Assessing a mixture model for clustering with the integrated completed
       likelihood, IEEE Transactions on Pattern Analysis 22.

    Examples
    --------
    >>> import numpy as np
    >>> from ilk.quality import select_k
    >>> rng = np.random.default_rng(0)
    >>> groups = rng.normal(size=(300, 2)) + 8 * np.repeat([[0, 0], [1, 0], [0, 1]], 100, axis=0)
    >>> select_k(groups, k=range(2, 6), random_state=0).k
    3
    """
    given = Given(
        data, features=features, exclude=exclude, scale=scale, weights=weights, method=method
    )
    numbers = numbers_of(k)
    seed = new_seed(random_state)
    options = {
        "n_init": count("n_init", n_init, 1),
        "n_splits": count("n_splits", n_splits),
        "n_references": count("n_references", n_references),
        "sample_size": count("sample_size", sample_size, 8),
        "silhouette_size": count("silhouette_size", silhouette_size, 2),
    }
    with progress_bar(progress, "select_k") as report:
        core, unused = _core.quality_select(
            given.core(seed, k=numbers, **options),
            numbers,
            options["n_init"],
            options["n_splits"],
            options["n_references"],
            options["sample_size"],
            options["silhouette_size"],
            seed,
            report,
        )
    found = Selection(core, given.frame.native)
    warn(unused, [note for note in found.manifest["notes"] if "differ" in note or "holds" in note])
    return found


class Selection(Result):
    """Numbers of segments with the evidence for each; made by :func:`select_k`.

    ``.table`` has one row per number: within-SS, mean silhouette, Calinski-Harabasz, Davies-Bouldin, gap and its
    standard error, prediction strength and its standard error, share of the smallest and of the largest segment, BIC and ICL, and which
    was chosen.
    What is not defined or was not measured is missing.

    Examples
    --------
    >>> import numpy as np
    >>> from ilk.quality import select_k
    >>> rng = np.random.default_rng(0)
    >>> groups = rng.normal(size=(200, 2)) + 8 * np.repeat([[0, 0], [1, 0]], 100, axis=0)
    >>> selection = select_k(groups, k=(2, 3), random_state=0)
    >>> selection.to_dict()["chosen"].tolist()
    [True, False]
    """

    __slots__ = ()

    _wraps = _core.Selection
    _title = "How many segments"
    _formats: ClassVar[Mapping[str, str]] = {
        "smallest_share": "share",
        "largest_share": "share",
        "silhouette": "index",
        "davies_bouldin": "index",
        "gap": "index",
        "bic": "count",
        "icl": "count",
        "prediction_strength": "index",
        "prediction_strength_se": "index",
    }

    @property
    def k(self) -> int:
        """The number chosen."""
        number: int = self._core.choice()[0]
        return number

    @property
    def repeats(self) -> bool:
        """Whether the number chosen repeats on other customers."""
        repeats: bool = self._core.choice()[1]
        return repeats

    @property
    def reason(self) -> str:
        """Why this number was chosen."""
        reason: str = self._core.choice()[2]
        return reason

    @property
    def votes(self) -> dict[str, int]:
        """What each criterion by itself would choose."""
        return dict(self._core.votes())

    def explain(self) -> Explanation:
        """The choice, its reason, and what the other criteria say."""
        lines = [f"{self.k} segments: {self.reason}."]
        votes = ", ".join(f"{name} {k}" for name, k in self.votes.items())
        if votes:
            lines.append(f"Each criterion by itself: {votes}.")
        if self.votes.get("gap statistic") == 1:
            lines.append(
                "By the gap statistic the customers are no more grouped than structureless data: one segment."
            )
        columns = self.to_dict()
        smallest = float(columns["smallest_share"][list(columns["k"]).index(self.k)])
        if smallest < 0.02:
            lines.append(f"The smallest segment holds {smallest:.1%} of the customers.")
        lines += [f"{note[0].upper()}{note[1:]}." for note in self.manifest["notes"]]
        return Explanation("\n".join(lines))

    def plot(self, *, axes: Any = None) -> Any:
        """Draw the spread within segments (the elbow) and the mean silhouettes; returns two matplotlib Axes.

        Parameters
        ----------
        axes : two Axes, optional
            Where to draw; by default a new figure.
        """
        from ilk.plot import quality as plots

        return plots.selection(self, axes)

    def _shown(self) -> dict[str, Any]:
        """What was measured, with one standard error to both sides as an interval."""
        columns = self.to_dict()
        for name in ("gap", "prediction_strength"):
            error = columns.pop(f"{name}_se")
            columns[f"{name}_lo"] = columns[name] - error
            columns[f"{name}_hi"] = columns[name] + error
        measured = {
            name: values
            for name, values in columns.items()
            if name not in ("k", "chosen") and not np.all(np.isnan(values))
        }
        return {"k": columns["k"], "chosen": columns["chosen"], **measured}
