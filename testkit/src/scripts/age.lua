-- age: let time pass for every key that expires.
-- ARGV[1] by how much, milliseconds   ARGV[2] the new time of the fixture's clock, Unix milliseconds
-- A daily counter expires at an instant of the clock, every other key after a time to live.
-- Before Redis 5 a script may not write what depends on a time to live, unless its writes are what is replicated.
if redis.replicate_commands then redis.replicate_commands() end
local call = redis.call
local by, clock = tonumber(ARGV[1]), tonumber(ARGV[2])
local time = call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
for _, key in ipairs(call('KEYS', '*')) do
  local left = call('PTTL', key)
  if left >= 0 then
    if string.find(key, '}:processed:', 1, true) or string.find(key, '}:failed:', 1, true) then
      if now + left <= clock then call('DEL', key) end
    elseif left <= by then
      call('DEL', key)
    else
      call('PEXPIRE', key, string.format('%d', left - by))
    end
  end
end
