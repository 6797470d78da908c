-- change_timetable: put a schedule, or nothing, into the place of what is stored under its name.
-- Compat: Go keeps no schedules, and reads neither key.
-- KEYS[1] asynq:x:{timetable}           hash: texts by name
-- KEYS[2] asynq:x:{timetable}:changes   how often it was changed
-- ARGV[1] name   ARGV[2] text that is expected, empty for none   ARGV[3] new text, empty for none
-- ARGV[4] how many there may be
-- Returns 1 changed, 0 something else is stored, 2 there are too many.
local stored = redis.call('HGET', KEYS[1], ARGV[1]) or ''
if stored ~= ARGV[2] then
  return 0
end
if ARGV[3] ~= '' and stored == '' and redis.call('HLEN', KEYS[1]) >= tonumber(ARGV[4]) then
  return 2
end
-- First, for it is what can fail: where somebody has written what is no number.
redis.call('INCR', KEYS[2])
if ARGV[3] == '' then
  redis.call('HDEL', KEYS[1], ARGV[1])
else
  redis.call('HSET', KEYS[1], ARGV[1], ARGV[3])
end
return 1
