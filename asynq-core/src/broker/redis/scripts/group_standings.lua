-- group_standings: what is known of groups, and of what looks like one.
-- Begins with fields.lua, which reads tasks.
-- KEYS[1] asynq:{<queue>}:groups             set
-- KEYS[2] asynq:{<queue>}:aggregation_sets   sorted set
-- ARGV[1] queue key prefix   ARGV[2..] names
-- Returns for each: {1 if it is in the set of groups, 1 if it is a known aggregation set, size, the group that its first
--   task names or empty}.
local try, prefix, answer = redis.pcall, ARGV[1], {}
for at = 2, #ARGV do
  local key = prefix .. 'g:' .. ARGV[at]
  local listed, size = try('SISMEMBER', KEYS[1], ARGV[at]), try('ZCARD', key)
  local is_set = type(try('ZSCORE', KEYS[2], key)) == 'string'
  local group = ''
  if type(size) ~= 'number' then size = 0 end
  if size > 0 then
    local first = redis.call('ZRANGE', key, 0, 0)[1]
    group = fields_of(prefix .. 't:' .. first, 'group')[1] or ''
  end
  answer[#answer + 1] = { listed == 1 and 1 or 0, is_set and 1 or 0, size, group }
end
return answer
