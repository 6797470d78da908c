-- lock_standings: what stands in uniqueness locks, and the states of the tasks that they name.
-- Begins with fields.lua, which reads tasks.
-- KEYS[1..] the locks
-- ARGV[1] queue key prefix   ARGV[2] what the value of a lock begins with that is kept for its whole time
-- Returns for each: {value, milliseconds left or -1, state of the task; nothing when there is none}; {} when nobody holds it.
local answer, prefix, kept = {}, ARGV[1], ARGV[2]
for i, lock in ipairs(KEYS) do
  local value = redis.pcall('GET', lock)
  if type(value) == 'string' then
    local id = string.sub(value, 1, #kept) == kept and string.sub(value, #kept + 1) or value
    local fields = fields_of(prefix .. 't:' .. id, 'msg', 'state')
    answer[i] = { value, redis.call('PTTL', lock), fields[1] and (fields[2] or '') or false }
  else
    answer[i] = {}
  end
end
return answer
