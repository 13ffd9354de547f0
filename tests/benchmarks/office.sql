-- The rows of a back office of %(orders)s orders, 900 a day, up to %(at)s: a million take three
-- years.
--
-- A twentieth as many schools; the first has a fifth of all orders. Where there are few orders,
-- there is more of what comes of some of them only, so that each list has a thousand rows, and each
-- of its states a page. Nearly all orders are paid, by one bank line each; few wait. Ids are
-- scattered as random ones are, and computed, so that rows of different tables find each other
-- without a join. A statement ends in two semicolons.

-- One of so many, or all where there are few: which one is the third argument.
CREATE OR REPLACE FUNCTION pg_temp.some(n bigint, of int, nth int) RETURNS boolean IMMUTABLE
RETURN n %% least(of, %(thin)s) = nth %% least(of, %(thin)s);;

-- The same, and one of 15 where there are few.
CREATE OR REPLACE FUNCTION pg_temp.rare(n bigint, of int, nth int) RETURNS boolean IMMUTABLE
RETURN n %% least(of, 15 * %(thin)s) = nth %% least(of, 15 * %(thin)s);;

CREATE TEMPORARY TABLE school AS
SELECT n, md5('school ' || n)::uuid AS id, md5('owner ' || n)::uuid AS owner_id,
    md5('subscription ' || n)::uuid AS subscription_id,
    %(at)s::timestamptz - (schools - n) * (interval '95 seconds' * %(orders)s / schools) AS at,
    (ARRAY['BASIC', 'STANDARD', 'PREMIUM'])[1 + n %% 3] AS tier,
    (ARRAY[299000, 599000, 1299000])[1 + n %% 3] AS price
FROM (SELECT greatest(%(orders)s / least(20, %(thin)s), 10) AS schools) size,
    generate_series(1, schools) n;;

CREATE TEMPORARY TABLE sale AS
SELECT n, md5('order ' || n)::uuid AS id, md5('line ' || n)::uuid AS transfer_id,
    1 + CASE WHEN n %% 5 = 0 THEN 0 ELSE 1 + n::bigint * 7919 %% (schools - 1) END AS school,
    %(at)s::timestamptz - (%(orders)s - n) * interval '95 seconds' AS at,
    CASE
        WHEN n > %(orders)s - 60 OR n %% 2000 = 7 THEN 'PENDING'
        WHEN pg_temp.rare(n, 25, 3) THEN 'EXPIRED'
        WHEN pg_temp.rare(n, 50, 1) THEN 'CANCELLED'
        ELSE 'PAID'
    END AS status,
    CASE
        WHEN n IN (%(orders)s / 3, %(orders)s / 2, %(orders)s / 3 * 2) THEN 1234567
        WHEN n %% 40 = 6 THEN 1500000 + n %% 50 * 10000
        WHEN n %% 10 = 3 THEN 599000
        WHEN n %% 10 = 7 THEN 1299000
        ELSE 299000
    END AS amount,
    n %% 40 = 6 AS enrols
FROM (SELECT greatest(%(orders)s / least(20, %(thin)s), 10) AS schools) size,
    generate_series(1, %(orders)s) n;;

ANALYZE school, sale;;

INSERT INTO kitehub_users (id, email, password, full_name, is_superuser, is_staff, is_active,
    date_joined)
SELECT owner_id, 'chu-truong-' || n || '@example.vn', '!', 'Nguyễn Văn ' || n, false, n <= 20,
    true, at
FROM school;;

INSERT INTO instances (id, subdomain, organization_name, owner_id, tier, status, database_url,
    database_username, database_password, subscription_id, subscription_expires_at,
    trial_expires_at, created_at, updated_at)
SELECT id, 'truong-' || n, 'Trung tâm Anh ngữ Sao Mai ' || n, owner_id, tier,
    CASE WHEN pg_temp.rare(n, 100, 1) THEN 'SUSPENDED'
        WHEN pg_temp.rare(n, 50, 2) THEN 'CLOSED'
        WHEN n %% 12 = 3 THEN 'TRIAL' ELSE 'ACTIVE' END,
    'postgres://pool/kitehub', 'kitehub', %(password)s, subscription_id,
    %(at)s::timestamptz + n %% 30 * interval '1 day', at + interval '14 days', at, at
FROM school;;

INSERT INTO instance_configs (instance_id, tier, features, limitations, created_at, updated_at)
SELECT id, tier, '{"aiBranding": true}', '{"maxStudents": 100}', at, at FROM school;;

