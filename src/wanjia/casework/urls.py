from django.urls import path

from wanjia.casework import views

app_name = "casework"

urlpatterns = [
    path("", views.case_list, name="list"),
    path("mine/", views.mine, name="mine"),
    path("bulk/", views.bulk, name="bulk"),
    path("<int:case_no>/", views.case_page, name="case"),
    path("<int:case_no>/act/", views.act, name="act"),
    path("<int:case_no>/evidence/", views.evidence, name="evidence"),
]
