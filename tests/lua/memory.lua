-- SPDX-License-Identifier: MIT
-- Every allocation of Lua's fails once: an error then, and the context goes on as if nothing had been asked of it.
local libspf = require "libspf"
local test = require "harness"

local ZONE = 'example.com. 300 IN TXT "v=spf1 a:a.example.com -all"\na.example.com. 300 IN A 192.0.2.1\n'
local resolver = {query = function(question)
    question:answer{question.type == "TXT" and "v=spf1 a -all" or "192.0.2.7"}
end}

local function own()
    return libspf.context{resolver = "none", zone_text = ZONE}
end

-- Drains what is left: the functions of the checks that were started without an error are called.
local function drain(context)
    for _ = 1, 100 do
        if context:pending() == 0 then
            return
        end
        pcall(context.wait, context, 5)
    end
    error("the checks do not end")
end

-- Runs the body with ever more allocations, until none fails.
local function torture(name, make, body)
    test.case(name, function()
        local context = make()
        for count = 0, 100000 do
            fail_after(count)
            local ok, problem = pcall(body, context)
            local failed = fail_no_more()
            if not ok and failed == 0 then
                error(problem, 0)
            elseif not ok then
                test.has(tostring(problem), "not enough memory")
            end
            drain(context)
            if failed == 0 then
                test.is_true(count > 3, "something was allocated")
                return
            end
        end
    end)
end

local function check(context)
    context:check{ip = "192.0.2.7", sender = "a@example.com", helo = "h", trace = true}
end

local function look(context)
    local result = context:check{ip = "192.0.2.7", sender = "a@example.com", helo = "h", trace = true}
    result:as_table()
    result:json()
    result:received_spf("lf")
    result:smtp_reply()
    tostring(result)
end

local function start(context)
    context:start("192.0.2.7", "a@example.com", "h", function(result) return result.reason end)
    context:start{ip = "192.0.2.7", sender = "b@example.com", function() end}:cancel()
    context:wait(5)
end

torture("check", own, check)
torture("what was found", own, look)
torture("start, cancel and wait", own, start)
torture("with a resolver in Lua: check", function() return libspf.context{resolver = resolver} end, check)
torture("with a resolver in Lua: start, cancel and wait", function() return libspf.context{resolver = resolver} end, start)
torture("making and closing contexts", own, function()
    own():close()
    libspf.context{resolver = resolver, max_lookups = 3}:close()
end)
torture("misuse", own, function(context)
    pcall(context.check, context, {ip = "nonsense"})
    pcall(libspf.context, {nonsense = 1})
    local ok = pcall(context.start, context, {ip = "192.0.2.7", nonsense = 5})
    test.equal(ok, false)
    check(context)
end)

-- The function of a check for which there was no memory is called when there is some.
test.case("no end is lost", function()
    local context = own()
    for count = 0, 60 do
        local calls = 0
        context:start("192.0.2.7", "a@example.com", "h", function() calls = calls + 1 end)
        fail_after(count)
        pcall(context.wait, context, 5)
        fail_no_more()
        drain(context)
        test.equal(calls, 1, "calls with " .. count .. " allocations")
    end
end)

test.finish()
