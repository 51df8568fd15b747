from django.urls import path

from wanjia.exports import views

app_name = "exports"

urlpatterns = [
    path("", views.requests, name="requests"),
    path("ask/<slug:code>/", views.ask, name="ask"),
    path("<int:request_id>/", views.request_page, name="request"),
]
