"""A registered model scores a table of Spark as it scores the same rows in pandas."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from pipeforecast.features import describe
from pipeforecast.outcome import Lessons
from pipeforecast.pipeline import FittedPipeline
from pipeforecast.registry import ModelRecord, Registry
from pipeforecast.saved import save
from pipeforecast.scoring import OUTPUTS, columns_of, example_of, flat_table, inputs_of
from pipeforecast.snapshot import Snapshot
from pipeforecast.tracking import RunRecord, record

STRUCT = ", ".join(f"{name} double" for name in OUTPUTS)


@pytest.fixture(scope="module")
def version(tmp_path_factory: pytest.TempPathFactory, fitted: FittedPipeline, now: Snapshot) -> str:
    """Register the company's model; gives the folder of its version."""
    home: Path = tmp_path_factory.mktemp("registry")
    inputs = inputs_of(describe(now))
    save(home / "made", fitted.deals, fitted.amounts, {"inputs": inputs})
    store = Registry(f"sqlite:///{home}/mlflow.db", "deals")
    needs = ["pipeforecast"]
    model = ModelRecord(home / "made", "pipeforecast.scoring", columns_of(inputs), OUTPUTS, example_of(inputs), needs)
    run_id = record(RunRecord("train"), store.uri, "x", required=True)
    assert run_id is not None
    assert store.register(model, run_id) == "1"
    (place,) = (home / "mlartifacts").rglob("MLmodel")
    return str(place.parent)


def test_a_table_of_spark_is_scored_as_a_frame_of_pandas(
    spark: Any, version: str, fitted: FittedPipeline, lessons: Lessons
) -> None:
    """Days of several evenings, questions of its own a row, categories and dates that are missing."""
    import mlflow
    from pyspark.sql.functions import struct

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # MLflow's and PySpark's own, about pandas 3
        table = flat_table(lessons.snapshot.only(lessons.snapshot.days[-3:])).reset_index(drop=True)
        model = mlflow.pyfunc.load_model(version)
        table["horizon"] = np.where(np.arange(len(table)) % 2, 30.0, 365.0)
        assert table["expected_close"].isna().any() or table["amount"].isna().any()
        expected = model.predict(table)

        rows = pa.Table.from_pandas(table.assign(row=np.arange(len(table))), preserve_index=False)
        frame = spark.createDataFrame(_times_without_zone(rows)).repartition(2)
        score = mlflow.pyfunc.spark_udf(spark, version, result_type=f"struct<{STRUCT}>", env_manager="local")
        scored = frame.select("row", score(struct(*table.columns)).alias("said"))
        found = scored.select("row", "said.*").toArrow().to_pandas().set_index("row").sort_index()
    assert list(found) == list(OUTPUTS)
    assert len(found) == len(table) > 60
    np.testing.assert_allclose(found.to_numpy(), expected.to_numpy(), atol=1e-9, rtol=1e-9)


def _times_without_zone(rows: pa.Table) -> pa.Table:
    kinds = [pa.timestamp("us") if pa.types.is_timestamp(f.type) else f.type for f in rows.schema]
    return rows.cast(pa.schema(list(zip(rows.column_names, kinds, strict=True))))
