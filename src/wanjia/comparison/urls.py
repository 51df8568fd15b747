from django.urls import path

from wanjia.comparison import views
from wanjia.comparison.feedback import views as feedback
from wanjia.comparison.progress import views as progress

app_name = "comparison"

urlpatterns = [
    path("", views.runs, name="runs"),
    path("request/", views.request_run, name="request"),
    path("jobs/<int:job_id>/", views.comparing, name="comparing"),
    path("progress/", progress.progress, name="progress"),
    path("progress/export/", progress.progress_export, name="progress_export"),
    path("weekly/", progress.weekly_table, name="weekly"),
    path("department/", feedback.department_desk, name="department_desk"),
    path("feedback/", feedback.feedback_list, name="feedback_list"),
    path("feedback/<int:feedback_id>/", feedback.feedback, name="feedback"),
    path("feedback/<int:feedback_id>/answer/", feedback.feedback_answer, name="feedback_answer"),
    path("sample/", views.sample, name="sample"),
    path("findings/", views.newest_findings, name="findings"),
    path("runs/<int:run_id>/save-filter/", views.save_filter, name="save_filter"),
    path("runs/<int:run_id>/", views.run, name="run"),
    path("runs/<int:run_id>/decide/", views.decide_held, name="decide_held"),
    path("runs/<int:run_id>/issue/", views.issue, name="issue"),
    path("runs/<int:run_id>/findings/<int:finding_no>/", views.finding, name="finding"),
]
