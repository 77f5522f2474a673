-- SPDX-License-Identifier: MIT
-- The published suite for RFC 7208 through resolvers written in Lua: one that answers at once, one that answers late,
-- in another order than it was asked, and one whose checks are started together.
--     lua suite.lua DATA COUNT
local libspf = require "libspf"
local test = require "harness"

local scenarios = dofile(arg[1])
local count = tonumber(arg[2])
local CNAMES_MAX = 8

local function exists(zone, name)
    for other in pairs(zone) do
        if other == name or other:sub(-#name - 1) == "." .. name then
            return true
        end
    end
    return false
end

local failures = {TIMEOUT = "timeout", SERVFAIL = "error"}

local function answer(zone, question)
    local name = question.name
    for _ = 1, CNAMES_MAX do
        local entry = zone[name]
        if not entry then
            return exists(zone, name) and question:answer{ttl = 60} or question:fail("nxdomain")
        end
        local found = entry.records[question.type]
        if entry.failures[question.type] or (not found and entry.failures["*"]) then
            return question:fail(failures[entry.failures[question.type] or entry.failures["*"]])
        end
        local alias = entry.records.CNAME
        if found or not alias then
            local records = {ttl = 60}
            for i, record in ipairs(found or {}) do
                records[i] = record
            end
            return question:answer(records)
        end
        name = alias[1]:lower():gsub("%.$", "")
    end
    return question:fail("error", "a loop of CNAMEs")
end

local function prompt_resolver(zone)
    return {query = function(question) answer(zone, question) end}
end

-- Its questions wait in a list until the context lets it process them, the last one first.
local function late_resolver(zone)
    local waiting = {}
    return {
        query = function(question) waiting[#waiting + 1] = question end,
        cancel = function(question)
            for i = #waiting, 1, -1 do
                if waiting[i] == question then
                    table.remove(waiting, i)
                end
            end
        end,
        timeout = function() return waiting[1] and 0 or nil end,
        process = function()
            local due = waiting
            waiting = {}
            for i = #due, 1, -1 do
                answer(zone, due[i])
            end
        end,
        wait = function() end,
    }
end

local function is_one_of(word, results)
    for _, result in ipairs(results) do
        if word == result then
            return true
        end
    end
    return false
end

local function judge(how, name, case, result)
    test.case(how .. " " .. name, function()
        if not is_one_of(result.result, case.results) then
            error(string.format("found %s, wanted %s", tostring(result), table.concat(case.results, " or ")))
        end
        if case.explanation and result.result == "fail" then
            test.equal(result.explanation or "DEFAULT", case.explanation, "explanation")
        end
    end)
end

local function run_all(how, make_resolver)
    for _, scenario in ipairs(scenarios) do
        local context = libspf.context{resolver = make_resolver(scenario.zone), receiver = "receiver.example", timeout = 5}
        for name, case in pairs(scenario.cases) do
            judge(how, name, case, context:check{ip = case.ip, sender = case.sender, helo = case.helo})
        end
        context:close()
    end
end

local function run_together(how, make_resolver)
    for _, scenario in ipairs(scenarios) do
        local context = libspf.context{resolver = make_resolver(scenario.zone), receiver = "receiver.example", timeout = 5}
        for name, case in pairs(scenario.cases) do
            context:start{ip = case.ip, sender = case.sender, helo = case.helo, function(result)
                judge(how, name, case, result)
            end}
        end
        while context:pending() > 0 do
            context:wait()
        end
        context:close()
    end
end

run_all("prompt", prompt_resolver)
run_all("late", late_resolver)
run_together("together", late_resolver)
test.equal(test.passed + test.failed, 3 * count, "cases")
test.finish()
