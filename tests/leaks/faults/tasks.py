from tests.leaks.faults.breaking import WAYS, row_of
from wanjia.jobs.registry import task


@task("faults.break", retries=0)
def break_(job, person_no, way):
    WAYS[way](row_of(person_no))
