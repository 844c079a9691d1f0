"""One function a verb; each body is the sentence: read, rewind, fit, forecast, roll up, replay, report."""

from pipeforecast.workflow.again import replay
from pipeforecast.workflow.audit import audit
from pipeforecast.workflow.backtest import backtest
from pipeforecast.workflow.check import check
from pipeforecast.workflow.compare import compare
from pipeforecast.workflow.forecast import demo, forecast
from pipeforecast.workflow.init import init
from pipeforecast.workflow.keep import keep
from pipeforecast.workflow.metrics import metrics
from pipeforecast.workflow.monitor import monitor
from pipeforecast.workflow.plan import plan
from pipeforecast.workflow.score import score
from pipeforecast.workflow.thresholds import thresholds
from pipeforecast.workflow.train import train

__all__ = [
    "audit", "backtest", "check", "compare", "demo", "forecast", "init", "keep", "metrics", "monitor", "plan", "replay",
    "score", "thresholds", "train",
]  # fmt: skip
