-- SPDX-License-Identifier: MIT
-- Everything in any order, from everywhere: functions of checks, of resolvers, and finalizers do what the program does,
-- resolvers answer twice, late, with nonsense and raise errors: disorder.lua COUNT [SEED]
local libspf = require "libspf"
local test = require "harness"

local count, random = tonumber(arg[1]), tonumber(arg[2] or 1)
local function draw(n)
    random = (random * 16807) % 2147483647
    return random % n + 1
end

local function some(list)
    return #list > 0 and list[draw(#list)] or nil
end

local function rarely(run, ...)
    if draw(8) == 1 then
        return run(...)
    end
end

-- No list grows: the oldest goes, and is collected at some time.
local function keep(list, value, most)
    list[#list + 1] = value
    if #list > most then
        table.remove(list, 1)
    end
end

local contexts, jobs, questions, results = {}, {}, {}, {}
local depth, started, ended, unknown, is_over = 0, 0, 0, 0, false
local step

local function nested()
    if depth < 3 then
        rarely(step)
    end
end

-- -------------------------------------------------------------------------------------------------- what is given

local nonsense = {
    1, -1, 0 / 0, 1 / 0, "x", "", "\0", {}, true, print, "192.0.2.1", "2001:db8::1", {"192.0.2.1"}, {ttl = 5}, {ttl = -1},
    {dnssec = "secure"}, ("x"):rep(300), "nxdomain", "error", "timeout", "bogus", io.stdout, {[2] = "x"}, {"\255\254"},
}

local answers = {
    function(question) return question:answer{"v=spf1 a:%{l}.example.com mx include:i" .. draw(5) .. ".example.com ~all", ttl = draw(99)} end,
    function(question) return question:answer{"192.0.2." .. draw(9)} end,
    function(question) return question:answer{"h" .. draw(9) .. ".example.com"} end,
    function(question) return question:answer{} end,
    function(question) return question:answer(some(nonsense)) end,
    function(question) return question:fail(({"nxdomain", "error", "timeout", "bogus"})[draw(4)], "a detail") end,
    function(question) return question:fail(some(nonsense), some(nonsense), some(nonsense)) end,
    function(question) return question:answer_packet(some(nonsense), some(nonsense)) end,
    function(question) return question:answer_packet(("\0\0\129\128\0\1\0\1\0\0\0\0\1x\0\0\16\0\1"):sub(1, draw(22))) end,
}

local function answer(question)
    if question then
        pcall(some(answers), question)
    end
end

local function answer_some()
    answer(some(questions))
end

-- ----------------------------------------------------------------------------------------------------- what is made

local function make_resolver()
    local resolver = {query = function(question)
        keep(questions, question, 30)
        if draw(2) == 1 then
            answer(question)
        end
        nested()
        rarely(error, some(nonsense))
    end}
    local others = {
        cancel = function(question) rarely(answer, question) nested() rarely(error) end,
        process = function() answer_some() nested() rarely(error) end,
        timeout = function() rarely(answer_some) return rarely(some, nonsense) or draw(9) / 1000 end,
        fd = function() return rarely(some, nonsense) end,
        wait = function() answer_some() nested() rarely(error) end,
    }
    for _, name in ipairs{"cancel", "process", "timeout", "fd", "wait"} do
        resolver[name] = draw(3) == 1 and others[name] or nil
    end
    return resolver
end

local function make_context()
    local resolver = draw(4) > 1 and make_resolver() or "none"
    local zone = 'example.com. 300 IN TXT "v=spf1 a mx -all"\n'
    keep(contexts, libspf.context{resolver = resolver, zone_text = zone, timeout = 0.003, record_cache = "64k"}, 4)
end

local function with_finalizer(run)
    if not newproxy then
        return setmetatable({}, {__gc = run})
    end
    getmetatable(newproxy(true)).__gc = run
end

local function drop_an_owner()
    local job, question, context = some(jobs), some(questions), some(contexts)
    with_finalizer(function()
        if is_over then
            return -- Lua 5.4 finalizes nothing that is made while a state is closed
        end
        nested()
        answer(question)
        if job then
            job:cancel()
        end
        if draw(4) == 1 then
            pcall(context.close, context)
        end
    end)
end

-- A function for a job, which is called once at most.
local function on_end()
    local is_called = false
    started = started + 1
    return function(...)
        unknown = unknown + (is_called and 1 or 0)
        is_called, ended = true, ended + 1
        keep(results, ..., 30)
        nested()
        rarely(error, "in a function")
    end
end

local function look(result)
    local _ = tostring(result), result:json()
    if result.nodes then
        _ = result.summary, result.remarks, result:text(), result:flatten()
    else
        _ = result:as_table(), result:received_spf("lf"), result:smtp_reply(), result:advice()
    end
end

-- ------------------------------------------------------------------------------------------------------ what is done

local function domain()
    return "d" .. draw(6) .. ".example.com"
end

local ways = {
    function(context) keep(jobs, context:start{ip = "192.0.2.1", sender = "a@" .. domain(), trace = draw(2) == 1, on_end()}, 20) end,
    function(context) keep(jobs, context:start_survey{domain = domain(), nearby = draw(2) == 1, on_end()}, 20) end,
    function(context) keep(results, context:check("192.0.2.1", "a@" .. domain(), "h"), 30) end,
    function(context) keep(results, context:survey(domain()), 30) end,
    function(context) context:process() end,
    function(context) context:wait(draw(3) / 1000) end,
    function(context) return context:fd(), context:timeout(), context:pending(), tostring(context) end,
    function() some(jobs):cancel() end,
    function() return some(jobs).result, some(jobs):pending(), tostring(some(jobs)) end,
    function() answer_some() answer(questions[#questions]) answer(questions[#questions]) end,
    function(context) rarely(context.close, context) end,
    function() make_context() end,
    function() collectgarbage(draw(2) == 1 and "collect" or "step") end,
    function() look(some(results)) end,
    function(context) coroutine.wrap(function() context:start("192.0.2.1", "a@" .. domain(), nil, coroutine.yield) context:process() end)() end,
    function(context) context[({"check", "start", "survey", "lint", "wait"})[draw(5)]](some(nonsense), some(nonsense), some(nonsense)) end,
    drop_an_owner,
}

function step()
    depth = depth + 1
    pcall(some(ways), some(contexts))
    depth = depth - 1
end

test.case("everything in any order", function()
    make_context()
    for _ = 1, count do
        step()
    end
    is_over = true
    test.equal(depth, 0)
    test.equal(unknown, 0, "functions that were called twice")
    test.is_true(ended > count / 100 and ended <= started, ended .. " of " .. started .. " ended")
end)

test.finish()
