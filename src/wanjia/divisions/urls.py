from django.urls import path

from wanjia.divisions import views

app_name = "divisions"

urlpatterns = [path("children/", views.children, name="children")]
