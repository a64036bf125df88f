"""The columns that a vectorizer makes, and the steps between vectorizers and classifier."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from msgspec import structs
from sklearn.feature_extraction.text import CountVectorizer, HashingVectorizer, TfidfTransformer, TfidfVectorizer
from sklearn.feature_selection import SelectorMixin
from sklearn.pipeline import FeatureUnion, Pipeline

from inference.errors import ConversionError
from inference.model.manifest import NgramFeatures
from inference.training.convert.messages import ONNX, kind
from inference.training.convert.vectorizers import read_hashing, read_vectorizer

Array = np.ndarray[Any, Any]


@dataclass(frozen=True)
class Block:
    """The columns of one vectorizer: its settings, and for each term its idf and its column after selection."""

    features: NgramFeatures
    terms: list[str]
    """Empty if the vocabulary is hashed; then a bucket takes the place of a term."""
    idf: Array
    columns: Array
    """For each term the column that it has in the input of the next step; -1: it was not selected."""
    scale: float = 1.0

    @property
    def width(self) -> int:
        """Columns that the next step sees."""
        return int((self.columns >= 0).sum())


def flat(pipeline: Pipeline) -> list[tuple[str, Any]]:
    """The steps of a pipeline and of the pipelines in it, without those that pass everything through."""
    steps = []
    for name, step in pipeline.steps:
        if isinstance(step, Pipeline):
            steps += [(f"{name}.{inner}", each) for inner, each in flat(step)]
        elif step is not None and step != "passthrough":
            steps.append((name, step))
    return steps


def read_transformers(steps: Sequence[tuple[str, Any]]) -> list[Block]:
    """The columns that the steps before the classifier make.

    Raises:
        ConversionError: a step or a setting cannot be converted exactly.
    """
    (name, first), *others = steps
    blocks = _first(name, first)
    weighted = isinstance(first, TfidfVectorizer)
    for name, step in others:
        block = blocks[0]
        if type(step) is TfidfTransformer and len(blocks) == 1 and not weighted and block.width == len(block.columns):
            blocks, weighted = [_tfidf(name, block, step)], True
        elif isinstance(step, SelectorMixin):
            blocks = _select(blocks, step.get_support())
        else:
            raise ConversionError(f"step '{name}', a {kind(step)}, is not supported at this place; {ONNX}")
    return blocks


def _first(name: str, step: Any) -> list[Block]:
    if isinstance(step, FeatureUnion):
        return _union(name, step)
    if type(step) is HashingVectorizer:
        features = read_hashing(name, step)
        buckets = step.n_features
        return [Block(features, [], np.ones(buckets), np.arange(buckets))]
    if type(step) in {CountVectorizer, TfidfVectorizer}:
        features, terms = read_vectorizer(name, step)
        block = Block(features, terms, np.ones(len(terms)), np.arange(len(terms)))
        return [_tfidf(name, block, step._tfidf) if isinstance(step, TfidfVectorizer) else block]  # noqa: SLF001
    raise ConversionError(
        f"step '{name}' is a {kind(step)}; a pipeline begins with CountVectorizer, TfidfVectorizer, HashingVectorizer"
        " or a FeatureUnion of them"
    )


def _union(name: str, union: FeatureUnion) -> list[Block]:
    blocks: list[Block] = []
    scales = union.transformer_weights or {}
    for inner, transformer in union.transformer_list:
        if transformer == "drop":
            continue
        steps = flat(transformer) if isinstance(transformer, Pipeline) else [(inner, transformer)]
        if transformer == "passthrough":
            raise ConversionError(f"step '{name}.{inner}' passes texts through; a classifier needs numbers")
        for block in read_transformers([(f"{name}.{step_name}", step) for step_name, step in steps]):
            offset = sum(each.width for each in blocks)
            columns = np.where(block.columns >= 0, block.columns + offset, -1)
            blocks.append(replace(block, columns=columns, scale=block.scale * scales.get(inner, 1.0)))
    return blocks


def _tfidf(name: str, block: Block, transformer: TfidfTransformer) -> Block:
    if block.features.norm and (transformer.norm is None or transformer.sublinear_tf):
        raise ConversionError(
            f"step '{name}' weights vectors that the step before it has scaled by norm='{block.features.norm}'; fit"
            " that step with norm=None"
        )
    if block.features.hashing and block.features.hashing.alternate_sign and transformer.sublinear_tf:
        raise ConversionError(
            f"step '{name}' takes logarithms of counts that can be negative; fit HashingVectorizer with"
            " alternate_sign=False"
        )
    # What was scaled to one length and is scaled again has the same direction: the first scaling has no effect.
    features = structs.replace(block.features, sublinear_tf=bool(transformer.sublinear_tf), norm=transformer.norm)
    return replace(block, features=features, idf=np.asarray(transformer.idf_) if transformer.use_idf else block.idf)


def _select(blocks: list[Block], support: Array) -> list[Block]:
    """The same terms, whose columns are those that are selected: norms are still those of all terms."""
    after = np.append(np.where(support, np.cumsum(support) - 1, -1), -1)
    return [replace(block, columns=after[block.columns]) for block in blocks]