INSERT INTO api_keys (instance_id, name, prefix, secret_hash, scopes, created_at, created_by,
    line_id)
SELECT id, 'Website', lpad(n::text, 10, '0'), encode(sha256(n::text::bytea), 'hex'),
    '{orders:read}', at, 'benchmark', gen_random_uuid()
FROM school;;

INSERT INTO subscriptions (id, instance_id, tier, monthly_price, status, current_period_start,
    current_period_end, trial_end, created_at, updated_at)
SELECT subscription_id, id, tier, price,
    (CASE WHEN pg_temp.rare(n, 200, 5) THEN 'PAST_DUE'
        WHEN pg_temp.rare(n, 50, 2) THEN 'EXPIRED'
        WHEN pg_temp.rare(n, 50, 9) THEN 'CANCELED'
        WHEN n %% 12 = 3 THEN 'TRIAL' ELSE 'ACTIVE'
    END)::subscription_status,
    %(at)s::timestamptz + (n %% 30 - 30) * interval '1 day' + n * interval '1 second',
    %(at)s::timestamptz + n %% 30 * interval '1 day' + n * interval '1 second',
    at + interval '14 days', at, at
FROM school;;

INSERT INTO subscription_periods (subscription_id, kind, tier, starts_at, ends_at, order_id,
    created_at, created_by)
SELECT subscription_id, CASE WHEN number < %(orders)s THEN 'PAID' ELSE 'CARRIED' END, tier,
    ends_at - interval '30 days', ends_at,
    CASE WHEN number < %(orders)s THEN md5('order ' || 1 + number)::uuid END,
    ends_at - interval '31 days', 'settlement'
FROM school, generate_series(0, 5) month,
    LATERAL (SELECT (n - 1) * 6 + month AS number,
        %(at)s::timestamptz + (n %% 30 - 30 * month) * interval '1 day' AS ends_at) paid;;

INSERT INTO subscription_history (subscription_id, tier, status, monthly_price, changed_at,
    changed_by, change_reason, current_period_start, current_period_end, deleted)
SELECT subscription_id, tier, 'ACTIVE', price, changed_at, 'settlement', 'Order KH is paid',
    changed_at, changed_at + interval '30 days', false
FROM school, generate_series(0, 7) month,
    LATERAL (SELECT %(at)s::timestamptz + (n %% 30 - 30 - 30 * month) * interval '1 day'
        + n * interval '1 millisecond' AS changed_at) o;;

INSERT INTO subscription_adjustments (subscription_id, kind, days, starts_at, reason, created_at,
    created_by)
SELECT subscription_id, 'EXTENSION', 7, at, 'Xin lỗi vì sự cố', at, 'nhan-vien@example.vn'
FROM school WHERE pg_temp.some(n, 5, 1);;

INSERT INTO payment_orders (id, order_id, type, user_id, instance_id, amount, tier, status,
    payment_content, transaction_reference, paid_at, created_at, expires_at, updated_at,
    created_by, purpose, months, monthly_price, subject, memo, bank_bin, account_number,
    account_name, student_name, paid_amount, cancelled_at, cancel_reason)
SELECT sale.id, 'KH' || upper(lpad(to_hex(sale.n), 8, '0')),
    (CASE WHEN enrols THEN 'ENROLLMENT' ELSE 'SUBSCRIPTION' END)::payment_type,
    school.owner_id, school.id, amount, CASE WHEN enrols THEN NULL ELSE tier END,
    status::payment_status, 'KITEHUB KH' || upper(lpad(to_hex(sale.n), 8, '0')),
    CASE status WHEN 'PAID' THEN 'FT26' || lpad(sale.n::text, 9, '0') END,
    CASE status WHEN 'PAID' THEN sale.at + interval '10 minutes' END,
    sale.at, sale.at + interval '24 hours', sale.at, 'renew_subscriptions',
    CASE WHEN enrols THEN NULL ELSE 'PERIOD' END, CASE WHEN enrols THEN NULL ELSE 1 END,
    CASE WHEN enrols THEN NULL ELSE price END,
    CASE status WHEN 'PENDING' THEN 'subscription:' || sale.n ELSE 'subscription' END,
    'KH' || upper(lpad(to_hex(sale.n), 8, '0')), '970436', '0123499999', 'CONG TY KITEHUB',
    CASE WHEN enrols THEN 'Trần Thị ' || sale.n END,
    CASE status WHEN 'PAID' THEN amount ELSE 0 END,
    CASE status WHEN 'CANCELLED' THEN sale.at + interval '1 hour' END,
    CASE status WHEN 'CANCELLED' THEN 'superseded' END
