-- Statistics need no way back.
SELECT 1;
