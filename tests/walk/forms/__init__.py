"""The form each writing route takes, who sends it, and all that it may change: the fields of trust.md S3.

A route that writes and stands here in no form fails a test. Each form is one that succeeds, sent by whoever may do
most there; what it may change is written down as tables and columns, and nothing else in the database may move.
"""

from tests.walk.forms import accounts, cases, findings, others, registry, sources
from tests.walk.forms.scene import Form, Scene

__all__ = ["FORMS", "Form", "Scene"]

FORMS = (*accounts.FORMS, *cases.FORMS, *findings.FORMS, *registry.FORMS, *sources.FORMS, *others.FORMS)
