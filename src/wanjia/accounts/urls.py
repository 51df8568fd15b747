from django.urls import path

from wanjia.accounts import views

app_name = "accounts"

urlpatterns = [
    path("sign-in/", views.sign_in, name="sign_in"),
    path("sign-out/", views.sign_out, name="sign_out"),
    path("language/", views.language, name="language"),
    path("me/", views.me, name="me"),
    path("me/deputies/", views.name_deputy, name="name_deputy"),
    path("me/deputies/<int:deputyship_id>/end/", views.end_deputy, name="end_deputy"),
    path("me/filters/", views.filters, name="filters"),
    path("me/filters/<int:filter_id>/rename/", views.rename_filter, name="rename_filter"),
    path("me/filters/<int:filter_id>/remove/", views.remove_filter, name="remove_filter"),
    path("people/", views.people, name="people"),
    path("people/open/", views.open_account, name="open"),
    path("people/<int:user_id>/", views.person, name="person"),
    path("people/<int:user_id>/grant/", views.grant, name="grant"),
    path("people/<int:user_id>/lock/", views.lock, name="lock"),
    path("people/<int:user_id>/unlock/", views.unlock, name="unlock"),
    path("people/<int:user_id>/password/", views.set_password, name="set_password"),
    path("grants/<int:grant_id>/revoke/", views.revoke, name="revoke"),
    path("roles/", views.roles, name="roles"),
]
