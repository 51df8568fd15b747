from django.urls import path

from wanjia.workforce import views

app_name = "workforce"

urlpatterns = [path("mine/", views.mine, name="mine")]
