"""A transformer of scikit-learn that replaces values by the Weight of Evidence of their bins."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

try:
    from sklearn.base import BaseEstimator, OneToOneFeatureMixin, TransformerMixin
    from sklearn.utils import ClassifierTags
    from sklearn.utils.multiclass import type_of_target
    from sklearn.utils.validation import check_consistent_length, check_is_fitted, column_or_1d
except ImportError as error:
    MESSAGE = "WoEEncoder needs scikit-learn 1.6 or later: pip install 'asymptopia[sklearn]'"
    raise ModuleNotFoundError(MESSAGE, name="sklearn") from error

from asymptopia.theory._core.validation import choice, integer, real
from asymptopia.theory.scorecard.encoder_columns import encode_column
from asymptopia.theory.scorecard.encoder_input import columns
from asymptopia.theory.scorecard.shares import check_smoothing
from asymptopia.theory.scorecard.woe import SIGNS

Array = NDArray[np.float64]
UNKNOWN = ("zero", "error")
ENCODINGS = ("woe", "bin")


class WoEEncoder(OneToOneFeatureMixin, TransformerMixin, BaseEstimator):  # type: ignore[misc]
    r"""Replace each value by the Weight of Evidence of its cell.

    Numbers are cut into the contiguous bins of largest information value, exactly, by `optimal_bins`; each category is
    a cell, and so are missing values. The target is binary. Arrays and data frames of pandas, polars or pyarrow are
    read; the output is an array, or what `set_output` asks for.

    Parameters
    ----------
    max_bins : int or None
        Bins of a numeric column at most, missing values apart.
    max_prebins : int
        Quantile prebins that the search starts from.
    trend : {"auto", "ascending", "descending", "peak", "valley", None}
        Of the event rate along the bins, as in `optimal_bins`.
    min_share : float
        Smallest share of all rows in a bin, from 0 to 1.
    smoothing : float
        Pseudo-count added to both counts of each cell. With 0 a cell of one outcome is an error.
    sign : {"good/bad", "bad/good"}
        What the Weight of Evidence divides by what; with "good/bad" positive is safer.
    event : label, optional
        The label of y that is bad; the larger of the two if None.
    unknown : {"zero", "error"}
        What becomes of a level, or of missing values, that no row had in `fit`: 0, no evidence, or an error.
    encode : {"woe", "bin"}
        Whether `transform` gives the Weight of Evidence or the number of the cell, -1 where it is unknown.

    Attributes
    ----------
    tables_ : list of EncodedColumn
        Cells, counts, Weight of Evidence and standard errors, one a column.
    iv_ : ndarray of shape (n_features,)
        Information value of each column, of the smoothed shares, in nats.
    classes_ : ndarray of shape (2,)
        The labels of y.
    event_ : label
        The label that is bad.
    n_features_in_ : int
        Number of columns.
    feature_names_in_ : ndarray of str
        Names of the columns, if all are strings.

    Notes
    -----
    A row of weight w counts as w rows, in the bins, the values and the standard errors. Fractional weights keep 50
    bits in the search for the bins. Sampling weights have other standard errors: see `survey_table`.

    The values of the training rows have seen their outcomes, so that a model looks better on these rows than it is:
    put the encoder into a pipeline to cross-validate.

    References
    ----------
    .. [1] N. Siddiqi, "Credit Risk Scorecards", Wiley, 2006, chapter 6.

    Examples
    --------
    >>> import numpy as np
    >>> rng = np.random.default_rng(0)
    >>> x = rng.standard_normal((1000, 2))
    >>> y = rng.random(1000) < 1 / (1 + np.exp(2 - x[:, 0]))
    >>> encoder = WoEEncoder(max_bins=4).fit(x, y)
    >>> encoder.iv_.round(2)
    array([0.88, 0.04])
    >>> encoder.tables_[0].labels
    ('<= -1.4998', '(-1.4998, -0.101631]', '(-0.101631, 1.42098]', '> 1.42098')
    """

    def __init__(
        self,
        *,
        max_bins: int | None = 10,
        max_prebins: int = 100,
        trend: str | None = "auto",
        min_share: float = 0.0,
        smoothing: float = 0.5,
        sign: str = "good/bad",
        event: Any = None,
        unknown: str = "zero",
        encode: str = "woe",
    ) -> None:
        self.max_bins = max_bins
        self.max_prebins = max_prebins
        self.trend = trend
        self.min_share = min_share
        self.smoothing = smoothing
        self.sign = sign
        self.event = event
        self.unknown = unknown
        self.encode = encode

    def fit(self, X: Any, y: ArrayLike | None = None, sample_weight: ArrayLike | None = None) -> Self:
        """Find the cells of each column and their Weight of Evidence.

        Parameters
        ----------
        X : array-like or data frame of shape (n_samples, n_features)
            Numbers and categories; NaN, None and null are missing.
        y : array-like of shape (n_samples,)
            Outcome, two labels.
        sample_weight : array-like of shape (n_samples,), optional
            Weights >= 0; a row of weight w counts as w rows.

        Returns
        -------
        self : WoEEncoder

        Raises
        ------
        TypeError, ValueError
            If a parameter, a value or the outcome is not as described.
        """
        if y is None:
            message = f"{type(self).__name__} requires y to be passed, but the target y is None"
            raise ValueError(message)
        options = self._options()
        found = columns(self, X, reset=True)
        outcome = column_or_1d(y, warn=True)
        check_consistent_length(outcome, found[0])
        weights = _weights(sample_weight, outcome.size)
        if weights is not None and not weights.all():
            counted = weights > 0
            outcome, weights = outcome[counted], weights[counted]
            found = [column.take(counted) for column in found]
        bad = self._events(outcome)
        self.tables_ = [
            encode_column(column.name, column.data, bad, weights, numeric=column.numeric, **options) for column in found
        ]
        self.iv_ = np.array([table.iv for table in self.tables_])
        return self

    def transform(self, X: Any) -> Any:
        """Return the Weight of Evidence, or the number of the cell, of each value.

        Parameters
        ----------
        X : array-like or data frame of shape (n_samples, n_features)
            The columns of `fit`.

        Returns
        -------
        ndarray of shape (n_samples, n_features)
            Float64, or int64 for ``encode="bin"``; a data frame after `set_output`.

        Raises
        ------
        ValueError
            If the columns are not those of `fit`, a value is infinite, or with ``unknown="error"`` a value is unknown.
        """
        check_is_fitted(self)
        choice("unknown", self.unknown, UNKNOWN)
        bins = choice("encode", self.encode, ENCODINGS) == "bin"
        found = columns(self, X, reset=False)
        result = np.empty((len(found[0]), len(found)), dtype=np.int64 if bins else np.float64, order="F")
        for j, (table, column) in enumerate(zip(self.tables_, found, strict=True)):
            codes = table.codes(column.like(table))
            if self.unknown == "error" and (codes < 0).any():
                row = int(np.argmax(codes < 0))
                message = (
                    f"column {table.name!r}, row {row}: {column.data[row]!r} was not seen in fit; unknown='zero' gives "
                    "it the Weight of Evidence 0"
                )
                raise ValueError(message)
            # the last entry answers the code -1
            result[:, j] = codes if bins else np.append(table.woe, 0.0)[codes]
        return result

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.target_tags.required = True
        tags.input_tags.allow_nan = True
        tags.input_tags.categorical = True
        if self.encode == "bin":
            tags.transformer_tags.preserves_dtype = []
        # no classifier, but the target has two classes
        tags.classifier_tags = ClassifierTags(multi_class=False)
        return tags

    def _options(self) -> dict[str, Any]:
        """Return the checked parameters of the cells."""
        choice("unknown", self.unknown, UNKNOWN)
        choice("encode", self.encode, ENCODINGS)
        return {
            "max_bins": None if self.max_bins is None else integer("max_bins", self.max_bins, 1),
            "max_prebins": integer("max_prebins", self.max_prebins, 1),
            "trend": self.trend,
            "min_share": real("min_share", self.min_share, 0.0, 1.0),
            "smoothing": check_smoothing(self.smoothing),
            "sign": choice("sign", self.sign, SIGNS),
        }

    def _events(self, outcome: NDArray[Any]) -> NDArray[np.bool_]:
        """Return where the outcome is bad; sets the labels."""
        kind = outcome.dtype.kind
        if kind == "c" or (kind == "f" and not np.isfinite(outcome).all()):
            message = (
                "Complex data not supported" if kind == "c" else "Input y contains NaN or infinity; drop such rows"
            )
            raise ValueError(message)
        try:
            classes = np.unique(outcome)
        except TypeError:
            message = "Unknown label type: y mixes labels of several types, or None; expected two labels of one type"
            raise ValueError(message) from None
        if classes.size == 1:
            message = f"y holds one class only, {classes[0]!r}; expected two"
            raise ValueError(message)
        if classes.size > 2:
            kind = type_of_target(outcome)
            message = (
                f"Only binary classification is supported. The type of the target is {kind}. Unknown label type: y "
                f"holds {classes.size} different values; expected two"
            )
            raise ValueError(message)
        if self.event is not None and self.event not in classes.tolist():
            message = f"event is {self.event!r}; expected one of the labels {classes.tolist()}"
            raise ValueError(message)
        self.classes_ = classes
        self.event_ = classes[1] if self.event is None else classes[classes.tolist().index(self.event)]
        bad: NDArray[np.bool_] = np.asarray(outcome == self.event_, dtype=bool)
        return bad


def _weights(value: ArrayLike | None, rows: int) -> Array | None:
    """Return the weights of the rows, None where there are none."""
    if value is None:
        return None
    weights = np.asarray(value, dtype=np.float64)
    if weights.shape != (rows,):
        message = f"sample_weight has shape {weights.shape}; expected ({rows},)"
        raise ValueError(message)
    if not np.isfinite(weights).all() or (weights < 0).any():
        row = int(np.argmax(~(weights >= 0) | np.isinf(weights)))
        message = f"sample_weight[{row}] is {float(weights[row])}; expected finite weights >= 0"
        raise ValueError(message)
    if not weights.any():
        message = "Sample weights must contain at least one non-zero number."
        raise ValueError(message)
    return weights
