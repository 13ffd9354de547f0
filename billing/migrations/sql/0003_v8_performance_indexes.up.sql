ANALYZE payment_orders;
ANALYZE subscriptions;
