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

-- How much goodwill, credit that staff gave, each entry of an instance's credit used for an order,
-- or, negative, gave back. As billing.services.credit.money_left has it: an order uses what goodwill
-- there is at that moment, then money; what is given back was money first.
CREATE FUNCTION goodwill_used(of_instance UUID, left_out UUID[] DEFAULT '{}')
RETURNS TABLE (order_id UUID, refund_id UUID, amount BIGINT) AS $$
DECLARE
    entry RECORD;
    goodwill BIGINT := 0;
    money BIGINT;
    -- By order, what of it was money.
    used JSONB := '{}';
BEGIN
    IF NOT EXISTS (
        SELECT 1 FROM credit_entries given
        WHERE given.instance_id = of_instance AND given.kind = 'GRANTED'
            AND given.id <> ALL (left_out)
    ) THEN
        RETURN;
    END IF;
    FOR entry IN
        SELECT own.* FROM credit_entries own
        WHERE own.instance_id = of_instance AND own.transfer_id IS NULL
            AND own.id <> ALL (left_out)
        ORDER BY own.created_at, own.amount DESC, own.id
    LOOP
        IF entry.kind = 'GRANTED' THEN
            goodwill := goodwill + entry.amount;
            CONTINUE;
        END IF;
        money := CASE
            WHEN entry.amount > 0 THEN
                LEAST(entry.amount, COALESCE((used ->> entry.order_id::text)::bigint, 0))
            ELSE LEAST(goodwill + entry.amount, 0)
        END;
        goodwill := goodwill + entry.amount - money;
        IF entry.order_id IS NOT NULL THEN
            used := jsonb_set(
                used, ARRAY[entry.order_id::text],
                to_jsonb(COALESCE((used ->> entry.order_id::text)::bigint, 0) - money)
            );
            order_id := entry.order_id;
            refund_id := entry.refund_id;
            amount := money - entry.amount;
            RETURN NEXT;
        END IF;
    END LOOP;
END;
$$ LANGUAGE plpgsql STABLE;

-- What an order used, or what a refund of it gave back (negative).
CREATE FUNCTION goodwill_in(of_order UUID, of_refund UUID DEFAULT NULL)
RETURNS BIGINT AS $$
    SELECT COALESCE(sum(used.amount), 0)::bigint
    FROM (SELECT DISTINCT instance_id FROM credit_entries WHERE order_id = of_order) own
    CROSS JOIN LATERAL goodwill_used(own.instance_id) used
    WHERE used.order_id = of_order AND used.refund_id IS NOT DISTINCT FROM of_refund
$$ LANGUAGE sql STABLE;

-- Goodwill is no revenue, and what becomes goodwill again isn't paid back: what an instance's takes
-- off the figures of its orders and refunds.
CREATE FUNCTION goodwill_figures(of_instance UUID, left_out UUID[] DEFAULT '{}')
RETURNS TABLE (day DATE, measure TEXT, tier TEXT, amount BIGINT) AS $$
    SELECT day_in_vietnam(own.paid_at),
        CASE WHEN own.type = 'SUBSCRIPTION' THEN 'REVENUE' ELSE 'COURSE_FEES' END,
        COALESCE(own.tier, ''), -used.amount
    FROM goodwill_used(of_instance, left_out) used
    JOIN payment_orders own ON own.id = used.order_id
    WHERE used.refund_id IS NULL
        AND own.status = 'PAID' AND NOT own.deleted AND own.paid_at IS NOT NULL
    UNION ALL
    SELECT day_in_vietnam(refunds.sent_at), 'REFUNDS', '', used.amount
    FROM goodwill_used(of_instance, left_out) used
    JOIN refunds ON refunds.id = used.refund_id AND refunds.status = 'SENT'
    JOIN payment_orders own ON own.id = used.order_id AND own.type = 'SUBSCRIPTION'
$$ LANGUAGE sql STABLE;

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
        SELECT goodwill.day, goodwill.measure, goodwill.tier, goodwill.amount, 0
        FROM (SELECT DISTINCT instance_id FROM credit_entries WHERE kind = 'GRANTED') given
        CROSS JOIN LATERAL goodwill_figures(given.instance_id) goodwill
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
DECLARE
    goodwill BIGINT := goodwill_in(CASE WHEN TG_OP = 'DELETE' THEN OLD.id ELSE NEW.id END);
