from django.urls import path

from wanjia.reference import views

app_name = "reference"

urlpatterns = [
    path("", views.parameters, name="parameters"),
    path("parameters/<str:name>/", views.parameter, name="parameter"),
    path("lines/", views.lines, name="lines"),
    path("codes/", views.codes, name="codes"),
    path("codes/<slug:name>/", views.code_list, name="code_list"),
    path("phases/", views.phases, name="phases"),
]
