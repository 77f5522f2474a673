-- SPDX-License-Identifier: MIT
-- One of several states, each in a thread of its own, on one shared context: host --threads N threads.lua CHECKS
local libspf = require "libspf"

local count = tonumber(arg[1])
local random = 7919 * thread
local function chance(n)
    random = (random * 16807) % 2147483647
    return random % n == 0
end

-- Every function is called in the state, and so in the thread, that started its check.
local own, ended, cancelled = {}, 0, 0
libspf.configure{config = os.getenv "LIBSPF_CONFIG"}

local function start(number)
    local sender = "user" .. number .. "@t" .. thread .. ".example.com"
    local ip = chance(2) and "192.0.2.7" or "198.51.100.7"
    own[sender] = ip == "192.0.2.7" and "pass" or "fail"
    local check = libspf.start(ip, sender, "h" .. thread, function(result)
        assert(result.helo == "h" .. thread, "the check of another state")
        assert(own[result.sender] == result.result, tostring(result))
        own[result.sender] = nil
        ended = ended + 1
    end)
    if chance(5) then
        check:cancel()
        own[sender] = nil
        cancelled = cancelled + 1
    end
end

for number = 1, count do
    start(number)
    if chance(3) then
        libspf.process()
    elseif chance(7) then
        libspf.wait(0.02)
    elseif chance(9) then
        assert(libspf.check("192.0.2.9", "x@t.example.com", "h").result == "pass")
    elseif chance(50) then
        collectgarbage()
    end
end
while libspf.pending() > 0 do
    libspf.wait(10)
end
assert(next(own) == nil, "a check that did not end")
assert(ended + cancelled == count)

-- What is left in flight goes with the state.
for number = 1, 5 do
    libspf.start("192.0.2.7", "left" .. number .. "@t" .. thread .. ".example.com", "h", error)
end
