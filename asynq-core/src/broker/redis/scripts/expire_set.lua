-- expire_set: make an aggregation set that nobody knows of one whose time is up, for servers to put its tasks back.
-- KEYS[1] asynq:{<queue>}:aggregation_sets   sorted set
-- KEYS[2] asynq:{<queue>}:g:<group>:<set id>   sorted set
-- Returns 1 done, 0 there is no such set, or it is known.
if redis.call('TYPE', KEYS[2]).ok ~= 'zset' then return 0 end
return redis.call('ZADD', KEYS[1], 'NX', 0, KEYS[2])
