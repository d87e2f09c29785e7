"""What the models of repeat buying, spend and contracts share."""

from __future__ import annotations

import json
import warnings
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Self

from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_is_fitted

from ilk import _core, _html
from ilk._frame import Frame, require_columns
from ilk._result import Explanation, Result
from ilk.economics._rfm import Rfm
from ilk.economics._time import unit_days, unit_name
from ilk.exceptions import DataError, DataWarning, ModelFileError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from ilk.economics._time import TimeUnit

#: One value, or one for each group where a model was fitted by group.
Each = float | dict[str, float]

Pooling = Literal["none", "partial"]


class UnidentifiedWarning(DataWarning):
    """The data do not tell the parameters of a model; they are given as missing."""


class Estimates(Result):
    """The parameters of a fitted model: ``.table`` has one row per parameter, and per group where there are some."""

    __slots__ = ()

    _wraps = _core.RepeatBuying
    _title = "Parameters"
    _formats: ClassVar[Mapping[str, str]] = {"n": "count"}

    def _repr_html_(self) -> str:
        return _html.panel(
            _html.table(self._shown(), self.title, self._formats),
            _html.element("p", _html.shortened(self._rows_note(), 2000), class_="ilk-note"),
        )

    def __repr__(self) -> str:
        _, _, note = super().__repr__().partition("\n")
        return f"{self.title}\n{note}"

    @property
    def title(self) -> str:
        """Which model, of how many customers, with its log-likelihood."""
        groups = self._core.groups()
        n = sum(group[1] for group in groups)
        told = sum(group[4] for group in groups)
        return f"{self._core.kind()} of {n:,.6g} customers, log-likelihood {told:,.4f}"

    def _shown(self) -> dict[str, Any]:
        columns = self.to_dict()
        shown = {name: column for name, column in columns.items() if name != "n"}
        if self._core.by() is not None:
            shown["n"] = columns["n"]
        return shown


