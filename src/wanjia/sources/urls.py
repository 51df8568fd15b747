from django.urls import path

from wanjia.sources import views

app_name = "sources"

urlpatterns = [
    path("", views.batch_list, name="list"),
    path("upload/", views.upload, name="upload"),
    path("<int:batch_id>/", views.batch_page, name="batch"),
    path("<int:batch_id>/accept/", views.accept, name="accept"),
    path("<int:batch_id>/let-go-on/", views.let_go_on, name="let_go_on"),
    path("<int:batch_id>/columns/", views.columns, name="columns"),
    path("mappings/", views.mappings, name="mappings"),
    path("mappings/<int:mapping_id>/end/", views.end_mapping, name="end_mapping"),
    path("<int:batch_id>/reject/", views.reject, name="reject"),
    path("<int:batch_id>/withdraw/", views.withdraw, name="withdraw"),
    path("<int:batch_id>/read/", views.read_again, name="read_again"),
    path("<int:batch_id>/rejects.csv", views.reject_sheet, name="reject_sheet"),
]
