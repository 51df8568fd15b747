"""Steps → one SQL statement → DuckDB, and the restricted language rules are written in. Runs without Django."""

from wanjia.engine.dialect import Checked, check, check_condition
from wanjia.engine.duck import DuckDB
from wanjia.engine.pipeline import Pipeline, Source, Step

__all__ = ["Checked", "DuckDB", "Pipeline", "Source", "Step", "check", "check_condition"]