class Model(BaseEstimator):  # type: ignore[misc]
    """What the models share."""

    _roles: ClassVar[tuple[str, ...]]

    fitted_: Estimates

    def _fit(
        self,
        data: Any,
        columns: Mapping[str, str],
        *,
        by: str | None,
        pooling: Pooling,
        weights: str | None,
        time_unit: TimeUnit | None = None,
    ) -> Self:
        for argument, column in {**columns, "by": by, "weights": weights}.items():
            if column is not None and not isinstance(column, str):
                raise TypeError(
                    f"{argument} is a {type(column).__name__}, but the name of a column is needed"
                )
        if pooling not in ("none", "partial"):
            raise DataError(f'pooling: found {pooling!r}, but "none" or "partial" is needed')
        if pooling == "partial" and by is None:
            raise DataError(
                'pooling: found "partial", but there are no groups to pool; try: by="segment"'
            )
        wanted = [*columns.values(), *(name for name in (by, weights) if name is not None)]
        frame, days = _taken(data, wanted)
        if time_unit is not None:
            given = unit_days(time_unit)
            if days is not None and days != given:
                raise DataError(
                    f"time_unit: found {time_unit!r}, but the figures are in {unit_name(days)}; "
                    "try: leave it out"
                )
            days = given
        settings = {**columns, "by": by, "pooling": pooling, "weights": weights}
        core = _core.RepeatBuying.fit(
            frame.core,
            type(self).__name__,
            columns=list(columns.values()),
            weights=weights,
            by=by,
            pooled=pooling == "partial",
            unit_days=days,
            settings=json.dumps(settings),
        )
        self._take(Estimates(core, frame.native))
        for name, found in self._unknown().items():
            where = f" of {by} {name!r}" if by is not None else ""
            warnings.warn(
                f"the data{where} do not tell {_listed(found)} of {type(self).__name__}: the likelihood has no top. "
                "The parameters are given as missing; .explain() says what forecasts rest on",
                UnidentifiedWarning,
                stacklevel=3,
            )
        return self

    def _take(self, fitted: Estimates) -> None:
        """Take over the parameters of a fitted model."""
        self.fitted_ = fitted
        core = fitted._core
        for at, name in enumerate(core.parameters()):
            setattr(self, f"{name}_", self._each([group[2][at] for group in core.groups()]))

    def _each(self, values: list[Any]) -> Any:
        """One value, or one for each group by name."""
        core = self.fitted_._core
        if core.by() is None:
            return values[0]
        return {group[0]: value for group, value in zip(core.groups(), values, strict=True)}

    def _unknown(self) -> dict[str, list[str]]:
        groups = self.fitted_._core.groups()
        return {group[0]: group[5] for group in groups if group[5]}

    @property
    def log_likelihood_(self) -> Each:
        """The log-likelihood at the parameters."""
        check_is_fitted(self)
        each: Each = self._each([group[4] for group in self.fitted_._core.groups()])
        return each

    @property
    def standard_errors_(self) -> dict[str, Each]:
        """Standard error of each parameter, by the delta method from the observed information."""
        check_is_fitted(self)
        core = self.fitted_._core
        return {
            name: self._each([group[3][at] for group in core.groups()])
            for at, name in enumerate(core.parameters())
        }

    @property
    def identified_(self) -> bool | dict[str, bool]:
        """Whether the data tell the parameters."""
        check_is_fitted(self)
        each: bool | dict[str, bool] = self._each(
            [not group[5] for group in self.fitted_._core.groups()]
        )
        return each

    @property
    def common_(self) -> dict[str, tuple[float, float]] | None:
        """Under partial pooling, each parameter of a typical group, and the spread of its logarithm over groups."""
        check_is_fitted(self)
        core = self.fitted_._core
        common = core.common()
        if common is None:
            return None
        return {
            name: (value, spread)
            for name, value, spread in zip(core.parameters(), *common, strict=True)
        }

    @property
    def summary(self) -> Any:
        """One row per parameter (and group): estimate, 95 % interval, standard error, customers."""
        check_is_fitted(self)
        return self.fitted_.table

    @property
    def manifest_(self) -> dict[str, Any]:
        """Settings, version, and rows used and left out."""
        check_is_fitted(self)
        return self.fitted_.manifest

    def explain(self) -> Explanation:
        """What the parameters say, in sentences; or why there are none."""
        check_is_fitted(self)
        core = self.fitted_._core
        by = core.by()
        lines = [f"{self.fitted_.title}."]
        for name, n, _, _, _, unknown, reached in core.groups():
            parameters = dict(zip(core.parameters(), reached, strict=True))
            start = "" if by is None else f"{name} ({n:,.6g} customers): "
            if unknown:
                lines.append(
                    f"{start}The data do not tell {_listed(unknown)}. The likelihood is as high, or higher, the further they "
                    "go towards 0 or infinity, so that any number given for them would be one of the search, not of "
                    f"the customers. {self._why_unknown()} Forecasts rest on the point that the search reached, which fits as "
                    f"well as any: there {self._in_words(parameters)}"
                )
            else:
                told = self._in_words(parameters)
                lines.append(start + (told if start else told[0].upper() + told[1:]))
        common = self.common_
        if common is not None:
            told = ", ".join(
                f"{name} {value:.3g} (spread {spread:.2f})"
                for name, (value, spread) in common.items()
            )
            lines.append(
                f"The groups are pooled: the less a group's own data tell, the nearer it is to the common {told}."
            )
        lines.extend(f"Note: {note}." for note in self.manifest_["notes"])
        return Explanation("\n".join(lines))

    def _in_words(self, parameters: dict[str, float]) -> str:
        raise NotImplementedError

    def _why_unknown(self) -> str:
        raise NotImplementedError

    def to_json(self, path: str | Path | None = None) -> str:
        """The fitted model as JSON: data, never code; written to ``path`` if one is given."""
        check_is_fitted(self)
        return self.fitted_.to_json(path)

    @classmethod
    def from_json(cls, source: str | Path) -> Self:
        """Read back what :meth:`to_json` gave: a path, or the text itself.

        Raises
        ------
        ModelFileError
            If it is broken, or holds another model.
        """
        fitted = Estimates.from_json(source)
        kind = fitted._core.kind()
        if kind != cls.__name__:
            raise ModelFileError(
                f"this is not a usable ilk file: it holds a {kind}, not a {cls.__name__}"
            )
        model = cls()
        if "time_unit" in model.get_params() and fitted._core.unit_days() is not None:
            model.set_params(time_unit=fitted._core.unit_days())
        model._take(fitted)
        return model

    def __repr__(self, **options: Any) -> str:
        if hasattr(self, "fitted_"):
            return repr(self.fitted_)
        text: str = super().__repr__(**options)
        return text

    def _repr_mimebundle_(self, **options: Any) -> dict[str, str]:
        if hasattr(self, "fitted_"):
            return {"text/plain": repr(self), "text/html": self.fitted_._repr_html_()}
        bundle: dict[str, str] = super()._repr_mimebundle_(**options)
        return bundle


def _taken(data: Any, columns: list[str]) -> tuple[Frame, float | None]:
    """A frame of customers, and the length of its unit of time where it knows it."""
    from ilk.economics._holdout import Holdout

    if isinstance(data, Rfm):
        if data.definition != "btyd":
            raise DataError(
                'customers: found figures under definition="marketing", but a model needs the other one; '
                'try: ilk.economics.rfm(orders, ..., definition="btyd")'
            )
        return _of_result(data, columns), data.unit_days
    if isinstance(data, Holdout):
        return _of_result(data, columns), data.unit_days
    return Frame.of(data, name="customers", columns=columns), None


def _of_result(data: Result, columns: list[str]) -> Frame:

    table = data._core.table()
    require_columns(columns, table.names())
    return Frame(table, data._native)


def customers_frame(model: Model, data: Any, columns: list[str]) -> Frame:
    """Customers whom a fitted model is to be applied to, in its own unit of time."""
    check_is_fitted(model)
    by = model.fitted_._core.by()
    wanted = list(dict.fromkeys([*columns, *([] if by is None else [by])]))
    frame, days = _taken(data, wanted)
    known = model.fitted_._core.unit_days()
    if days is not None and known is not None and days != known:
        raise DataError(
            f"customers: found figures in {unit_name(days)}, but the model was fitted to figures in {unit_name(known)}"
        )
    return frame


def _listed(names: list[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
