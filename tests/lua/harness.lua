-- SPDX-License-Identifier: MIT
-- Cases with a name, what they claim, and a count at the end: local test = require "harness"
local test = {failed = 0, passed = 0, claims = 0}

local traceback = debug.traceback

local function shown(value)
    return type(value) == "string" and string.format("%q", value) or tostring(value)
end

function test.case(name, run)
    local ok, problem = xpcall(run, function(what)
        return traceback(tostring(what), 2)
    end)
    if ok then
        test.passed = test.passed + 1
    else
        test.failed = test.failed + 1
        io.stderr:write("FAILED ", name, ": ", problem, "\n")
    end
end

function test.equal(found, wanted, what)
    test.claims = test.claims + 1
    if found ~= wanted then
        error(string.format("%s: found %s, wanted %s", what or "value", shown(found), shown(wanted)), 2)
    end
end

function test.is_true(value, what)
    test.claims = test.claims + 1
    if not value then
        error((what or "claim") .. " is not true", 2)
    end
    return value
end

-- The text has all of these in it, as they stand.
function test.has(text, ...)
    test.claims = test.claims + 1
    if type(text) ~= "string" then
        error("a text was wanted, found " .. shown(text), 2)
    end
    for _, part in ipairs{...} do
        if not text:find(part, 1, true) then
            error(string.format("%q has no %q in it", text, part), 2)
        end
    end
end

-- The function raises an error with all of these in it.
function test.raises(run, ...)
    test.claims = test.claims + 1
    local ok, problem = pcall(run)
    if ok then
        error("no error was raised", 2)
    end
    for _, part in ipairs{...} do
        if not tostring(problem):find(part, 1, true) then
            error(string.format("the error %q has no %q in it", tostring(problem), part), 2)
        end
    end
    return problem
end

-- Every object that nobody refers to is collected, those that finalizers let go of included.
function test.collect()
    for _ = 1, 4 do
        collectgarbage()
    end
end

-- To be called at the end of each script.
function test.finish()
    print(string.format("%d cases, %d claims, %d failed", test.passed + test.failed, test.claims, test.failed))
    os.exit(test.failed == 0 and test.passed > 0 and 0 or 1, true)
end

return test
