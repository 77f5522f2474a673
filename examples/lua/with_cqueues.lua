-- SPDX-License-Identifier: MIT
-- Checks from coroutines of cqueues:  lua with_cqueues.lua [CONFIG-FILE] <FILE
-- Each line of standard input, "IP SENDER HELO", has a coroutine, which simply waits for its result.
local cqueues = require "cqueues"
local condition = require "cqueues.condition"
local libspf = require "libspf"

if ... then
    libspf.configure{config = ...}
end
local queue = cqueues.new()

-- The one coroutine that watches libspf: the module itself is what cqueues polls.
local is_driven = false
local function drive()
    is_driven = true
    while libspf.pending() > 0 do
        cqueues.poll(libspf)
        libspf.process()
    end
    is_driven = false
end

local function check(options)
    local ended, result = condition.new(), nil
    libspf.start(options, function(found)
        result = found
        ended:signal()
    end)
    if not is_driven then
        queue:wrap(drive)
    end
    while not result do
        ended:wait()
    end
    return result
end

for line in io.lines() do
    local ip, sender, helo = line:match("(%S+)%s+(%S+)%s+(%S+)")
    queue:wrap(function()
        local result = check{ip = ip, sender = sender, helo = helo}
        print(("%s %s: %s"):format(result.ip, result.sender, tostring(result)))
    end)
end
assert(queue:loop())
