from django.urls import path

from wanjia.audit import views

app_name = "audit"

urlpatterns = [
    path("", views.log, name="log"),
    path("export/", views.log_export, name="log_export"),
    path("readings/", views.reading_list, name="readings"),
    path("<uuid:event_id>/", views.event, name="event"),
]
