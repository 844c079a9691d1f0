"""One Spark session in local mode for all tests that need one; they skip, and say so, where there is none."""

from __future__ import annotations

import importlib.util
import os
import shutil
import sys
import warnings
from collections.abc import Iterator
from typing import Any

import pytest

#: Where clocks differ from UTC in the session and in Java: what is read must not depend on either.
ZONE, ZONE_OF_JAVA = "Asia/Tokyo", "America/New_York"


@pytest.fixture(scope="session")
def spark(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    if importlib.util.find_spec("pyspark") is None:
        pytest.skip("PySpark is not installed (pip install 'pipeforecast[spark]'); nothing of it was tested")
    if shutil.which("java") is None and not os.environ.get("JAVA_HOME"):
        pytest.skip("Java is not installed (apt-get install openjdk-17-jre-headless); nothing of Spark was tested")
    os.environ["PYSPARK_PYTHON"] = sys.executable  # of the workers
    os.environ.setdefault("SPARK_LOCAL_IP", "127.0.0.1")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)  # that PySpark knows pandas 2 alone
        from pyspark.sql import SparkSession

        conf = {
            "spark.ui.enabled": "false", "spark.ui.showConsoleProgress": "false", "spark.log.level": "ERROR",
            "spark.driver.bindAddress": "127.0.0.1", "spark.driver.host": "127.0.0.1",
            "spark.driver.extraJavaOptions": f"-Duser.timezone={ZONE_OF_JAVA}",
            "spark.sql.session.timeZone": ZONE, "spark.sql.shuffle.partitions": "2",
            "spark.sql.codegen.wholeStage": "false",  # code for a few hundred rows costs more than it saves
            "spark.sql.warehouse.dir": str(tmp_path_factory.mktemp("warehouse")),
        }  # fmt: skip
        session = SparkSession.builder.master("local[2]").appName("tests").config(map=conf).getOrCreate()
    yield session
    session.stop()
