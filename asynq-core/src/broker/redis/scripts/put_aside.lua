-- put_aside: rename a key that holds what it should not.
-- KEYS[1] the key   KEYS[2] its new name
-- ARGV[1] what it holds, as TYPE says
-- Returns 1 done, 0 it holds something else by now, or the new name is taken.
if redis.call('TYPE', KEYS[1]).ok ~= ARGV[1] or redis.call('EXISTS', KEYS[2]) == 1 then return 0 end
redis.call('RENAME', KEYS[1], KEYS[2])
return 1
