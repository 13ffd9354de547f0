"""The plan, V4: guest sessions and events."""

import uuid

import django.contrib.postgres.functions
from django.db import migrations, models

import kitehub.db.fields
import kitehub.db.functions
import kitehub.db.indexes


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("kitehub", "0003_v3_instance_bank_accounts"),
    ]

    operations = [
        migrations.CreateModel(
            name="GuestSession",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        db_default=django.contrib.postgres.functions.RandomUUID(),
                        default=uuid.uuid4,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                        verbose_name="ID",
                    ),
                ),
                ("session_id", models.CharField(max_length=50, verbose_name="session")),
                ("instance_id", models.UUIDField(verbose_name="instance")),
                (
                    "created_at",
                    kitehub.db.fields.PlainTimestampField(
                        db_default=kitehub.db.functions.Now(), verbose_name="started at"
                    ),
                ),
                ("expires_at", kitehub.db.fields.PlainTimestampField(verbose_name="expires at")),
                (
                    "source",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("landing_page", "Landing page"),
                            ("social_media", "Social media"),
                            ("organic", "Search"),
                            ("referral", "Referral"),
                        ],
                        max_length=50,
                        null=True,
                        verbose_name="source",
                    ),
                ),
                (
                    "device_type",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("mobile", "Phone"),
                            ("desktop", "Computer"),
                            ("tablet", "Tablet"),
                        ],
                        max_length=20,
                        null=True,
                        verbose_name="device",
                    ),
                ),
                ("user_agent", models.TextField(blank=True, null=True, verbose_name="user agent")),
                (
                    "ip_address",
                    models.CharField(
                        blank=True, max_length=45, null=True, verbose_name="IP address"
                    ),
                ),
            ],
            options={
                "verbose_name": "guest session",
                "verbose_name_plural": "guest sessions",
                "db_table": "guest_sessions",
                "db_table_comment": "Anonymous guest user sessions",
                "indexes": [
                    kitehub.db.indexes.Index(
                        fields=["session_id"], name="idx_guest_sessions_session"
                    ),
                    kitehub.db.indexes.Index(
                        fields=["instance_id"], name="idx_guest_sessions_instance"
                    ),
                    kitehub.db.indexes.Index(
                        fields=["-created_at"], name="idx_guest_sessions_created"
                    ),
                    kitehub.db.indexes.Index(
                        fields=["expires_at"], name="idx_guest_sessions_expires"
                    ),
                ],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("session_id",), name="guest_sessions_session_id_key"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="GuestEvent",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        db_default=django.contrib.postgres.functions.RandomUUID(),
                        default=uuid.uuid4,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                        verbose_name="ID",
                    ),
                ),
                ("session_id", models.CharField(max_length=50, verbose_name="session")),
                ("instance_id", models.UUIDField(verbose_name="instance")),
                ("event_type", models.CharField(max_length=50, verbose_name="event")),
                ("course_id", models.UUIDField(blank=True, null=True, verbose_name="course ID")),
                (
                    "course_name",
                    models.CharField(blank=True, max_length=200, null=True, verbose_name="course"),
                ),
                (
                    "timestamp",
                    kitehub.db.fields.PlainTimestampField(
                        db_default=kitehub.db.functions.Now(), verbose_name="time"
                    ),
                ),
                (
                    "metadata",
                    models.JSONField(
                        blank=True,
                        db_comment='Additional event data: {contactMethod: "facebook", duration: 120}',
                        db_default={},
                        default=dict,
                        null=True,
                        verbose_name="details",
                    ),
                ),
            ],
            options={
                "verbose_name": "guest event",
                "verbose_name_plural": "guest events",
                "db_table": "guest_events",
                "db_table_comment": "Guest user behavior events for analytics",
                "indexes": [
                    kitehub.db.indexes.Index(
                        fields=["session_id"], name="idx_guest_events_session"
                    ),
                    kitehub.db.indexes.Index(
                        fields=["instance_id"], name="idx_guest_events_instance"
                    ),
                    kitehub.db.indexes.Index(fields=["event_type"], name="idx_guest_events_type"),
                    kitehub.db.indexes.Index(
                        condition=models.Q(("course_id__isnull", False)),
                        fields=["course_id"],
                        name="idx_guest_events_course",
                    ),
                    kitehub.db.indexes.Index(
                        fields=["-timestamp"], name="idx_guest_events_timestamp"
                    ),
                ],
            },
        ),
    ]