FROM sale JOIN school ON school.n = sale.school ORDER BY sale.n;;

INSERT INTO bank_transfers (id, provider, provider_id, account_number, bank, instance_id, amount,
    memo, counterparty_name, counterparty_account, reference, transferred_at, received_at, state,
    settled_at, allocated_amount, virtual_account, details, counterparty_bank, raw_body, note)
SELECT transfer_id, 'SEPAY', n::text, '0123499999', '970436', md5('school ' || school)::uuid,
    amount, 'MBVCB.3278907687.KH' || upper(lpad(to_hex(n), 8, '0')) || '.CT tu 0071000123456',
    'NGUYEN VAN A', '0071000123456', 'FT26' || lpad(n::text, 9, '0'), at + interval '9 minutes',
    at + interval '10 minutes', 'MATCHED', at + interval '10 minutes', amount, '', '', '',
    repeat('{"id": 92704, "gateway": "Vietcombank"}', 8), ''
FROM sale WHERE status = 'PAID' ORDER BY n;;

INSERT INTO bank_transfers (id, provider, provider_id, account_number, bank, amount, memo,
    counterparty_name, counterparty_account, reference, transferred_at, received_at, state, reason,
    duplicate_of_id, virtual_account, details, counterparty_bank, raw_body, note)
SELECT md5('other ' || n)::uuid, 'SEPAY', 'x' || n, '0123499999', '970436', amount,
    'NGUYEN VAN B chuyen tien ' || n, 'NGUYEN VAN B', '0071000654321',
    'FT27' || lpad(n::text, 9, '0'), at, at + interval '1 minute', state,
    CASE state WHEN 'UNMATCHED' THEN 'NO_CODE' END,
    CASE state WHEN 'DUPLICATE' THEN transfer_id END, '', '', '', '{}', ''
FROM (
    SELECT *, CASE WHEN n > %(orders)s - 60 OR n %% 2000 = 8 THEN 'UNMATCHED'
        WHEN pg_temp.rare(n, 200, 13) THEN 'DUPLICATE'
        WHEN pg_temp.rare(n, 1000, 14) THEN 'DISCARDED'
        WHEN n > %(orders)s - 63 THEN 'RECEIVED'
        WHEN pg_temp.rare(n, 50, 15) THEN 'IGNORED' END AS state
    FROM sale
) lines WHERE state IS NOT NULL ORDER BY n;;

INSERT INTO payment_allocations (transfer_id, order_id, amount, created_at, created_by, reason)
SELECT transfer_id, id, amount, at + interval '10 minutes', 'settlement', ''
FROM sale WHERE status = 'PAID' ORDER BY n;;

INSERT INTO receipts (year, number, kind, order_id, instance_id, amount, content, issued_at,
    created_by, created_at)
SELECT year, row_number() OVER (PARTITION BY year ORDER BY n), 'RECEIPT', id,
    md5('school ' || school)::uuid, amount, '{"buyer": {"name": "Sao Mai"}, "lines": []}',
    at + interval '10 minutes', 'settlement', at + interval '10 minutes'
FROM sale, LATERAL (SELECT extract(year FROM at AT TIME ZONE 'Asia/Ho_Chi_Minh')::int AS year) y
WHERE status = 'PAID' ORDER BY n;;

INSERT INTO receipt_counters (year, last) SELECT year, max(number) FROM receipts GROUP BY year;;

INSERT INTO refunds (source, instance_id, order_id, amount, reason, status, payee_bank_bin,
    payee_account, payee_name, requested_by, requested_at, decided_by, decided_at, decision,
    sent_by, sent_at, sent_reference)
SELECT 'ORDER', md5('school ' || school)::uuid, id, 99000, 'Chuyển thừa', state, '970436',
    '0071000123456', 'NGUYEN VAN A', 'a@example.vn', at,
    CASE WHEN state <> 'REQUESTED' THEN 'b@example.vn' END,
    CASE WHEN state <> 'REQUESTED' THEN at END, '', CASE state WHEN 'SENT' THEN 'b@example.vn' END,
    CASE state WHEN 'SENT' THEN at END, ''
