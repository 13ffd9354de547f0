DROP TRIGGER guard_payment_orders_terms ON payment_orders;
DROP TRIGGER guard_payment_orders_totals ON payment_orders;
DROP FUNCTION refuse_payment_order_change();
DROP TRIGGER keep_payment_allocations_whole ON payment_allocations;
DROP TRIGGER keep_payment_allocations ON payment_allocations;
DROP TRIGGER book_payment_allocations ON payment_allocations;
DROP FUNCTION book_allocation();
