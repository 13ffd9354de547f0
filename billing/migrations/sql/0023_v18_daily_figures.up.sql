CREATE FUNCTION day_in_vietnam(moment TIMESTAMPTZ)
RETURNS DATE AS $$
    SELECT (moment AT TIME ZONE 'Asia/Ho_Chi_Minh')::date
$$ LANGUAGE sql IMMUTABLE PARALLEL SAFE;

-- What a subscription is for the figures. As long as its time is all of its trial it is one that is
-- tried, whatever its state says: who has cancelled a trial and taken that back is ACTIVE, and has
-- paid nothing.
CREATE FUNCTION subscription_stage(
    status TEXT, deleted BOOLEAN, starts_at TIMESTAMPTZ, ends_at TIMESTAMPTZ, trial_end TIMESTAMPTZ
)
RETURNS TEXT AS $$
    SELECT CASE
        WHEN deleted THEN 'GONE'
        WHEN status = 'TRIAL' THEN 'TRIAL'
        WHEN status IN ('ACTIVE', 'PAST_DUE') THEN
            CASE
                WHEN ends_at <= trial_end THEN 'TRIAL'
                WHEN status = 'ACTIVE' THEN 'PAYING'
                ELSE 'PAST_DUE'
            END
        WHEN ends_at <= trial_end THEN 'TRIAL_LOST'
        WHEN ends_at <= starts_at THEN 'NEW'
        WHEN status = 'CANCELED' THEN 'CANCELED'
        ELSE 'LOST'
    END
$$ LANGUAGE sql IMMUTABLE PARALLEL SAFE;

-- What it changes in the figures that a subscription was one thing and is another. `was` is NULL
-- for the first that is known of it. At any time
--     paying = STARTED + TRIALS_CONVERTED + RETURNED - CHURNED
--     tried  = TRIALS_BEGUN - TRIALS_CONVERTED - TRIALS_LOST
-- A step back takes back what the step counted: a cancellation that is undone, a first payment that
-- is refunded, a trial that is paid for late or given more days.
CREATE FUNCTION subscription_figures(
    was TEXT, was_tier TEXT, was_price BIGINT, stage TEXT, new_tier TEXT, new_price BIGINT
)
RETURNS TABLE (measure TEXT, tier TEXT, amount BIGINT, quantity BIGINT) AS $$
    SELECT 'MRR', was_tier, -was_price, -1::bigint WHERE was IN ('PAYING', 'PAST_DUE')
    UNION ALL
    SELECT 'MRR', new_tier, new_price, 1 WHERE stage IN ('PAYING', 'PAST_DUE')
    UNION ALL
    SELECT 'PAST_DUE', was_tier, -was_price, -1 WHERE was = 'PAST_DUE'
    UNION ALL
    SELECT 'PAST_DUE', new_tier, new_price, 1 WHERE stage = 'PAST_DUE'
    UNION ALL
    SELECT 'TRIALS', was_tier, -was_price, -1 WHERE was = 'TRIAL'
    UNION ALL
    SELECT 'TRIALS', new_tier, new_price, 1 WHERE stage = 'TRIAL'
    UNION ALL
    SELECT 'TRIALS_BEGUN', new_tier, new_price, 1
    WHERE COALESCE(was, 'NEW') IN ('NEW', 'CANCELED', 'LOST') AND stage = 'TRIAL'
    UNION ALL
    SELECT 'TRIALS_CONVERTED', new_tier, new_price, 1
    WHERE was IN ('TRIAL', 'TRIAL_LOST') AND stage IN ('PAYING', 'PAST_DUE')
    UNION ALL
    SELECT 'TRIALS_CONVERTED', was_tier, -was_price, -1
    WHERE was IN ('PAYING', 'PAST_DUE') AND stage IN ('TRIAL', 'TRIAL_LOST')
    UNION ALL
    SELECT 'TRIALS_LOST', was_tier, was_price, 1
    WHERE (was = 'TRIAL' AND stage NOT IN ('TRIAL', 'PAYING', 'PAST_DUE'))
        OR (was IN ('PAYING', 'PAST_DUE') AND stage = 'TRIAL_LOST')
    UNION ALL
    SELECT 'TRIALS_LOST', new_tier, -new_price, -1
    WHERE (was = 'TRIAL_LOST' AND stage IN ('TRIAL', 'PAYING', 'PAST_DUE'))
        OR (was = 'GONE' AND stage = 'TRIAL')
    UNION ALL
    SELECT 'STARTED', new_tier, new_price, 1
    WHERE COALESCE(was, 'NEW') = 'NEW' AND stage IN ('PAYING', 'PAST_DUE')
    UNION ALL
    SELECT 'STARTED', was_tier, -was_price, -1
    WHERE was IN ('PAYING', 'PAST_DUE') AND stage = 'NEW'
    UNION ALL
    SELECT 'CHURNED', was_tier, was_price, 1
    WHERE was IN ('PAYING', 'PAST_DUE') AND stage IN ('CANCELED', 'LOST', 'GONE')
    UNION ALL
    SELECT 'CHURNED', new_tier, -new_price, -1
    WHERE was IN ('CANCELED', 'GONE') AND stage IN ('PAYING', 'PAST_DUE')
    UNION ALL
    SELECT 'RETURNED', new_tier, new_price, 1
    WHERE was = 'LOST' AND stage IN ('PAYING', 'PAST_DUE')
