DROP TRIGGER guard_subscriptions_revival ON subscriptions;
DROP TRIGGER guard_subscriptions_status ON subscriptions;
DROP TRIGGER keep_subscriptions_record ON subscriptions;
