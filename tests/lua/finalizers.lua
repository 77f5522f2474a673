-- SPDX-License-Identifier: MIT
-- Finalizers of the program's own, which may run wherever memory is asked for, and cancel checks and close contexts that
-- are just in use: finalizers.lua COUNT
local libspf = require "libspf"
local test = require "harness"

local ZONE = 'example.com. 300 IN TXT "v=spf1 ip4:192.0.2.0/24 -all"\n'
local count = tonumber(arg[1])
local random = 1
local function draw(n)
    random = (random * 16807) % 2147483647
    return random % n
end

-- Collects in steps of another size each time, without a pause.
local function disturb_collector()
    if _VERSION == "Lua 5.4" then
        collectgarbage("incremental", 1, 100 * (1 + draw(10)), draw(13))
    else
        collectgarbage("setpause", 1)
        collectgarbage("setstepmul", 100 + draw(900))
    end
end

local function with_finalizer(run)
    if not newproxy then
        return setmetatable({}, {__gc = run})
    end
    local proxy = newproxy(true)
    getmetatable(proxy).__gc = run
    return proxy
end

local function make_context()
    if draw(2) == 0 then
        return libspf.context{resolver = "none", zone_text = ZONE, record_cache = 0}
    end
    local resolver = {query = function(question)
        if draw(2) == 0 then
            question:answer{"v=spf1 -all"}
        end
    end}
    return libspf.context{resolver = resolver, timeout = 0.001, record_cache = 0}
end

local ways = {
    function(context, i) context:check("192.0.2.1", "user" .. i .. "@example.com", "h") end,
    function(context, i) context:start{ip = "192.0.2.1", sender = "user" .. i .. "@example.com", function() end} end,
    function(context) context:survey("example.com") end,
    function(context) context:start_survey("example.com", function() end) end,
    function(context) context:lint("example.com") end,
    function(context) context:process() end,
    function(context) context:wait(0.001) end,
    function(context) context:fd() end,
    function(context) context:timeout() end,
}

local garbage
local function make_garbage(most)
    for i = 1, draw(most) do
        garbage = {i}
    end
end

test.case("finalizers that close the context, or cancel a check, in the middle", function()
    local is_inside, met, problems = false, 0, {}
    for i = 1, count do
        disturb_collector()
        local context = make_context()
        local check = context:start("192.0.2.1", "first@example.com", "h", function() end)
        local is_closing = draw(2) == 0
        local owner = with_finalizer(function()
            met = met + (is_inside and 1 or 0)
            if is_closing then
                context:close()
            else
                check:cancel()
            end
        end)
        make_garbage(60)
        owner = owner and nil
        make_garbage(4)
        is_inside = true
        local ok, problem = pcall(ways[i % #ways + 1], context, i)
        is_inside = false
        if not ok and not tostring(problem):find("closed", 1, true) then
            problems[#problems + 1] = problem
        end
    end
    test.equal(table.concat(problems, "\n"), "")
    test.is_true(met > count / 50, "finalizers run inside: " .. met)
end)

test.case("a check that was cancelled while its function was to be called", function()
    local context = libspf.context{resolver = "none", zone_text = ZONE}
    local ended, cancelled = 0, 0
    for _ = 1, count do
        disturb_collector()
        local has_ended = false
        local check = context:start("192.0.2.1", "a@example.com", "h", function() has_ended = true end)
        local owner = with_finalizer(function()
            if check:pending() then
                cancelled = cancelled + 1
            end
            check:cancel()
        end)
        make_garbage(40)
        owner = owner and nil
        make_garbage(4)
        context:process()
        test.equal(check:pending(), false)
        test.equal(check.result ~= nil, has_ended, "a result")
        ended = ended + (has_ended and 1 or 0)
    end
    test.equal(context:pending(), 0)
    test.equal(ended + cancelled, count)
    test.is_true(ended > 0 and cancelled > 0, "some are called and some cancelled")
end)

test.finish()