$$ LANGUAGE sql IMMUTABLE PARALLEL SAFE;

-- The figures anew from what they are about. Reads all of it.
CREATE FUNCTION figures_of_facts()
RETURNS TABLE (day DATE, measure TEXT, tier TEXT, amount BIGINT, quantity BIGINT) AS $$
    SELECT found.day, found.measure, found.tier,
        sum(found.amount)::bigint, sum(found.quantity)::bigint
    FROM (
        SELECT day_in_vietnam(paid_at) AS day,
            CASE WHEN type = 'SUBSCRIPTION' THEN 'REVENUE' ELSE 'COURSE_FEES' END AS measure,
            COALESCE(payment_orders.tier, '') AS tier, payment_orders.amount, 1::bigint AS quantity
        FROM payment_orders
        WHERE status = 'PAID' AND NOT deleted AND paid_at IS NOT NULL
        UNION ALL
        SELECT day_in_vietnam(refunds.sent_at), 'REFUNDS', '', refunds.amount, 1
        FROM refunds JOIN payment_orders own ON own.id = refunds.order_id
        WHERE refunds.status = 'SENT' AND own.type = 'SUBSCRIPTION'
        UNION ALL
        SELECT day_in_vietnam(changed_at), change.*
        FROM (
            SELECT changed_at, stage, history.tier, monthly_price,
                lag(stage) OVER one AS was,
                lag(history.tier) OVER one AS was_tier,
                lag(monthly_price) OVER one AS was_price
            FROM subscription_history history
            CROSS JOIN LATERAL subscription_stage(
                status::text, deleted, current_period_start, current_period_end, trial_end
            ) stage
            WINDOW one AS (PARTITION BY subscription_id ORDER BY changed_at, id)
        ) steps
        CROSS JOIN LATERAL subscription_figures(
            was, was_tier, was_price, stage, steps.tier, monthly_price
        ) change
        WHERE (was, was_tier, was_price) IS DISTINCT FROM (stage, steps.tier, monthly_price)
    ) found
    GROUP BY found.day, found.measure, found.tier
$$ LANGUAGE sql STABLE;

-- What the figures lack to be those of the facts, or have too much: added to them, it mends them.
CREATE FUNCTION figure_differences()
RETURNS TABLE (day DATE, measure TEXT, tier TEXT, amount BIGINT, quantity BIGINT) AS $$
    SELECT both_sides.day, both_sides.measure, both_sides.tier,
        sum(both_sides.amount)::bigint, sum(both_sides.quantity)::bigint
    FROM (
        SELECT * FROM figures_of_facts()
        UNION ALL
        SELECT kept.day, kept.measure, kept.tier, -kept.amount, -kept.quantity
        FROM daily_figures kept
        UNION ALL
        SELECT entry.day, entry.measure, entry.tier, -entry.amount, -entry.quantity
        FROM figure_entries entry
    ) both_sides
    GROUP BY both_sides.day, both_sides.measure, both_sides.tier
    HAVING (sum(both_sides.amount), sum(both_sides.quantity)) IS DISTINCT FROM (0, 0)
$$ LANGUAGE sql STABLE;

-- Money of an order counts on the day on which the bank had it, as long as it is paid and there.
CREATE FUNCTION count_payment_order()
RETURNS TRIGGER AS $$
BEGIN
    IF TG_OP <> 'INSERT' AND OLD.status = 'PAID' AND NOT OLD.deleted
        -- Rows from before the check of paid orders may lack it.
        AND OLD.paid_at IS NOT NULL
    THEN
        INSERT INTO figure_entries (day, measure, tier, amount, quantity)
        VALUES (
            day_in_vietnam(OLD.paid_at),
            CASE WHEN OLD.type = 'SUBSCRIPTION' THEN 'REVENUE' ELSE 'COURSE_FEES' END,
            COALESCE(OLD.tier, ''), -OLD.amount, -1
        );
    END IF;
    IF TG_OP <> 'DELETE' AND NEW.status = 'PAID' AND NOT NEW.deleted AND NEW.paid_at IS NOT NULL THEN
        INSERT INTO figure_entries (day, measure, tier, amount, quantity)
        VALUES (
            day_in_vietnam(NEW.paid_at),
            CASE WHEN NEW.type = 'SUBSCRIPTION' THEN 'REVENUE' ELSE 'COURSE_FEES' END,
            COALESCE(NEW.tier, ''), NEW.amount, 1
        );
    END IF;
    RETURN NULL;
