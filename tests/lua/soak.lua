-- SPDX-License-Identifier: MIT
-- Checks made, started, cancelled, dropped and collected in all orders: soak.lua COUNT [flat]
-- "flat": memory is looked at too, which only means something without sanitizers.
local libspf = require "libspf"

local count = tonumber(arg[1])
local ZONE = [[
example.com. 300 IN TXT "v=spf1 ip4:192.0.2.0/24 a:a.example.com include:i.example.com -all exp=e.example.com"
a.example.com. 300 IN A 198.51.100.1
i.example.com. 300 IN TXT "v=spf1 exists:%{l}.x.example.com ?all"
e.example.com. 300 IN TXT "%{i} is not ours"
]]

local function resident_kb()
    for line in io.lines("/proc/self/status") do
        local kb = line:match("^VmRSS:%s*(%d+)")
        if kb then
            return tonumber(kb)
        end
    end
end

-- Some of its questions are answered at once, some later, some never.
local held = {}
local resolver = {
    query = function(question)
        if question.name:find("^later") then
            held[#held + 1] = question
        elseif not question.name:find("^never") then
            question:answer{"v=spf1 ip4:192.0.2.0/24 -all", ttl = 60}
        end
    end,
    cancel = function() end,
}
local zones = libspf.context{resolver = "none", zone_text = ZONE, record_cache = "64k", dns_cache = "64k"}
local mine = libspf.context{resolver = resolver, record_cache = "64k"}
local started, ended, cancelled, kept = 0, 0, 0, {}

local function on_end(result)
    ended = ended + 1
    kept[ended % 50 + 1] = result
end

local steps = {
    function(i)
        local result = zones:check{ip = "203.0.113.1", sender = "u" .. i .. "@example.com", helo = "h", trace = true}
        assert(result.result == "fail")
        if i % 100 == 0 then
            assert(#result:json() > 100 and #result.trace > 3)
        end
    end,
    function(i) kept[i % 50 + 1] = mine:check("192.0.2.1", "u@d" .. i % 100 .. ".example", "h") end,
    function(i)
        started = started + 1
        zones:start("192.0.2.1", "u" .. i .. "@example.com", "h", on_end)
    end,
    function(i)
        started = started + 1
        mine:start("192.0.2.1", "u@later" .. i .. ".example", "h", on_end)
        if #held > 20 then
            held[1]:answer{"v=spf1 -all"}
            table.remove(held, 1)
        end
    end,
    function(i)
        local check = mine:start("192.0.2.1", "u@never" .. i .. ".example", "h", error)
        cancelled = cancelled + 1
        check:cancel()
    end,
    function(i)
        local check = zones:start("192.0.2.1", "u" .. i .. "@example.com", "h", error)
        cancelled = cancelled + 1
        check:cancel()
    end,
    function() pcall(zones.check, zones, {ip = "nonsense", sender = "u@example.com"}) end,
    function(i)
        zones:process()
        mine:process()
        if i % 1000 < #"steps" then -- a context with checks in flight is dropped
            local dropped = libspf.context{resolver = resolver}
            dropped:start("192.0.2.1", "u@never.example", "h", error)
            dropped:start("192.0.2.1", "u@now.example", "h", error)
        end
    end,
}

local warm
for i = 1, count do
    steps[i % #steps + 1](i)
    if i == math.floor(count / 3) then
        collectgarbage()
        collectgarbage()
        warm = resident_kb()
    end
end
for _, question in ipairs(held) do
    question:fail("error")
end
while zones:pending() + mine:pending() > 0 do
    zones:wait(1)
    mine:wait(1)
end
assert(ended == started, ended .. " of " .. started .. " ended")
collectgarbage()
collectgarbage()
local now = resident_kb()
print(string.format("%d steps, %d called back, %d cancelled; %d kB, at a third of the way %d kB", count, ended, cancelled, now, warm))
if arg[2] ~= "flat" then
    return
end
assert(now < warm + 2048, "memory grows")

-- With much else in Lua's memory the collector still comes in time: of what holds memory outside of Lua, so many that
-- all of them would take 180 MB or more are never there at once.
local much = {}
for i = 1, 150000 do
    much[i] = {i, tostring(i)}
end

collectgarbage()
collectgarbage()
local before = resident_kb()

local function most_resident(what, times, run)
    local most = 0
    for i = 1, times do
        run(i)
        if i % math.floor(times / 20) == 0 then
            most = math.max(most, resident_kb())
        end
    end
    print(string.format("%s: at most %d kB more than %d kB", what, most - before, before))
    assert(#much == 150000 and most - before < 150000, what .. " lie about uncollected")
end

local terms = {}
for i = 1, 2000 do
    terms[i] = "ip4:192.0." .. i % 256 .. ".1"
end
local large = "v=spf1 " .. table.concat(terms, " ") .. " -all"

most_resident("results", 40000, function(i)
    zones:check{ip = "203.0.113.1", sender = "u" .. i % 10 .. "@example.com", helo = "h", trace = true}
end)
most_resident("results of large records", 500, function()
    zones:check{ip = "203.0.113.1", sender = "u@example.com", record = large, trace = true}
end)
most_resident("results of large records that were waited for", 500, function()
    zones:start{ip = "203.0.113.1", sender = "u@example.com", record = large, trace = true, function() end}
    zones:wait()
end)
most_resident("surveys of large records", 180, function() zones:survey{record = large} end)
most_resident("drafts", 40000, function() libspf.compose{senders = {"mx", "192.0.2.0/24"}} end)
most_resident("contexts", 600, function() libspf.context{resolver = "none"} end)

-- What is cancelled is freed at once.
collectgarbage("stop")
most_resident("cancelled checks", 40000, function() zones:start("192.0.2.1", "u@example.com", "h", error):cancel() end)
collectgarbage("restart")
