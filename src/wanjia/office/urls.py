from django.urls import path

from wanjia.office import views

app_name = "office"

urlpatterns = [
    path("", views.home, name="home"),
    path("search/", views.search, name="search"),
    path("area/", views.area, name="area"),
]