END;
$$ LANGUAGE plpgsql;

-- Per row, behind a condition: most writes are of orders that aren't paid, and cost a comparison.
CREATE TRIGGER count_new_payment_orders
    AFTER INSERT ON payment_orders
    FOR EACH ROW
    WHEN (NEW.status = 'PAID' AND NOT NEW.deleted)
    EXECUTE FUNCTION count_payment_order();
CREATE TRIGGER count_payment_orders
    AFTER UPDATE ON payment_orders
    FOR EACH ROW
    WHEN ((OLD.status = 'PAID' OR NEW.status = 'PAID') AND (
        OLD.status, OLD.deleted, OLD.paid_at, OLD.amount, OLD.type, OLD.tier
    ) IS DISTINCT FROM (
        NEW.status, NEW.deleted, NEW.paid_at, NEW.amount, NEW.type, NEW.tier
    ))
    EXECUTE FUNCTION count_payment_order();
CREATE TRIGGER count_gone_payment_orders
    AFTER DELETE ON payment_orders
    FOR EACH ROW
    WHEN (OLD.status = 'PAID' AND NOT OLD.deleted AND OLD.paid_at IS NOT NULL)
    EXECUTE FUNCTION count_payment_order();

-- What is paid back of an order was revenue; of credit, or of a line without order, it never was.
CREATE FUNCTION count_refund()
RETURNS TRIGGER AS $$
BEGIN
    INSERT INTO figure_entries (day, measure, tier, amount, quantity)
    SELECT day_in_vietnam(sent.at), 'REFUNDS', '', sent.amount, sent.quantity
    FROM (VALUES
        (OLD.status, OLD.sent_at, -OLD.amount, -1), (NEW.status, NEW.sent_at, NEW.amount, 1)
    ) AS sent (status, at, amount, quantity)
    JOIN payment_orders own ON own.id = NEW.order_id AND own.type = 'SUBSCRIPTION'
    WHERE sent.status = 'SENT';
    RETURN NULL;
END;
$$ LANGUAGE plpgsql;

CREATE TRIGGER count_refunds
    AFTER UPDATE ON refunds
    FOR EACH ROW
    WHEN (NEW.order_id IS NOT NULL
        AND (OLD.status = 'SENT' OR NEW.status = 'SENT')
        AND (OLD.status, OLD.sent_at, OLD.amount)
            IS DISTINCT FROM (NEW.status, NEW.sent_at, NEW.amount))
    EXECUTE FUNCTION count_refund();

-- The history has every change of a subscription, also one that comes from an archive; so it is
-- what is counted, and what the figures are counted from anew.
CREATE FUNCTION count_subscription_change()
RETURNS TRIGGER AS $$
DECLARE
    was RECORD;
    stage TEXT := subscription_stage(
        NEW.status::text, NEW.deleted, NEW.current_period_start, NEW.current_period_end,
        NEW.trial_end
    );
BEGIN
    SELECT tier, monthly_price, subscription_stage(
        status::text, deleted, current_period_start, current_period_end, trial_end
    ) AS stage INTO was
    FROM subscription_history
    WHERE subscription_id = NEW.subscription_id AND (changed_at, id) < (NEW.changed_at, NEW.id)
    ORDER BY changed_at DESC, id DESC
    LIMIT 1;
    IF (was.stage, was.tier, was.monthly_price)
        IS DISTINCT FROM (stage, NEW.tier::text, NEW.monthly_price)
    THEN
        INSERT INTO figure_entries (day, measure, tier, amount, quantity)
        SELECT day_in_vietnam(NEW.changed_at), change.*
        FROM subscription_figures(
            was.stage, was.tier, was.monthly_price, stage, NEW.tier, NEW.monthly_price
        ) change;
    END IF;
    RETURN NULL;
END;
$$ LANGUAGE plpgsql;

CREATE TRIGGER count_subscription_history
    AFTER INSERT ON subscription_history
    FOR EACH ROW
    EXECUTE FUNCTION count_subscription_change();

-- Whatever a writer's search path, it is these tables that are counted in.
DO $$
DECLARE
    name TEXT;
BEGIN
    FOREACH name IN ARRAY ARRAY[
        'figures_of_facts()', 'figure_differences()', 'count_payment_order()', 'count_refund()',
        'count_subscription_change()'
    ] LOOP
        EXECUTE format('ALTER FUNCTION %s SET search_path = %I, pg_temp', name, current_schema());
    END LOOP;
END $$;
