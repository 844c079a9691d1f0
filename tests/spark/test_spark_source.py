"""A Spark catalogue's tables give the history of the same data in files, whatever order their rows lie in."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pytest
import yaml

from pipeforecast.demo import make_company
from pipeforecast.errors import DataError, MissingFileError, SettingsError
from pipeforecast.ingest import read_export
from pipeforecast.ingest.databases import source_at
from pipeforecast.mapping import CrmMapping

ROOT = Path(__file__).parents[2]
TYPED = {"OpportunityHistory": {"CreatedDate": "TIMESTAMP_NTZ", "Amount": "DOUBLE", "CloseDate": "DATE"},
         "Opportunity": {"CreatedDate": "TIMESTAMP", "Amount": "DOUBLE", "IsWon": "BOOLEAN", "CloseDate": "DATE",
                         "Probability": "INT"}}  # fmt: skip


PART = ("Opportunity", "OpportunityHistory", "OpportunityStage", "User")


@pytest.fixture(scope="module")
def salesforce() -> CrmMapping:
    return CrmMapping.model_validate(yaml.safe_load((ROOT / "configs/crm/salesforce.yaml").read_text("utf-8")))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Part of a company's export, its rows sorted as a table of Spark is read: by all columns, as text."""
    folder: Path = tmp_path_factory.mktemp("files")
    make_company(n_deals=300, seed=5).write(folder)
    for path in folder.glob("*.csv"):
        if path.stem not in PART:
            path.unlink()
            continue
        frame = pd.read_csv(path, dtype=str, keep_default_na=False)
        frame.sort_values(list(frame.columns), kind="stable").to_csv(path, index=False)
    return folder


@pytest.fixture(scope="module")
def schema(spark: Any, folder: Path) -> Any:
    """The same in a schema, each table in two files whose rows are mixed; a table of the session alone beside it."""
    spark.conf.set("spark.sql.session.timeZone", "UTC")  # in which the export's times are written
    spark.sql("CREATE SCHEMA crm")
    for path in folder.glob("*.csv"):
        frame = pd.read_csv(path, dtype=str, keep_default_na=False).replace("", None).sample(frac=1, random_state=1)
        table = spark.createDataFrame(pa.Table.from_pandas(frame, preserve_index=False).cast(
            pa.schema([(c, pa.string()) for c in frame])))  # fmt: skip
        for column, kind in TYPED.get(path.stem, {}).items():
            table = table.withColumn(column, table[column].cast(kind))
        table.repartition(2).write.saveAsTable(f"crm.{path.stem}")
    spark.conf.set("spark.sql.session.timeZone", "Asia/Tokyo")
    spark.range(1).createOrReplaceTempView("mine")
    yield spark
    spark.catalog.dropTempView("mine")
    spark.sql("DROP SCHEMA crm CASCADE")


def test_a_catalogue_gives_the_history_of_the_files(schema: Any, folder: Path, salesforce: CrmMapping) -> None:
    files, tables = read_export(salesforce, folder), read_export(salesforce, "spark:///crm")
    for name in ("deals", "states", "stages"):
        pd.testing.assert_frame_equal(getattr(tables.history, name), getattr(files.history, name), check_exact=True)
    assert tables.history.roles == files.history.roles
    assert list(tables.history.tables) == list(files.history.tables)
    for name, table in files.history.tables.items():
        pd.testing.assert_frame_equal(tables.history.tables[name], table)
    pd.testing.assert_frame_equal(tables.tie, files.tie)
    assert sorted(f.code for f in tables.findings) == sorted(f.code for f in files.findings)
    again = read_export(salesforce, "spark:///spark_catalog/crm")
    assert again.content == tables.content
    assert schema.conf.get("spark.sql.session.timeZone") == "Asia/Tokyo"


def test_no_table_of_the_session_is_one_of_the_schema(schema: Any, folder: Path) -> None:
    names = [p.name for p in source_at("spark:///crm", []).paths]
    assert sorted(names) == sorted(p.stem.lower() for p in folder.glob("*.csv"))


def test_odd_cells_are_text_or_missing(schema: Any) -> None:
    schema.sql(
        "CREATE VIEW crm.odd AS SELECT * FROM VALUES (CAST('NaN' AS DOUBLE), array('a', NULL), 'é ', 1.50BD), "
        "(12345678.5D, NULL, NULL, 100.00BD) AS t(`a.b`, c, `d``e`, f)"
    )
    found = source_at("spark:///crm", []).rows(["odd"])
    assert found is not None
    assert list(found) == ["a.b", "c", "d`e", "f"]
    assert found["a.b"].map(lambda cell: float(cell or -1)).tolist() == [-1.0, 12345678.5]
    assert found["d`e"].tolist() == ["é", ""]
    assert found["f"].tolist() == ["1.50", "100.00"]
    schema.sql("DROP VIEW crm.odd")


@pytest.mark.parametrize(
    ("address", "error", "says"),
    [
        ("spark:///nowhere", DataError, "nowhere"),
        ("spark:///`; DROP SCHEMA crm", DataError, "cannot be read"),
        ("spark:///default", MissingFileError, "Opportunity"),
        ("spark:///crm?user=ann", SettingsError, "expected spark:///SCHEMA"),
        ("spark://ann:pw@head:7077/crm", SettingsError, "expected spark:///SCHEMA"),
    ],
)
def test_what_is_no_schema_is_one_clear_error(
    schema: Any, salesforce: CrmMapping, address: str, error: type[Exception], says: str
) -> None:
    with pytest.raises(error, match=says) as caught:
        read_export(salesforce, address)
    assert ":pw@" not in str(caught.value)
    assert len(str(caught.value).splitlines()) == 1
