-- count_groups: how many tasks stand in some of a queue's groups. Changes nothing.
-- Compat: Go's GroupStats, which asks for all groups in one call.
-- KEYS[1] asynq:{<queue>}:groups   set
-- ARGV[1] group key prefix   ARGV[2] cursor: 0 at first, then what the last call returned   ARGV[3] how many groups to
--   look at, about   ARGV[4] how many of them to name
-- Returns {next cursor, how many groups, how many tasks in them; for each that is named: name, size}.
local page = redis.call('SSCAN', KEYS[1], ARGV[2], 'COUNT', ARGV[3])
local names, most, tasks = page[2], tonumber(ARGV[4]), 0
local answer = { page[1], #names, 0 }
for i, name in ipairs(names) do
  local size = redis.call('ZCARD', ARGV[1] .. name)
  tasks = tasks + size
  if i <= most then
    answer[#answer + 1] = name
    answer[#answer + 1] = size
  end
end
answer[3] = tasks
return answer
