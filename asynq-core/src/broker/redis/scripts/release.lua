-- release: release uniqueness locks that deleted tasks still hold.
-- KEYS[1..] the locks
-- ARGV[1..] for each lock: the ID of the task
-- Returns how many were released.
local released = 0
for i, lock in ipairs(KEYS) do
  if redis.pcall('GET', lock) == ARGV[i] then released = released + redis.call('DEL', lock) end
end
return released
