from django.urls import path

from wanjia.casework import views
from wanjia.casework.answers import views as answers
from wanjia.casework.households import views as households

app_name = "casework"

urlpatterns = [
    path("", views.case_list, name="list"),
    path("filters/save/", views.save_filter, name="save_filter"),
    path("mine/", views.mine, name="mine"),
    path("answers/", answers.answers, name="answers"),
    path("answers/form.xlsx", answers.answers_form, name="answers_form"),
    path("answers/upload/", answers.answers_upload, name="answers_upload"),
    path("answers/rejects.xlsx", answers.answers_rejects, name="answers_rejects"),
    path("answers/apply/", answers.answers_apply, name="answers_apply"),
    path("households/", households.households, name="households"),
    path("households/<int:household_no>/", households.visit, name="visit"),
    path("check-sheets/", households.check_sheets, name="check_sheets"),
    path("export/", views.export, name="export"),
    path("bulk/", views.bulk, name="bulk"),
    path("<int:case_no>/", views.case_page, name="case"),
    path("<int:case_no>/act/", views.act, name="act"),
    path("<int:case_no>/evidence/", views.evidence, name="evidence"),
]
