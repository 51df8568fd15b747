"""`{% load divisions %}`: the area picker."""

from __future__ import annotations

from django import template
from django.template.context import RequestContext

from wanjia.divisions.picker import Picker, picker

register = template.Library()


@register.inclusion_tag("divisions/_picker.html", takes_context=True)
def area_picker(
    context: RequestContext, name: str = "area", code: str = "", label: str = "", required: bool = False
) -> dict[str, Picker]:
    """A field for choosing an area, inside a form: `{% area_picker name="area" code=form.area.value %}`."""
    viewer = context["request"].viewer
    return {"picker": picker(viewer, code or "", name=name, label=label, required=required)}