BEGIN
    IF TG_OP <> 'INSERT' AND OLD.status = 'PAID' AND NOT OLD.deleted
        -- Rows from before the check of paid orders may lack it.
        AND OLD.paid_at IS NOT NULL
    THEN
        INSERT INTO figure_entries (day, measure, tier, amount, quantity)
        VALUES (
            day_in_vietnam(OLD.paid_at),
            CASE WHEN OLD.type = 'SUBSCRIPTION' THEN 'REVENUE' ELSE 'COURSE_FEES' END,
            COALESCE(OLD.tier, ''), goodwill - OLD.amount, -1
        );
    END IF;
    IF TG_OP <> 'DELETE' AND NEW.status = 'PAID' AND NOT NEW.deleted AND NEW.paid_at IS NOT NULL THEN
        INSERT INTO figure_entries (day, measure, tier, amount, quantity)
        VALUES (
            day_in_vietnam(NEW.paid_at),
            CASE WHEN NEW.type = 'SUBSCRIPTION' THEN 'REVENUE' ELSE 'COURSE_FEES' END,
            COALESCE(NEW.tier, ''), NEW.amount - goodwill, 1
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

-- What of an order was money, and a refund of it was sent, is told apart by its type: it stays.
CREATE TRIGGER guard_payment_orders_type
    AFTER UPDATE ON payment_orders
    FOR EACH ROW
    WHEN (OLD.type IS DISTINCT FROM NEW.type
        AND (OLD.status = 'PAID' OR OLD.paid_amount > 0 OR OLD.refunded_amount > 0))
    EXECUTE FUNCTION refuse_payment_order_change('what was paid stays for what it was paid');

-- What is paid back of an order was revenue; of credit, or of a line without order, it never was.
CREATE FUNCTION count_refund()
RETURNS TRIGGER AS $$
BEGIN
    INSERT INTO figure_entries (day, measure, tier, amount, quantity)
    SELECT day_in_vietnam(sent.at), 'REFUNDS', '',
        sent.sign * (sent.amount + goodwill_in(own.id, sent.id)), sent.sign
    FROM (VALUES
        (OLD.id, OLD.order_id, OLD.status, OLD.sent_at, OLD.amount, -1),
        (NEW.id, NEW.order_id, NEW.status, NEW.sent_at, NEW.amount, 1)
    ) AS sent (id, order_id, status, at, amount, sign)
    JOIN payment_orders own ON own.id = sent.order_id AND own.type = 'SUBSCRIPTION'
    WHERE sent.status = 'SENT';
    RETURN NULL;
END;
$$ LANGUAGE plpgsql;

-- None is born sent, and none goes, but where an archive is read or a trigger is off.
CREATE TRIGGER count_new_refunds
    AFTER INSERT ON refunds
    FOR EACH ROW
    WHEN (NEW.order_id IS NOT NULL AND NEW.status = 'SENT')
    EXECUTE FUNCTION count_refund();
CREATE TRIGGER count_refunds
    AFTER UPDATE ON refunds
    FOR EACH ROW
    WHEN ((OLD.status = 'SENT' OR NEW.status = 'SENT')
        AND (OLD.status, OLD.order_id, OLD.sent_at, OLD.amount)
            IS DISTINCT FROM (NEW.status, NEW.order_id, NEW.sent_at, NEW.amount))
    EXECUTE FUNCTION count_refund();
CREATE TRIGGER count_gone_refunds
    AFTER DELETE ON refunds
    FOR EACH ROW
    WHEN (OLD.order_id IS NOT NULL AND OLD.status = 'SENT')
    EXECUTE FUNCTION count_refund();

-- An entry can say of orders that are paid already, and of what was booked after it, that it was
-- goodwill or wasn't. By statement: rows of one see each other.
CREATE FUNCTION count_credit()
RETURNS TRIGGER AS $$
BEGIN
    INSERT INTO figure_entries (day, measure, tier, amount, quantity)
    SELECT change.day, change.measure, change.tier, sum(change.amount), 0
    FROM (SELECT instance_id, array_agg(id) AS ids FROM added GROUP BY instance_id) own
    CROSS JOIN LATERAL (
        SELECT * FROM goodwill_figures(own.instance_id)
        UNION ALL
        SELECT day, measure, tier, -amount FROM goodwill_figures(own.instance_id, own.ids)
    ) change
    GROUP BY change.day, change.measure, change.tier
    HAVING sum(change.amount) <> 0;
    RETURN NULL;
END;
$$ LANGUAGE plpgsql;

CREATE TRIGGER count_credit_entries
    AFTER INSERT ON credit_entries
    REFERENCING NEW TABLE AS added
    FOR EACH STATEMENT
    EXECUTE FUNCTION count_credit();

-- The history has every change of a subscription, also one that comes from an archive; so it is
-- what is counted, and what the figures are counted from anew. A line may be older than others that
-- are there: then the step of the next one is another. So the steps of its subscription are counted
-- with the new lines, and taken off without them, from the line before the first of these on.
CREATE FUNCTION count_subscription_changes()
RETURNS TRIGGER AS $$
BEGIN
    INSERT INTO figure_entries (day, measure, tier, amount, quantity)
    SELECT day_in_vietnam(steps.changed_at), change.measure, change.tier,
        sum(steps.sign * change.amount), sum(steps.sign * change.quantity)
    FROM (
        SELECT side.sign, line.changed_at, stage, line.tier, line.monthly_price,
            lag(stage) OVER one AS was,
            lag(line.tier) OVER one AS was_tier,
            lag(line.monthly_price) OVER one AS was_price
        FROM (
            SELECT subscription_id, min(changed_at) AS first FROM added GROUP BY subscription_id
        ) touched
        CROSS JOIN (VALUES (1), (-1)) AS side (sign)
        JOIN subscription_history line ON line.subscription_id = touched.subscription_id
            AND line.changed_at >= COALESCE((
                SELECT before.changed_at FROM subscription_history before
                WHERE before.subscription_id = touched.subscription_id
                    AND before.changed_at < touched.first
                ORDER BY before.changed_at DESC
                LIMIT 1
            ), touched.first)
            AND (side.sign = 1 OR line.id NOT IN (SELECT id FROM added))
        CROSS JOIN LATERAL subscription_stage(
            line.status::text, line.deleted, line.current_period_start, line.current_period_end,
            line.trial_end
        ) stage
        WINDOW one AS (
            PARTITION BY side.sign, line.subscription_id ORDER BY line.changed_at, line.id
        )
    ) steps
    CROSS JOIN LATERAL subscription_figures(
        was, was_tier, was_price, stage, steps.tier, steps.monthly_price
    ) change
    WHERE (was, was_tier, was_price) IS DISTINCT FROM (stage, steps.tier, steps.monthly_price)
    GROUP BY 1, 2, 3
    HAVING (sum(steps.sign * change.amount), sum(steps.sign * change.quantity))
        IS DISTINCT FROM (0::numeric, 0::numeric);
    RETURN NULL;
END;
$$ LANGUAGE plpgsql;

CREATE TRIGGER count_subscription_history
    AFTER INSERT ON subscription_history
    REFERENCING NEW TABLE AS added
    FOR EACH STATEMENT
    EXECUTE FUNCTION count_subscription_changes();

-- Whatever a writer's search path, it is these tables that are counted in; and who may write what is
-- counted needs no right to the figures, so that a program with a role of its own goes on writing.
DO $$
DECLARE
    name TEXT;
BEGIN
    FOREACH name IN ARRAY ARRAY[
        'goodwill_used(UUID, UUID[])', 'goodwill_in(UUID, UUID)', 'goodwill_figures(UUID, UUID[])',
        'figures_of_facts()', 'figure_differences()'
    ] LOOP
        EXECUTE format('ALTER FUNCTION %s SET search_path = %I, pg_temp', name, current_schema());
    END LOOP;
    FOREACH name IN ARRAY ARRAY[
        'count_payment_order()', 'count_refund()', 'count_credit()', 'count_subscription_changes()'
    ] LOOP
        EXECUTE format(
            'ALTER FUNCTION %s SECURITY DEFINER SET search_path = %I, pg_temp',
            name, current_schema()
        );
    END LOOP;
END $$;