FROM (
    SELECT *, CASE WHEN n > %(orders)s - 60 * least(50, %(thin)s) OR n %% 20000 = 50
        THEN 'REQUESTED' WHEN pg_temp.rare(n, 10000, 150) THEN 'APPROVED'
        WHEN pg_temp.rare(n, 1000, 250) THEN 'REJECTED' ELSE 'SENT' END AS state
    FROM sale WHERE pg_temp.some(n, 50, 0) AND status = 'PAID'
) asked ORDER BY n;;

INSERT INTO credit_balances (instance_id, balance) SELECT id, n %% 1000 * 1000 FROM school;;

INSERT INTO credit_entries (instance_id, amount, kind, transfer_id, order_id, balance_after,
    created_at, created_by, reason)
SELECT md5('school ' || school)::uuid, 1000, CASE WHEN n %% 4 = 0 THEN 'GRANTED' ELSE 'EXCESS' END,
    transfer_id, id, 1000, at, 'settlement', ''
FROM sale WHERE pg_temp.some(n, 10, 9) AND status = 'PAID' ORDER BY n;;

INSERT INTO guest_sessions (session_id, instance_id, created_at, expires_at, source, device_type,
    user_agent, ip_address)
SELECT 'sess-' || n, md5('school ' || school)::uuid, at, at + interval '30 days',
    (ARRAY['landing_page', 'social_media', 'organic', 'referral'])[1 + n %% 4],
    (ARRAY['mobile', 'desktop', 'tablet'])[1 + n %% 3], 'Mozilla/5.0', '113.161.0.' || n %% 250
FROM sale WHERE pg_temp.some(n, 2, 0) ORDER BY n;;

INSERT INTO guest_events (session_id, instance_id, event_type, course_id, course_name, timestamp)
SELECT 'sess-' || n / 2 * 2, md5('school ' || school)::uuid,
    CASE WHEN pg_temp.rare(n, 500, 1) THEN 'trial_register'
        WHEN pg_temp.rare(n, 50, 2) THEN 'contact_click'
        WHEN n %% 3 = 0 THEN 'course_view' ELSE 'page_view' END,
    md5('course ' || n %% 100)::uuid, 'Tiếng Anh giao tiếp ' || n %% 100, at
FROM sale ORDER BY n;;

INSERT INTO storage_usage (instance_id, used_bytes, limit_bytes, last_updated)
SELECT id, CASE WHEN pg_temp.rare(n, 100, 1) THEN 95
        WHEN pg_temp.rare(n, 400, 2) THEN 105 ELSE n %% 90 END * 10000000,
    1000000000, at
FROM school;;

INSERT INTO storage_events (instance_id, file_type, file_name, file_url, file_size_bytes,
    operation, created_at, created_by)
SELECT md5('school ' || school)::uuid, (ARRAY['IMAGE', 'VIDEO', 'ATTACHMENT'])[1 + n %% 3],
    'bai-giang-' || n || '.mp4', 'https://cdn.example.vn/' || n, 1000000,
    CASE WHEN pg_temp.rare(n, 1000, 1) THEN 'ADJUST'
        WHEN pg_temp.rare(n, 20, 3) THEN 'DELETE' ELSE 'UPLOAD' END, at,
    'giao-vien'
FROM sale ORDER BY n;;

INSERT INTO storage_reservations (instance_id, size_bytes, status, created_at, expires_at,
    settled_at)
SELECT md5('school ' || school)::uuid, 1000000, status, at, at + interval '1 hour',
    CASE WHEN status <> 'OPEN' THEN at END
FROM (SELECT n, school, at, CASE WHEN n > %(orders)s - 60 * least(5, %(thin)s) THEN 'OPEN'
    WHEN n %% 100 = 5 THEN 'EXPIRED' WHEN n %% 50 = 10 THEN 'RELEASED' ELSE 'COMMITTED'
    END AS status
    FROM sale WHERE pg_temp.some(n, 5, 0)) held ORDER BY n;;

INSERT INTO branding_jobs (job_id, instance_id, organization_name, status, progress_percentage,
    created_at, updated_at, error_message)
SELECT 'BJ' || n, md5('school ' || school)::uuid, 'Sao Mai', status::branding_status,
    CASE status WHEN 'COMPLETED' THEN 100 ELSE 0 END, at, at,
    CASE status WHEN 'FAILED' THEN 'no image' END
