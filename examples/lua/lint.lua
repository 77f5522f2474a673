-- SPDX-License-Identifier: MIT
-- What is wrong with records, of many domains at once:  lua lint.lua CONFIG-FILE DOMAIN...
-- Prints each remark, the record mended where that is certain, and how many lookups flattening would leave.
local libspf = require "libspf"

local config = ...
if not config then
    io.stderr:write("usage: lua lint.lua CONFIG-FILE DOMAIN...\n")
    os.exit(64)
end
local context = libspf.context{config = config}
local errors = 0

-- The octets that a remark is about.
local function quoted(remark)
    return remark.offset and remark.record and remark.record:sub(remark.offset, remark.offset + remark.length - 1)
end

local function tell(survey)
    print(survey)
    for _, remark in ipairs(survey.remarks) do
        local part = quoted(remark)
        print(("  %s: %s: %s"):format(remark.severity, part and part ~= "" and part or remark.domain, remark.sentence))
        if remark.fix then
            print("    " .. remark.fix)
        end
        errors = errors + (remark.severity == "error" and 1 or 0)
    end
    if survey.fixed_record then
        print("  mended: " .. survey.fixed_record)
    end
    local draft, why = survey:flatten()
    if not draft then
        print("  cannot be flattened: " .. why)
    elseif draft.lookups < survey.summary.lookups then
        print(("  flattened: %d lookups instead of %d"):format(draft.lookups, survey.summary.lookups))
        print("    " .. draft:zone(3600):gsub("\n", "\n    "))
    end
end

for i = 2, select("#", ...) do
    context:start_survey{domain = (select(i, ...)), nearby = true, tell}
end
while context:pending() > 0 do
    context:wait()
end
os.exit(errors == 0 and 0 or 1, true)
