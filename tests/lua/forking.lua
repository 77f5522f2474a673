-- SPDX-License-Identifier: MIT
-- After a fork the state goes on in both processes; the checks that were pending are the parent's.
local libspf = require "libspf"
local test = require "harness"

local DNS, SLOW = os.getenv "LIBSPF_DNS", os.getenv "LIBSPF_SLOW"
libspf.configure{config = os.getenv "LIBSPF_CONFIG"}

-- Runs both functions, in the child and in the parent.
local function split(in_child, in_parent)
    if fork() == "child" then
        local ok, problem = pcall(in_child)
        if not ok then
            io.stderr:write("in the child: ", tostring(problem), "\n")
        end
        leave(ok and 7 or 1)
    end
    in_parent()
    test.equal(wait_for_child(), 7, "the child's exit status")
end

local function all_end(context, wanted)
    local calls = 0
    for i = 1, 5 do
        context.start({ip = "192.0.2.7", sender = "new" .. i .. "@example.com"}, function(result)
            test.equal(result.result, wanted)
            calls = calls + 1
        end)
    end
    while context.pending() > 0 do
        context.wait(5)
    end
    test.equal(calls, 5)
end

-- A context as the module is: functions without a self.
local function as_module(context)
    return setmetatable({}, {__index = function(_, name)
        return function(...) return context[name](context, ...) end
    end})
end

local function case(name, context, asked)
    test.case(name, function()
        local calls = 0
        asked(context)
        context.fd()
        local check = context.start("192.0.2.7", "before@example.com", "h", function() calls = calls + 1 end)
        context.start("192.0.2.8", "before@example.com", "h", function() calls = calls + 1 end)
        local surveyed = 0
        local survey = context.start_survey("example.com", function() surveyed = surveyed + 1 end)
        split(function()
            test.equal(check:pending(), false)
            test.equal(survey:pending(), false)
            test.equal(#context.survey("example.com").nodes, 2)
            test.equal(context.pending(), 0)
            check:cancel()
            test.equal(context.process(), 0)
            all_end(context, "pass")
            test.equal(context.check("198.51.100.7", "x@example.com", "h").result, "fail")
            test.is_true(context.fd() >= 0, "a descriptor")
            all_end(context, "pass")
            test.equal(calls, 0, "calls in the child")
        end, function()
            test.equal(check:pending(), true)
            while context.pending() > 0 do
                context.wait(5)
            end
            test.equal(calls, 2, "calls in the parent")
            test.equal(surveyed, 1, "surveys in the parent")
            all_end(context, "pass")
        end)
    end)
end

local function nothing() end
case("the shared context", libspf, nothing)
case("the shared context, in use before", libspf, function() libspf.check("192.0.2.7", "y@example.com", "h") end)
case("a context of one's own", as_module(libspf.context{resolver = SLOW}), nothing)

test.case("a resolver in Lua", function()
    local waiting = {}
    local context = libspf.context{resolver = {
        query = function(question) waiting[#waiting + 1] = question end,
        timeout = function() return waiting[1] and 0 or nil end,
        process = function()
            local due = waiting
            waiting = {}
            for _, question in ipairs(due) do
                question:answer{"v=spf1 ip4:192.0.2.7 -all"}
            end
        end,
    }}
    local called = false
    context:start("192.0.2.7", "before@example.com", "h", function() called = true end)
    local before = waiting[1]
    split(function()
        test.equal(before:answer{"v=spf1 -all"}, false)
        waiting = {}
        test.equal(context:pending(), 0)
        test.equal(context:check("192.0.2.7", "a@example.com", "h").result, "pass")
        test.equal(called, false)
        context:close()
    end, function()
        test.equal(before:answer{"v=spf1 -all"}, true)
        test.equal(called, true)
    end)
end)

test.case("a check that is waited for while the process forks", function()
    local role
    local context = libspf.context{resolver = {query = function(question)
        role = role or fork()
        question:answer{"v=spf1 ip4:192.0.2.7 -all"}
    end}}
    local ok, found = pcall(context.check, context, "192.0.2.7", "a@example.com", "h")
    if role == "child" then
        leave(not ok and found:find("forked") and context:check("192.0.2.7", "a@b.example").result == "pass" and 7 or 1)
    end
    test.equal(ok, true)
    test.equal(found.result, "pass")
    test.equal(wait_for_child(), 7)
end)

test.case("results of before", function()
    local result = libspf.context{resolver = DNS}:check("192.0.2.7", "a@example.com", "h")
    split(function()
        test.equal(result.result, "pass")
        result = nil
        test.collect()
    end, function() test.equal(result.result, "pass") end)
end)

test.finish()
