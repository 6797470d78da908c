-- take_turn: let a task run under a rate limit, or tell how long it has to wait and keep it a place in line.
-- Compat: Go has nothing like it and does not see these keys.
-- KEYS[1] asynq:x:rate:{<scope>}:ran    sorted set of the runs of the last period, by microsecond
-- KEYS[2] asynq:x:rate:{<scope>}:line   sorted set of the IDs of tasks that wait, by the microsecond of their turn
-- ARGV[1] task id   ARGV[2] name of the run   ARGV[3] now, unix microseconds   ARGV[4] period, microseconds
-- ARGV[5] how many may run in a period   ARGV[6] how long a place is kept after the turn, and how far ahead a clock
--   may be, microseconds
-- Returns microseconds to wait; 0 it may run.
local call, ran, line, id = redis.call, KEYS[1], KEYS[2], ARGV[1]
local now, period, most, patience = tonumber(ARGV[3]), tonumber(ARGV[4]), tonumber(ARGV[5]), tonumber(ARGV[6])
local SECOND = 1000000

-- Time does not go back, whosever clock is behind; what is too far ahead is no time at all.
local horizon = now + patience
local newest = call('ZREVRANGEBYSCORE', ran, horizon, '-inf', 'WITHSCORES', 'LIMIT', 0, 1)[2]
now = math.max(now, tonumber(newest) or now)
local is_waiting = call('ZSCORE', line, id)
call('ZREMRANGEBYSCORE', ran, '(' .. string.format('%.0f', horizon), '+inf')
call('ZREMRANGEBYSCORE', ran, '-inf', now - period)
call('ZREMRANGEBYSCORE', line, '-inf', now - patience)
is_waiting = is_waiting and call('ZSCORE', line, id)

-- How long somebody waits who has so many, fewer than may run in a period, ahead of him.
local function wait_behind(ahead)
  local rank = most - 1 - ahead
  local run = call('ZREVRANGE', ran, rank, rank, 'WITHSCORES')[2]
  return run and tonumber(run) + period - now or 0
end

-- Who comes before his turn keeps his place; who comes for it and finds none, by more than clocks and timers explain,
-- goes to the end of the line.
local wait = is_waiting and wait_behind(0) or 0
local early = is_waiting and tonumber(is_waiting) - now or 0
if wait >= SECOND and early >= SECOND then
  wait = early
elseif wait >= SECOND or not is_waiting then
  local ahead = call('ZCARD', line) - (is_waiting and 1 or 0)
  wait = wait_behind(ahead % most) + math.floor(ahead / most) * period
end
if wait > 0 then
  call('ZADD', line, now + wait, id)
  local last = tonumber(call('ZREVRANGE', line, 0, 0, 'WITHSCORES')[2])
  call('PEXPIRE', line, math.ceil((last - now + patience) / 1000))
else
  call('ZADD', ran, now, ARGV[2])
  call('PEXPIRE', ran, math.ceil((period + patience) / 1000))
  call('ZREM', line, id)
end
return wait
