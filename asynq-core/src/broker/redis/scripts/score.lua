-- score: what other scripts begin with, to find out whether and where an ID stands in a sorted set.
-- Returns nothing: this is a function.
-- The score as it is stored; nothing where the ID does not stand there, or the key holds something else.
local function score_in(set, id)
  local score = redis.pcall('ZSCORE', set, id)
  return type(score) == 'string' and score or nil
end
