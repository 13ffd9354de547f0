"""A data migration that forgets `using(schema_editor.connection.alias)`."""

from django.db import migrations


def write(apps, schema_editor):
    apps.get_model("contenttypes", "ContentType").objects.create(app_label="careless", model="row")


class Migration(migrations.Migration):
    dependencies = [("contenttypes", "0002_remove_content_type_name")]

    operations = [migrations.RunPython(write, migrations.RunPython.noop)]
