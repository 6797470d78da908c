-- forget_group: take a group out of the set of groups, if it is empty.
-- KEYS[1] asynq:{<queue>}:groups   set
-- KEYS[2] asynq:{<queue>}:g:<group>   sorted set
-- ARGV[1] the group
-- Returns 1 done, 0 it holds tasks, or was not there.
if redis.call('EXISTS', KEYS[2]) == 1 then return 0 end
return redis.call('SREM', KEYS[1], ARGV[1])
