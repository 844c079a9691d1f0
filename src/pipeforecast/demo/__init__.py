"""Made-up companies with known truth, written as raw exports in Salesforce's layout.

Two mechanisms decide when deals are won; neither belongs to the family of the models that forecast them.
"""

from pipeforecast.demo.company import Company, make_company, replicate
from pipeforecast.demo.difficulty import Difficulty, measure
from pipeforecast.demo.forks import Forks, fork
from pipeforecast.demo.truth import Truth

__all__ = ["Company", "Difficulty", "Forks", "Truth", "fork", "make_company", "measure", "replicate"]
