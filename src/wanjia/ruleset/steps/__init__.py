"""All rules over one dataset as one pass: named steps that the engine joins into one statement."""

from __future__ import annotations

from collections.abc import Sequence

from wanjia.engine.pipeline import Pipeline, Step
from wanjia.ruleset.binding import BoundRule
from wanjia.ruleset.rule import Shape
from wanjia.ruleset.steps import absent, aggregate, present, relation
from wanjia.ruleset.steps.shared import FOUND, Inputs, Pass

__all__ = ["FOUND", "Inputs", "one_pass"]

SHAPES = {
    Shape.PRESENT: present.steps,
    Shape.ABSENT: absent.steps,
    Shape.AGGREGATE: aggregate.steps,
    Shape.RELATION: relation.steps,
}


PLACED = (Shape.ABSENT, Shape.AGGREGATE)  # whose record conditions may differ from place to place


def one_pass(bound: Sequence[BoundRule], inputs: Inputs) -> Pipeline:
    """The pass of `bound` rules, which share a dataset, over its matched records.

    Each shape adds its own steps over the same records; the records and the registry are read once.
    """
    if len({item.rule.dataset for item in bound}) != 1:
        raise ValueError("one pass reads one dataset")
    whole = Pass.of(bound, inputs)
    steps: list[Step] = [whole.records()]
    if any(item.rule.shape in PLACED for item in bound):
        steps.append(whole.owned())
    answers: list[str] = []
    for shape, make in SHAPES.items():
        rules = [item for item in whole.rules if item.rule.shape is shape]
        if rules:
            more, answer = make(whole, rules)
            steps += more
            answers.append(answer)
    if len(answers) > 1:
        together = "\n  union all ".join(f"select * from {{{name}}}" for name in answers)  # noqa: S608 - step names
        question = "What do the rules of every shape find together?"
        steps.append(Step("found_by_all", question, together, tuple(answers)))
    used = {name for step in steps for name in step.reads}
    return Pipeline([source for source in whole.sources() if source.name in used], steps)
