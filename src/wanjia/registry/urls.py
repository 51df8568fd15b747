from django.urls import path

from wanjia.registry import views

app_name = "registry"

urlpatterns = [
    path("households/", views.households, name="households"),
    path("households/search/", views.search, name="search"),
    path("households/suggest/", views.suggest, name="suggest"),
    path("households/export/", views.export, name="export"),
    path("households/<int:household_no>/", views.household, name="household"),
    path("households/<int:household_no>/reveal/", views.reveal, name="reveal"),
    path("households/<int:household_no>/correct/", views.correct, name="correct"),
]
