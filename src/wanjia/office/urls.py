from django.urls import path

from wanjia.office import views

app_name = "office"

urlpatterns = [
    path("", views.home, name="home"),
    path("area/", views.area, name="area"),
]
