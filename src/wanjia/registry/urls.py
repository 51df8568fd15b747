from django.urls import path

from wanjia.registry import views, years
from wanjia.registry.areas import views as areas
from wanjia.registry.imports import views as imports
from wanjia.registry.photos import views as photos
from wanjia.registry.requests import sealed_views as sealed_years
from wanjia.registry.requests import views as requests
from wanjia.registry.rights import views as rights

app_name = "registry"

urlpatterns = [
    path("years/", years.years, name="years"),
    path("years/<int:year>/", years.seal, name="seal"),
    path("years/sealing/<int:job_id>/", years.sealing, name="sealing"),
    path("households/", views.households, name="households"),
    path("households/search/", views.search, name="search"),
    path("households/suggest/", views.suggest, name="suggest"),
    path("households/save-filter/", views.save_filter, name="save_filter"),
    path("households/export/", views.export, name="export"),
    path("households/<int:household_no>/", views.household, name="household"),
    path("households/<int:household_no>/card/", views.card, name="card"),
    path("households/<int:household_no>/reveal/", views.reveal, name="reveal"),
    path("households/<int:household_no>/photos/", photos.add, name="add_photo"),
    path("households/<int:household_no>/photos/<int:file_id>/", photos.photo, name="photo"),
    path("households/<int:household_no>/photos/<int:file_id>/remove/", photos.remove, name="remove_photo"),
    path("households/<int:household_no>/correct/", requests.correct, name="correct"),
    path("households/<int:household_no>/years/<int:year>/", sealed_years.correct_year, name="correct_year"),
    path("persons/<int:person_no>/", rights.person, name="person"),
    path("persons/<int:person_no>/erase/", rights.erase, name="erase"),
    path("erasures/", rights.erasures, name="erasures"),
    path("erasures/<int:erasure_id>/", rights.erasure, name="erasure"),
    path("statistics/", areas.statistics, name="statistics"),
    path("villages/<str:village_code>/", areas.village, name="village"),
    path(
        "villages/<str:village_code>/years/<int:year>/", sealed_years.correct_village_year, name="correct_village_year"
    ),
    path("requests/", requests.requests, name="requests"),
    path("requests/<int:request_id>/", requests.request_page, name="request"),
    path("imports/", imports.imports, name="imports"),
    path("imports/<int:import_id>/", imports.one, name="import"),
    path("imports/<int:import_id>/add/", imports.add, name="add_sheet"),
    path("imports/<int:import_id>/read/", imports.read_again, name="read_sheets"),
    path("imports/<int:import_id>/apply/", imports.apply, name="apply_sheets"),
    path("imports/<int:import_id>/cancel/", imports.cancel, name="cancel_import"),
    path("imports/<int:import_id>/rejects/", imports.rejects, name="rejected_rows"),
    path("sheets/", imports.sheets, name="sheets"),
    path("sheets/file/", imports.export_sheet, name="export_sheet"),
]
