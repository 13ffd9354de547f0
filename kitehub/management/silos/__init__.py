"""What `manage.py migrate_tenants` knows of silos: where each stands, and how it is told."""
