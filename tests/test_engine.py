"""Which engine a call gets, and what it says where Spark cannot be had. What Spark answers: see ``spark``."""

from __future__ import annotations

import pickle
import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pandas as pd
import pytest

from pipeforecast.build import build_engine
from pipeforecast.engine import EMBEDDED
from pipeforecast.engine.spark import Spark, spark_session
from pipeforecast.errors import SettingsError
from pipeforecast.overrides import composed
from pipeforecast.settings import settings_for


def chosen(verb: str, *words: str) -> Any:
    return build_engine(settings_for(verb, composed(verb, ["source=x", *words])))


def test_the_settings_choose_the_engine() -> None:
    assert chosen("forecast") == chosen("audit") == chosen("check") == EMBEDDED
    assert chosen("audit", "engine=spark") == Spark("local[*]")
    assert chosen("train", "engine=spark", "engine.master=spark://head:7077") == Spark("spark://head:7077")
    assert chosen("backtest", "engine=spark", "engine.master=null") == Spark(None)
    assert pickle.loads(pickle.dumps(Spark("yarn"))) == Spark("yarn")  # noqa: S301


@pytest.mark.parametrize("master", ["localhost", "http://head:7077", "spark://", "local[", "''"])
def test_a_master_that_is_none_is_refused_before_anything_is_read(master: str) -> None:
    with pytest.raises(SettingsError, match=r"engine\.(spark\.)?master"):
        chosen("forecast", "engine=spark", f"engine.master='{master}'")


def test_embedded_answers_have_missing_values_and_times_without_a_zone() -> None:
    frame = pd.DataFrame({"at": pd.to_datetime(["2024-03-31 02:30", None]), "n": [1.5, None]})
    with EMBEDDED.session() as session:
        table = session.table(frame)
        found = session.frame(table.mutate(missing=~table["n"].notnull()).order_by("at"))
    assert found["at"].dt.tz is None
    assert found["missing"].tolist() == found["at"].isna().tolist() == [False, True]


def test_without_pyspark_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyspark.sql", None)
    with pytest.raises(SettingsError, match=r"install pipeforecast\[spark\]"):
        spark_session()


def stand_in(monkeypatch: pytest.MonkeyPatch, session: Any) -> None:
    module = ModuleType("pyspark.sql")
    module.SparkSession = session  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "pyspark", ModuleType("pyspark"))
    monkeypatch.setitem(sys.modules, "pyspark.sql", module)


def test_without_java_it_is_said_before_pyspark_says_a_page(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    stand_in(monkeypatch, SimpleNamespace(getActiveSession=lambda: None))
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("JAVA_HOME", str(tmp_path / "none"))
    with pytest.raises(SettingsError, match="Java 17 or newer"):
        spark_session()


def test_an_active_session_is_taken_and_none_is_started(monkeypatch: pytest.MonkeyPatch) -> None:
    theirs = object()
    stand_in(monkeypatch, SimpleNamespace(getActiveSession=lambda: theirs))
    assert spark_session("spark://nowhere:1") is theirs


def test_a_master_that_cannot_be_reached_is_one_line(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    class Refusing:
        def __getattr__(self, name: str) -> Any:
            return lambda *words, **named: self

        def getOrCreate(self) -> None:
            raise RuntimeError("\nMaster must start with yarn\n\tat org.apache.spark\n\tat more")

    stand_in(monkeypatch, SimpleNamespace(getActiveSession=lambda: None, builder=Refusing()))
    java = tmp_path / "bin" / "java"
    java.parent.mkdir()
    java.touch(mode=0o755)
    monkeypatch.setenv("JAVA_HOME", str(tmp_path))
    with pytest.raises(SettingsError, match="Master must start with yarn; see whether") as said:
        spark_session("spark://nowhere:1")
    assert len(str(said.value).splitlines()) == 1