FROM (SELECT n, school, at, CASE WHEN n > %(orders)s - 60 * least(10, %(thin)s) THEN 'PENDING'
    WHEN pg_temp.rare(n, 500, 10) THEN 'FAILED' ELSE 'COMPLETED' END AS status
    FROM sale WHERE pg_temp.some(n, 10, 0)) jobs ORDER BY n;;

INSERT INTO emails (recipient, reason, template, language, context, state, queued_at, sent_at,
    instance_id)
SELECT 'chu-truong-' || school || '@example.vn', 'order:' || n, 'reminder', 'vi', '{}', state, at,
    CASE state WHEN 'SENT' THEN at END, md5('school ' || school)::uuid
FROM (SELECT n, school, at, CASE WHEN n > %(orders)s - 60 * least(2, %(thin)s) THEN 'QUEUED'
    WHEN pg_temp.rare(n, 1000, 2) THEN 'FAILED' ELSE 'SENT' END AS state
    FROM sale WHERE pg_temp.some(n, 2, 0)) mail ORDER BY n;;

INSERT INTO procrastinate_jobs (queue_name, task_name, args, status, attempts)
SELECT 'default', 'billing.tasks.settle', '{}',
    (CASE WHEN n > %(orders)s - 60 * least(10, %(thin)s) THEN 'todo'
        WHEN pg_temp.rare(n, 1000, 0) THEN 'failed'
        ELSE 'succeeded' END)::procrastinate_job_status, 1
FROM sale WHERE pg_temp.some(n, 10, 0) ORDER BY n;;

INSERT INTO instance_suspensions (status_before, reason, created_at, created_by, instance_id)
SELECT 'ACTIVE', 'Không thanh toán', at, 'nhan-vien@example.vn', id
FROM school WHERE pg_temp.some(n, 10, 1);;

INSERT INTO instance_moves (source_url, source_username, source_password, target_url,
    target_username, target_password, step, created_at, created_by, ended_at, instance_id)
SELECT '', '', '', '', '', '', 'DONE', at, 'operator', at, id
FROM school WHERE pg_temp.some(n, 10, 1);;

INSERT INTO instance_gates (instance_id, reason, created_at)
SELECT id, 'SUSPENDED', at FROM school WHERE pg_temp.some(n, 100, 1);;

INSERT INTO instance_changes (id, instance_id, table_name, row_id)
OVERRIDING SYSTEM VALUE SELECT n, id, 'guest_events', owner_id FROM school;;

INSERT INTO instance_tombstones (reason, requested_by, requested_at, deprovision_at, archive_path,
    archive_sha256, instance_id)
SELECT 'Đóng cửa', 'chu@example.vn', at, at + interval '30 days', '/archives/x', '', id
FROM school WHERE pg_temp.some(n, 50, 2);;

INSERT INTO archive_runs (instance_id, kind, actor, archive_sha256, started_at, finished_at)
SELECT id, 'ERASURE', 'operator', '', at, at FROM school WHERE pg_temp.some(n, 50, 2);;

INSERT INTO bank_feeds (id, provider, account_number, last_seen_at, received, refused_reason)
SELECT md5('feed ' || n)::uuid, 'SEPAY', '0123499999' || n, at, n, ''
FROM school WHERE pg_temp.some(n, 10, 1);;

INSERT INTO bank_feed_silences (feed_id, starts_at, ends_at)
SELECT md5('feed ' || n)::uuid, at, at + interval '1 hour'
FROM school WHERE pg_temp.some(n, 10, 1);;

INSERT INTO sign_in_attempts (key, attempts, since)
SELECT encode(sha256(n::text::bytea), 'hex'), 1, at FROM school
;;

INSERT INTO notes (table_name, row_id, text, created_at, created_by)
SELECT 'payment_orders', id, 'Đã gọi cho chủ trường', at, 'nhan-vien@example.vn'
FROM sale WHERE pg_temp.some(n, 50, 4) ORDER BY n;;

INSERT INTO order_views (order_id, channel, first_at, last_at, times)
SELECT id, 'PORTAL', at, at + interval '5 minutes', 2
FROM sale WHERE pg_temp.some(n, 2, 0) ORDER BY n;;

INSERT INTO instance_watch (instance_id, used_bytes, limit_bytes, whole, looked_at)
SELECT id, 1, 1000000000, n > 60 * least(10, %(thin)s),
    %(at)s::timestamptz - n * interval '1 second'
FROM school WHERE pg_temp.some(n, 10, 1)
