import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { parseScript } from "./read-script.ts";
import { describeStep } from "./script.ts";

const mistakes = (...steps: readonly unknown[]) => parseScript(JSON.stringify(steps)).mistakes;

describe("a lab script", () => {
  it("is read as the steps it lists", () => {
    const { steps } = parseScript('[{"do":"powerOff","box":"active"},{"do":"expect","what":"answers"}]');
    expect(steps).toEqual([
      { do: "powerOff", box: "active" },
      { do: "expect", what: "answers" },
    ]);
  });

  it("is refused when it is no JSON or no list", () => {
    expect(parseScript("{").mistakes[0]).toMatch(/^not JSON: /);
    expect(parseScript("7").mistakes).toEqual(["a list of steps, or an object with scenario and steps is expected"]);
    expect(parseScript('{"scenario":"web-servers"}').mistakes).toEqual(['"steps" must be a list']);
  });

  it("names every mistake with the number of its step", () => {
    expect(mistakes({ do: "mark" }, { do: "pull", box: "c", port: "dmz" }, 7)).toEqual([
      'step 2: "box" must be one of a, b, active, standby, victim',
      'step 2: "port" must be one of wan, lan, sync',
      "step 3: an object is expected",
    ]);
  });

  it("refuses words that JavaScript knows and a script does not", () => {
    expect(mistakes({ do: "toString" })[0]).toContain('step 1: "do" must be one of say, wait');
    expect(mistakes({ do: "expect", what: "constructor" })[0]).toContain('step 1: "what" must be one of role');
  });

  it("refuses keys that a step does not have", () => {
    expect(mistakes({ do: "powerOn", box: "a", port: "wan" })).toEqual(['step 1: unknown key "port"']);
    expect(mistakes({ do: "expect", what: "answers", box: "a" })).toEqual(['step 1: unknown key "box"']);
  });

  it("wants to know of a drill whether it kills", () => {
    expect(mistakes({ do: "drill" })).toEqual(['step 1: "kill" must be true or false']);
    expect(mistakes({ do: "drill", kill: false }, { do: "expect", what: "drillAgrees" })).toEqual([]);
  });

  it("bounds every wait", () => {
    expect(mistakes({ do: "wait", milliseconds: 600_001 })).toEqual(['step 1: "milliseconds" must be 0 to 600000']);
    expect(mistakes({ do: "expect", what: "answers", withinMilliseconds: -1 })).toEqual([
      'step 1: "withinMilliseconds" must be 0 to 600000',
    ]);
  });

  it("names its scenario, or is for the balanced one", () => {
    expect(parseScript("[]").scenario.name).toBe("balanced");
    expect(parseScript('{"scenario":"web-servers","steps":[]}').scenario.name).toBe("web-servers");
    expect(parseScript('{"scenario":"toString","steps":[],"of":1}').mistakes).toEqual([
      'unknown key "of"',
      '"scenario" must be one of balanced, web-servers',
    ]);
  });

  it("speaks of what its scenario has", () => {
    const steps = [
      { do: "pull", box: "a", port: "wan" },
      { do: "stopServer", server: "s1" },
      { do: "expect", what: "stream" },
      { do: "expect", what: "everyMode" },
      { do: "stopServer", server: "active" },
    ];
    const found = parseScript(JSON.stringify({ scenario: "web-servers", steps })).mistakes;
    expect(found.map((mistake) => mistake.slice(0, 40))).toEqual([
      'step 1: "port" must be one of lan, sync',
      'step 2: "server" must be one of a, b, ac',
      'step 3: "what" must be one of role, oneA',
      'step 4: "what" must be one of role, oneA',
    ]);
    expect(mistakes(...steps)).toEqual(['step 5: "server" must be one of s1, s2, s3']);
  });

  it.each(["tour.json", "partitions.json", "thaw.json", "web-servers.json", "modes.json"])(
    "that comes with the lab, %s, has no mistake",
    (name) => {
      const { steps, mistakes: found } = parseScript(readFileSync(new URL(name, import.meta.url), "utf8"));
      expect(found).toEqual([]);
      expect(steps.length).toBeGreaterThan(20);
    },
  );

  it("is told step by step in words", () => {
    expect(describeStep({ do: "kill", box: "active", component: "core" })).toBe("kill -9 core of active");
    expect(describeStep({ do: "expect", what: "spares", server: "s2" })).toBe("web server s2 is asked nothing");
    expect(describeStep({ do: "drill", kill: true })).toBe("drill --kill");
    expect(describeStep({ do: "stopServer", server: "active" })).toBe("kill -9 the web server of active");
  });
});
