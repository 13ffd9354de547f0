DROP TYPE payment_status;
DROP TYPE payment_type;
