from django.urls import path

from wanjia.inspection import views

app_name = "inspection"

urlpatterns = [
    path("", views.desk, name="desk"),
    path("bulk-readings/", views.bulk_readings, name="bulk_readings"),
    path("bulk-readings/<int:reading_id>/", views.bulk_reading, name="bulk_reading"),
    path("draw/", views.draw, name="draw"),
    path("samples/<int:sample_id>/", views.sample, name="sample"),
    path("samples/<int:sample_id>/population/", views.population, name="population"),
    path("samples/<int:sample_id>/papers.zip", views.papers, name="papers"),
]
