DROP TYPE branding_status;
