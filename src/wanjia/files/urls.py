from django.urls import path

from wanjia.files import views

app_name = "files"

urlpatterns = [path("<int:file_id>/", views.open_file, name="open")]
