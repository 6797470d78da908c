-- mend_groups: make groups known again that hold tasks and are not in the set of groups.
-- Compat: Go leaves them so behind when it reclaims a set or forwards a task to its group.
-- KEYS[1] asynq:{<queue>}:groups   set
-- ARGV[1] group key prefix   ARGV[2..] names of groups to look at
-- Returns how many were made known.
local mended = 0
for at = 2, #ARGV do
  if redis.pcall('TYPE', ARGV[1] .. ARGV[at]).ok == 'zset' then
    mended = mended + redis.call('SADD', KEYS[1], ARGV[at])
  end
end
return mended
